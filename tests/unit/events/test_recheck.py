"""Closed means clear: the same source is asked again; disagreement sends the case back, doubt sends a person."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select

from core.ids import derived_id
from core.records import CaseChanged, EvidenceRef, LookAnswer, LookRequest, Observation, encode
from core.settings import Settings
from events.cases.errors import GuardFailed
from events.notify.notices import notices_of_change
from events.runtime.source_recheck import Rechecker
from storage.session import session_scope
from storage.tables.cases import Case, CaseEvidence, CaseObservation, Outbox
from storage.tables.missions import DroneMission
from storage.tables.observations import ObservationRow
from storage.tables.people import User, UserRole
from storage.tables.registry import Camera, Device
from tests.unit.events.casework import FRIDAY, PEOPLE, STREET, Town

PICTURE = EvidenceRef(
    uri="aa/aa.jpg", sha256="a" * 64, kind="snapshot", media_type="image/jpeg", taken_at=FRIDAY, size_bytes=3
)


class FakeBus:
    """Cameras that answer as told; None: no answer in time."""

    def __init__(self, clear: bool | None = True, silent: bool = False) -> None:
        self.clear, self.silent = clear, silent
        self.asked: list[LookRequest] = []

    async def request(self, subject: str, request: LookRequest, timeout: float) -> bytes:
        self.asked.append(request)
        if self.silent:
            raise TimeoutError
        return encode(
            LookAnswer(
                camera_id=request.camera_id,
                kind=request.kind,
                clear=self.clear,
                detail="looked",
                seen_at=FRIDAY,
                evidence=(PICTURE,),
            )
        )


@pytest.fixture
def town(engine: Engine) -> Town:
    town = Town(engine)
    with session_scope(engine) as session:
        session.add(Camera(camera_id="cam-1", name="hall", category="general"))
        session.add(Device(device_id="panel:1", source="panel", address="1", status="accepted"))
        session.add_all(UserRole(user_id=name, role=role) for name, (role, _, _) in PEOPLE.items())
    return town


def finished(town: Town, source: str = "camera", *, standing: bool = False, **fields: Any) -> str:
    """A case that ``source`` saw and the brigade reports finished."""
    case_id = town.open().case_id
    source_id = {"camera": "cam-1", "device": "panel:1", "citizen": "citizen:1"}[source]
    kind = "flame_smoke" if source == "camera" else "fire_alarm"
    observation = Observation(
        observation_id=derived_id(case_id), kind=kind, state="open", source_type=source, source_id=source_id,  # type: ignore[arg-type]
        observed_at=FRIDAY, received_at=FRIDAY, zone="z1" if source == "camera" else None,
    )  # fmt: skip
    with session_scope(town.engine) as session:
        session.add(
            ObservationRow(
                observation_id=observation.observation_id, kind=kind, state="open", source_type=source,
                source_id=source_id, observed_at=FRIDAY, received_at=FRIDAY, stored_at=FRIDAY,
                body={"zone": observation.zone},
            )
        )  # fmt: skip
        link = {"standing_key": "k"}
        session.add(
            CaseObservation(case_id=case_id, observation_id=observation.observation_id, linked_at=FRIDAY, reason=link)
        )
        case = session.get_one(Case, case_id)
        case.why = {**case.why, "standing": {"k": standing}}
    town.do(case_id, "accept", "fire")
    town.do(case_id, "finish", "fire", no_photo_reason="night", **fields)
    return case_id


def look(town: Town, settings: Settings, bus: FakeBus, seconds: float = 30) -> None:
    """The rechecker's next round, ``seconds`` after the work was finished."""
    town.clock.advance(seconds)
    checker = Rechecker(bus, town.engine, town.clock, town.service, settings)  # type: ignore[arg-type]

    async def once() -> None:
        for case in checker._finished():
            await checker._check(case)

    asyncio.run(once())


def test_the_same_camera_and_zone_are_asked_and_agreement_closes(town: Town, settings: Settings) -> None:
    case_id, bus = finished(town), FakeBus(clear=True)
    look(town, settings, bus)
    assert [(r.camera_id, r.kind, r.zone) for r in bus.asked] == [("cam-1", "flame_smoke", "z1")]
    detail = town.detail(case_id)
    assert detail.case["state"] == "closed"
    assert [(t.command, t.actor_id) for t in detail.transitions[-2:]] == [("check_pass", "system"), ("close", "system")]
    assert [e.sha256 for e in detail.evidence if e.purpose == "check"] == [PICTURE.sha256]


def test_disagreement_returns_the_case_with_the_picture(town: Town, settings: Settings) -> None:
    case_id = finished(town)
    look(town, settings, FakeBus(clear=False))
    detail = town.detail(case_id)
    assert detail.case["state"] == "rework" and detail.case["reworks"] == 1
    assert [e.sha256 for e in detail.evidence if e.purpose == "check"] == [PICTURE.sha256]
    assert "cam-1" in detail.transitions[-1].reason
    assert town.do(case_id, "accept", "fire").state == "handling"  # and its clock runs on
    assert town.clock_of(case_id, "handling").stopped_at is None


@pytest.mark.parametrize("bus", [FakeBus(silent=True), FakeBus(clear=None)], ids=["offline", "cannot say"])
def test_a_camera_that_cannot_say_sends_the_nearest_inspector(town: Town, settings: Settings, bus: FakeBus) -> None:
    case_id = finished(town)
    look(town, settings, bus)
    detail = town.detail(case_id)
    assert detail.case["state"] == "checking"
    (part,) = [a for a in detail.assignments if a.role == "check"]
    assert part.user_id == "inspector"  # whose beat is the street; not the far one's
    assert detail.transitions[-1].data["inspector"]["beat"] == STREET
    told = notices(town, case_id, "send_check")
    assert [(n.user_id, n.role) for n in told] == [("inspector", "")]
    town.do(case_id, "check_pass", "inspector")
    assert town.do(case_id, "close", "operator").state == "closed"


def notices(town: Town, case_id: str, command: str) -> list[Any]:
    with session_scope(town.engine) as session:
        rows = [b for b in session.scalars(select(Outbox.body)) if b["case_id"] == case_id and b["command"] == command]
        return notices_of_change(session, msgspec.convert(rows[-1], CaseChanged))


def test_who_worked_on_it_is_not_sent_and_the_free_one_goes_first(town: Town, settings: Settings) -> None:
    with session_scope(town.engine) as session:  # a second inspector on the same beat, without work in hand
        session.add(User(user_id="a-second", login="a2", name="Second", department_id="command", division_code=STREET))
        session.flush()
        session.add(UserRole(user_id="a-second", role="inspector"))
    first, second = finished(town, "citizen"), finished(town, "citizen")
    look(town, settings, FakeBus())
    sent = {
        part.user_id for case_id in (first, second) for part in town.detail(case_id).assignments if part.role == "check"
    }
    assert sent == {"a-second", "inspector"}


def test_a_sensor_gets_time_to_fall_back_then_disagrees(town: Town, settings: Settings) -> None:
    case_id, bus = finished(town, "device", standing=True), FakeBus()
    look(town, settings, bus, seconds=5)
    assert town.detail(case_id).case["state"] == "handle_finished"  # not yet
    look(town, settings, bus, seconds=30)
    assert town.detail(case_id).case["state"] == "rework"
    assert bus.asked == []


def test_a_sensor_that_fell_back_closes_it(town: Town, settings: Settings) -> None:
    case_id = finished(town, "device")
    look(town, settings, FakeBus())
    assert town.detail(case_id).case["state"] == "closed"


def test_a_false_alarm_and_a_citizen_s_report_are_for_people(town: Town, settings: Settings) -> None:
    for source, fields in (("camera", {"false_alarm": True}), ("citizen", {})):
        case_id, bus = finished(town, source, **fields), FakeBus(clear=True)
        look(town, settings, bus)
        assert town.detail(case_id).case["state"] == "checking"
        assert bus.asked == []


def test_a_parent_waits_for_its_children(town: Town, settings: Settings) -> None:
    parent, child = finished(town), town.open()
    with session_scope(town.engine) as session:
        session.get_one(Case, child.case_id).parent_case_id = parent
    with pytest.raises(GuardFailed, match=child.number):  # nor can a person close the bracket over it
        town.do(parent, "check_pass", "inspector")
    assert "check_pass" not in {a.name for a in town.detail(parent, "inspector").allowed}
    look(town, settings, FakeBus())
    detail = town.detail(parent)
    assert [c.number for c in detail.children] == [child.number]
    assert detail.case["state"] == "rework" and child.number in detail.transitions[-1].reason
    assert town.close(child.case_id).state == "closed"  # the child closes by itself
    town.do(parent, "accept", "fire")
    town.do(parent, "finish", "fire", no_photo_reason="night")
    look(town, settings, FakeBus())
    assert town.detail(parent).case["state"] == "closed"


def test_a_definition_may_want_a_person(town: Town, settings: Settings) -> None:
    definition = town.service.definitions["city_management"]
    spec = definition.commands["check_pass"]
    people = tuple(msgspec.structs.replace(who, roles=tuple(r for r in who.roles if r != "system")) for who in spec.who)
    changed = msgspec.structs.replace(spec, who=people)
    strict = msgspec.structs.replace(definition, commands={**definition.commands, "check_pass": changed})
    town.service._definitions = {**town.service.definitions, "city_management": strict}
    case_id = finished(town)
    look(town, settings, FakeBus(clear=True))
    assert town.detail(case_id).case["state"] == "checking"


def test_somebody_faster_keeps_his_move(town: Town, settings: Settings) -> None:
    case_id = finished(town)
    checker = Rechecker(FakeBus(clear=False), town.engine, town.clock, town.service, settings)  # type: ignore[arg-type]
    (seen,) = checker._finished()
    town.do(case_id, "check_pass", "inspector")
    asyncio.run(checker._check(seen))
    assert town.detail(case_id).case["state"] == "pending_close"
    with session_scope(town.engine) as session:
        assert session.scalars(select(CaseEvidence).where(CaseEvidence.purpose == "check")).all() == []


@pytest.mark.parametrize("grave", [{"severity": 2}, {"severity": 4}, {"kind": "flame_smoke"}, {"kind": "fire_alarm"}])
def test_of_a_fire_and_a_grave_case_the_second_look_is_advice(
    town: Town, settings: Settings, grave: dict[str, Any]
) -> None:
    case_id = finished(town)
    with session_scope(town.engine) as session:
        for name, value in grave.items():
            setattr(session.get_one(Case, case_id), name, value)
    look(town, settings, FakeBus(clear=True), seconds=3)
    detail = town.detail(case_id)
    assert detail.case["state"] == "checking"  # a person confirms
    assert "建议" in detail.transitions[-1].data["comment"]
    assert [e.sha256 for e in detail.evidence if e.purpose == "check"] == [PICTURE.sha256]


def test_what_comes_back_soon_after_closing_is_the_same_case(town: Town) -> None:
    case_id = town.open().case_id
    town.close(case_id)
    with session_scope(town.engine) as session:
        assert town.service.relapse_in(session, session.get_one(Case, case_id), "smoke again", None)
    detail = town.detail(case_id)
    assert (detail.case["state"], detail.case["open"]) == ("pending_dispatch", True)
    assert detail.transitions[-1].reason == "smoke again"


def test_what_comes_back_much_later_or_was_a_false_alarm_is_another_case(town: Town) -> None:
    late, false_one = town.open().case_id, town.open().case_id
    town.close(late)
    town.finish(false_one)
    town.do(false_one, "check_pass", "inspector")
    town.do(false_one, "close", "operator", false_alarm=True)
    with session_scope(town.engine) as session:
        row = session.get_one(Case, false_one)
        row.form = {**row.form, "false_alarm": True}
        assert not town.service.relapse_in(session, row, "again", None)
    town.clock.advance(3 * 3600)
    with session_scope(town.engine) as session:
        assert not town.service.relapse_in(session, session.get_one(Case, late), "again", None)


def mission(town: Town, case_id: str, **fields: Any) -> None:
    """A look from above that was asked for, or answered, of the case."""
    row = {"purpose": "look_again", "state": "requested", "title": "look", "requested_by": "desk",
           "requested_at": town.clock.now(), **fields}  # fmt: skip
    with session_scope(town.engine) as session:
        session.add(DroneMission(mission_id=derived_id(case_id, str(fields)), case_id=case_id, **row))


def test_a_drone_that_is_asked_is_waited_for_and_closes_the_case(town: Town, settings: Settings) -> None:
    case_id, bus = finished(town, "citizen"), FakeBus()
    mission(town, case_id)
    look(town, settings, bus)
    assert town.detail(case_id).case["state"] == "handle_finished", "the flight is awaited"
    with session_scope(town.engine) as session:
        row = session.scalars(select(DroneMission)).one()
        row.state, row.verdict, row.answered_at, row.answer = "done", "clear", town.clock.now(), "gone"
    look(town, settings, bus)
    assert town.detail(case_id).case["state"] == "closed"


def test_a_drone_that_still_sees_it_sends_the_case_back(town: Town, settings: Settings) -> None:
    case_id = finished(town)
    mission(town, case_id, state="done", verdict="standing", answered_at=town.clock.now())
    look(town, settings, FakeBus(clear=True))
    assert town.detail(case_id).case["state"] == "rework"


def test_an_answer_from_before_the_work_and_a_flight_that_never_came_decide_nothing(
    town: Town, settings: Settings
) -> None:
    case_id, early = finished(town, "citizen"), town.clock.now() - timedelta(hours=5)
    mission(town, case_id, state="done", verdict="clear", answered_at=early, requested_at=early)
    mission(town, case_id, requested_at=early)
    look(town, settings, FakeBus())
    assert town.detail(case_id).case["state"] == "checking", "a person is sent"
