"""Trying a draft on its page: choose a person, press what that person may, wait, see turn, clocks and notices.

The steps stand in the page's store and with the draft; each press plays them all again in a throw-away instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
import yaml
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from sqlalchemy import select

from core.clock import BEIJING
from dashboard.components import TrialCommand
from dashboard.pages import choices
from dashboard.pages.frame import Visit, in_thread
from dashboard.pages.presses import pressed
from dashboard.pages.tables import column, table
from dashboard.pages.workshop import kind_actions as act
from dashboard.pages.workshop.kind_page import PAGE
from dashboard.pages.workshop.titles import label
from events.cases.course.decisive import decisive_first, forward_among
from events.cases.course.relations import CaseState, may
from events.cases.definition import NEW, Definition
from events.cases.definition_check import parse_definition
from events.trial.script import ScriptPerson
from events.workshop.drafts import DraftView, draft_of, problems_of, save_trial
from events.workshop.trying import TrialPerson, cast_of, script_of, try_out
from storage.session import read_scope, session_scope
from storage.tables.people import User, UserRole

MOST_ACCOUNTS = 500
Line = dict[str, Any]


def layout(visit: Visit, draft: DraftView) -> list[Any]:
    """The tab ``try`` of a draft."""
    t = visit.t
    steps, accounts = list(draft.trial.get("steps") or ()), list(draft.trial.get("accounts") or ())
    return [
        html.P(t("kinds.try.lead"), className="quiet"),
        dcc.Store(id="trial-steps", data=steps), dcc.Store(id="trial-given"), dcc.Store(id="trial-last"),
        dmc.Group(
            [
                dmc.MultiSelect(id="trial-accounts", data=_accounts(visit), value=accounts, searchable=True, w=320,
                                placeholder=t("kinds.try.accounts"), **{"aria-label": t("kinds.try.accounts")}),
                dmc.TextInput(id="trial-wait", value="1 work_day", w=140, **{"aria-label": t("kinds.try.span")}),
                dmc.Button(t("kinds.try.wait"), id="trial-waits", n_clicks=0, variant="default"),
                dmc.Button(t("kinds.try.undo"), id="trial-undo", n_clicks=0, variant="default"),
                dmc.Button(t("kinds.try.again"), id="trial-again", n_clicks=0, variant="default"),
                dmc.Button(t("kinds.try.play"), id="trial-play", n_clicks=0),
            ],
            mb="sm",
        ),
        dmc.Select(id="trial-person", data=[], searchable=True, w=320, label=t("kinds.try.as")),
        html.Div(id="trial-commands"), html.Div(id="trial-form"),
        html.Div(id="trial-seen"),
    ]  # fmt: skip


def _accounts(visit: Visit) -> list[dict[str, str]]:
    query = select(User.user_id, User.name).where(User.active.is_(True)).order_by(User.name).limit(MOST_ACCOUNTS)
    with read_scope(visit.services.engine) as session:
        return [{"value": key, "label": name} for key, name in session.execute(query)]


@PAGE.callback(
    Output("trial-seen", "children"), Output("trial-person", "data"), Output("trial-person", "value"),
    Output("trial-last", "data"), Output("trial-steps", "data"),
    Input("trial-play", "n_clicks"), Input("trial-waits", "n_clicks"), Input("trial-undo", "n_clicks"),
    Input("trial-again", "n_clicks"), Input("trial-given", "data"), State("trial-person", "value"),
    State("trial-steps", "data"), State("trial-wait", "value"), State("trial-accounts", "value"),
    State("draft-at", "data"), True,
)  # fmt: skip
async def play(visit: Visit, *given: Any) -> Any:
    """The steps with what was pressed, played again."""
    presses, (given_data, person, steps, wait, accounts, at) = given[:4], given[4:]
    if not any(presses) and not given_data:
        return (no_update,) * 5
    act.check_kind_editor(visit.principal)
    steps = stepped(str(ctx.triggered_id), list(steps or ()), given_data, person, wait)
    return await in_thread(played, visit, at["draft_id"], steps, list(accounts or ())[:10], person)


def stepped(
    pressed: str, steps: list[Line], given: Mapping[str, Any] | None, person: str | None, wait: str | None
) -> list[Line]:
    """The steps after a press."""
    if pressed == "trial-given" and given and person:
        return [*steps, {"as": person, "do": given["name"], "data": given["data"]}]
    if pressed == "trial-waits":
        return [*steps, {"wait": (wait or "1 work_day").strip()}]
    if pressed == "trial-undo":
        return steps[:-1]
    return [] if pressed == "trial-again" else steps


def played(visit: Visit, draft_id: str, steps: list[Line], accounts: list[str], person: str | None) -> tuple[Any, ...]:
    """What is seen, the people, who acts now, who may do what, the steps."""
    with read_scope(visit.services.engine) as session:
        draft = draft_of(session, draft_id)
    wrong = [each for each in problems_of(draft.body) if not each.advice]
    if wrong:
        told = dmc.Alert(visit.t("kinds.problems", n=len(wrong)), color="orange")
        return told, [], None, {}, steps
    definition = parse_definition(draft.body)
    departments = {each["value"]: each["label"] for each in choices.departments(visit)}
    people = [*cast_of(definition, departments), *_people(visit, accounts)]
    start = visit.services.clock.now().astimezone(BEIJING).replace(hour=9, minute=0, second=0, microsecond=0)
    script = script_of(start, people, departments, steps)
    # A step that cannot be played is told; the steps stay as they were.
    lines = try_out(definition, script, visit.language)
    with session_scope(visit.services.engine) as session:
        save_trial(session, draft_id, {"steps": steps, "accounts": accounts})
    last = lines[-1] if lines else {"allowed": {}, "turn": []}
    names = {p.user_id: p.name for p in people}
    person = person if person in names else next(iter(last["turn"]), None) or people[0].user_id
    chosen = [{"value": key, "label": f"● {name}" if key in last["turn"] else name} for key, name in names.items()]
    may_do = {p.user_id: _commands(visit, definition, p, last) for p in people}
    return _seen(visit, definition, lines, names, script), chosen, person, {"may": may_do}, steps


@PAGE.callback(
    Output("trial-commands", "children"), Output("trial-form", "children"), Input("trial-last", "data"),
    Input("trial-person", "value"), True,
)  # fmt: skip
async def acting(visit: Visit, last: dict[str, Any] | None, person: str | None) -> Any:
    """What the chosen person may press; no form yet."""
    found = _buttons((last or {}).get("may", {}).get(person) or [])
    return html.Div(found, className="command-row", **{"data-person": person or ""}), None


def _people(visit: Visit, accounts: list[str]) -> list[TrialPerson]:
    """Real accounts with their real roles and departments."""
    with read_scope(visit.services.engine) as session:
        found = session.scalars(select(User).where(User.user_id.in_(accounts))).all()
        roles: dict[str, list[str]] = {}
        for who, role in session.execute(select(UserRole.user_id, UserRole.role).where(UserRole.user_id.in_(accounts))):
            roles.setdefault(who, []).append(role)
    return [TrialPerson(user_id=u.user_id, name=u.name, roles=tuple(sorted(roles.get(u.user_id, ()))),
                        department=u.department_id) for u in found]  # fmt: skip


def _commands(visit: Visit, d: Definition, person: TrialPerson, last: Line) -> list[dict[str, Any]]:
    """What a person may press: the commands of the case tried last, and a new one."""
    offered = list(last["allowed"].get(person.user_id, ()))
    state = str(last.get("state") or NEW)
    main = forward_among(d, offered, state)
    allowed = decisive_first(d, offered, state)
    actor = ScriptPerson(user_id=person.user_id, roles=person.roles, department=person.department).actor()
    begun = CaseState(state=NEW, now=visit.services.clock.now())
    if "report" in d.commands and may(actor, begun, d.commands["report"].who):
        allowed.append("report")
    names = dict.fromkeys(allowed)
    return [{"name": n, "title": label(d.commands[n].name, visit, n), "main": n in main} for n in names]


def _buttons(commands: list[dict[str, Any]]) -> list[Any]:
    return [
        html.Button(one["title"], id={"trial": one["name"]}, n_clicks=0,
                    className="button primary" if one["main"] else "button")
        for one in commands
    ]  # fmt: skip


@PAGE.callback(
    Output("trial-form", "children", allow_duplicate=True), Input({"trial": ALL}, "n_clicks"),
    State("draft-at", "data"), State("trial-steps", "data"), True,
)  # fmt: skip
async def ask(visit: Visit, clicks: list[int | None], at: dict[str, Any], steps: list[Line] | None) -> Any:
    """The form of the command that was pressed."""
    button, _ = pressed()
    if not button:
        return no_update
    act.check_kind_editor(visit.principal)
    key = f"{len(steps or ())}-{sum(n or 0 for n in clicks)}"
    return await in_thread(_form, visit, at["draft_id"], str(button["trial"]), key)


def _form(visit: Visit, draft_id: str, name: str, key: str) -> Any:
    with read_scope(visit.services.engine) as session:
        definition = parse_definition(draft_of(session, draft_id).body)
    command = {"name": name, "title": label(definition.commands[name].name, visit, name),
               "ask": definition.ask(name), "form": definition.form(name)}  # fmt: skip
    return html.Div(TrialCommand(id="trial-command", command=command, target="trial-given"), key=f"{name}-{key}")


def _seen(visit: Visit, d: Definition, lines: list[Line], names: Mapping[str, str], script: Mapping[str, Any]) -> Any:
    t = visit.t
    if not lines:
        return html.P(t("kinds.try.none"), className="quiet")
    rows = [_row(visit, d, line, names) for line in lines]
    wide = {"wrapText": True, "autoHeight": True}
    columns = [column("step", "№", width=60), column("who", t("kinds.try.who"), width=170),
               column("did", t("kinds.try.did"), width=140), column("state", t("work.state"), width=120),
               column("turn", t("kinds.col.turn"), **wide), column("clocks", t("kinds.col.clocks"), **wide),
               column("notices", t("kinds.tab.notify"), **wide),
               column("error", t("kinds.try.error"), **wide)]  # fmt: skip
    text = yaml.safe_dump(dict(script), allow_unicode=True, sort_keys=False, width=120)
    details = html.Details([html.Summary(t("kinds.try.script")), html.Pre(text, className="form-json")])
    return html.Div([table(visit, "trial-rows", columns, rows[::-1], key="step", height="44vh"), details])


def _row(visit: Visit, d: Definition, line: Line, names: Mapping[str, str]) -> Line:
    """A step in words."""
    clocks = []
    for clock in line["clocks"]:
        spec = d.clocks.get(clock["kind"])
        title = label(spec.name if spec else {}, visit, clock["kind"])
        until = (clock["deadline"] or "").replace("T", " ")[:16] or visit.t("kinds.try.suspended")
        clocks.append(f"{'● ' if clock['kind'] == line['shown_clock'] else ''}{title} → {until}")
    did = line["do"]
    command = label(d.commands[did].name, visit, did) if did in d.commands else did
    error = line["error"]
    return {
        "step": line["step"], "who": names.get(line["as"], line["as"] or "—"),
        "did": command or line["now"].replace("T", " ")[:16],
        "state": label(d.states[line["state"]].name, visit, line["state"]) if line["state"] in d.states else "—",
        "turn": "、".join(names.get(who, who) for who in line["turn"]), "clocks": "；".join(clocks),
        "notices": "；".join(f"{names.get(n['to'], n['to'])}：{n['text']}" for n in line["notices"]),
        "error": f"{error['code']}: {error['message']}" if error else "",
    }  # fmt: skip
