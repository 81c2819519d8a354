"""Notices: once each, at a bearable rate, quiet at night, over every channel; webhooks signed and tried again."""

from __future__ import annotations

import asyncio
import json
import socketserver
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import Engine, select

from core import plugins
from core.bus import connect
from core.clock import ManualClock
from core.errors import PluginParamsInvalid
from core.legal_time.limits import Limit
from core.records import SYSTEM, CaseChanged, Severity
from core.settings import Settings
from events.cases.drafts import CaseDraft, Part, Route
from events.cases.service import CaseService
from events.notify.alarm_flood import WINDOW_S, AlarmControl, Waiting, grouped, may_tell
from events.notify.channel import NoticeMessage, NotifierFailed, audience
from events.notify.channels.webhook import fill
from events.notify.deadlines import DeadlineSweep
from events.notify.notices import NoticeDraft, QuietHours, write_notices
from events.notify.webhooks import sign, verify
from events.runtime.outbox import MAX_ATTEMPTS, Relay
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case, Notice, Outbox
from storage.tables.files import CaseSubject
from storage.tables.observations import DeadLetter
from storage.tables.people import User, UserRole
from storage.tables.persons import LinkToken
from storage.tables.plans import DutyShift
from storage.tables.registry import Department
from tests.databases import create_all

T0 = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)  # 11:00 in Beijing


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Receiver:
    """An HTTP server that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((dict(self.headers), body))
                self.send_response(outer.answers.pop(0) if outer.answers else 200)
                self.end_headers()
                self.wfile.write(b'{"errcode": 0}')

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


def notice(**more: Any) -> NoticeMessage:
    fields = {
        "notice_id": "n1", "kind": "task", "title": "新任务", "body": "b", "severity": 3, "case_id": "c1",
        "user_id": None, "department_id": "dept-fire", "role": "", "created_at": T0,
    }  # fmt: skip
    return NoticeMessage(**(fields | more))


def waiting(n: int, severity: int = 2, ago_s: float = 30) -> Waiting:
    opened_at = T0 - timedelta(seconds=ago_s)
    return Waiting(f"c{n}", f"220105-{n}", f"点位{n} 积水", "waterlogging", severity, opened_at, None)


# flood -----------------------------------------------------------------
def test_the_budget_is_one_in_ten_minutes_and_red_does_not_wait() -> None:
    now = T0.timestamp()
    assert not may_tell([], now, [], T0)
    assert may_tell([], now, [waiting(1)], T0)
    assert not may_tell([now - 60], now, [waiting(1)], T0)
    assert may_tell([now - WINDOW_S - 1], now, [waiting(1)], T0)
    assert may_tell([now - 60], now, [waiting(1, severity=4)], T0)
    assert not may_tell([now - 90, now - 60], now, [waiting(1, severity=4)], T0)  # the third red one waits a minute
    assert may_tell([now - 90, now - 60], now, [waiting(1, severity=4, ago_s=60)], T0)
    assert may_tell([now - n for n in range(50)], now, [waiting(1, severity=4, ago_s=240)], T0)  # no longer ever
    assert not may_tell([], now, [waiting(1, ago_s=1)], T0)


def test_a_burst_is_one_notice_with_the_worst_first() -> None:
    title, body = grouped([waiting(1), waiting(2, severity=4), waiting(3)])
    assert "3 起新案件" in title
    assert "积水×3" in title
    assert body.splitlines()[0].startswith("220105-2")
    assert grouped([waiting(1)])[0].endswith("点位1 积水")
    assert grouped([waiting(n) for n in range(50)])[1].count("\n") == 20


def house(engine: Engine) -> tuple[CaseService, ManualClock]:
    clock = ManualClock(T0)
    with session_scope(engine) as session:
        session.add(Department(department_id="dept-fire", name="消防"))
    return CaseService(engine, clock), clock


def stored(n: int, at: datetime, **more: Any) -> Case:
    """An open case as a row."""
    fields = {
        "case_id": f"case-{n}", "number": f"N{n}", "definition_id": "city_management", "definition_version": 1,
        "stage": "handle", "state": "dispatched", "open": True, "kind": "waterlogging", "title": f"点位{n} 积水",
        "source_type": "device", "opened_at": at, "updated_at": at, "department_id": "dept-fire",
    }  # fmt: skip
    return Case(**(fields | more))


def opened(service: CaseService, engine: Engine, title: str = "火灾", **more: Any) -> str:
    route = Route(lead=Part(department_id="dept-fire"))
    limit = Limit(value=2, unit="urgent_hour")
    draft = CaseDraft(title=title, severity=Severity.ORANGE, auto_register=True, route=route, limit=limit, **more)
    with session_scope(engine) as session:
        return service.open_in(session, draft, SYSTEM).case_id


def test_a_storm_of_cases_reaches_the_operators_at_a_bearable_rate_and_completely(engine: Engine) -> None:
    service, clock = house(engine)
    control = AlarmControl(engine, clock)
    told = 0
    for n in range(30):  # a case every 40 s for 20 minutes
        opened(service, engine, f"点位{n} 积水", kind="waterlogging")
        clock.advance(40)
        told += control.sweep()
    clock.advance(700)
    told += control.sweep()
    with read_scope(engine) as session:
        notices = session.scalars(select(Notice).where(Notice.role == "operator")).all()
    assert told == 30
    assert len(notices) <= 4
    assert AlarmControl(engine, clock).sweep() == 0  # a restart tells nothing again


@pytest.mark.parametrize("red_every", [0, 50, 1])
def test_300_alarms_in_ten_minutes_of_rain_are_a_handful_of_notices_for_each_operator(
    engine: Engine, red_every: int
) -> None:
    _, clock = house(engine)
    on_watch = ("op1", "op2")
    with session_scope(engine) as session:
        session.add(Department(department_id="dept-command", name="指挥中心"))
        session.flush()
        for user_id in on_watch:
            session.add(User(user_id=user_id, login=user_id, name=user_id, department_id="dept-command"))
            session.flush()
            session.add(
                DutyShift(shift_id=user_id, department_id="dept-command", post="duty", user_id=user_id,
                          starts_at=T0 - timedelta(hours=1), ends_at=T0 + timedelta(hours=8))
            )  # fmt: skip
    told = 0
    for n in range(360):  # an alarm every two seconds for ten minutes, then two minutes of calm and half an hour
        if n < 300:
            severity = Severity.RED if red_every and n % red_every == 0 else Severity.YELLOW
            with session_scope(engine) as session:
                session.add(stored(n, clock.now(), title=f"路口{n} 道路积水 0.3{n % 10} m", severity=severity))
        clock.advance(2 if n < 330 else 60)
        told += AlarmControl(engine, clock).sweep()  # a new one each time: what it knows survives a restart
    assert told == 300, "none is left out"
    with read_scope(engine) as session:
        notices = session.scalars(select(Notice).order_by(Notice.created_at)).all()
    seen = {user: [x for x in notices if x.user_id in (user, None)] for user in on_watch}
    in_the_storm = {u: sum(x.created_at < T0 + timedelta(minutes=10) for x in some) for u, some in seen.items()}
    assert max(in_the_storm.values()) <= (5 if red_every else 1), in_the_storm
    listed = sum(int(x.title.split(" ")[0]) if x.kind == "new_cases" else 1 for x in notices)
    assert listed == 300
    assert any("道路积水×" in x.title for x in notices)
    if not red_every:
        assert {x.user_id for x in notices} == set(on_watch), "they take turns"


# deadlines -------------------------------------------------------------
def test_deadlines_are_told_before_at_and_after_once_each(engine: Engine) -> None:
    service, clock = house(engine)
    case_id = opened(service, engine)
    kinds: list[str] = []
    for minutes in (0, 59, 62, 80, 104, 107, 119, 121, 150, 179, 182, 600, 1559, 1562, 1600):
        clock.set(T0 + timedelta(minutes=minutes))
        DeadlineSweep(engine, clock).sweep()  # a new one: a restart tells nothing again
    with read_scope(engine) as session:
        rows = session.scalars(select(Notice).where(Notice.case_id == case_id).order_by(Notice.created_at)).all()
        kinds = [row.kind for row in rows if row.department_id]
    handling = [k for k in kinds if k.startswith("deadline")]
    assert handling == ["deadline_before_1h", "deadline_before_15min", "deadline_at", "deadline_after_1h",
                        "deadline_after_24h"]  # fmt: skip


@pytest.mark.parametrize("every_s", [60, pytest.param(20, marks=pytest.mark.long)])  # 20 s is what a worker does
def test_deadlines_of_a_whole_storm_reach_each_department_and_the_dispatchers_together(
    engine: Engine, every_s: int
) -> None:
    _, clock = house(engine)
    with session_scope(engine) as session:  # more than are read at a time, all due in the same ten minutes
        session.add_all([stored(n, T0, deadline_at=T0 + timedelta(hours=2, seconds=n)) for n in range(620)])
    clock.set(T0 + timedelta(hours=2))
    sweep = DeadlineSweep(engine, clock)
    looks = 25 * 60 // every_s
    for look in range(looks):
        if look % (looks // 3) == 7:
            sweep = DeadlineSweep(engine, clock)  # the process died and is back
        sweep.sweep()
        clock.advance(every_s)
    with read_scope(engine) as session:
        at = session.scalars(select(Notice).where(Notice.kind == "deadline_at", Notice.department_id == "dept-fire"))
        assert len({row.case_id for row in at}) == 620, "each department hears of each of its cases"
        told = session.scalars(select(Notice).where(Notice.role == "dispatcher").order_by(Notice.created_at)).all()
    assert 1 <= len(told) <= 3, "and the dispatchers at most once in ten minutes"
    assert told[0].created_at <= T0 + timedelta(hours=2, seconds=10), "the first at once"
    counted = sum(int(row.title.split(" ")[0]) if row.kind == "deadlines" else 1 for row in told)
    assert counted == 620, "of every one, once"


# quiet -----------------------------------------------------------------
@pytest.mark.parametrize(
    ("utc", "severity", "due"),
    [
        ("2026-07-01T03:00", 1, "2026-07-01T03:00"),  # 11:00 in Beijing
        ("2026-07-01T15:00", 1, "2026-07-01T23:00"),  # 23:00 → 07:00
        ("2026-07-01T22:00", 2, "2026-07-01T23:00"),  # 06:00 → 07:00
        ("2026-07-01T15:00", 3, "2026-07-01T15:00"),  # orange rings at night
        ("2026-07-01T23:00", 1, "2026-07-01T23:00"),  # 07:00
    ],
)
def test_quiet_hours(utc: str, severity: int, due: str) -> None:
    moment = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert QuietHours().due_at(moment, severity) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_a_notice_is_written_once_and_rings_in_the_morning(engine: Engine) -> None:
    night = datetime(2026, 7, 1, 15, 0, tzinfo=UTC)
    draft = NoticeDraft(key="k1", kind="task", title="t", role="operator")
    with session_scope(engine) as session:
        assert len(write_notices(session, [draft, draft], ["in_app", "email"], night)) == 1
        assert write_notices(session, [draft], ["in_app"], night) == []
    with read_scope(engine) as session:
        due = {row.body["channel"]: row.created_at for row in session.scalars(select(Outbox))}
    assert due["in_app"] == night
    assert due["email"] == datetime(2026, 7, 1, 23, 0, tzinfo=UTC)


# channels --------------------------------------------------------------
def test_a_template_is_filled_in_one_pass() -> None:
    values = {"title": "{phones}", "phones": "139"}
    assert fill({"a": ["{title} {x}", 7]}, values) == {"a": ["{phones} {x}", 7]}


async def send(settings: Settings, kind: str, params: dict[str, Any], message: NoticeMessage) -> None:
    await plugins.build("channel", kind, params, settings=settings, bus=None).send(message)


@pytest.mark.anyio
async def test_sms_goes_to_the_people_the_notice_is_for(settings: Settings, receiver: Receiver) -> None:
    engine = make_engine(settings.database_url)
    create_all(engine)
    with session_scope(engine) as session:
        session.add(Department(department_id="dept-fire", name="消防"))
        session.flush()
        for n, role in enumerate(("staff", "viewer", "manager")):
            user = f"u{n}"
            session.add(User(user_id=user, login=user, name="x", department_id="dept-fire", phone=f"1390000000{n}"))
            session.flush()
            session.add(UserRole(user_id=f"u{n}", role=role))
    engine.dispose()
    params = {"url": receiver.url, "template": {"to": "{phones}", "text": "{title}"}, "ok_field": "errcode"}
    await send(settings, "webhook", params, notice())
    await send(settings, "webhook", params, notice(department_id="dept-nobody"))
    await send(settings, "webhook", params, notice(severity=1))
    assert [json.loads(body) for _, body in receiver.got] == [{"to": "13900000000,13900000002", "text": "新任务"}]
    receiver.answers = [503]
    with pytest.raises(NotifierFailed, match="503"):
        await send(settings, "webhook", params, notice())


@pytest.mark.anyio
async def test_email_reaches_the_department(settings: Settings) -> None:
    got: list[str] = []

    class Smtp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 test\r\n")
            data = False
            for raw in self.rfile:
                line = raw.decode().rstrip("\r\n")
                got.append(line)
                if data:
                    if line == ".":
                        data = False
                        self.wfile.write(b"250 ok\r\n")
                elif line.upper() == "DATA":
                    data = True
                    self.wfile.write(b"354 go\r\n")
                elif line.upper() == "QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        params = {
            "host": "127.0.0.1", "port": server.server_address[1], "security": "none", "sender": "a@b.cn",
            "recipients": {"department:dept-fire": ["fire@b.cn"], "*": ["log@b.cn"]},
        }  # fmt: skip
        await send(settings, "email", params, notice())
        await send(settings, "email", params, notice(severity=1))
        server.shutdown()
    assert [line[8:] for line in got if line.lower().startswith("rcpt to:")] == ["<fire@b.cn>", "<log@b.cn>"]
    with pytest.raises(PluginParamsInvalid, match="no e-mail address"):
        await send(settings, "email", params | {"sender": "x\r\nBcc: y@z"}, notice())


def test_those_on_duty_are_rung_up_else_everybody(engine: Engine) -> None:
    people = {"op1": "operator", "op2": "operator", "fire1": "staff", "fire2": "manager"}
    with session_scope(engine) as session:
        for name in ("dept-fire", "dept-command"):
            session.add(Department(department_id=name, name=name))
        session.flush()
        for user, role in people.items():
            department = "dept-command" if role == "operator" else "dept-fire"
            session.add(User(user_id=user, login=user, name=user, department_id=department))
            session.flush()
            session.add(UserRole(user_id=user, role=role))
        session.add(
            DutyShift(shift_id="s", department_id="dept-command", post="duty", user_id="op2", starts_at=T0,
                      ends_at=T0 + timedelta(hours=8))
        )  # fmt: skip

    def reached(message: NoticeMessage, at: datetime) -> set[str]:
        with read_scope(engine) as session:
            return set(session.scalars(audience(message, at)))

    to_role = notice(department_id=None, role="operator")
    assert reached(to_role, T0) == {"op2"}
    assert reached(to_role, T0 + timedelta(hours=9)) == {"op1", "op2"}
    assert reached(notice(), T0) == {"fire1", "fire2"}  # nobody of the brigade stands on the roster
    assert reached(notice(user_id="fire1"), T0) == {"fire1"}


@pytest.mark.anyio
async def test_a_dead_channel_is_retried_shown_to_the_administrator_and_given_up_where_he_sees_it(
    nats_server: Settings, receiver: Receiver
) -> None:
    settings = nats_server
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    channels = {
        name: {"url": receiver.url, "template": {"text": "{title}"}} for name in ("webhook:sms", "webhook:wecom")
    }
    (settings.data_dir / "notify.json").write_text(json.dumps(channels))
    engine = make_engine(settings.database_url)
    create_all(engine)
    clock = ManualClock(T0)
    bus = await connect(settings, "test")
    relay = Relay(bus, engine, clock, settings)
    assert relay.channels == ["in_app", "webhook:sms", "webhook:wecom"]
    with session_scope(engine) as session:
        write_notices(session, [NoticeDraft(key="k", kind="task", title="新任务", role="operator", severity=3)],
                      ["webhook:sms"], T0)  # fmt: skip
    receiver.answers = [503] * MAX_ATTEMPTS
    for _ in range(MAX_ATTEMPTS):
        await relay.relay_once()
        clock.advance(3601)
    with read_scope(engine) as session:
        letter = session.scalars(select(DeadLetter)).one()
        told = session.scalars(select(Notice).where(Notice.kind == "channel_failed")).one()
        assert session.scalar(select(Outbox.outbox_id).where(Outbox.sent_at.is_(None))) is None
    assert (letter.subject, letter.deliveries) == ("notice:webhook:sms", MAX_ATTEMPTS)
    assert "503" in letter.error and told.role == "admin"
    assert len(receiver.got) == MAX_ATTEMPTS
    assert await relay.relay_once() == 0
    await bus.close()
    engine.dispose()


@pytest.mark.anyio
async def test_a_party_without_an_account_is_asked_by_a_text_message_until_it_is_taken(
    nats_server: Settings, receiver: Receiver
) -> None:
    settings = nats_server
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    channels = {"webhook:sms": {"url": receiver.url, "template": {"to": "{phones}", "text": "{title}"}}}
    (settings.data_dir / "notify.json").write_text(json.dumps(channels))
    engine = make_engine(settings.database_url)
    create_all(engine)
    service, _ = house(engine)
    opened(service, engine)
    with session_scope(engine) as session:
        case = session.scalars(select(Case)).first()
        assert case is not None
        session.add(CaseSubject(subject_id="s1", case_id=case.case_id, role="party", name="某公司", answer={},
                                contact="+86 138 1234 5678", asked_at=T0, added_at=T0))  # fmt: skip
        session.add(Outbox(outbox_id="a1", topic="ask", body={"subject_id": "s1", "channel": "webhook:sms"},
                           created_at=T0, attempts=0))  # fmt: skip
    clock = ManualClock(datetime.now(UTC))
    bus = await connect(settings, "test")
    await bus.ensure()
    relay = Relay(bus, engine, clock, settings)
    receiver.answers = [503]
    for _ in range(3):
        await relay.relay_once()
        clock.advance(10)
    await bus.close()
    sent = [json.loads(body) for _, body in receiver.got if b"/h#/file/" in body]
    assert [each["to"] for each in sent] == ["13812345678"] * 2 and sent[0]["text"] != sent[1]["text"]
    with read_scope(engine) as session:
        links = session.scalars(select(LinkToken).order_by(LinkToken.link_id)).all()
    assert [link.revoked_at is None for link in links] == [False, True]
    engine.dispose()


# webhooks --------------------------------------------------------------
def test_signatures_hold_and_age() -> None:
    header = sign("s" * 16, b"body", 1000)
    assert verify("s" * 16, b"body", header, 1100)
    assert not verify("s" * 16, b"body!", header, 1100)
    assert not verify("t" * 16, b"body", header, 1100)
    assert not verify("s" * 16, b"body", header, 2000)
    assert not verify("s" * 16, b"body", "nonsense", 1000)


def subscribe(settings: Settings, *subscribers: dict[str, Any]) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "webhooks.json").write_text(json.dumps(subscribers))


@pytest.mark.anyio
async def test_a_case_reaches_subscribers_signed_and_again_after_a_refusal(
    nats_server: Settings, receiver: Receiver
) -> None:
    engine = make_engine(nats_server.database_url)
    create_all(engine)
    service, _ = house(engine)
    secret = "a-long-enough-secret"
    dead = {"name": "dead", "url": "http://127.0.0.1:9/", "secret": secret}
    subscribe(nats_server, {"name": "s", "url": receiver.url, "secret": secret, "commands": ["dispatch"]}, dead)
    opened(service, engine)
    receiver.answers = [500]
    bus = await connect(nats_server, "relay")
    await bus.ensure()
    clock = ManualClock(datetime.now(UTC))
    relay = Relay(bus, engine, clock, nats_server)
    for _ in range(12):
        await relay.relay_once()
        clock.advance(5)
    await bus.close()
    assert len(receiver.got) == 2  # refused once, then taken; the dead one holds up nobody
    headers, body = receiver.got[-1]
    assert verify(secret, body, headers["X-Yiwang-Signature"], int(time.time()))
    event = json.loads(body)
    assert (event["specversion"], event["type"]) == ("1.0", "cn.yiwang.case.dispatch")
    assert CaseChanged(**{**event["data"], "severity": Severity(3)}).command == "dispatch"
    assert receiver.got[0][0]["X-Yiwang-Delivery"] == headers["X-Yiwang-Delivery"]
    with read_scope(engine) as session:
        left = session.scalars(select(Outbox).where(Outbox.sent_at.is_(None))).all()
        assert {row.body["subscriber"] for row in left} == {"dead"}
        notices = session.scalars(select(Notice).where(Notice.kind == "task")).all()
        assert [n.department_id for n in notices] == ["dept-fire"]
        assert notices[0].sent_at is not None
    engine.dispose()
    await asyncio.sleep(0)
