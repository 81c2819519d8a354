"""Accounts: list, create, change, close, first passwords, invitations with a slip, devices that are signed in."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import msgspec
import segno
from dash import dcc, html

from core.errors import InputInvalid, NotFound
from dashboard.accounts.users import ROLES
from dashboard.desk import identities as known
from dashboard.desk import people as desk
from dashboard.pages.choices import Choice, departments, word
from dashboard.pages.desk.admin.parts import (
    Action,
    Row,
    Tab,
    Values,
    button,
    choose,
    facts,
    once,
    several,
    text,
    yes_no,
)
from dashboard.pages.frame import Visit
from dashboard.pages.moments import shown
from dashboard.pages.tables import chip, column, parts

MOST = 20_000
_MINUTE = "%Y-%m-%d %H:%M"


def columns(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        column("login", t("login.name"), width=130), column("name", t("admin.person"), width=130),
        column("roles", t("admin.roles"), cellRenderer="Parts", minWidth=150),
        column("department", t("fact.department"), minWidth=150), column("beat", t("admin.beat"), minWidth=110),
        column("state", t("fact.state"), cellRenderer="Parts", width=120),
    ]  # fmt: skip


def rows(visit: Visit) -> list[Row]:
    found, _ = desk.user_list(visit.services, visit.principal, {"all": True}, MOST, 0)
    return [row_of(visit, u) for u in found]


def row_of(visit: Visit, u: Row) -> Row:
    """An account as the list shows it."""
    t = visit.t
    able = chip(t("admin.can_log_in"), "good") if u["can_log_in"] else chip(t("admin.no_password"), "warn")
    return {
        "user_id": u["user_id"], "login": u["login"], "name": u["name"],
        "department": (u["department_name_en"] if visit.language == "en" else "") or u["department_name"] or "—",
        "beat": u["division_name"] or u["division_code"] or "—",
        **parts("roles", *(chip(word(visit, "userrole", r)) for r in u["roles"])),
        **parts("state", able if u["active"] else chip(t("admin.closed"), "bad")),
    }  # fmt: skip


def one(visit: Visit, user_id: str) -> Row:
    found, _ = desk.user_list(visit.services, visit.principal, {"all": True}, MOST, 0)
    user = next((u for u in found if u["user_id"] == user_id), None)
    if user is None:
        raise NotFound(what="user", key=user_id)
    return user


def panel(visit: Visit, user_id: str) -> Any:
    """One account, what may be done with it, where the person is signed in."""
    t, u = visit.t, one(visit, user_id)
    names = {"change": "act.edit", "invite": "admin.invite", "reset": "admin.reset", "factor": "admin.factor_off"}
    tools = [button(visit, "users", do, user_id, title) for do, title in names.items()]
    devices = desk.signed_in(visit.services, visit.principal, user_id)
    listed = [
        html.Li([
            html.B(d["user_agent"][:90] or "—"), html.Div(f"{d['address']} · {shown(d['last_seen_at'])}",
                                                        className="quiet"),
            button(visit, "users", "sign_out", f"{user_id} {d['device_id']}", "admin.sign_out", size="compact-xs"),
        ])
        for d in devices
    ]  # fmt: skip
    roles = "、".join(word(visit, "userrole", r) for r in u["roles"])
    pairs = [(t("login.name"), u["login"]), (t("admin.roles"), roles), (t("fact.department"), u["department_name"])]
    empty = html.P(t("admin.no_devices"), className="quiet")
    return [html.H2(u["name"]), dmc.Group(tools, gap=6), facts(pairs), html.H3(t("admin.devices")),
            html.Ul(listed, className="plain") if listed else empty, *identities(visit, user_id)]  # fmt: skip


def identities(visit: Visit, user_id: str) -> list[Any]:
    """The provider's identities of the account; nothing where there is no provider."""
    if visit.services.identity is None:
        return []
    bound = [
        html.Li([html.B(i.subject), html.Div(f"{i.issuer} · {shown(i.last_used_at)}", className="quiet"),
                 button(visit, "users", "unbind", i.identity_id, "admin.unbind", size="compact-xs")])
        for i in known.bound_to(visit.services, visit.principal, user_id)
    ]  # fmt: skip
    empty = html.P(visit.t("admin.no_identities"), className="quiet")
    return [html.H3(visit.t("admin.identities")), html.Ul(bound, className="plain") if bound else empty,
            button(visit, "users", "bind", user_id, "admin.bind")]  # fmt: skip


def ask_subject(visit: Visit, user_id: str) -> Any:
    return [html.P(one(visit, user_id)["name"]), text("subject", visit.t("admin.subject_id"), withAsterisk=True)]


def bind(visit: Visit, user_id: str, values: Values) -> None:
    subject = str(values.get("subject") or "").strip()
    if not subject:
        raise InputInvalid(field="subject", detail="is missing", how="write the provider's number of the person")
    known.bind(visit.services, visit.principal, user_id, subject)


def unbind(visit: Visit, key: str, _values: Values) -> None:
    known.unbind(visit.services, visit.principal, key)


def roles_of(visit: Visit) -> list[Choice]:
    return [{"value": r, "label": word(visit, "userrole", r)} for r in ROLES]


def ask_new(visit: Visit, _key: str) -> Any:
    t = visit.t
    return [text("login", t("login.name"), withAsterisk=True), *ask_fields(visit, {})]


def ask_fields(visit: Visit, u: Row) -> list[Any]:
    t = visit.t
    return [
        text("name", t("admin.person"), u.get("name"), withAsterisk=True),
        several("roles", t("admin.roles"), roles_of(visit), u.get("roles") or [], withAsterisk=True),
        choose("department_id", t("fact.department"), departments(visit), u.get("department_id")),
        text("division_code", t("admin.beat"), u.get("division_code")),
    ]


def ask_change(visit: Visit, user_id: str) -> Any:
    u = one(visit, user_id)
    return [html.P(u["login"]), *ask_fields(visit, u), yes_no("active", visit.t("admin.active"), u["active"], visit)]


def fields(values: Values) -> dict[str, Any]:
    """What the form says, as an account's fields."""
    if not str(values.get("name") or "").strip() or not values.get("roles"):
        raise InputInvalid(field="name", detail="or roles are empty", how="give a name and at least one role")
    return {"name": str(values["name"]).strip(), "roles": list(values["roles"]),
            "department_id": values.get("department_id") or None,
            "division_code": str(values.get("division_code") or "").strip() or None}  # fmt: skip


def create(visit: Visit, _key: str, values: Values) -> Any:
    sent = msgspec.convert({"login": str(values.get("login") or "").strip(), **fields(values)}, desk.NewUser)
    made = desk.create_user(visit.services, visit.principal, sent)
    return once(visit.t("admin.password_once"), made["login"], made["password"])


def change(visit: Visit, user_id: str, values: Values) -> Any:
    """Change it; the duty shifts that a closed account leaves are named."""
    changes = {**fields(values), "active": bool(values.get("active"))}
    left = desk.change_user(visit.services, visit.principal, user_id, changes)
    return shifts_left(visit, str(changes["name"]), left) if left else None


def shifts_left(visit: Visit, name: str, left: list[Row]) -> Any:
    """What somebody else must take over now."""

    def line(s: Row) -> Any:
        place = (s["department_name_en"] if visit.language == "en" else "") or s["department_name"]
        return html.Li(f"{place} · {word(visit, 'post', s['post'])} · {shown(s['starts_at'], _MINUTE)} – "
                       f"{shown(s['ends_at'], _MINUTE)}")  # fmt: skip

    said = html.P(visit.t("admin.shifts_left", name=name))
    return [html.H2(visit.t("admin.closed")), said, html.Ul([line(s) for s in left], className="plain"),
            html.A(visit.t("admin.to_roster"), href="/plans", className="button")]  # fmt: skip


def reset(visit: Visit, user_id: str, _values: Values) -> Any:
    password = desk.reset_password(visit.services, visit.principal, user_id)
    return once(visit.t("admin.password_once"), one(visit, user_id)["login"], password)


def invite(visit: Visit, user_id: str, _values: Values) -> Any:
    u, code = one(visit, user_id), desk.invite_user(visit.services, visit.principal, user_id)
    return [slip(visit, u["name"], u["login"], code), html.Button(visit.t("boards.print"), className="button",
                                                                  **{"data-print": ""})]  # fmt: skip


def slip(visit: Visit, name: str, login: str, code: str) -> Any:
    """A slip of paper: name, login, code and its QR; who scans it sets the first password."""
    picture = segno.make(desk.invitation_link(visit.services, code), error="m").svg_data_uri(scale=4, border=2)
    return html.Div(
        [html.Img(src=picture, alt=code), html.Div([html.B(name), html.P(login), html.Code(code, className="big-code"),
         html.P(visit.t("admin.invite_note"), className="quiet")])], className="slip",
    )  # fmt: skip


def factor_off(visit: Visit, user_id: str, _values: Values) -> None:
    desk.remove_factor(visit.services, visit.principal, user_id)


def sign_out(visit: Visit, key: str, _values: Values) -> None:
    user_id, _, device = key.rpartition(" ")
    desk.sign_out(visit.services, visit.principal, user_id, device)


def really(key: str) -> Any:
    """A question before it is done."""
    return lambda visit, user_id: [html.P(visit.t(key, name=one(visit, user_id)["name"]))]


def tools(visit: Visit) -> list[Any]:
    """The upload of a table of accounts."""
    button_ = dmc.Button(visit.t("admin.import"), variant="default")
    return [dcc.Upload(button_, id="adm-upload", accept=".xlsx,.xls,.csv", max_size=20 << 20, multiple=False),
            html.A(visit.t("admin.import_sample"), id="adm-sample", className="button", n_clicks=0),
            dcc.Download(id="adm-file")]  # fmt: skip


USERS = Tab(
    "admin.users", "user_id", columns, rows, panel,
    {
        "new": Action("admin.new_user", create, ask_new), "change": Action("act.edit", change, ask_change),
        "invite": Action("admin.invite", invite, really("admin.really_invite")),
        "reset": Action("admin.reset", reset, really("admin.really_reset")),
        "bind": Action("admin.bind", bind, ask_subject), "unbind": Action("admin.unbind", unbind),
        "factor": Action("admin.factor_off", factor_off, really("admin.really_factor")),
        "sign_out": Action("admin.sign_out", sign_out),
    },
    new=("new",), tools=tools, role="security",
)  # fmt: skip
