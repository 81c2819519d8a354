"""The identity provider: what is set, its addresses, which of its roles is which of ours, a trial of it."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import msgspec
from dash import html

from core.errors import InputInvalid, NotFound
from dashboard.accounts.users import ROLES
from dashboard.desk import sign_on as desk
from dashboard.desk.sign_on import ProviderTrial, SignOnWish
from dashboard.identity.config import OidcConfig
from dashboard.pages.choices import word
from dashboard.pages.desk.admin.parts import Action, Row, Tab, Values, button, choose, facts, number, text, yes_no
from dashboard.pages.frame import Visit
from dashboard.pages.tables import chip, column, parts

NONE = OidcConfig(issuer="https://id.example", client_id="yiwang", client_secret="")


def columns(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        column("issuer", t("signon.issuer"), minWidth=260), column("client", t("signon.client_id"), width=180),
        column("bind", t("signon.bind"), width=200), column("bound", t("signon.bound"), width=130),
        column("state", t("fact.state"), cellRenderer="Parts", minWidth=160),
    ]  # fmt: skip


def rows(visit: Visit) -> list[Row]:
    t, found, kept = visit.t, desk.state(visit.services, visit.principal), current(visit)
    if kept is None:
        return []
    state = chip(t("signon.wrong"), "bad") if found.problem else chip(t("signon.on"), "good")
    only = [] if kept.password_login else [chip(t("signon.only"), "warn")]
    return [{"key": "provider", "issuer": kept.issuer, "client": kept.client_id, "bind": t(f"signon.bind.{kept.bind}"),
             "bound": found.bound, **parts("state", state, *only)}]  # fmt: skip


def current(visit: Visit) -> SignOnWish | None:
    """What is set, without the secret."""
    kept = desk.state(visit.services, visit.principal).settings
    return None if kept is None else msgspec.json.decode(msgspec.json.encode(kept), type=SignOnWish)


def panel(visit: Visit, key: str) -> Any:
    """Everything but the secret, and what may be done."""
    t, kept = visit.t, current(visit)
    if kept is None or key != "provider":
        raise NotFound(what="identity provider", key=key)
    tools = [
        button(visit, "sign_on", "change", key, "act.edit"),
        button(visit, "sign_on", "test", key, "signon.test"),
        button(visit, "sign_on", "remove", key, "signon.remove"),
    ]
    found = desk.state(visit.services, visit.principal)
    roles = [
        html.Li([html.B(theirs), " → ", "、".join(word(visit, "userrole", r) for r in ours)])
        for theirs, ours in kept.roles.items()
    ]
    table = html.Ul(roles, className="plain") if roles else html.P(t("signon.no_roles"), className="quiet")
    pairs = [
        (t("signon.issuer"), kept.issuer), (t("signon.client_id"), kept.client_id),
        (t("signon.client_secret"), t("signon.secret_set") if found.has_secret else t("signon.secret_none")),
        (t("signon.scopes"), kept.scopes), (t("signon.bind"), t(f"signon.bind.{kept.bind}")),
        (t("signon.session_hours"), f"{kept.session_hours:g}"),
        (t("signon.password_login"), t("rules.on") if kept.password_login else t("rules.off")),
        (t("signon.break_glass"), "、".join(kept.break_glass)),
    ]  # fmt: skip
    wrong = [dmc.Alert(found.problem, color="red")] if found.problem else []
    return [html.H2(kept.title.get(visit.language) or kept.issuer), *wrong, dmc.Group(tools, gap=6), facts(pairs),
            html.H3(t("signon.roles")), html.P(kept.roles_claim, className="quiet"), table]  # fmt: skip


def note(visit: Visit) -> Any:
    """What must be registered at the provider."""
    found = desk.state(visit.services, visit.principal)
    lines = [visit.t("signon.register"), html.Br(), html.Code(found.callback), html.Br(), html.Code(found.backchannel)]
    wrong = [] if found.configured or not found.problem else [dmc.Alert(found.problem, color="red")]
    return html.Div([*wrong, html.P(lines, className="quiet")])


def ask(visit: Visit, _key: str) -> Any:
    """The fields; the secret's is empty and keeps what there is."""
    t, kept = visit.t, current(visit)
    now = kept or msgspec.convert(msgspec.to_builtins(NONE), SignOnWish)
    binds = [{"value": b, "label": t(f"signon.bind.{b}")} for b in ("administrator", "staff_number")]
    secret = dmc.PasswordInput(
        id={"adm-field": "client_secret"}, label=t("signon.client_secret"), value="",
        description=t("signon.secret_keep") if kept else None, **{"data-autocomplete": "new-password"},
    )  # fmt: skip
    table = "\n".join(f"{theirs} = {', '.join(ours)}" for theirs, ours in now.roles.items())
    return [
        text("issuer", t("signon.issuer"), now.issuer if kept else "", placeholder="https://", withAsterisk=True),
        text("client_id", t("signon.client_id"), now.client_id, withAsterisk=True), secret,
        text("title_zh", t("signon.title_zh"), now.title.get("zh")),
        text("title_en", t("signon.title_en"), now.title.get("en")),
        text("scopes", t("signon.scopes"), now.scopes), choose("bind", t("signon.bind"), binds, now.bind),
        text("staff_number_claim", t("signon.staff_number_claim"), now.staff_number_claim),
        text("department_claim", t("signon.department_claim"), now.department_claim),
        text("roles_claim", t("signon.roles_claim"), now.roles_claim),
        dmc.Textarea(id={"adm-field": "roles"}, label=t("signon.roles"), value=table, autosize=True, minRows=2,
                     description=t("signon.roles_about", roles=", ".join(ROLES))),
        yes_no("password_login", t("signon.password_login"), now.password_login, visit),
        text("break_glass", t("signon.break_glass"), ", ".join(now.break_glass),
             description=t("signon.break_glass_about")),
        text("session_hours", t("signon.session_hours"), f"{now.session_hours:g}"),
    ]  # fmt: skip


def change(visit: Visit, _key: str, values: Values) -> None:
    desk.change(visit.services, visit.principal, wish_of(values))


def wish_of(values: Values) -> SignOnWish:
    """What the form says."""

    def said(name: str) -> str:
        return str(values.get(name) or "").strip()

    titles = {lang: said(f"title_{lang}") for lang in ("zh", "en") if said(f"title_{lang}")}
    return SignOnWish(
        issuer=said("issuer"), client_id=said("client_id"), client_secret=said("client_secret"),
        scopes=said("scopes") or "openid", bind="staff_number" if said("bind") == "staff_number" else "administrator",
        staff_number_claim=said("staff_number_claim"), department_claim=said("department_claim"),
        roles_claim=said("roles_claim"), roles=table_of(said("roles")),
        password_login=bool(values.get("password_login")),
        break_glass=[each for each in said("break_glass").replace("，", ",").replace(" ", ",").split(",") if each],
        session_hours=number(values, "session_hours"), **({"title": titles} if titles else {}),
    )  # fmt: skip


def table_of(lines: str) -> dict[str, list[str]]:
    """``provider's role = ours, ours`` a line."""
    found: dict[str, list[str]] = {}
    for line in filter(None, (each.strip() for each in lines.replace("＝", "=").splitlines())):
        theirs, mark, ours = line.rpartition("=")
        roles = [each.strip() for each in ours.replace("，", ",").split(",") if each.strip()]
        if not mark or not theirs.strip() or not roles:
            raise InputInvalid(field="roles", detail=f"{line!r} is no line of the table", how="write theirs = ours")
        found[theirs.strip()] = roles
    return found


async def test(visit: Visit, _key: str, _values: Values) -> Any:
    """Ask the provider; what it has stands in the dialog."""
    return tried(visit, await desk.trial(visit.services, visit.principal))


def tried(visit: Visit, trial: ProviderTrial) -> Any:
    t = visit.t
    lines = [
        html.Li([html.B("✓ " if c.ok else "✗ "), t(f"signon.check.{c.code}"), html.Div(c.found, className="quiet")])
        for c in trial.checks
    ]
    return [html.H2(t("signon.works") if trial.ok else t("signon.fails")), html.Ul(lines, className="plain")]


def remove(visit: Visit, _key: str, _values: Values) -> None:
    desk.take_away(visit.services, visit.principal)


SIGN_ON = Tab(
    title="signon.title", key="key", columns=columns, rows=rows, panel=panel, note=note, new=("change",),
    actions={
        "change": Action("signon.set", change, ask),
        "test": Action("signon.test", test, lambda visit, _key: [html.P(visit.t("signon.test_about"))]),
        "remove": Action("signon.remove", remove, lambda visit, _key: [html.P(visit.t("signon.remove_about"))]),
    },
    role="security",
)  # fmt: skip
