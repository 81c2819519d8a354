"""Routing with "why me?": kept steps give the same route again; bounces end at an arbiter; absence is stood in for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from core.records import CaseChanged
from events.cases.errors import BounceLimit
from events.dispatching.duty_roster import add_shift, on_duty, substitute, to_person
from events.dispatching.explain import advise
from events.dispatching.routing import RoutingFacts, default_routing, fingerprint, parse_routing, recompute, route
from events.notify.notices import NoticeDraft, notices_of_change
from events.rules.rulebook import default_rules
from storage.session import session_scope
from storage.tables.cases import Case, Outbox
from storage.tables.people import User
from storage.tables.registry import Department
from tests.unit.events.casework import FRIDAY, STREET, Town, actor
from tests.unit.events.test_routing import DEPARTMENTS

TABLE = default_routing()
FACTS = st.builds(
    RoutingFacts,
    happening=st.sampled_from(["", *default_rules().happenings]),
    class_code=st.sampled_from(["", "event-05-94", "event-04-96", "event-01-10", "component-01-01", "event-06-85"]),
    kind=st.sampled_from(["", "flame_smoke", "water_level_m"]),
    severity=st.integers(1, 4),
    division_code=st.sampled_from([None, "220105001", "220105001002", "220105009"]),
    site_department=st.sampled_from([None, "dept-urban", "dept-nowhere"]),
    local_time=st.sampled_from(["03:00", "12:00", "18:00"]),
    absent=st.sampled_from([{}, {"dept-fire": "dept-emergency"}]),
)


@given(facts=FACTS, there=st.sets(st.sampled_from(sorted(DEPARTMENTS)), min_size=1))
def test_every_route_is_computed_again_from_the_steps_it_keeps(facts: RoutingFacts, there: set[str]) -> None:
    first = route(facts, TABLE, there)
    stored = msgspec.json.decode(msgspec.json.encode(first.steps))  # as the database gives them back
    again = recompute(stored, TABLE, there)
    assert again.lead.department_id == first.lead.department_id
    assert [p.department_id for p in again.assisting] == [p.department_id for p in first.assisting]
    assert msgspec.json.encode(again.steps) == msgspec.json.encode(first.steps)


@pytest.fixture
def town(engine: Engine) -> Town:
    town = Town(engine)
    with session_scope(engine) as session:
        names = sorted(DEPARTMENTS - {"street-220105001"})
        session.add_all(Department(department_id=d, name=d) for d in names)
        session.flush()
        for user_id, department in (("chief", "dept-command"), ("deputy", "dept-command"), ("drain", "dept-drainage")):
            session.add(User(user_id=user_id, login=user_id, name=user_id, department_id=department))
    return town


def routed(town: Town, facts: RoutingFacts) -> str:
    with session_scope(town.engine) as session:
        path = to_person(session, route(facts, TABLE, DEPARTMENTS - {"street-220105001"}), town.clock.now())
    opened = town.open(class_code=facts.class_code, severity=facts.severity)
    with session_scope(town.engine) as session:
        case = session.get_one(Case, opened.case_id)
        case.why = {**case.why, "routing": list(path.steps)}
    return opened.case_id


def test_why_me_is_answered_again_later_and_a_changed_table_is_seen(town: Town) -> None:
    with session_scope(town.engine) as session:
        hours = timedelta(hours=8)
        shift = add_shift(session, actor("admin"), "dept-drainage", "drain", FRIDAY - hours, FRIDAY + hours)
        substitute(session, actor("admin"), shift, "deputy", FRIDAY)
    case_id = routed(
        town, RoutingFacts(happening="waterlogging", class_code="event-05-06", severity=4, division_code=STREET)
    )
    other = parse_routing("fallback: dept-command\narbiter: dept-command\nrules: [{rule_id: a, lead: dept-traffic}]\n")
    with session_scope(town.engine) as session:
        case = session.get_one(Case, case_id)
        found = advise(session, case, town.service.book(session), TABLE, town.clock.now())
        assert found.same and not found.table_changed
        assert found.stored[-1]["step"] == "duty" and found.stored[-1]["substitute_for"] == "drain"
        assert found.suggestion.lead.department_id == "dept-drainage"
        assert found.suggestion.lead.user_id == "deputy"
        changed = advise(session, case, town.service.book(session), other, town.clock.now())
        assert changed.same is False and changed.table_changed
        assert changed.suggestion.lead.department_id == "dept-traffic"
    assert fingerprint(TABLE) != fingerprint(other)


def test_a_report_by_hand_is_given_a_suggestion(town: Town) -> None:
    case = town.report("grid", kind="fire", severity=3)
    with session_scope(town.engine) as session:
        row = session.get_one(Case, case.case_id)
        found = advise(session, row, town.service.book(session), TABLE, town.clock.now())
    assert found.stored == [] and found.same is None
    assert found.suggestion.lead.department_id == "dept-fire"


def test_a_closed_account_is_not_on_duty(town: Town) -> None:
    with session_scope(town.engine) as session:
        hours = timedelta(hours=8)
        add_shift(session, actor("admin"), "dept-command", "chief", FRIDAY - hours, FRIDAY + hours)
        assert [p.user_id for p in on_duty(session, "dept-command", FRIDAY)] == ["chief"]
        session.get_one(User, "chief").active = False
        session.flush()
        assert on_duty(session, "dept-command", FRIDAY) == []


def told(town: Town, case_id: str) -> list[NoticeDraft]:
    """Notices of the case's last change."""
    with session_scope(town.engine) as session:
        rows = [b for b in session.scalars(select(Outbox.body).order_by(Outbox.outbox_id)) if b["case_id"] == case_id]
        change: dict[str, Any] = max(rows, key=lambda b: b["version"])
        return notices_of_change(session, msgspec.convert(change, CaseChanged))


def test_the_third_bounce_calls_the_arbiter_who_decides(town: Town) -> None:
    with session_scope(town.engine) as session:
        hours = timedelta(hours=8)
        shift = add_shift(session, actor("admin"), "dept-command", "chief", FRIDAY - hours, FRIDAY + hours)
        substitute(session, actor("admin"), shift, "deputy", FRIDAY)
    case = town.open()
    for n in range(1, 4):
        town.do(case.case_id, "return", "fire", reason="not ours")
        asked = [d for d in told(town, case.case_id) if d.kind == "arbitrate"]
        assert len(asked) == (n == 3)
        if n < 3:
            town.do(case.case_id, "dispatch", "dispatcher", department_id="fire")
    (notice,) = asked
    assert (notice.department_id, notice.user_id) == ("dept-command", "deputy")  # the chief is away
    assert "3/3" in notice.body and "仲裁" in notice.body
    with pytest.raises(BounceLimit, match="arbiter"):
        town.do(case.case_id, "dispatch", "dispatcher", department_id="water")
    assert town.do(case.case_id, "dispatch", "operator", department_id="water").department_id == "water"
    assert not [d for d in told(town, case.case_id) if d.kind == "arbitrate"]
    with pytest.raises(BounceLimit):
        town.do(case.case_id, "return", "water", reason="nor ours")


def test_a_definition_s_own_limit_counts(town: Town) -> None:
    case = town.do("", "report", "grid", title="Plan", definition_id="business_flow", department_id="fire")
    town.do(case.case_id, "return", "fire", reason="not ours")
    assert not told_arbiter(town, case.case_id)
    town.do(case.case_id, "send", "grid", department_id="water")
    town.do(case.case_id, "return", "water", reason="not ours")
    assert told_arbiter(town, case.case_id)  # two are enough there


def told_arbiter(town: Town, case_id: str) -> bool:
    return any(d.kind == "arbitrate" for d in told(town, case_id))
