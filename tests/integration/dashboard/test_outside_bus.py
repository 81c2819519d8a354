"""The outside door over a real bus, and as a role of a real PostgreSQL: two verbs and nothing else."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import nats
import nats.errors
import psycopg
import pytest
from sqlalchemy import Engine, select

from core import one_time
from core.bus import connect
from core.clock import SystemClock
from core.settings import Settings, outside_variables
from dashboard.outside import wire
from dashboard.outside.counter import Counter
from dashboard.outside.doors.bus import BusDoor
from dashboard.outside.doors.database import DatabaseDoor
from dashboard.outside.problems import DoorClosed
from dashboard.outside.settings import OutsideSettings, outside_settings
from dashboard.outside.wire import Submission
from dashboard.reception.work import ReceptionWork
from events.runtime.wiring import case_service
from storage.migrate import migrate
from storage.outside import ROLE, grant
from storage.session import make_engine, read_scope
from storage.tables.cases import Case
from tests.unit.dashboard.outside.door import HELP, REPORT, small_town


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def submission(kind: str = "help", code: str = "", **body: Any) -> tuple[Submission, str]:
    code = code or one_time.new_code()
    body = body or {"answers": HELP}
    return Submission(
        request_id=one_time.code_hash("r" + code)[:32], token_hash=one_time.code_hash(code), kind=kind, body=body
    ), code


class Gateway:
    """A text message gateway on loopback."""

    def __init__(self) -> None:
        self.got: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                return None

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/sms"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    yield made
    made.server.shutdown()
    made.server.server_close()


async def until(ask: Any, seconds: float = 60.0) -> Any:
    for _ in range(int(seconds / 0.1)):
        found = await ask()
        if found:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("it never came true")


@pytest.mark.anyio
async def test_over_the_bus_a_telephone_is_confirmed_and_help_is_given_out(
    nats_server: Settings, engine: Engine, gateway: Gateway
) -> None:
    small_town(engine)
    nats_server.data_dir.mkdir(parents=True, exist_ok=True)
    sms = {"webhook:sms": {"url": gateway.url, "template": {"to": "{phones}", "text": "{title}"}}}
    (nats_server.data_dir / "notify.json").write_text(json.dumps(sms))
    bus = await connect(nats_server, "test")
    await bus.ensure()
    clock = SystemClock()
    work = ReceptionWork(nats_server, bus, engine, clock, case_service(engine, clock))
    running = asyncio.create_task(work.run())
    door = BusDoor(outside_settings(outside_variables(nats_server)))
    try:
        counter = Counter(door, "secret")

        async def settings_page() -> Any:
            try:
                return await door.page("settings")
            except DoorClosed:
                return None  # the reception is not listening yet

        assert (await until(settings_page))["confirm_phone"] is True
        phone, ticket = submission("phone", phone=HELP["phone"])
        await door.submit(phone)

        async def message() -> Any:
            return gateway.got

        sent = (await until(message))[0]
        assert sent["to"] == HELP["phone"]
        digits = "".join(c for c in sent["text"] if c.isdigit())[:6]
        assert (await counter.confirm(ticket, digits, "a"))["confirmed"] is True
        wish, code = submission(answers=HELP, ticket=one_time.code_hash(ticket))
        await asyncio.gather(*(door.submit(wish) for _ in range(5)))  # five taps

        async def taken() -> Any:
            found = await door.read(one_time.code_hash(code))
            return found if found.state == "taken" else None

        assert (await until(taken)).view["number"]
        with read_scope(engine) as session:
            assert len(list(session.scalars(select(Case)))) == 1
        report, _ = submission("report", answers=REPORT)
        await door.submit(report)
        pull = await bus.js.pull_subscribe("obs.>", durable="t", stream="OBS")
        message_of = (await pull.fetch(1, timeout=60))[0]
        assert json.loads(message_of.data)["kind"] == "waterlogging"
        assert (await door.read("0" * 64)).found is False
        for rubbish in (b"", b"{", b"[]", b'{"request_id":"x","token_hash":"y","kind":"help"}', b"\xff"):
            answer = await (await door._connected()).request(wire.SUBMIT, rubbish, timeout=30)
            assert json.loads(answer.data)["problem"]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await door.close()
        await bus.close()


@pytest.mark.anyio
async def test_its_account_on_the_bus_may_do_nothing_else(nats_server: Settings) -> None:
    inside = await connect(nats_server, "inside")
    await inside.ensure()
    refused: list[str] = []

    async def noted(error: Exception) -> None:
        refused.append(str(error))

    client = await nats.connect(
        nats_server.nats_url, user=wire.USER, password=nats_server.outside_nats_token,
        inbox_prefix=wire.INBOX.encode(), error_cb=noted, max_reconnect_attempts=0,
    )  # fmt: skip
    try:
        heard: list[bytes] = []

        async def hear(message: Any) -> None:
            heard.append(message.data)

        subjects = (">", "obs.>", "case.>", "_INBOX.>", "outside.submit", "$JS.>", "$SYS.>")
        for subject in subjects:
            await client.subscribe(subject, cb=hear)
        for subject in ("obs.0.fire_alarm.x", "cmd.gb26875", "look.c1", "$JS.API.STREAM.DELETE.OBS", "audit.anchor"):
            await client.publish(subject, b"{}")
        await inside.client.publish("case.open.x", b"secret")
        await inside.client.flush()
        await client.flush()

        async def all_refused() -> Any:
            return len(refused) >= len(subjects) + 5

        await until(all_refused)
        assert heard == []
        assert (await inside.js.stream_info("OBS")).state.messages == 0
    finally:
        await client.close()
        await inside.close()


@pytest.mark.postgres
def test_its_database_role_inserts_and_reads_by_a_code_alone(postgres_url: str, settings: Settings) -> None:
    migrate(postgres_url)
    engine = make_engine(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone() is None:
            admin.execute(f"CREATE ROLE {ROLE} LOGIN")
    with engine.begin() as connection:
        assert grant(connection)
    small_town(engine)
    narrow = postgres_url.replace("//yiwang@", f"//{ROLE}@")
    own = OutsideSettings(host="", port=1, url="", secret="s", database_url=narrow)
    door = DatabaseDoor(own)
    wish, code = submission()
    photo = replace_data(submission("photo")[0], b"\xff\xd8")
    try:
        asyncio.run(_twice(door, wish, photo))
        assert asyncio.run(door.read(one_time.code_hash(code))).state == "new"
        assert asyncio.run(door.read("0" * 64)).found is False
        assert asyncio.run(door.page("settings")) == {}
        with psycopg.connect(narrow, autocommit=True) as attacker:
            for statement in (
                "SELECT * FROM outside_request", "SELECT body FROM outside_request", "SELECT * FROM user_account",
                "UPDATE outside_request SET state = 'taken'", "DELETE FROM outside_request", "SELECT * FROM case_file",
                "INSERT INTO outside_request (request_id, token_hash, kind, body, created_at, state) "
                "VALUES ('x', 'y', 'help', '{}', now(), 'taken')",
                "INSERT INTO user_role VALUES ('grid', 'admin')", "CREATE TABLE mine (x int)",
                "SELECT * FROM outside_page", "COPY case_file TO STDOUT",
                "CREATE FUNCTION outside_read(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            ):  # fmt: skip
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    attacker.execute(statement)
        clock = SystemClock()
        work = ReceptionWork(settings, _NoBus(), engine, clock, case_service(engine, clock))  # type: ignore[arg-type]
        work.write_pages()
        asyncio.run(work.handle_waiting())
        work.refresh()
        found = asyncio.run(door.read(one_time.code_hash(code)))
        assert found.state == "taken" and found.view["number"]
        assert asyncio.run(door.page("settings"))["hotline"] == "12345"
    finally:
        asyncio.run(door.close())
        engine.dispose()
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(f"DROP OWNED BY {ROLE}")


class _NoBus:
    """Reports need the bus; this test sends none."""


async def _twice(door: DatabaseDoor, *wishes: Submission) -> None:
    for wish in (*wishes, *wishes):
        await door.submit(wish)


def replace_data(wish: Submission, data: bytes) -> Submission:
    return Submission(request_id=wish.request_id, token_hash=wish.token_hash, kind=wish.kind, body={}, data=data)


def test_the_process_is_told_nothing_of_the_inside(settings: Settings) -> None:
    told = outside_variables(settings)
    inside = (settings.nats_token, settings.session_secret, settings.records_key, settings.broker_secret)
    assert not any(secret in value for secret in inside for value in told.values())
    assert not any(str(settings.data_dir) in value or "sqlite" in value for value in told.values())
    made = outside_settings(told)
    assert made.port == settings.outside_port and made.database_url == ""
