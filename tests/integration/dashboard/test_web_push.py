"""Web Push from the opt-in on the API to a loopback push service with TLS, and what each of its answers means."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import Engine, select, update

from core import plugins
from core.bus import connect
from core.clock import SystemClock
from core.errors import PluginParamsInvalid
from core.settings import Settings
from events.notify import push_encryption
from events.notify.channel import NoticeMessage, NotifierFailed
from events.notify.notices import NoticeDraft, write_notices
from events.runtime.outbox import Relay
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Notice
from storage.tables.people import LoginSession, PushSubscription, User
from tests.databases import create_all
from tests.unit.dashboard.web import Office, make_office
from tests.unit.events.test_webpush import CURVE, decrypt


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Service:
    """A push service on the loopback, with a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: dict[str, list[tuple[int, dict[str, str]]]] = {}
        self.hang_s = 0.0
        self.ca = folder / "ca.pem"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._certificate(folder))
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(outer.hang_s)
                outer.got.append((self.path, dict(self.headers), body))
                waiting = outer.answers.get(self.path, [])
                status, headers = waiting.pop(0) if waiting else (201, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"https://127.0.0.1:{self.server.server_port}"

    def _certificate(self, folder: Path) -> tuple[Path, Path]:
        key = ec.generate_private_key(CURVE)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "push test")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        private = folder / "key.pem"
        self.ca.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return self.ca, private


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    found = Service(tmp_path)
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def office(settings: Settings, service: Service) -> Iterator[Office]:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "notify.json").write_text(json.dumps({"web_push": params(service)}))
    office = make_office(settings)
    yield office
    office.engine.dispose()


def params(service: Service, **more: Any) -> dict[str, Any]:
    return {"contact": "mailto:duty@example.org", "allow_private": True, "ca_file": str(service.ca)} | more


class Phone:
    """A browser that subscribed."""

    def __init__(self, endpoint: str) -> None:
        self.key, self.auth, self.endpoint = ec.generate_private_key(CURVE), os.urandom(16), endpoint

    def body(self) -> dict[str, Any]:
        keys = {
            "p256dh": push_encryption.base64url(push_encryption.public_bytes(self.key)),
            "auth": push_encryption.base64url(self.auth),
        }
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def read(self, body: bytes) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(decrypt(body, self.key, self.auth))
        return found


def notice(**more: Any) -> NoticeMessage:
    fields: dict[str, Any] = {
        "notice_id": "n1", "kind": "task", "title": "新任务", "body": "积水 30 cm", "severity": 3, "case_id": "c1",
        "user_id": None, "department_id": "dept-fire", "role": "", "created_at": datetime.now(UTC),
    }  # fmt: skip
    return NoticeMessage(**(fields | more))


def subscribed(office: Office, login: str, endpoint: str) -> tuple[Phone, Any]:
    phone, client = Phone(endpoint), office.client(login)
    answer = client.post("/api/push-subscriptions", json=phone.body())
    assert answer.status_code == 201, answer.text
    assert answer.json()["subscription_id"] == push_encryption.subscription_id(endpoint)
    return phone, client


def rows(office: Office) -> dict[str, PushSubscription]:
    with read_scope(office.engine) as session:
        return {row.endpoint.rpartition("/")[2]: row for row in session.scalars(select(PushSubscription))}


def channel(office: Office, service: Service, **more: Any) -> Any:
    return plugins.build("channel", "web_push", params(service, **more), settings=office.settings, bus=None)


@pytest.mark.anyio
async def test_a_notice_reaches_the_phones_of_the_department_and_they_alone_can_read_it(
    office: Office, service: Service
) -> None:
    phone, client = subscribed(office, "fireman", f"{service.url}/fire")
    subscribed(office, "drainer", f"{service.url}/water")
    await channel(office, service).send(notice())
    [(path, headers, body)] = service.got
    assert path == "/fire"
    assert phone.read(body) == {
        "id": "n1", "title": "新任务", "body": "积水 30 cm", "severity": 3, "case_id": "c1", "kind": "task"
    }  # fmt: skip
    assert (headers["Content-Encoding"], headers["TTL"], headers["Urgency"]) == ("aes128gcm", "86400", "high")
    assert len(headers["Topic"]) == 32
    shown = client.get("/api/push-subscriptions").json()
    assert headers["Authorization"].endswith(f"k={shown['public_key']}")
    assert len(shown["items"]) == 1
    assert shown["items"][0]["last_used_at"]
    assert service.url not in client.get("/api/push-subscriptions").text  # the address itself is a secret


@pytest.mark.anyio
async def test_gone_subscriptions_are_deleted_and_refusals_are_noted(office: Office, service: Service) -> None:
    for name in ("gone", "lost", "good", "bad", "big"):
        subscribed(office, "fireman", f"{service.url}/{name}")
    service.answers = {"/gone": [(410, {})], "/lost": [(404, {})], "/bad": [(403, {})], "/big": [(413, {})]}
    await channel(office, service).send(notice())
    left = rows(office)
    assert set(left) == {"good", "bad", "big"}
    assert left["bad"].last_error.startswith("HTTP 403")
    assert left["good"].last_error == ""
    sizes = [len(body) for path, _, body in service.got if path == "/big"]
    assert len(sizes) == 2  # once more with the title alone
    assert sizes[1] < sizes[0]
    assert left["big"].last_error == ""


@pytest.mark.anyio
async def test_a_busy_service_is_left_alone_and_the_others_are_not_told_twice(office: Office, service: Service) -> None:
    for name in ("good", "busy"):
        subscribed(office, "fireman", f"{service.url}/{name}")
    service.answers = {"/busy": [(429, {"Retry-After": "1"})]}
    push = channel(office, service)
    with pytest.raises(NotifierFailed, match="1 of 2 phones"):
        await push.send(notice())
    with pytest.raises(NotifierFailed, match="left alone"):
        await push.send(notice())
    assert [path for path, *_ in service.got].count("/busy") == 1
    await asyncio.sleep(1.1)
    await push.send(notice())
    assert sorted(path for path, *_ in service.got) == ["/busy", "/busy", "/good"]


@pytest.mark.anyio
async def test_a_dead_or_failing_service_is_tried_again_later(office: Office, service: Service) -> None:
    subscribed(office, "fireman", f"{service.url}/a")
    service.answers = {"/a": [(503, {})]}
    push = channel(office, service)
    for _ in range(3):
        with pytest.raises(NotifierFailed):
            await push.send(notice())
    assert len(service.got) == 1  # a minute's rest
    stranger = channel(office, service, ca_file="")
    with pytest.raises(NotifierFailed, match="certificate"):
        await stranger.send(notice())
    assert set(rows(office)) == {"a"}


@pytest.mark.anyio
async def test_what_is_old_or_slight_or_for_a_closed_login_is_not_sent(office: Office, service: Service) -> None:
    _, fireman = subscribed(office, "fireman", f"{service.url}/a")
    push = channel(office, service, ttl_s=60)
    await push.send(notice(severity=1))
    await push.send(notice(created_at=datetime.now(UTC) - timedelta(minutes=2)))
    with session_scope(office.engine) as session:
        session.execute(update(User).where(User.login == "fireman").values(active=False))
    await push.send(notice())
    with session_scope(office.engine) as session:
        session.execute(update(User).where(User.login == "fireman").values(active=True))
    office.app.state.services.sessions.forget()
    await push.send(notice(notice_id="n2"))
    assert len(service.got) == 1
    assert fireman.post("/api/logout").status_code == 200
    await push.send(notice(notice_id="n3"))
    assert len(service.got) == 1


@pytest.mark.anyio
async def test_an_endpoint_inside_the_network_is_not_called_even_when_it_stands_in_the_table(
    office: Office, service: Service
) -> None:
    subscribed(office, "fireman", f"{service.url}/a")
    await channel(office, service, allow_private=False).send(notice())
    assert service.got == []
    assert "443" in rows(office)["a"].last_error


def test_opting_in_and_out(office: Office, service: Service) -> None:
    phone, fireman = subscribed(office, "fireman", f"{service.url}/a")
    number = push_encryption.subscription_id(phone.endpoint)
    assert fireman.post("/api/push-subscriptions", json=phone.body()).status_code == 201  # again: nothing new
    drainer = office.client("drainer")
    assert drainer.delete(f"/api/push-subscriptions/{number}").status_code == 404
    assert drainer.get("/api/push-subscriptions").json()["items"] == []
    assert drainer.post("/api/push-subscriptions", json=phone.body()).status_code == 201  # the phone changed hands
    assert fireman.get("/api/push-subscriptions").json()["items"] == []
    assert drainer.delete(f"/api/push-subscriptions/{number}").status_code == 200
    assert rows(office) == {}
    for n in range(12):
        subscribed(office, "fireman", f"{service.url}/{n}")
    assert set(rows(office)) == {str(n) for n in range(2, 12)}  # ten each: the oldest goes
    bad = Phone("http://push.example.org/x").body()
    assert fireman.post("/api/push-subscriptions", json=bad).json()["field"] == "endpoint"
    bad = phone.body() | {"keys": {"p256dh": "AAAA", "auth": "AAAA"}}
    assert fireman.post("/api/push-subscriptions", json=bad).json()["field"] == "keys.p256dh"


def test_a_private_endpoint_needs_the_setting(office: Office, service: Service) -> None:
    (office.settings.data_dir / "notify.json").write_text('{"web_push": {"contact": "mailto:a@b.cn"}}')
    client = office.client("fireman")
    for endpoint in (f"{service.url}/a", "https://127.0.0.1/a", "https://169.254.169.254/a", "http://a.example.org/a"):
        answer = client.post("/api/push-subscriptions", json=Phone(endpoint).body())
        assert (answer.status_code, answer.json()["field"]) == (422, "endpoint"), endpoint
    good = Phone("https://updates.push.services.mozilla.com/wpush/v2/x")
    assert client.post("/api/push-subscriptions", json=good.body()).status_code == 201


def test_where_it_is_not_switched_on_there_is_no_key_and_no_opting_in(office: Office, service: Service) -> None:
    (office.settings.data_dir / "notify.json").unlink()
    client = office.client("fireman")
    assert client.get("/api/push-subscriptions").json()["enabled"] is False
    assert client.post("/api/push-subscriptions", json=Phone(f"{service.url}/a").body()).status_code == 422
    assert not (office.settings.data_dir / push_encryption.KEY_FILE).exists()
    with pytest.raises(PluginParamsInvalid, match="mailto"):
        channel(office, service, contact="duty@example.org")


@pytest.mark.anyio
async def test_a_push_service_that_hangs_delays_no_notice_on_the_screen(
    nats_server: Settings, service: Service
) -> None:
    engine: Engine = make_engine(nats_server.database_url)
    create_all(engine)
    now = datetime.now(UTC)
    with session_scope(engine) as session:
        session.add(User(user_id="u1", login="u1", name="x"))
        session.flush()
        session.add(LoginSession(session_hash="s", user_id="u1", csrf_token="t", created_at=now, last_seen_at=now,
                                 expires_at=now + timedelta(days=1)))  # fmt: skip
        phone = Phone(f"{service.url}/slow").body()
        session.add(
            PushSubscription(subscription_id="x", user_id="u1", session_hash="s", endpoint=phone["endpoint"],
                             p256dh=phone["keys"]["p256dh"], auth=phone["keys"]["auth"], created_at=now)
        )  # fmt: skip
    (nats_server.data_dir / "notify.json").write_text(json.dumps({"web_push": params(service)}))
    service.hang_s = 3.0
    bus = await connect(nats_server, "events")
    await bus.ensure()
    screen = await bus.client.subscribe(bus.subject("notice", ">"))
    relay = Relay(bus, engine, SystemClock(), nats_server)
    assert relay.channels == ["in_app", "web_push"]
    running = asyncio.create_task(relay.run())
    try:
        for n in range(3):
            draft = NoticeDraft(key=f"k{n}", kind="task", title=f"t{n}", user_id="u1", severity=4)
            with session_scope(engine) as session:
                write_notices(session, [draft], relay.channels, datetime.now(UTC))
            began = time.monotonic()
            await screen.next_msg(timeout=2.5)
            assert time.monotonic() - began < 2.5
            await asyncio.sleep(0.6)  # the push of this one is under way by now
        assert len(service.got) < 3
        with read_scope(engine) as session:
            assert len(session.scalars(select(Notice)).all()) == 3
        deadline = time.monotonic() + 15
        while len(service.got) < 3 and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        assert len(service.got) == 3
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bus.close()
        engine.dispose()
