"""The engine as a pure function: every definition is sound, every state has a way out, nothing illegal passes."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from core.errors import YiwangError
from core.records import Actor, Command
from events.cases.course.relations import CaseState, PartState
from events.cases.definition import ANY, NEW, REMEMBERED, Definition
from events.cases.definition_check import FOLDER, parse_definition, shipped_definitions
from events.cases.definition_store import sync_definitions
from events.cases.errors import DefinitionInvalid
from events.cases.lifecycle import advance, allowed
from storage.session import session_scope
from storage.tables.cases import Case, CaseDefinition
from tests.unit.events.casework import Town

NOW = datetime(2026, 6, 5, 1, 0, tzinfo=UTC)
KINDS = list(shipped_definitions().values())
ROLES = ("admin", "operator", "dispatcher", "staff", "manager", "inspector", "grid_worker", "viewer", "drone", "system")


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.definition_id)
def test_every_state_is_reached_and_every_open_state_can_be_left(kind: Definition) -> None:
    reached, frontier = set[str](), {kind.initial}
    exits: dict[str, set[str]] = {state: set() for state in kind.states}
    for spec in kind.commands.values():
        for move in spec.moves:
            for state in kind.states if ANY in move.from_ else move.from_:
                if move.to and move.to != REMEMBERED and state != NEW:
                    exits[state].add(move.to)
    while frontier:
        state = frontier.pop()
        reached.add(state)
        frontier |= exits[state] - reached
    assert reached == set(kind.states)
    stuck = [s for s, spec in kind.states.items() if spec.open and not exits[s]]
    assert stuck in ([], ["suspended"])  # suspended is left to where one came from


def test_the_seven_stages() -> None:
    city = shipped_definitions()["city_management"]
    assert [s.name["zh"] for s in city.stages] == [
        "信息收集", "案卷建立", "任务派遣", "任务处理", "处理反馈", "核查结案", "综合评价",
    ]  # fmt: skip
    asked = (
        "report verify register reject dispatch accept refuse return transfer request_extension suspend resume finish "
        "check_pass rework close force_close reopen cancel split merge unmerge urge comment attach"
    )
    assert set(asked.split()) <= set(city.commands)


@given(
    kind=st.sampled_from(KINDS),
    state=st.data(),
    role=st.sampled_from(ROLES),
    department=st.sampled_from([None, "a", "b", "c"]),
    part=st.sampled_from(["dispatched", "accepted", "finished"]),
)
@settings(max_examples=300, deadline=None)
def test_a_move_is_legal_or_a_typed_error(
    kind: Definition, state: st.DataObject, role: str, department: str | None, part: str
) -> None:
    name = state.draw(st.sampled_from(sorted(kind.states)))
    command = state.draw(st.sampled_from([*kind.commands, "dance"]))
    case = CaseState(
        state=name,
        now=NOW,
        department_id="a",
        handler_id="u",
        parts=(
            PartState(department_id="a", role="lead", state=part),
            PartState(department_id="b", role="assist", state=part),
        ),
        remembered=kind.initial,
    )
    actor = Actor(user_id=state.draw(st.sampled_from(["u", "v"])), name="x", roles=(role,), department_id=department)
    possible = allowed(case, actor, kind)
    try:
        moved = advance(case, Command(name=command, case_id="c", actor_id="u"), actor, kind)
    except YiwangError as error:
        shown = error.as_dict()
        assert shown["message"] and shown["remedy"] and "?>" not in str(error)
    else:
        assert command in possible and moved.to_state in kind.states


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("states", "closed", "stage"), "nowhere"),
        (("initial",), "nowhere"),
        (("commands", "accept", "moves"), [{"from": ["nowhere"], "to": "handling"}]),
        (("commands", "accept", "effects"), ["fly"]),
        (("commands", "accept", "who"), [{"roles": ["staff"], "relation": "friend"}]),
        (("commands", "accept", "required"), ["shoe_size"]),
        (("commands", "accept", "guards"), [{"guard": "dragon"}]),
        (("commands", "accept", "clocks"), {"start": ["tea"]}),
        (("commands", "request_extension", "approval"), "tea"),
        (("automatic", "register"), "fly"),
        (("version",), "one"),
    ],
)
def test_a_definition_with_a_mistake_does_not_load(path: tuple[str, ...], value: Any) -> None:
    body = copy.deepcopy(json.loads((FOLDER / "city_management.json").read_text("utf-8")))
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(DefinitionInvalid):
        parse_definition(body)


CURRENT = shipped_definitions()["city_management"].version


def test_a_case_keeps_the_version_it_began_with(engine: Engine) -> None:
    town = Town(engine)
    with session_scope(engine) as session:
        assert sync_definitions(session) == []
        assert sync_definitions(session) == []
    case = town.open()
    with session_scope(engine) as session:  # an older version, in which nobody may comment
        row = session.get(CaseDefinition, ("city_management", CURRENT))
        assert row is not None
        body = json.loads(json.dumps(row.body)) | {"version": 0}
        del body["commands"]["comment"]
        session.add(CaseDefinition(definition_id="city_management", version=0, name="old", body=body))
        stored = session.get(Case, case.case_id)
        assert stored is not None
        stored.definition_version = 0
    assert "comment" not in {a.name for a in town.detail(case.case_id).allowed}
    with pytest.raises(YiwangError):
        town.do(case.case_id, "comment", "operator", comment="hello")
    assert town.do(case.case_id, "accept", "fire").state == "handling"
    with session_scope(engine) as session:  # somebody edits a version that cases run by
        row = session.get(CaseDefinition, ("city_management", CURRENT))
        assert row is not None
        row.body = {**row.body, "bounce_limit": 99}
        assert len(sync_definitions(session)) == 1
