"""The roster: a week by department, the shifts of a day, planning, hand-over, substitution."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, ctx, html, no_update

from core.clock import BEIJING
from core.errors import InputInvalid, NotFound, YiwangError
from dashboard.desk import duty as desk
from dashboard.desk.people import user_list
from dashboard.pages.choices import Choice, departments, word
from dashboard.pages.desk.plans.page import DAYS, PAGE, day_columns, today
from dashboard.pages.frame import Visit, in_thread
from dashboard.pages.moments import moment_field, shown
from dashboard.pages.presses import pressed
from dashboard.pages.tables import parts
from events.dispatching.duty_roster import MAY_PLAN

POSTS = ("duty", "leader", "dispatcher")
Row = dict[str, Any]


@PAGE.callback(
    Output("duty-start", "data"), Input("duty-back", "n_clicks"), Input("duty-today", "n_clicks"),
    Input("duty-on", "n_clicks"), State("duty-start", "data"), True,
)  # fmt: skip
async def turned(visit: Visit, _back: Any, _now: Any, _on: Any, start: str | None) -> Any:
    """A week back, on, or the running one."""
    if not start or not any((_back, _now, _on)):
        return no_update
    weeks = {"duty-back": -1, "duty-on": 1}.get(str(ctx.triggered_id))
    return (datetime.fromisoformat(start) + timedelta(days=7 * weeks) if weeks else today(visit)).isoformat()


@PAGE.callback(
    Output("duty-table", "rowData"), Output("duty-table", "columnDefs"), Input("duty-start", "data"),
    Input("duty-changed", "data"),
)  # fmt: skip
async def week(visit: Visit, start: str | None, _changed: Any) -> Any:
    """The shifts of seven days, a row a department."""
    if not start:
        return no_update, no_update
    begin = datetime.fromisoformat(start)
    found = await in_thread(desk.roster, visit.services, visit.principal, begin, begin + timedelta(days=DAYS))
    names = {s["department_id"]: department_of(visit, s) for s in found}
    rows = [
        row_of(visit, key, name, [s for s in found if s["department_id"] == key], begin) for key, name in names.items()
    ]
    return rows, day_columns(visit, begin)


def department_of(visit: Visit, shift: Row) -> str:
    """The department's name in the visitor's language."""
    return str((shift["department_name_en"] if visit.language == "en" else "") or shift["department_name"])


def row_of(visit: Visit, key: str, name: str, shifts: list[Row], begin: datetime) -> Row:
    """A department's week."""
    now, row = visit.services.clock.now(), {"department_id": key, "department": name}
    for n in range(DAYS):
        mine = on_day(shifts, begin + timedelta(days=n), first=n == 0)
        cell = [
            {"text": f"{hours(s)} {s['user_name']}", "title": word(visit, "post", s["post"]),
             "c": "chip good" if s["starts_at"] <= now < s["ends_at"] else "chip"}
            for s in mine
        ]  # fmt: skip
        row |= parts(f"d{n}", *cell)
    return row


def on_day(shifts: list[Row], day: datetime, *, first: bool) -> list[Row]:
    """The shifts that begin on ``day``; on the first day shown also those that began before and still run."""
    end = day + timedelta(days=1)
    return [s for s in shifts if s["starts_at"] < end and s["ends_at"] > day and (first or s["starts_at"] >= day)]


def hours(shift: Row) -> str:
    """08:00–20:00."""
    return f"{shown(shift['starts_at'], '%H:%M')}–{shown(shift['ends_at'], '%H:%M')}"


@PAGE.callback(Output("duty-at", "data"), Input("duty-table", "cellClicked"), State("duty-start", "data"), True)
async def picked(_visit: Visit, cell: Row | None, start: str | None) -> Any:
    """The department and day that were picked."""
    name = str((cell or {}).get("colId", ""))
    if not cell or not cell.get("rowId") or not start or not name.startswith("d") or not name[1:].isdigit():
        return no_update
    return {"department": cell["rowId"], "day": int(name[1:]), "start": start}


@PAGE.callback(Output("duty-panel", "children"), Input("duty-at", "data"), Input("duty-changed", "data"), True)
async def panel(visit: Visit, at: Row | None, _changed: Any) -> Any:
    """The shifts of the department on that day, with what this person may do."""
    if not at:
        return no_update
    begin = datetime.fromisoformat(at["start"])
    found = await in_thread(desk.roster, visit.services, visit.principal, begin, begin + timedelta(days=DAYS))
    mine = [s for s in found if s["department_id"] == at["department"]]
    day = begin + timedelta(days=int(at["day"]))
    shifts = on_day(mine, day, first=at["day"] == 0)
    title = html.H2(f"{department_of(visit, shifts[0]) if shifts else ''} {day.astimezone(BEIJING):%Y-%m-%d}")
    return html.Div([title, *(card(visit, s) for s in shifts)], className="desk-stack")


def card(visit: Visit, s: Row) -> Any:
    """One shift: who, when, for whom, handed to whom, with the note."""
    t, now = visit.t, visit.services.clock.now()
    lines: list[Any] = [html.B(s["user_name"]), html.Div(f"{hours(s)} · {word(visit, 'post', s['post'])}")]
    if s["substitute_for"]:
        lines.append(html.Small(t("plans.for", name=s["substitute_for_name"] or s["substitute_for"])))
    if s["handed_over_at"]:
        taker = s["handed_over_to_name"] or "—"
        lines.append(html.Small(t("plans.handed", time=shown(s["handed_over_at"]), name=taker), className="quiet"))
    if s["handover_note"]:
        lines.append(html.P(s["handover_note"]))
    mine = s["user_id"] == visit.principal.actor.user_id
    names = []
    if not s["handed_over_at"] and s["ends_at"] > now and (mine or visit.principal.has("admin")):
        names.append("hand_over")
    if s["ends_at"] > now and visit.principal.has(*MAY_PLAN):
        names.append("substitute" if s["starts_at"] <= now else "remove")
    labels = {"hand_over": "plans.hand_over", "substitute": "plans.substitute", "remove": "act.delete"}
    buttons = [
        dmc.Button(t(labels[name]), id={"shift": s["shift_id"], "do": name}, size="xs", variant="default")
        for name in names
    ]
    return dmc.Card([*lines, dmc.Group(buttons, gap=6, mt=6)], withBorder=True, className="shift")


@PAGE.callback(
    Output("duty-dialog", "opened"), Output("duty-dialog-held", "children"), Output("duty-asked", "data"),
    Input("duty-add", "n_clicks"), Input({"shift": ALL, "do": ALL}, "n_clicks"), State("duty-at", "data"), True,
)  # fmt: skip
async def asks(visit: Visit, _adds: int | None, _clicks: Any, at: Row | None) -> Any:
    """The form of what was pressed."""
    button, _ = pressed()
    if not button:
        return no_update, no_update, no_update
    what = button if isinstance(button, dict) else {"do": "add", "shift": ""}
    asked = {"do": what["do"], "shift": what["shift"], "department": (at or {}).get("department")}
    return True, await in_thread(form, visit, asked), asked


def form(visit: Visit, asked: Row) -> Any:
    """The fields: a new shift, to whom it is handed over, who stands in, or the question whether to delete."""
    t, now = visit.t, visit.services.clock.now()
    keys = {"add": "plans.add_shift", "hand_over": "plans.hand_over", "substitute": "plans.substitute",
            "remove": "plans.really_delete"}  # fmt: skip
    fields: list[Any] = []
    if asked["do"] == "add":
        mine = asked["department"] or visit.principal.actor.department_id
        posts = [{"value": p, "label": word(visit, "post", p)} for p in POSTS]
        fields += [
            dmc.Select(id=field("department_id"), label=t("fact.department"), data=departments(visit), value=mine,
                       searchable=True, withAsterisk=True),
            dmc.Select(id=field("post"), label=t("plans.post"), data=posts, value="duty", allowDeselect=False),
            moment_field(field("starts_at"), t("rules.from"), now),
            moment_field(field("ends_at"), t("rules.to"), now + timedelta(hours=8)),
        ]  # fmt: skip
    if asked["do"] != "remove":
        data = people(visit, asked["department"] or visit.principal.actor.department_id)
        label = t("plans.to" if asked["do"] == "hand_over" else "field.user_id")
        fields.append(dmc.Select(id=field("user_id"), label=label, data=data, searchable=True, withAsterisk=True))
    if asked["do"] == "hand_over":
        fields.append(dmc.Textarea(id=field("note"), label=t("plans.note"), withAsterisk=True, minRows=3))
    wrong = html.P(id="duty-wrong", className="form-error", role="alert")
    send = dmc.Button(t("act.delete" if asked["do"] == "remove" else "act.save"), id={"duty": "send"}, mt="md")
    return [html.H2(t(keys[asked["do"]])), dmc.Stack(fields, gap="xs"), wrong, send]


def field(name: str) -> dict[str, str]:
    """The id of a field of the form."""
    return {"duty-field": name}


def people(visit: Visit, department: str | None) -> list[Choice]:
    """Who may be named in a department."""
    found, _ = user_list(visit.services, visit.principal, {"department": department or None}, 500, 0)
    return [{"value": u["user_id"], "label": f"{u['name']} ({u['login']})"} for u in found]


@PAGE.callback(
    Output({"duty-field": "user_id"}, "data"), Input({"duty-field": "department_id"}, "value"), True,
)  # fmt: skip
async def of_department(visit: Visit, department: str | None) -> Any:
    """The people of the department that was chosen for a new shift."""
    return await in_thread(people, visit, department) if department else no_update


@PAGE.callback(
    Output("duty-wrong", "children"), Output("duty-dialog", "opened", allow_duplicate=True),
    Output("duty-changed", "data"), Input({"duty": ALL}, "n_clicks"), State("duty-asked", "data"),
    State({"duty-field": ALL}, "value"), True,
)  # fmt: skip
async def sent(visit: Visit, clicks: Any, asked: Row | None, _values: Any) -> Any:
    """Do it; what is wrong stands in the form."""
    if not asked or not any(clicks or []):
        return no_update, no_update, no_update
    given = {entry["id"]["duty-field"]: entry.get("value") or "" for entry in ctx.states_list[1]}
    try:
        await in_thread(act, visit, asked, given)
    except YiwangError as error:
        return error.told(visit.language), no_update, no_update
    return "", False, visit.services.clock.now().isoformat()


def act(visit: Visit, asked: Row, given: dict[str, str]) -> None:
    """Plan, hand over, name a substitute, or delete."""
    use, who = visit.services, visit.principal
    if asked["do"] == "remove":
        return desk.remove_shift(use, who, asked["shift"])
    if not given.get("user_id"):
        raise InputInvalid(field="user_id", detail="is empty", how="choose a person")
    if asked["do"] == "hand_over":
        desk.hand_shift_over(use, who, asked["shift"], given["user_id"], given.get("note", ""))
    elif asked["do"] == "substitute":
        desk.name_substitute(use, who, asked["shift"], given["user_id"])
    elif asked["do"] == "add":
        desk.plan_shift(use, who, desk.Shift(**given))
    else:
        raise NotFound(what="action", key=str(asked["do"]))
    return None
