"""Work done offline: when it counts, who was faster, and what is kept when it comes too late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select

from core.deed import Told
from core.errors import NotFound
from core.records import Command, EvidenceRef, GeoPoint
from events.cases.errors import StaleCase
from events.cases.late_records import keep_late
from events.cases.read_models import CaseView
from events.cases.worklists.tasks import urgent_tasks
from events.evidence.audit_log import chain, check_chain
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, Notice
from tests.unit.events.casework import FRIDAY, Town, actor, photo


@pytest.fixture
def town(engine: Engine) -> Town:
    return Town(engine)


def late(town: Town, case_id: str, name: str, who: str, ago: timedelta, **more: Any) -> CaseView:
    """``who`` did it ``ago``; it arrives now."""
    now = town.clock.now()
    seen = more.pop("seen", None)
    key = more.pop("key", None)
    told = Told(at=now - ago, phone_now=now, seen_version=seen, place=GeoPoint(lon=125.4, lat=43.9), accuracy_m=10)
    command = Command(name=name, case_id=case_id, actor_id=who, idempotency_key=key, data=more)
    return town.service.execute(command, actor(who), told)


def test_work_done_in_time_counts_as_in_time_though_it_arrives_late(town: Town) -> None:
    case = town.open(class_code="event-05-94")
    town.clock.advance(600)
    town.do(case.case_id, "accept", "fire")
    town.clock.advance(3 * 3600)  # offline past the deadline of one hour
    late(town, case.case_id, "finish", "fire", timedelta(hours=2, minutes=50), no_photo_reason="dark")
    clock = town.clock_of(case.case_id, "handling")
    assert clock.stopped_at < clock.deadline_at and not clock.overdue
    detail = town.detail(case.case_id)
    move = detail.transitions[-1]
    assert move.at - clock.stopped_at == timedelta(hours=2, minutes=50), "arrival and deed are both kept"
    assert move.data["recorded"]["clock"] == "as_told" and move.data["recorded"]["lon"] == 125.4
    check = town.clock_of(case.case_id, "check")
    assert check.started_at >= move.at - timedelta(seconds=1), "a check starts on arrival"
    with read_scope(town.engine) as session:
        assert list(check_chain(chain(session, case.case_id))) == []


def test_a_time_before_the_move_it_answers_gains_nothing(town: Town) -> None:
    case = town.open(class_code="event-05-94")
    town.clock.advance(3 * 3600)
    town.do(case.case_id, "accept", "fire")
    late(town, case.case_id, "finish", "fire", timedelta(hours=3), no_photo_reason="dark")
    clock = town.clock_of(case.case_id, "handling")
    assert clock.overdue and town.detail(case.case_id).transitions[-1].data["recorded"]["clock"] == "before_move"


def test_accept_and_finish_from_one_offline_hour_keep_their_order(town: Town) -> None:
    case = town.open(class_code="event-05-94")
    town.clock.advance(2 * 3600)
    late(town, case.case_id, "accept", "fire", timedelta(minutes=110))
    late(town, case.case_id, "finish", "fire", timedelta(minutes=70), no_photo_reason="dark")
    part = town.detail(case.case_id).assignments[0]
    assert part.accepted_at is not None and part.finished_at is not None
    assert abs(part.finished_at - part.accepted_at - timedelta(minutes=40)) < timedelta(seconds=1)


def test_a_declaration_counts_when_it_arrives(town: Town) -> None:
    case = town.open()
    town.clock.advance(30 * 3600)
    with pytest.raises(Exception, match="refusal|window|possible"):
        late(town, case.case_id, "refuse", "fire", timedelta(hours=29, minutes=59), reason="not ours")


def test_a_move_by_another_person_meanwhile_is_a_conflict_and_ones_own_is_not(town: Town) -> None:
    case = town.open()
    seen = case.version
    accepted = late(town, case.case_id, "accept", "fire", timedelta(minutes=1), seen=seen)
    town.do(case.case_id, "comment", "operator", comment="hurry")
    wish = {"value": 1, "unit": "work_hour", "reason": "ice"}
    late(town, case.case_id, "request_extension", "fire", timedelta(0), seen=seen, **wish)
    town.do(case.case_id, "transfer", "dispatcher", department_id="fire", user_id="fire2", reason="shift")
    with pytest.raises(StaleCase) as conflict:
        late(town, case.case_id, "accept", "fire", timedelta(minutes=1), seen=accepted.version)
    assert conflict.value.data["by_command"] == "transfer" and conflict.value.data["moved_by_name"] == "Dispatcher"


def test_what_came_too_late_is_kept_with_its_photographs(town: Town) -> None:
    case = town.open()
    town.do(case.case_id, "accept", "fire")
    town.do(case.case_id, "transfer", "dispatcher", department_id="water", reason="theirs")
    ref = msgspec.convert(photo("c"), EvidenceRef)
    wish = Command(
        name="finish", case_id=case.case_id, actor_id="fire", idempotency_key="k9", data={"comment": "cleared"}
    )
    told = Told(at=town.clock.now() - timedelta(minutes=5), phone_now=town.clock.now())
    for _ in range(2):
        with session_scope(town.engine) as session:
            keep_late(town.service, session, wish, actor("fire"), told, "move_illegal", [ref])
    detail = town.detail(case.case_id)
    kept = [t for t in detail.transitions if t.command == "late_record"]
    assert len(kept) == 1 and kept[0].data["sent"] == {"comment": "cleared"} and kept[0].actor_id == "fire"
    assert [(e.sha256[0], e.purpose) for e in detail.evidence].count(("c", "other")) >= 1
    assert detail.case["state"] == "dispatched", "the state stays"
    with session_scope(town.engine) as session, pytest.raises(NotFound):
        keep_late(town.service, session, wish, actor("far_inspector"), told, "", [])


def test_arriving_says_how_far_and_help_reaches_the_dispatchers(town: Town) -> None:
    case = town.open(location=GeoPoint(lon=125.401, lat=43.9))
    late(town, case.case_id, "arrive", "fire", timedelta(0))
    assert town.detail(case.case_id).transitions[-1].data["recorded"]["distance_m"] == pytest.approx(80.1, abs=1)
    town.do(case.case_id, "ask_help", "fire", reason="need a pump")
    with read_scope(town.engine) as session:
        told = session.execute(select(Notice.role, Notice.department_id).where(Notice.kind == "help")).all()
    assert sorted(told) == [("", "fire"), ("dispatcher", None)]


def test_every_task_comes_and_the_most_pressing_first(town: Town) -> None:
    made = []
    for n in range(23):
        made.append(town.open(title=f"t{n}", severity=1 + n % 3).case_id)
        town.clock.advance(60)
    with session_scope(town.engine) as session:
        for case_id in made[::5]:
            row = session.get(Case, case_id)
            assert row is not None
            row.deadline_at = None
    found: list[Any] = []
    cursor = None
    with read_scope(town.engine) as session:
        while True:
            page = urgent_tasks(session, actor("fire"), cursor, 4)
            found += page.items
            assert page.total == 23
            if page.next is None:
                break
            cursor = page.next
    assert sorted(c.case_id for c in found) == sorted(made)
    far = FRIDAY + timedelta(days=999)
    assert found == sorted(found, key=lambda c: (-c.severity, c.deadline_at or far, c.case_id))
