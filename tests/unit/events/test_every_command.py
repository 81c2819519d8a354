"""Every command of every definition: carried out by somebody who may, refused to a stranger with a typed error."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select

from core.errors import YiwangError
from core.legal_time.limits import Limit
from core.records import SYSTEM, Command
from events.cases.definition_check import shipped_definitions
from events.evidence.audit_log import chain, check_chain
from storage.session import read_scope
from storage.tables.cases import CaseTransition
from tests.unit.events.casework import Town, photo

ENGINE_ONLY = {"note_observation"}  # the worker's own


@pytest.fixture
def town(engine: Engine) -> Town:
    return Town(engine)


def run(town: Town, case_id: str, *steps: tuple[str, str, dict[str, Any]]) -> str:
    """Give the commands in turn; each must be refused to a stranger first.  The last state."""
    state = ""
    for name, who, data in steps:
        if name not in ("comment", "attach", "urge"):
            with pytest.raises(YiwangError):
                town.do(case_id, name, "far_inspector", **data)
        state = town.do(case_id, name, who, **data).state
    return state


def used(town: Town, definition: str) -> set[str]:
    with read_scope(town.engine) as session:
        found = set(session.scalars(select(CaseTransition.command)))
        for case_id in set(session.scalars(select(CaseTransition.case_id))):
            assert not list(check_chain(chain(session, case_id)))
    return found & set(shipped_definitions()[definition].commands)


WHY = {"reason": "because"}
EXTENSION = {"value": 1, "unit": "urgent_hour", "reason": "long way"}


def test_the_seven_stages(town: Town) -> None:
    long = Limit(value=9, unit="urgent_hour")
    first = town.report("grid", class_code="event-01-10").case_id
    assert run(town, first, ("verify", "operator", {}), ("register", "operator", {})) == "pending_dispatch"
    state = run(
        town, first,
        ("dispatch", "dispatcher", {"department_id": "fire"}), ("refuse", "fire", WHY),
        ("dispatch", "dispatcher", {"department_id": "fire"}), ("accept", "fire", {}), ("return", "fire", WHY),
    )  # fmt: skip
    assert state == "returned"
    second = town.open(limit=long).case_id
    state = run(
        town, second,
        ("transfer", "dispatcher", {"department_id": "water", **WHY}), ("accept", "water", {}),
        ("transfer", "dispatcher", {"department_id": "fire", **WHY}), ("accept", "fire", {}),
        ("request_extension", "fire", EXTENSION), ("refuse_extension", "fire_boss", WHY),
        ("request_extension", "fire", EXTENSION), ("approve_extension", "fire_boss", {}),
        ("approve_extension", "dispatcher", {}), ("suspend", "dispatcher", WHY), ("resume", "dispatcher", {}),
        ("urge", "operator", WHY), ("comment", "fire", {"comment": "on it"}),
        ("arrive", "fire", {}), ("ask_help", "fire", WHY),
        ("attach", "fire", {"evidence": [photo("c")], "purpose": "after"}), ("finish", "fire", {}),
        ("send_check", "operator", {}), ("rework", "inspector", WHY), ("accept", "fire", {}),
        ("finish", "fire", {"no_photo_reason": "dark"}), ("check_pass", "inspector", {}), ("close", "operator", {}),
        ("reopen", "operator", WHY), ("force_close", "operator", WHY),
    )  # fmt: skip
    assert state == "force_closed"
    assert run(town, town.report().case_id, ("confirm", "operator", {}), ("reject", "operator", WHY)) == "rejected"
    assert run(town, town.report().case_id, ("cancel", "operator", WHY)) == "cancelled"
    whole, other = town.report().case_id, town.report().case_id
    assert run(town, whole, ("split", "operator", {"titles": ["a", "b"], **WHY})) == "reported"
    assert [c.title for c in town.detail(whole).children] == ["a", "b"]
    join = {"other_case_id": whole, **WHY}
    steps = ("distinct", "operator", join), ("merge", "operator", join), ("unmerge", "operator", WHY)
    assert run(town, other, *steps) == "reported"
    missing = set(shipped_definitions()["city_management"].commands) - used(town, "city_management")
    assert missing == ENGINE_ONLY | {"detach"}  # detach wants observations: tests/integration/events/test_by_hand.py
    note = Command(name="note_observation", case_id=first, actor_id="system", data={"severity": 3})
    assert town.service.execute(note, SYSTEM).severity == 3


def test_the_business_flow(town: Town) -> None:
    ask = {"title": "Plan", "definition_id": "business_flow", "department_id": "fire"}
    first = town.do("", "report", "grid", **ask, assisting=[{"department_id": "water"}]).case_id
    state = run(
        town, first,
        ("object", "water", WHY),
        ("send", "grid", {"department_id": "fire", "assisting": [{"department_id": "water"}]}),
        ("countersign", "water", {"opinion": "agreed"}), ("accept", "fire", {}),
        ("request_extension", "fire", EXTENSION), ("refuse_extension", "fire_boss", WHY),
        ("request_extension", "fire", EXTENSION), ("approve_extension", "fire_boss", {}),
        ("approve_extension", "grid", {}), ("suspend", "fire_boss", WHY), ("resume", "fire", {}),
        ("urge", "grid", WHY), ("comment", "grid", {"comment": "soon?"}),
        ("attach", "fire", {"evidence": [photo("d")]}), ("reply", "fire", {"answer": "here it is"}),
        ("dispute", "grid", WHY), ("reply", "fire", {"answer": "all of it"}),
        ("confirm", "grid", {}), ("reopen", "grid", WHY), ("withdraw", "grid", WHY),
    )  # fmt: skip
    assert state == "cancelled"
    extended = [c for c in town.detail(first, "grid").clocks if c.extensions]
    assert {c.kind for c in extended} == {"handling", "whole"}
    second = town.do("", "report", "grid", **ask).case_id
    steps = ("refuse", "fire", WHY), ("send", "grid", {"department_id": "water"}), ("accept", "water", {})
    assert run(town, second, *steps, ("transfer", "grid", {"department_id": "fire", **WHY})) == "sent"
    late = town.do("", "report", "grid", **ask).case_id
    town.clock.advance(3 * 86400)
    with pytest.raises(YiwangError, match="refusal window"):
        town.do(late, "refuse", "fire", **WHY)
    assert town.do(late, "return", "fire", **WHY).state == "returned"
    assert used(town, "business_flow") == set(shipped_definitions()["business_flow"].commands)


def test_mediation(town: Town) -> None:
    ask = {"title": "Noise", "definition_id": "dispute_mediation", "department_id": "fire", "parties": ["viewer"]}
    first = town.do("", "report", "grid", **ask).case_id
    state = run(
        town, first,
        ("assign", "fire_boss", {"department_id": "fire"}), ("accept", "fire", {}),
        ("add_party", "fire", {"party_id": "admin"}),
        ("add_subject", "fire", {"subjects": [{"name": "Li"}]}), ("propose", "fire", {"agreement": "quiet"}),
        ("sign", "viewer", {}), ("talk_again", "fire", WHY),
        ("record", "fire", {"minutes": "both came"}), ("suspend", "fire", WHY), ("resume", "fire", {}),
        ("urge", "viewer", WHY), ("request_extension", "fire", EXTENSION), ("refuse_extension", "fire_boss", WHY),
        ("request_extension", "fire", EXTENSION), ("approve_extension", "fire_boss", {}),
        ("approve_extension", "admin", {}), ("comment", "viewer", {"comment": "well"}),
        ("attach", "viewer", {"evidence": [photo("e")]}),
        ("agree", "fire", {"agreement": "quiet after ten", "evidence": [photo("f")]}), ("reopen", "fire", WHY),
        ("agree", "fire", {"agreement": "quiet after nine", "evidence": [photo("f")]}), ("perform", "viewer", {}),
    )  # fmt: skip
    assert state == "performed"
    second = town.do("", "report", "grid", **ask).case_id
    move = {"department_id": "water", **WHY}
    assert run(town, second, ("accept", "fire", {}), ("transfer", "fire_boss", move)) == "assigned"
    with pytest.raises(YiwangError):  # whoever gave it away sees it no longer
        town.detail(second, "fire")
    assert run(town, second, ("reject", "water", WHY)) == "not_accepted"
    third = town.do("", "report", "grid", **ask).case_id
    assert run(town, third, ("accept", "fire", {}), ("fail", "fire", WHY)) == "failed"
    fourth = town.do("", "report", "grid", **ask).case_id
    signed = run(town, fourth, ("accept", "fire", {}), ("propose", "fire", {"agreement": "quiet"}))
    with pytest.raises(YiwangError):  # the one party has not signed
        town.do(fourth, "conclude", "fire")
    assert signed == "signing" and run(town, fourth, ("sign", "viewer", {}), ("conclude", "fire", {})) == "agreed"
    assert run(town, town.do("", "report", "grid", **ask).case_id, ("withdraw", "viewer", WHY)) == "withdrawn"
    assert used(town, "dispute_mediation") == set(shipped_definitions()["dispute_mediation"].commands)
