"""What goes out and by which rules: receivers of notices and webhooks, keys of other platforms, working calendars."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from dash import html

from core.errors import InputInvalid, NotFound
from core.legal_time.calendar import WorkCalendar
from dashboard.desk import channels as desk
from dashboard.desk.people import user_list
from dashboard.interchange.keys import SCOPES, NewKey, key_list, make_key_of, revoke
from dashboard.pages.choices import choices, word
from dashboard.pages.desk.admin.parts import Action, Row, Tab, Values, button, choose, facts, once, text
from dashboard.pages.frame import Visit, explained
from dashboard.pages.moments import shown
from dashboard.pages.tables import chip, column, parts
from events.notify.configuration import read_configuration

RIGHT: dict[str, Any] = {"type": "rightAligned", "width": 110}


def channel_columns(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        column("name", t("admin.receiver"), minWidth=160),
        column("state", t("fact.state"), cellRenderer="Parts", width=100),
        *(column(n, t(f"admin.{key}"), **RIGHT) for n, key in (("waiting", "waiting"), ("held", "held"),
          ("attempts", "failures"), ("given_up", "given_up"))),
        column("last", t("admin.last_sent"), width=170), column("error", t("admin.error"), minWidth=150),
    ]  # fmt: skip


def receiver(visit: Visit, r: Row) -> str:
    """What a receiver is called."""
    if r["topic"] == "webhook":
        return f"{visit.t('channel.event')} · {r['name']}"
    kind, _, to = r["name"].partition(":")
    return " · ".join(s for s in (word(visit, "channel", kind), to) if s)


def channel_rows(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        {"receiver": r["receiver"], "name": receiver(visit, r), "last": shown(r["last_at"]), "error": r["error"] or "",
         **{n: r[n] for n in ("waiting", "held", "attempts", "given_up")},
         **parts("state", chip(t("admin.fails"), "bad") if r["attempts"] or r["given_up"] else
                 chip(t("admin.works"), "good"))}
        for r in desk.receivers(visit.services, visit.principal)
    ]  # fmt: skip


def channel_panel(visit: Visit, key: str) -> Any:
    """A receiver's last deliveries; of a webhook also what it subscribes to."""
    t = visit.t
    found = next((r for r in desk.receivers(visit.services, visit.principal) if r["receiver"] == key), None)
    if found is None:
        raise NotFound(what="receiver", key=key)
    one = desk.subscribers(visit.services, visit.principal).get(found["name"]) if found["topic"] == "webhook" else None
    pairs: list[tuple[str, Any]] = []
    if one is not None:
        wanted = ", ".join((*one.commands, *one.classes, *one.departments)) or t("admin.everything")
        pairs = [("URL", one.url), (t("admin.subscribes"), wanted), (t("fact.severity"), f"≥ {one.min_severity}")]
    lines = [delivery(visit, d) for d in desk.deliveries(visit.services, visit.principal, key)]
    empty = html.P(t("kit.empty"), className="quiet")
    return [html.H2(receiver(visit, found)), facts(pairs) if pairs else None, html.H3(t("admin.deliveries")),
            html.Ul(lines, className="plain") if lines else empty]  # fmt: skip


def delivery(visit: Visit, d: Row) -> Any:
    """One delivery: when, whether it went, what was sent."""
    state = shown(d["sent_at"]) if d["sent_at"] else visit.t("admin.waiting")
    error = html.Div(d["error"], className="warn-text") if d["error"] else None
    body = html.Pre(json.dumps(d["body"], ensure_ascii=False, indent=1)[:4000])
    return html.Li([f"{shown(d['created_at'])} → {state} · {visit.t('admin.tries')} {d['attempts']}", error,
                    html.Details([html.Summary(visit.t("admin.show")), body])])  # fmt: skip


def channel_note(visit: Visit) -> Any:
    quiet = read_configuration(visit.services.settings).quiet
    said = visit.t("admin.quiet_hours", begins=quiet.begins or "22:00", ends=quiet.ends or "07:00",
                   level=visit.t(f"severity.{quiet.below_severity or 3}"))  # fmt: skip
    found = desk.wrong_settings(visit.services, visit.principal)
    wrong = [html.P(explained(visit, error), className="warn-text") for error in found]
    return html.Div([*wrong, html.P(f"{said} · {visit.t('admin.channels_note')}", className="quiet")])


def key_columns(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        column("name", t("admin.key_name"), minWidth=180), column("scope", t("admin.scope"), width=170),
        column("login", t("login.name"), width=140), column("made", t("admin.made"), width=170),
        column("state", t("fact.state"), cellRenderer="Parts", minWidth=150),
    ]  # fmt: skip


def key_rows(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        {"name": k["name"], "scope": k["scope"], "login": k["login"], "made": shown(k["created_at"]),
         **parts("state", chip(t("admin.revoked", time=shown(k["revoked_at"])), "off") if k["revoked_at"] else
                 chip(t("admin.works"), "good"))}
        for k in key_list(visit.services, visit.principal)
    ]  # fmt: skip


def key_panel(visit: Visit, name: str) -> Any:
    t = visit.t
    found = next((k for k in key_list(visit.services, visit.principal) if k["name"] == name), None)
    if found is None:
        raise NotFound(what="key", key=name)
    take = None if found["revoked_at"] else button(visit, "keys", "revoke", name, "admin.revoke")
    return [html.H2(name), take, facts([(t("admin.scope"), found["scope"]), (t("login.name"), found["login"])])]


def ask_key(visit: Visit, _key: str) -> Any:
    t = visit.t
    return [text("name", t("admin.key_name"), withAsterisk=True), text("login", t("admin.key_user"), withAsterisk=True),
            choose("scope", t("admin.scope"), choices({s: s for s in SCOPES}), SCOPES[0])]  # fmt: skip


def make(visit: Visit, _key: str, values: Values) -> Any:
    login = str(values.get("login") or "").strip()
    found, _ = user_list(visit.services, visit.principal, {"q": login}, 200, 0)
    user = next((u for u in found if u["login"] == login), None)
    if user is None:
        raise InputInvalid(field="login", detail=visit.t("admin.no_user"), how="write the login of an account")
    name = str(values.get("name") or "").strip()
    sent = NewKey(name=name, user_id=user["user_id"], scope=str(values.get("scope") or SCOPES[0]))
    made = make_key_of(visit.services, visit.principal, sent)
    return once(visit.t("admin.key_once"), made["name"], made["key"])


def take(visit: Visit, name: str, _values: Values) -> None:
    revoke(visit.services, visit.principal, name)


def ask_take(visit: Visit, name: str) -> Any:
    return [html.P(visit.t("admin.really_revoke", name=name))]


def _calendars(visit: Visit) -> dict[str, WorkCalendar]:
    """What counts: the statutory one unless the district has a ``default`` of its own."""
    return dict(visit.services.city.calendars)


def calendar_columns(visit: Visit) -> list[Row]:
    t = visit.t
    return [
        column("id", t("admin.calendar"), width=130), column("hours", t("admin.hours"), minWidth=190),
        column("zone", t("admin.zone"), width=140), column("years", t("admin.years"), minWidth=140),
        column("holidays", t("admin.holidays"), **RIGHT), column("workdays", t("admin.workdays"), **RIGHT),
    ]  # fmt: skip


def calendar_rows(visit: Visit) -> list[Row]:
    return [
        {"id": name, "hours": hours(c), "zone": c.timezone, "years": ", ".join(map(str, sorted(c.published))) or "—",
         "holidays": len(c.holidays), "workdays": len(c.workdays)}
        for name, c in _calendars(visit).items()
    ]  # fmt: skip


def hours(c: WorkCalendar) -> str:
    """08:00–12:00 14:00–18:00."""
    spans = [tuple(f"{s // 3600:02d}:{s // 60 % 60:02d}" for s in span) for span in c.periods]
    return " ".join(f"{begin}–{end}" for begin, end in spans)


def calendar_panel(visit: Visit, key: str) -> Any:
    """The days off and the shifted workdays of one calendar."""
    t, c = visit.t, _calendars(visit).get(key)
    if c is None:
        raise NotFound(what="calendar", key=key)
    days = [(t("admin.holidays"), c.holidays), (t("admin.workdays"), c.workdays)]
    listed = [
        part
        for title, found in days
        for part in (html.H3(title), html.P(" ".join(str(date.fromordinal(n)) for n in sorted(found)) or "—"))
    ]
    return [html.H2(key), html.P(hours(c)), *listed]


def calendar_note(visit: Visit) -> Any:
    return html.P(visit.t("admin.calendar_note"), className="quiet")


CHANNELS = Tab("admin.interfaces", "receiver", channel_columns, channel_rows, channel_panel, note=channel_note)
KEYS = Tab(
    "admin.keys", "name", key_columns, key_rows, key_panel,
    {"new": Action("admin.new_key", make, ask_key), "revoke": Action("admin.revoke", take, ask_take)}, new=("new",),
)  # fmt: skip
CALENDARS = Tab("admin.calendars", "id", calendar_columns, calendar_rows, calendar_panel, note=calendar_note)
