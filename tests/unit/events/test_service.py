"""Cases from report to close, and everything that may happen on the way."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from core.clock import ManualClock
from core.errors import InputInvalid, NotFound, YiwangError
from core.legal_time.calendar import statutory_calendar
from core.legal_time.calendar_folder import CalendarFolder
from core.legal_time.limits import Limit
from core.records import SYSTEM, Command, GeoPoint, Severity
from events.cases import queries
from events.cases.access import may_see
from events.cases.clock_recount import CalendarWatch, recount
from events.cases.drafts import CaseDraft
from events.cases.errors import (
    BounceLimit,
    CommandUnknown,
    FormInvalid,
    GuardFailed,
    IdempotencyConflict,
    MoveForbidden,
    MoveIllegal,
    StaleCase,
)
from events.cases.queries import CaseFilter, list_cases
from events.cases.service import CaseService
from events.evidence.audit_log import chain, check_chain
from events.runtime.city_rules import CityRules
from storage import case_text
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseObservation, CaseTransition, Outbox
from tests.unit.events.casework import FRIDAY, Town, actor, photo


@pytest.fixture
def town(engine: Engine) -> Town:
    return Town(engine)


def test_the_happy_path(town: Town) -> None:
    case = town.open(class_code="event-05-94")
    assert (case.state, case.stage, case.department_id) == ("dispatched", "handle", "fire")
    assert case.number == "220105-20260605-00001"
    assert case.deadline_at == FRIDAY + timedelta(hours=1)  # one urgent hour, from the class
    done = town.close(case.case_id)
    assert (done.state, done.stage, done.open) == ("closed", "evaluate", False)
    detail = town.detail(case.case_id)
    assert [t.command for t in detail.transitions] == [
        "report", "register", "dispatch", "accept", "finish", "check_pass", "close",
    ]  # fmt: skip
    assert [t.seq for t in detail.transitions] == list(range(1, 8))
    assert detail.evidence[0].purpose == "after"
    assert detail.assignments[0].score == 100
    assert all(c.stopped_at is not None for c in detail.clocks)
    with read_scope(town.engine) as session:
        assert not list(check_chain(chain(session, case.case_id)))
        bodies = session.scalars(select(Outbox.body).order_by(Outbox.outbox_id)).all()
    assert [b["version"] for b in bodies] == list(range(1, 8))


def test_a_citizen_report_by_hand(town: Town) -> None:
    case = town.report("grid", description="a hole", class_code="component-01-01")
    assert case.state == "reported"
    town.do(case.case_id, "verify", "operator")
    town.do(case.case_id, "register", "operator")
    town.do(case.case_id, "dispatch", "dispatcher", department_id="water", duty="close it")
    detail = town.detail(case.case_id)
    assert detail.case["state"] == "dispatched"
    assert [c.kind for c in detail.clocks if c.stopped_at is None] == ["whole", "handling", "refusal"]


def test_illegal_moves_name_what_is_possible(town: Town) -> None:
    case = town.open()
    with pytest.raises(MoveIllegal) as caught:
        town.do(case.case_id, "close", "operator")
    assert "suspend" in caught.value.data["allowed"] and "close" not in caught.value.data["allowed"]
    with pytest.raises(CommandUnknown):
        town.do(case.case_id, "explode", "operator")
    with pytest.raises(MoveForbidden):
        town.do(case.case_id, "accept", "dispatcher")
    with pytest.raises(MoveForbidden):
        town.do(case.case_id, "suspend", "fire", reason="no time")


def test_bad_forms_name_the_field(town: Town) -> None:
    case = town.report()
    with pytest.raises(FormInvalid) as caught:
        town.do(case.case_id, "reject", "operator")
    assert caught.value.data["field"] == "reason"
    with pytest.raises(FormInvalid) as caught:
        town.do(case.case_id, "reject", "operator", reason="no", colour="red")
    assert "colour" in str(caught.value)
    with pytest.raises(FormInvalid):
        town.report(title="")
    with pytest.raises(NotFound):
        town.do(case.case_id, "register", "operator")
        town.do(case.case_id, "dispatch", "operator", department_id="moon")
    assert town.detail(case.case_id).case["department_id"] is None


def test_a_stale_picture_loses_and_is_told_who_won(town: Town) -> None:
    case = town.open()
    town.do(case.case_id, "accept", "fire", version=case.version)
    with pytest.raises(StaleCase) as caught:
        town.do(case.case_id, "return", "fire2", version=case.version, reason="not ours")
    assert caught.value.data["moved_by_name"] == "Fire"
    assert caught.value.data["by_command"] == "accept"
    assert caught.value.data["version"] == case.version + 1


def test_a_resent_command_moves_once(town: Town) -> None:
    case = town.open()
    first = town.do(case.case_id, "accept", "fire", key="k1")
    again = town.do(case.case_id, "accept", "fire", key="k1", version=case.version)
    assert again.replayed and again.version == first.version
    with pytest.raises(IdempotencyConflict):
        town.do(case.case_id, "comment", "fire", key="k1", comment="x")
    opened = town.do("", "report", "grid", key="r1", title="once")
    assert town.do("", "report", "grid", key="r1", title="once").case_id == opened.case_id


def test_finish_wants_a_photograph_since_the_dispatch(town: Town) -> None:
    case = town.open()
    town.do(case.case_id, "attach", "operator", evidence=[photo("b")], purpose="finding")
    town.do(case.case_id, "accept", "fire")
    with pytest.raises(GuardFailed):
        town.do(case.case_id, "finish", "fire")
    town.do(case.case_id, "attach", "fire", evidence=[photo("c")], purpose="after")
    assert town.do(case.case_id, "finish", "fire").state == "handle_finished"
    town.do(case.case_id, "rework", "inspector", reason="still burning")
    town.do(case.case_id, "accept", "fire")
    with pytest.raises(GuardFailed):  # the old photograph shows the old work
        town.do(case.case_id, "finish", "fire")
    assert town.do(case.case_id, "finish", "fire", no_photo_reason="dark").state == "handle_finished"


def test_rework_keeps_the_handling_clock_but_not_the_waiting(town: Town) -> None:
    case = town.open(limit=Limit(value=10, unit="urgent_hour"))
    town.finish(case.case_id)
    before = town.clock_of(case.case_id, "handling")
    town.clock.advance(7200)
    town.do(case.case_id, "rework", "inspector", reason="not clean")
    after = town.clock_of(case.case_id, "handling")
    assert after.stopped_at is None
    assert after.deadline_at - before.deadline_at == timedelta(seconds=7260)


def test_nobody_checks_his_own_work(town: Town) -> None:
    case = town.open()
    town.finish(case.case_id)
    double = actor("fire")
    both = type(double)(user_id="fire", name="Fire", roles=("inspector", "staff"), department_id="fire")
    with pytest.raises(GuardFailed):
        town.service.execute(Command(name="check_pass", case_id=case.case_id, actor_id="fire"), both)
    with pytest.raises(NotFound):
        town.do(case.case_id, "check_pass", "far_inspector")


def test_lead_and_assisting_departments(town: Town) -> None:
    case = town.open("water")
    assert town.do(case.case_id, "accept", "water").state == "dispatched"  # the lead has not accepted
    town.do(case.case_id, "accept", "fire")
    with pytest.raises(GuardFailed) as caught:
        town.do(case.case_id, "finish", "fire", no_photo_reason="night")
    assert "water" in str(caught.value)
    assert town.do(case.case_id, "finish", "water").state == "handling"
    assert town.do(case.case_id, "finish", "fire", no_photo_reason="night").state == "handle_finished"
    states = {a.department_id: a.state for a in town.detail(case.case_id).assignments}
    assert states == {"fire": "finished", "water": "finished"}


def test_refusal_only_within_its_window(town: Town) -> None:
    case = town.open()
    assert town.do(case.case_id, "refuse", "fire", reason="not ours").state == "returned"
    late = town.open()
    town.clock.advance(3 * 3600)
    with pytest.raises(GuardFailed):
        town.do(late.case_id, "refuse", "fire", reason="not ours")
    assert town.do(late.case_id, "return", "fire", reason="not ours").state == "returned"


def test_after_the_bounce_limit_the_arbiter_decides(town: Town) -> None:
    case = town.open()
    for _ in range(2):
        town.do(case.case_id, "return", "fire", reason="not ours")
        town.do(case.case_id, "dispatch", "dispatcher", department_id="fire")
    town.do(case.case_id, "return", "fire", reason="not ours")
    with pytest.raises(BounceLimit):
        town.do(case.case_id, "dispatch", "dispatcher", department_id="water")
    town.do(case.case_id, "dispatch", "operator", department_id="water")
    with pytest.raises(BounceLimit):
        town.do(case.case_id, "return", "water", reason="nor ours")


def test_an_extension_takes_two_people(town: Town) -> None:
    case = town.open(limit=Limit(value=2, unit="urgent_hour"))
    town.do(case.case_id, "accept", "fire")
    with pytest.raises(GuardFailed):
        town.do(case.case_id, "approve_extension", "fire_boss")
    town.do(case.case_id, "request_extension", "fire", value=3, unit="urgent_hour", reason="deep fire")
    before = town.clock_of(case.case_id, "handling").deadline_at
    with pytest.raises(GuardFailed):
        town.do(case.case_id, "approve_extension", "dispatcher")  # the department's manager comes first
    town.do(case.case_id, "approve_extension", "fire_boss")
    assert town.clock_of(case.case_id, "handling").deadline_at == before
    with pytest.raises((GuardFailed, MoveForbidden)):
        town.do(case.case_id, "approve_extension", "fire_boss")
    town.do(case.case_id, "approve_extension", "dispatcher")
    clock = town.clock_of(case.case_id, "handling")
    assert clock.deadline_at == before + timedelta(hours=3)
    assert clock.extensions[0]["by"] == ["fire", "fire_boss", "dispatcher"]
    assert any(line["code"] == "extend" for line in clock.derivation)


def test_an_extension_is_not_asked_for_after_the_deadline(town: Town) -> None:
    case = town.open(limit=Limit(value=1, unit="urgent_hour"))
    town.do(case.case_id, "accept", "fire")
    town.clock.advance(4000)
    with pytest.raises(GuardFailed):
        town.do(case.case_id, "request_extension", "fire", value=3, unit="urgent_hour", reason="late")


def test_suspended_time_does_not_count(town: Town) -> None:
    case = town.open(limit=Limit(value=5, unit="urgent_hour"))
    town.do(case.case_id, "accept", "fire")
    before = town.clock_of(case.case_id, "handling").deadline_at
    town.do(case.case_id, "suspend", "dispatcher", reason="waiting for a part")
    clock = town.clock_of(case.case_id, "handling")
    assert clock.deadline_at is None and clock.suspended
    assert town.detail(case.case_id).case["deadline_at"] is None
    town.clock.advance(86400 - 60)
    assert town.do(case.case_id, "resume", "fire").state == "handling"
    assert town.clock_of(case.case_id, "handling").deadline_at == before + timedelta(days=1)


def test_merge_and_unmerge_leave_no_trace_but_history(town: Town) -> None:
    stays, goes = town.open(observation_ids=("o1",)), town.open(observation_ids=("o2",))
    merged = town.do(goes.case_id, "merge", "operator", other_case_id=stays.case_id, reason="the same smoke")
    assert merged.state == "merged" and merged.merged_into_id == stays.case_id and not merged.open
    with read_scope(town.engine) as session:
        links = session.scalars(
            select(CaseObservation.observation_id).where(CaseObservation.case_id == stays.case_id)
        ).all()
    assert set(links) == {"o1", "o2"}
    with pytest.raises(InputInvalid):
        town.do(stays.case_id, "merge", "operator", other_case_id=goes.case_id, reason="round and round")
    back = town.do(goes.case_id, "unmerge", "operator", reason="two fires after all")
    assert back.state == "dispatched" and back.open and back.merged_into_id is None
    with read_scope(town.engine) as session:
        links = session.scalars(
            select(CaseObservation.observation_id).where(CaseObservation.case_id == stays.case_id)
        ).all()
    assert links == ["o1"]
    assert [t.command for t in town.detail(stays.case_id).transitions][-2:] == ["absorb", "release"]
    assert town.clock_of(goes.case_id, "handling").stopped_at is None


def test_split_makes_children_of_a_bracket(town: Town) -> None:
    case = town.report()
    town.do(case.case_id, "split", "operator", titles=["north", "south"], reason="two places")
    children = town.detail(case.case_id).children
    assert [c.title for c in children] == ["north", "south"]
    assert all(c.parent_case_id == case.case_id for c in children)


def test_reopen_urge_cancel_force_close(town: Town) -> None:
    case = town.open()
    town.do(case.case_id, "urge", "operator", reason="the mayor asks")
    town.close(case.case_id)
    assert town.do(case.case_id, "reopen", "operator", reason="smoke again").state == "pending_dispatch"
    town.do(case.case_id, "dispatch", "dispatcher", department_id="water")
    assert town.do(case.case_id, "force_close", "operator", reason="cannot be done").state == "force_closed"
    other = town.report("grid")
    assert town.do(other.case_id, "cancel", "grid", reason="my mistake").state == "cancelled"


def test_transitions_never_run_backwards(town: Town, engine: Engine) -> None:
    case = town.open()
    earlier = CaseService(engine, ManualClock(FRIDAY - timedelta(days=1)))  # a machine whose clock is wrong
    earlier.execute(Command(name="accept", case_id=case.case_id, actor_id="fire"), actor("fire"))
    times = [t.at for t in town.detail(case.case_id).transitions]
    assert times == sorted(set(times))


def test_who_sees_what(town: Town) -> None:
    ours, theirs = town.open(), town.open(lead="water", division_code="220105009")
    with read_scope(town.engine) as session:
        seen = {
            name: {c.case_id for c in list_cases(session, actor(name)).items}
            for name in ("operator", "fire", "water", "inspector", "grid", "viewer")
        }
        assert may_see(session, actor("fire"), ours.case_id) and not may_see(session, actor("fire"), theirs.case_id)
    both = {ours.case_id, theirs.case_id}
    assert seen["operator"] == seen["viewer"] == both
    assert seen["fire"] == seen["inspector"] == seen["grid"] == {ours.case_id}
    assert seen["water"] == {theirs.case_id}
    with pytest.raises(NotFound):
        town.detail(theirs.case_id, "fire")
    with pytest.raises(NotFound):
        town.do(theirs.case_id, "comment", "fire", comment="hello")


def test_confidential_cases_are_for_those_named(town: Town) -> None:
    case = town.open(confidential=True, parties=("grid",))
    with read_scope(town.engine) as session:
        assert not may_see(session, actor("operator"), case.case_id)
        assert not may_see(session, actor("water"), case.case_id)
        assert may_see(session, actor("fire"), case.case_id)
        assert may_see(session, actor("grid"), case.case_id)


def test_words_are_found_alike_with_the_index_before_it_and_behind_it(town: Town) -> None:
    for title in ("吉林大路桥下积水", "东盛大街井盖丢失", "吉林大路井盖"):
        town.clock.advance(1)
        town.open(title=title)

    def found(words: str) -> list[str]:
        with read_scope(town.engine) as session:
            return [c.title for c in list_cases(session, actor("operator"), CaseFilter(q=words)).items]

    asked = {
        "积水": ["吉林大路桥下积水"], "井盖": ["吉林大路井盖", "东盛大街井盖丢失"], "吉林大路 井盖": ["吉林大路井盖"],
        "水": ["吉林大路桥下积水"], "烟火": [], "%": [], "大路井": ["吉林大路井盖"],
    }  # fmt: skip
    assert {words: found(words) for words in asked} == asked
    with session_scope(town.engine) as session:
        case_text.catch_up(session)
    assert {words: found(words) for words in asked} == asked
    town.clock.advance(600)
    late = town.open(title="临河街烟火")
    assert found("烟火") == ["临河街烟火"]
    assert found(late.number[-4:])[:1] == ["临河街烟火"]


def test_lists_page_and_filter(town: Town) -> None:
    for i in range(7):
        town.clock.advance(1)
        town.open(
            title=f"smoke {i}", severity=Severity.RED if i % 2 else Severity.BLUE, location=GeoPoint(lon=125, lat=43)
        )
    with read_scope(town.engine) as session:
        first = list_cases(session, actor("operator"), limit=4)
        second = list_cases(session, actor("operator"), cursor=first.next, limit=4)
        assert [c.title for c in first.items + second.items] == [f"smoke {i}" for i in range(6, -1, -1)]
        assert second.next is None
        assert len(list_cases(session, actor("operator"), CaseFilter(severity=4)).items) == 3
        assert len(list_cases(session, actor("operator"), CaseFilter(q="smoke 3")).items) == 1
        assert not list_cases(session, actor("operator"), CaseFilter(bbox=(0, 0, 1, 1))).items
        own = list_cases(session, actor("fire"), CaseFilter(mine=True, open=True)).items
        assert len(own) == 7
        with pytest.MonkeyPatch.context() as patched:  # more than can be looked up one by one: the same list
            patched.setattr(queries, "FEW", 2)
            assert list_cases(session, actor("fire"), CaseFilter(mine=True)).items == own
            assert not list_cases(session, actor("viewer"), CaseFilter(mine=True)).items
        with pytest.raises(InputInvalid):
            list_cases(session, actor("operator"), cursor="xx!")


def test_case_numbers_with_many_writers(town: Town) -> None:
    def one(_: int) -> str:
        with session_scope(town.engine) as session:
            return town.service.open_in(session, CaseDraft(title="x"), SYSTEM).number

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(one, range(24)))
    assert sorted(numbers) == [f"220105-20260605-{i:05}" for i in range(1, 25)]


def test_a_failed_move_changes_nothing(town: Town) -> None:
    case = town.open()
    with read_scope(town.engine) as session:
        before = (
            session.scalar(select(func.count()).select_from(CaseTransition)),
            session.scalar(select(func.count()).select_from(Outbox)),
        )
    for name, data in (
        ("transfer", {"department_id": "moon", "reason": "xx"}),
        ("finish", {}),
        ("merge", {"other_case_id": "?", "reason": "xx"}),
    ):
        with pytest.raises(YiwangError):
            town.do(case.case_id, name, "operator", **data)
    with read_scope(town.engine) as session:
        after = (
            session.scalar(select(func.count()).select_from(CaseTransition)),
            session.scalar(select(func.count()).select_from(Outbox)),
        )
        row = session.get(Case, case.case_id)
        assert row is not None and row.version == case.version and row.department_id == "fire"
    assert before == after


def race(town: Town, rounds: int) -> None:
    """Two departments press different buttons on one case at one moment, ``rounds`` times."""
    for _ in range(rounds):
        case = town.open("water")
        gate = threading.Barrier(2)

        def press(name: str, who: str, data: dict[str, str], case=case, gate=gate) -> object:  # type: ignore[no-untyped-def]
            command = Command(name=name, case_id=case.case_id, actor_id=who, expected_version=case.version, data=data)
            gate.wait()
            try:
                return town.service.execute(command, actor(who))
            except YiwangError as error:
                return error

        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(press, "accept", "fire", {})
            two = pool.submit(press, "transfer", "dispatcher", {"department_id": "water", "reason": "theirs"})
            results = [one.result(), two.result()]
        losers = [r for r in results if isinstance(r, StaleCase)]
        winners = [r for r in results if not isinstance(r, YiwangError)]
        assert len(winners) == len(losers) == 1, results
        assert losers[0].data["moved_by_name"] in ("Fire", "Dispatcher")
        assert isinstance(losers[0].data["moved_at"], str) and datetime.fromisoformat(losers[0].data["moved_at"])


def test_two_buttons_at_once(town: Town) -> None:
    race(town, 12)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_two_buttons_at_once_ten_thousand_times(town: Town) -> None:
    race(town, 10_000)


def test_business_flow_with_countersignature(town: Town) -> None:
    ask = {"definition_id": "business_flow", "department_id": "fire", "assisting": [{"department_id": "water"}]}
    case = town.do("", "report", "grid", title="Hydrant plan", **ask)
    assert (case.state, case.department_id) == ("sent", "fire")
    town.do(case.case_id, "accept", "fire")
    with pytest.raises(GuardFailed):  # water has not signed
        town.do(case.case_id, "reply", "fire", answer="here it is")
    with pytest.raises(MoveForbidden):
        town.do(case.case_id, "countersign", "operator", opinion="fine")
    town.do(case.case_id, "countersign", "water", opinion="agreed")
    assert town.do(case.case_id, "reply", "fire", answer="here it is").state == "replied"
    town.do(case.case_id, "dispute", "grid", reason="page 3 is missing")
    assert town.do(case.case_id, "reply", "fire", answer="with page 3").state == "replied"
    done = town.do(case.case_id, "confirm", "grid")
    assert (done.state, done.stage, done.open) == ("closed", "file", False)
    other = town.do("", "report", "grid", title="Second", **ask)
    assert town.do(other.case_id, "object", "water", reason="not agreed").state == "returned"
    assert town.do(other.case_id, "withdraw", "grid", reason="never mind").open is False


def test_mediation_is_for_the_parties_and_the_mediators_alone(town: Town) -> None:
    form = {"definition_id": "dispute_mediation", "department_id": "water", "parties": ["viewer"]}
    case = town.do("", "report", "grid", title="Noise", **form)
    assert case.confidential and case.state == "assigned"
    with read_scope(town.engine) as session:
        sees = {n for n in ("admin", "operator", "dispatcher", "fire", "water", "grid", "viewer", "inspector")
                if may_see(session, actor(n), case.case_id)}  # fmt: skip
    assert sees == {"water", "grid", "viewer"}
    town.do(case.case_id, "accept", "water")
    town.do(case.case_id, "record", "water", minutes="both came")
    town.do(case.case_id, "add_party", "water", party_id="fire2")
    with pytest.raises(NotFound):
        town.do(case.case_id, "comment", "operator", comment="what is this?")
    with pytest.raises(GuardFailed):
        town.do(case.case_id, "agree", "water", agreement="quiet after ten")
    town.do(case.case_id, "agree", "water", agreement="quiet after ten", evidence=[photo("9", "document")])
    assert town.do(case.case_id, "perform", "fire2").state == "performed"
    with read_scope(town.engine) as session:
        assert not list(check_chain(chain(session, case.case_id)))


def test_a_new_holiday_moves_running_clocks_and_says_so(town: Town, engine: Engine) -> None:
    case = town.open(limit=Limit(value=3, unit="work_day"))
    stopped = town.open(limit=Limit(value=3, unit="work_day"))
    town.do(stopped.case_id, "force_close", "operator", reason="done with")
    assert recount(engine, town.service) == 0  # nothing differs; the calendar is noted
    before = town.clock_of(case.case_id, "handling").deadline_at
    holiday = statutory_calendar()
    day = datetime.fromisoformat("2026-06-09").toordinal()
    other = dataclasses.replace(holiday, holidays=holiday.holidays | {day})
    renewed = CaseService(engine, town.clock, calendars={"default": other})
    assert recount(engine, renewed) == 1
    assert recount(engine, renewed) == 0
    assert town.clock_of(case.case_id, "handling").deadline_at == before + timedelta(days=1)
    assert datetime.fromisoformat(town.detail(case.case_id).case["deadline_at"]) == before + timedelta(days=1)
    last = town.detail(case.case_id).transitions[-1]
    assert last.command == "recount" and "handling" in last.data["deadlines"]
    assert "recount" not in [t.command for t in town.detail(stopped.case_id).transitions]


def test_a_districts_own_calendar(tmp_path: Path) -> None:
    folder = CalendarFolder(tmp_path / "calendars")
    assert not folder.look() and dict(folder) == {"default": statutory_calendar()}
    file = tmp_path / "calendars" / "default.json"
    file.parent.mkdir()
    file.write_text('{"periods": [["09:00", "17:00"]]}')
    assert folder.look() and folder["default"].day_seconds == 8 * 3600
    for broken in ('{"periods": []}', "[" * 20_000, '{"holidays": [20261001]}', '{"weekend": "Sunday"}'):
        file.write_text(broken)
        assert not folder.look() and set(folder.problems) == {"default.json"}
        assert folder["default"].day_seconds == 8 * 3600  # what stood goes on
    file.write_text('{"periods": [["09:00", "16:00"]]}')
    (file.parent / "night.json").write_text('{"periods": [["00:00", "06:00"]]}')
    assert folder.look() and folder.problems == {} and set(folder) == {"default", "night"} and len(folder) == 2
    file.unlink()
    assert folder.look() and folder["default"] == statutory_calendar()


def test_a_changed_calendar_counts_running_clocks_again_without_a_restart(town: Town, tmp_path: Path) -> None:
    city = CityRules(town.service.engine, tmp_path)
    service = CaseService(town.service.engine, town.clock, calendars=city.calendars)
    watch = CalendarWatch(town.service.engine, service)
    case = town.open(limit=Limit(value=3, unit="work_day"))
    watch.look()
    before = town.clock_of(case.case_id, "handling").deadline_at
    assert before is not None and watch.look() == 0
    file = tmp_path / "calendars" / "default.json"
    file.parent.mkdir()
    file.write_text("{")
    city.calendars.look()
    assert watch.look() == 0 and [name for name, _ in city.problems] == ["calendars/default.json"]
    restarted = CityRules(town.service.engine, tmp_path)  # it never saw the good one
    restarted.calendars.look()
    wary = CalendarWatch(town.service.engine, service, lambda: bool(restarted.calendars.problems))
    file.write_text('{"periods": [["20:00", "20:30"]]}')
    city.calendars.look()
    assert wary.look() == 0
    assert watch.look() == 1 and city.problems == []
    assert town.clock_of(case.case_id, "handling").deadline_at != before


def test_texts_that_are_none_are_refused(town: Town) -> None:
    for title in ("a\x00b", "half \ud800"):
        with pytest.raises(FormInvalid):
            town.report(title=title)
    assert town.report(title="一网统管 \u2028 \\u0000 🚒").title.endswith("🚒")


def test_one_report_sent_by_many_hands_at_once_is_one_case(town: Town) -> None:
    command = Command(name="report", case_id="", actor_id="grid", idempotency_key="k", data={"title": "once"})
    with ThreadPoolExecutor(4) as pool:
        views = list(pool.map(lambda _: town.service.execute(command, actor("grid")), range(8)))
    assert len({v.case_id for v in views}) == 1 and sum(v.replayed for v in views) == 7
