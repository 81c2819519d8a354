"""The catalogue of data sets: what there is, how fresh, asking for one, deciding on requests."""

from __future__ import annotations

from datetime import date
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, ctx, dcc, html, no_update

from core.clock import BEIJING
from core.errors import InputInvalid
from dashboard.api.deps import CENTRE
from dashboard.catalogue import desk, lineage
from dashboard.catalogue.lineage_graph import graph_of
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.lineage_drawing import drawing
from dashboard.pages.tables import column, table

PAGE = Page(
    path="/catalogue", zh="数据目录", en="Data catalogue", order=64,
    roles=("admin", "manager", "operator", "dispatcher", "staff"),
)  # fmt: skip


_NARROW = {"maxWidth": "calc(100vw - 24px)"}  # wide fields end where a phone's screen does


def layout(visit: Visit) -> Any:
    """Data sets above, the picked one with its request, requests below."""
    t = visit.t
    columns = [
        column("title", t("cat.title"), minWidth=160), column("provider", t("cat.provider"), minWidth=180),
        column("sharing", t("cat.sharing"), width=120),
        column("cycle", t("cat.cycle"), width=120), column("changed", t("cat.changed"), width=150),
        column("late", t("cat.late"), width=90), column("rows", t("cat.rows"), width=90),
    ]  # fmt: skip
    asked = [
        column("title", t("cat.title"), minWidth=160), column("purpose", t("cat.purpose"), minWidth=200),
        column("fields", t("cat.fields"), minWidth=160),
        column("until", t("cat.until"), width=120), column("state", t("cat.state"), width=100),
    ]  # fmt: skip
    decide: list[Any] = []
    if visit.principal.has(*desk.DECIDERS):
        decide = [dmc.TextInput(id="cat-note", placeholder=t("cat.note"), w=260),
                  dmc.Button(t("cat.grant"), id="cat-grant"),
                  dmc.Button(t("cat.refuse"), id="cat-refuse", variant="default"),
                  dmc.Button(t("cat.end"), id="cat-end", variant="default")]  # fmt: skip
    return html.Div([
        html.H1(t("page.catalogue")),
        html.P([html.A("DCAT-AP JSON-LD", href="/api/catalogue/dcat.jsonld"), "　",
                html.A(t("cat.responsibilities"), href="/api/catalogue/responsibilities")], className="quiet"),
        dmc.Space(h="sm"), table(visit, "cat-table", columns, _rows(visit), key="id", height="340px"),
        dmc.Space(h="md"), html.Div(id="cat-one"), dmc.Space(h="md"),
        html.H2(t("cat.requests")), dmc.Group(decide, gap="xs", mt="xs"),
        html.P(id="cat-key", **{"aria-live": "polite"}), dmc.Space(h="sm"),
        table(visit, "cat-asked", asked, _asked(visit), key="id", height="260px"),
        *_lineage(visit),
        dcc.Store(id="cat-picked"), dcc.Store(id="cat-request"),
    ])  # fmt: skip


def _lineage(visit: Visit) -> list[Any]:
    """Where data came from and went to, drawn; for those who see the whole district."""
    if not visit.principal.has(*CENTRE):
        return []
    graph = graph_of(lineage.events(visit.services), desk.datasets(visit.services).values())
    t = visit.t
    drawn: Any = html.P(t("cat.no_runs"), className="quiet")
    if graph.edges:
        drawn = dcc.Graph(id="cat-lineage", figure=drawing(graph, visit), config={"displaylogo": False})
    return [dmc.Space(h="md"), html.H2(t("cat.lineage")), html.P(t("cat.lineage_help"), className="quiet"), drawn]


def _rows(visit: Visit) -> list[dict[str, Any]]:
    t = visit.t
    return [
        {"id": r["dataset_id"], "title": r["zh"] if visit.language == "zh" else r["en"], "provider": r["provider_name"],
         "sharing": t(f"cat.sharing.{r['sharing']}"), "cycle": t(f"cat.cycle.{r['cycle']}"),
         "changed": f"{r['changed_at'].astimezone(BEIJING):%Y-%m-%d %H:%M}" if r["changed_at"] else "—",
         "late": t("cat.is_late") if r["late"] else "", "rows": r["rows"]}
        for r in desk.listed(visit.services)
    ]  # fmt: skip


def _asked(visit: Visit) -> list[dict[str, Any]]:
    known = desk.datasets(visit.services)
    return [
        {"id": r["request_id"], "title": known[r["dataset_id"]].zh if r["dataset_id"] in known else r["dataset_id"],
         "purpose": r["purpose"], "fields": "、".join(r["fields"]), "until": str(r["until"] or ""),
         "state": visit.t(f"cat.state.{r['state']}")}
        for r in desk.requests(visit.services, visit.principal)
    ]  # fmt: skip


@PAGE.callback(Output("cat-one", "children"), Output("cat-picked", "data"), Input("cat-table", "cellClicked"))
async def picked(visit: Visit, cell: dict[str, Any] | None) -> Any:
    """One data set: elements, quality, and the form to ask for it."""
    if not cell or not cell.get("rowId"):
        return no_update, no_update
    found = await in_thread(desk.detail, visit.services, str(cell["rowId"]))
    t, language = visit.t, visit.language
    names = {e["name"]: e[language] for e in found["elements"]}
    checked = [f"{names.get(q['field'], q['field'])} {t('cat.rule.' + q['rule'])}: {q['bad']} / {q['rows']}"
               for q in found["quality"]]  # fmt: skip
    parts: list[Any] = [
        html.H2(found[language]),
        html.P(found["abstract"]),
        html.P(found["condition"], className="quiet"),
        html.P(f"{t('cat.quality')}：" + ("；".join(checked) or "—")),
    ]
    if found["sharing"] != "none":
        choices = [{"value": n, "label": label} for n, label in names.items()]
        parts.append(dmc.Group([
            dmc.MultiSelect(id="cat-fields", data=choices, label=t("cat.fields"), w=420, style=_NARROW),
            dmc.TextInput(id="cat-purpose", label=t("cat.purpose"), w=320, style=_NARROW),
            dmc.DateInput(id="cat-until", label=t("cat.until"), w=160, valueFormat="YYYY-MM-DD"),
            dmc.Button(t("cat.ask"), id="cat-ask"),
        ], align="flex-end", gap="sm", mt="sm"))  # fmt: skip
    return parts, found["dataset_id"]


@PAGE.callback(
    Output("cat-asked", "rowData"), Input("cat-ask", "n_clicks"), State("cat-picked", "data"),
    State("cat-fields", "value"), State("cat-purpose", "value"), State("cat-until", "value"), True,
)  # fmt: skip
async def ask(visit: Visit, clicks: int | None, on: str, fields: Any, purpose: str | None, until: str | None) -> Any:
    """Send the request."""
    if not clicks:
        return no_update
    day = None if not until else date.fromisoformat(until[:10])
    sent = desk.Wish(purpose=purpose or "", fields=list(fields or []), until=day)
    await in_thread(desk.ask, visit.services, visit.principal, on, sent)
    tell(visit.t("cat.asked"))
    return await in_thread(_asked, visit)


@PAGE.callback(Output("cat-request", "data"), Input("cat-asked", "cellClicked"), True)
async def chosen(visit: Visit, cell: dict[str, Any] | None) -> Any:
    """The request that was clicked."""
    return str(cell["rowId"]) if cell and cell.get("rowId") else no_update


@PAGE.callback(
    Output("cat-key", "children"), Output("cat-asked", "rowData", allow_duplicate=True), Input("cat-grant", "n_clicks"),
    Input("cat-refuse", "n_clicks"), Input("cat-end", "n_clicks"), State("cat-request", "data"),
    State("cat-note", "value"), True,
)  # fmt: skip
async def decided(visit: Visit, grant: int | None, refuse: int | None, end: int | None, on: str, note: Any) -> Any:
    """Grant, refuse or end; a key is shown this once."""
    if not (grant or refuse or end):
        return no_update, no_update
    if not on:
        raise InputInvalid(field=visit.t("cat.requests"), detail=visit.t("cat.pick"), how=visit.t("cat.pick"))
    if ctx.triggered_id == "cat-end":
        await in_thread(desk.end, visit.services, visit.principal, on)
        return "", await in_thread(_asked, visit)
    sent = desk.ShareDecision(grant=ctx.triggered_id == "cat-grant", note=note or "")
    made = await in_thread(desk.decide, visit.services, visit.principal, on, sent)
    said = visit.t("cat.key_is", path=made["path"], secret=made["key"]) if made.get("key") else ""
    return said, await in_thread(_asked, visit)
