"""Verifying e-licences: type identifier and holder, see the verdict; the last verifications below."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, html, no_update

from dashboard.connections import licences as desk
from dashboard.pages.frame import Page, Visit, in_thread
from dashboard.pages.moments import shown
from dashboard.pages.tables import chip, column, parts, table

PAGE = Page(path="/licences", zh="证照核验", en="Licences", roles=desk.VERIFIERS, order=63)
TOLD = ("name", "holder", "issuer", "state", "issued", "valid_until")


def layout(visit: Visit) -> Any:
    """The question above, the verdict below it, the last verifications under both."""
    t = visit.t
    asked = [
        dmc.TextInput(id="lic-identifier", label=t("lic.identifier"), w=520, style={"maxWidth": "calc(100vw - 24px)"}),
        dmc.TextInput(id="lic-holder", label=t("lic.holder"), w=260),
        dmc.TextInput(id="lic-number", label=t("lic.holder_number"), w=220),
        dmc.TextInput(id="lic-case", label=t("lic.case"), w=220),
        dmc.Button(t("lic.verify"), id="lic-verify"),
    ]
    columns = [
        column("checked_at", t("lic.checked_at"), width=170),
        column("verdict", t("lic.verdict"), cellRenderer="Parts", minWidth=220),
        column("name", t("lic.name"), minWidth=160), column("holder", t("lic.holder"), minWidth=140),
        column("identifier", t("lic.identifier"), minWidth=300),
    ]  # fmt: skip
    return html.Div([
        html.H1(t("page.licences")), html.P(t("lic.help"), className="quiet"),
        dmc.Group(asked, align="flex-end", gap="sm", mt="md"), html.Div(id="lic-verdict", **{"aria-live": "polite"}),
        dmc.Space(h="md"), html.H2(t("lic.last")), dmc.Space(h="xs"),
        table(visit, "lic-table", columns, _rows(visit), key="id", height="360px"),
    ])  # fmt: skip


@PAGE.callback(
    Output("lic-verdict", "children"), Output("lic-table", "rowData"), Input("lic-verify", "n_clicks"),
    State("lic-identifier", "value"), State("lic-holder", "value"), State("lic-number", "value"),
    State("lic-case", "value"), True,
)  # fmt: skip
async def verify(visit: Visit, clicks: int | None, identifier: Any, holder: Any, number: Any, case: Any) -> Any:
    """Ask the platform, show the verdict."""
    if not clicks:
        return no_update, no_update
    sent = desk.LicenceQuestion(
        identifier=identifier or "", holder=holder or "", holder_number=number or "", case_id=(case or "").strip()
    )
    found = await desk.verify(visit.services, visit.principal, sent)
    return _verdict(visit, found), await in_thread(_rows, visit)


def _rows(visit: Visit) -> list[dict[str, Any]]:
    return [
        {"id": c["check_id"], "checked_at": shown(c["checked_at"]), "name": c["name"], "holder": c["holder"],
         "identifier": c["identifier"],
         **parts("verdict", chip(_said(visit, c), "good" if c["valid"] else "bad"))}
        for c in desk.checks(visit.services, visit.principal)
    ]  # fmt: skip


def _said(visit: Visit, check: dict[str, Any]) -> str:
    return "；".join(visit.t(f"lic.problem.{p}") for p in check["problems"]) or visit.t("lic.is_valid")


def _verdict(visit: Visit, check: dict[str, Any]) -> Any:
    t = visit.t
    facts = [(name, str(check[name])) for name in TOLD if check[name]]
    said = [(name, t(f"lic.state.{value}") if name == "state" else value) for name, value in facts]
    told = [part for name, value in said for part in (html.Dt(t(f"lic.{name}")), html.Dd(value))]
    mood = "teal" if check["valid"] else "red"
    return dmc.Alert([html.Dl(told)] if told else None, title=_said(visit, check), color=mood, mt="md", maw=900)
