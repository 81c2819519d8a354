"""The worker on a real bus: alarms and readings become cases, nothing is doubled, poison is put aside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, update

from core.bus import Bus, connect
from core.clock import SystemClock
from core.ids import new_id
from core.records import (
    SYSTEM,
    Actor,
    CaseChanged,
    Command,
    DeviceConfig,
    LookAnswer,
    LookRequest,
    Observation,
    Reading,
    decode,
    encode,
)
from core.settings import Settings
from events.cases.service import CaseService
from events.runtime.worker import main
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case, CaseObservation, Notice, Outbox
from storage.tables.observations import DeadLetter, ObservationRow
from storage.tables.observations import Rule as RuleRow
from storage.tables.people import User, UserRole
from storage.tables.readings import ReadingRow
from storage.tables.registry import Camera, Department, Device, Division, Site
from tests.databases import create_all

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


DEPARTMENTS = ("dept-fire", "dept-drainage", "dept-emergency", "dept-command", "dept-it", "dept-traffic")


@pytest.fixture
def city(nats_server: Settings) -> Settings:
    engine = make_engine(nats_server.database_url)
    create_all(engine)
    now = datetime.now(UTC)
    with session_scope(engine) as session:
        session.add(Division(code="220105", name="二道区", level="district"))
        session.add(Division(code="220105001", name="东盛街道", level="street", parent_code="220105"))
        for department_id in DEPARTMENTS:
            session.add(Department(department_id=department_id, name=department_id))
        session.flush()
        for n in (1, 2):
            session.add(
                Site(
                    site_id=f"site-{n}", name=f"商场{n}", kind="key_fire_site", lon=125.36 + n / 100, lat=43.89,
                    division_code="220105001", department_id="dept-fire", attributes={},
                )
            )  # fmt: skip
        session.flush()
        session.add(Camera(camera_id="cam-1", name="消控室", category="fire_control_room", site_id="site-1"))
        for device_id, status in (("gb26875:1", "accepted"), ("mqtt:gauge", "accepted"), ("mqtt:new", "quarantine")):
            source, address = device_id.split(":")
            session.add(
                Device(
                    device_id=device_id, source=source, address=address, status=status, site_id="site-1",
                    expected_interval_s=60, first_seen_at=now,
                )
            )  # fmt: skip
        session.add(User(user_id="u-staff", login="staff", name="处置员", department_id="dept-fire"))
        session.flush()
        session.add(UserRole(user_id="u-staff", role="staff"))
    engine.dispose()
    return nats_server


@asynccontextmanager
async def worker(settings: Settings) -> AsyncIterator[tuple[Bus, Engine]]:
    stop = asyncio.Event()
    task = asyncio.create_task(main(settings, stop))
    bus = await connect(settings, "test")
    await bus.ensure()
    engine = make_engine(settings.database_url)
    try:
        yield bus, engine
    finally:
        stop.set()
        await asyncio.wait_for(task, 15)
        await bus.close()
        engine.dispose()


async def until(engine: Engine, probe: Callable[..., object], seconds: float = 40) -> object:
    for _ in range(int(seconds / 0.05)):
        with read_scope(engine) as session:
            found = probe(session)
        if found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def alarm(state: str = "open", source: str = "gb26875:1", **more: object) -> Observation:
    now = datetime.now(UTC)
    fields = {
        "observation_id": new_id(), "kind": "fire_alarm", "source_type": "device", "source_id": source,
        "observed_at": now, "received_at": now, "site_id": "site-1",
    }  # fmt: skip
    return Observation(state=state, **(fields | more))  # type: ignore[arg-type]


def reading(value: float, seconds: float, device: str = "mqtt:gauge") -> Reading:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return Reading(
        reading_id=new_id(), source="mqtt", device_id=device, quantity="water_level_m", value=value, unit="m",
        observed_at=at, received_at=at, site_id="site-1",
    )  # fmt: skip


async def publish(bus: Bus, r: Reading) -> None:
    await bus.publish(bus.reading_subject(r), r, r.reading_id)


def count(table: type, *where: object) -> Callable[..., int]:
    return lambda session: session.scalar(select(func.count()).select_from(table).where(*where))


async def test_an_alarm_becomes_one_dispatched_case_and_reaches_the_case_stream(city: Settings) -> None:
    async with worker(city) as (bus, engine):
        heard: list[CaseChanged] = []
        changes = await bus.js.subscribe("case.>", ordered_consumer=True)
        first = alarm()
        for observation in (first, first, alarm(attributes={"channel": "1/2"})):
            await bus.client.publish(bus.observation_subject(observation), encode(observation))
        await until(engine, lambda s: count(CaseObservation)(s) == 2)
        await until(engine, lambda s: count(Outbox, Outbox.sent_at.is_(None))(s) == 0)
        with read_scope(engine) as session:
            case = session.scalars(select(Case)).one()
            assert (case.state, case.department_id, case.severity) == ("dispatched", "dept-fire", 3)
            assert case.title == "商场1 火灾报警"
            assert case.deadline_at is not None
            assert case.why["rule"]["rule_id"] == "fire-alarm-panel"
            assert case.why["routing"][1]["rule_id"] == "fire"
            assert count(ObservationRow)(session) == 2
            notices = session.scalars(select(Notice)).all()
            assert {(n.kind, n.department_id) for n in notices} >= {("task", "dept-fire")}
            assert len({n.notice_key for n in notices}) == len(notices)
        while len(heard) < 3:
            heard.append(decode(CaseChanged, (await changes.next_msg(5)).data))
        assert [c.command for c in heard] == ["report", "register", "dispatch"]


async def test_rising_water_opens_escalates_and_is_stored_once(city: Settings) -> None:
    async with worker(city) as (bus, engine):
        values = [0.02, 0.17, 0.18, 0.29, 0.30]
        readings = [reading(v, 900.0 * i - 5000) for i, v in enumerate(values)]
        for r in [*readings, *readings]:
            await bus.client.publish(bus.reading_subject(r), encode(r))
        await until(engine, lambda s: count(Case, Case.severity == 3)(s) == 1)
        await until(engine, lambda s: count(ReadingRow)(s) == 5)
        with read_scope(engine) as session:
            case = session.scalars(select(Case)).one()
            assert case.department_id == "dept-drainage"
            assert count(CaseObservation)(session) == 2


async def test_camera_and_panel_of_one_site_make_one_case(city: Settings) -> None:
    async with worker(city) as (bus, engine):
        seen = alarm(kind="flame_smoke", source_type="camera", source_id="cam-1", confidence=0.9)
        await bus.observe(alarm())
        await until(engine, lambda s: count(Case)(s) == 1)  # another site is another partition: no order between them
        await bus.observe(seen)
        await bus.observe(alarm(source="gb26875:1", site_id="site-2", attributes={"channel": "9"}))
        await until(engine, lambda s: count(CaseObservation)(s) == 3)
        with read_scope(engine) as session:
            assert count(Case)(session) == 1  # the panel is one source, whatever site it claims
            link = session.get(CaseObservation, (session.scalars(select(Case)).one().case_id, seen.observation_id))
            assert link.reason["merge"]["verdict"] == "attach"
            assert [step["step"] for step in link.reason["merge"]["steps"]] == ["class", "site", "time"]


async def test_quarantined_and_unknown_devices_never_feed_rules(city: Settings) -> None:
    async with worker(city) as (bus, engine):
        config = DeviceConfig(device_id="mqtt:stranger", source="mqtt", address="stranger")
        found = alarm("measure", "mqtt:stranger", kind="device_discovered", attributes={"device_id": "mqtt:stranger",
                      "source": "mqtt", "address": "stranger"}, site_id=None)  # fmt: skip
        assert config.status == "quarantine"
        await bus.observe(found)
        await bus.observe(alarm(source="mqtt:stranger"))
        await bus.observe(alarm(source="mqtt:new"))
        for i in range(3):
            await publish(bus, reading(0.9, i, "mqtt:new"))
        await until(engine, lambda s: count(ReadingRow)(s) == 3)
        await until(engine, lambda s: count(ObservationRow)(s) == 3)
        with read_scope(engine) as session:
            assert count(Case)(session) == 0
            assert session.get(Device, "mqtt:stranger").status == "quarantine"


async def test_poison_is_put_aside_and_loses_nothing_beside_it(city: Settings) -> None:
    async with worker(city) as (bus, engine):
        good = [alarm(attributes={"channel": str(n)}) for n in range(5)]
        subject = bus.observation_subject(good[0])
        for n, observation in enumerate(good):
            await bus.js.publish(subject, encode(observation))
            if n == 2:
                await bus.js.publish(subject, b'{"observation_id": 7')
                await bus.js.publish(subject, b"\xff\x00 not json")
        await until(engine, lambda s: count(ObservationRow)(s) == 5)
        await until(engine, lambda s: count(DeadLetter)(s) == 2)
        with read_scope(engine) as session:
            assert "Observation is not valid" in session.scalars(select(DeadLetter.error)).first()
            assert count(Case)(session) == 1


async def test_rules_are_exchanged_without_a_restart(city: Settings) -> None:
    async with worker(city) as (bus, engine):
        await until(engine, lambda s: count(RuleRow)(s) > 10)
        with session_scope(engine) as session:
            session.execute(
                update(RuleRow)
                .where(RuleRow.rule_id == "fire-alarm-panel")
                .values(enabled=False, version=2, updated_by="u-admin", updated_at=datetime.now(UTC))
            )
        await asyncio.sleep(3)
        await bus.observe(alarm())
        await until(engine, lambda s: count(ObservationRow)(s) == 1)
        await asyncio.sleep(0.3)
        with read_scope(engine) as session:
            assert count(Case)(session) == 0


async def finish(engine: Engine, case_id: str) -> None:
    service = CaseService(engine, SystemClock())
    staff = Actor(user_id="u-staff", name="处置员", roles=("staff",), department_id="dept-fire")
    for name, data in (("accept", {}), ("finish", {"no_photo_reason": "室内处置", "result": "已处置"})):
        service.execute(Command(name=name, case_id=case_id, actor_id="u-staff", data=data), staff)


def only_case(session) -> Case:  # type: ignore[no-untyped-def]
    return session.scalars(select(Case)).one()


async def test_finished_and_clear_is_confirmed_by_a_person_on_the_sensors_advice(city: Settings) -> None:
    async with worker(city) as (bus, engine):
        await bus.observe(alarm())
        case_id = await until(engine, lambda s: s.scalars(select(Case.case_id)).first())
        await bus.observe(alarm("clear"))
        await until(engine, lambda s: not any(only_case(s).why["standing"].values()))
        await finish(engine, str(case_id))
        await until(engine, lambda s: only_case(s).state == "checking")  # a fire: no machine closes it


async def test_a_camera_that_still_sees_it_sends_the_case_back(city: Settings) -> None:
    async with worker(city) as (bus, engine):

        async def look(message) -> None:  # type: ignore[no-untyped-def]
            request = decode(LookRequest, message.data)
            answer = LookAnswer(
                camera_id=request.camera_id, kind=request.kind, clear=False, detail="flames", seen_at=datetime.now(UTC)
            )
            await message.respond(encode(answer))

        await bus.serve("look.cam-1", look)
        await bus.observe(alarm(kind="flame_smoke", source_type="camera", source_id="cam-1", confidence=0.9))
        case_id = await until(engine, lambda s: s.scalars(select(Case.case_id)).first())
        await finish(engine, str(case_id))
        await until(engine, lambda s: only_case(s).state == "rework")
        with read_scope(engine) as session:
            assert only_case(session).reworks == 1


async def test_a_camera_that_does_not_answer_leads_to_an_inspector(city: Settings) -> None:
    async with worker(city) as (bus, engine):
        await bus.observe(alarm(kind="flame_smoke", source_type="camera", source_id="cam-1", confidence=0.9))
        case_id = await until(engine, lambda s: s.scalars(select(Case.case_id)).first())
        await finish(engine, str(case_id))
        await until(engine, lambda s: only_case(s).state == "checking")
        await until(engine, lambda s: count(Notice, Notice.role == "inspector")(s) == 1)
        assert SYSTEM.user_id == "system"


async def test_a_second_worker_shares_the_work_and_leaves(city: Settings) -> None:
    async with worker(city) as (bus, engine):
        spare_stop = asyncio.Event()
        spare = asyncio.create_task(main(city, spare_stop))
        await bus.observe(alarm())
        await until(engine, lambda s: count(Case)(s) == 1)
        assert not spare.done()
        spare_stop.set()
        await asyncio.wait_for(spare, 10)
