"""Hostile sockets: half-open, slow, endless heads; whoever is signed in, or logs in, notices nothing."""

from __future__ import annotations

import asyncio
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
import uvicorn

from core.settings import Settings
from dashboard import sockets
from dashboard.client_address import Proxies
from dashboard.sockets import Budget, more_files, protocol_of
from tests.conftest import free_port
from tests.unit.dashboard.web import PASSWORD, Office, make_office


class Guarded:
    """The application behind the server as ``serve web`` runs it."""

    def __init__(self, office: Office, proxies: str = "") -> None:
        more_files()
        self.office, self.port = office, free_port()
        self.budget = Budget(Proxies.parse(proxies))
        config = uvicorn.Config(
            office.app, host="127.0.0.1", port=self.port, log_config=None, access_log=False, proxy_headers=False,
            http=protocol_of(self.budget), backlog=2048, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)

    def client(self, login: str | None = None) -> httpx.Client:
        client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10, trust_env=False)
        if login:
            answer = client.post("/api/login", json={"login": login, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return client

    def open(self, data: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        if data:
            connection.sendall(data)
        return connection

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)


@pytest.fixture
def guarded(settings: Settings) -> Iterator[Guarded]:
    office = make_office(settings)
    server = Guarded(office)
    yield server
    server.stop()
    office.engine.dispose()


def times(client: httpx.Client, count: int = 60) -> list[float]:
    found = []
    for _ in range(count):
        started = time.perf_counter()
        assert client.get("/api/me").status_code == 200
        found.append(time.perf_counter() - started)
    return found


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def test_two_thousand_half_open_sockets_hurt_nobody(guarded: Guarded) -> None:
    client = guarded.client("operator")
    quiet = p95(times(client))
    hostile = []
    for n in range(2010):
        with suppress(OSError):
            hostile.append(guarded.open(b"GET /api/me HTTP/1.1\r\nHost: x\r\nX-A: " if n % 2 else b""))
    try:
        deadline = time.monotonic() + 10
        while guarded.budget.strangers > sockets.PER_ADDRESS and time.monotonic() < deadline:
            time.sleep(0.1)
        assert guarded.budget.strangers <= sockets.PER_ADDRESS
        loud = p95(times(client))
        assert loud <= max(2 * quiet, quiet + 0.1), (quiet, loud)
        fresh = guarded.client("boss")  # logs in anew, from the very same address
        assert fresh.get("/api/cases").status_code == 200
    finally:
        for connection in hostile:
            connection.close()


def test_a_head_that_does_not_come_is_given_up(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "HEAD_S", 0.4)
    connection = guarded.open(b"GET / HTTP/1.1\r\nHost: x\r\n")
    started = time.monotonic()
    for _ in range(40):  # a byte now and then keeps nobody waiting
        try:
            connection.sendall(b"X")
        except OSError:
            break
        time.sleep(0.05)
    assert connection.recv(100).startswith(b"HTTP/1.1 408")
    assert time.monotonic() - started < 3
    kept = guarded.open(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"200" in kept.recv(500)
    kept.sendall(b"GET /livez")  # the second head on the same connection has the same limit
    kept.settimeout(3)
    rest = b""
    with suppress(OSError):
        while part := kept.recv(500):
            rest += part
    assert b"408" in rest


def test_a_body_that_does_not_come_is_given_up(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "BODY_S", 0.5)
    head = b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"
    slow = guarded.open(head)
    started = time.monotonic()
    answer = b""
    with suppress(OSError):
        while part := slow.recv(500):
            answer += part
    assert time.monotonic() - started < 4
    assert b"408" in answer or answer == b""


def test_an_endless_head_is_refused(guarded: Guarded) -> None:
    connection = guarded.open(b"GET / HTTP/1.1\r\n")
    with suppress(OSError):
        for _ in range(40):
            connection.sendall(b"X-Filler: " + b"a" * 4000 + b"\r\n")
            time.sleep(0.005)
    answer = b""
    with suppress(OSError):
        answer = connection.recv(200)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")
    assert guarded.client().get("/livez").status_code == 200


def test_garbage_is_answered_and_nothing_breaks(guarded: Guarded) -> None:
    for junk in (b"\x16\x03\x01" + bytes(300), b"GET /\xff\xfe HTTP/1.1\r\n\r\n", b"\r\n" * 500, b"A" * 70_000,
                 b"POST /api/login HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
                 b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n"):  # fmt: skip
        connection = guarded.open()
        connection.settimeout(2)
        with suppress(OSError):
            connection.sendall(junk)
            connection.recv(300)
        connection.close()
    assert guarded.client().get("/livez").status_code == 200
    deadline = time.monotonic() + 5
    while guarded.budget.strangers > 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert guarded.budget.strangers <= 3  # what was closed is forgotten


@pytest.mark.parametrize(
    ("heads", "status"),
    [
        (b"HTTP/1.1\r\nHost: a\r\n", b"200"),
        (b"HTTP/1.1\r\nHost: a\r\nHost: evil.example\r\n", b"400"),
        (b"HTTP/1.1\r\nhost: a\r\nX: y\r\nHOST: a\r\n", b"400"),
        (b"HTTP/1.1\r\nX: y\r\n", b"400"),
        (b"HTTP/1.0\r\n", b"200"),
    ],
)
def test_a_request_is_meant_for_one_host(guarded: Guarded, heads: bytes, status: bytes) -> None:
    connection = guarded.open()
    connection.settimeout(20)
    connection.sendall(b"GET /livez " + heads + b"\r\n")
    assert connection.recv(300).split(b" ", 2)[1] == status
    connection.close()
    assert guarded.client().get("/livez").status_code == 200


def test_signed_in_people_have_a_budget_of_their_own(guarded: Guarded) -> None:
    """More than a hundred live pages of one office behind one router."""

    async def scenario() -> int:
        client = guarded.client("operator")
        cookies = dict(client.cookies)
        limits = httpx.Limits(max_connections=300)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{guarded.port}", cookies=cookies, limits=limits, timeout=20, trust_env=False
        ) as many:
            answers = await asyncio.gather(*(many.get("/api/me") for _ in range(220)))
            return sum(a.status_code == 200 for a in answers)

    assert asyncio.run(scenario()) == 220


def test_forwarded_headers_count_only_from_a_trusted_proxy(settings: Settings) -> None:
    office = make_office(settings)
    for proxies, seen in (("", "127.0.0.1"), ("127.0.0.1,10.0.0.0/8", "203.0.113.7")):
        office.app.user_middleware[0].kwargs["proxies"] = Proxies.parse(proxies)
        office.app.middleware_stack = None
        server = Guarded(office, proxies)
        headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7, 10.0.0.3"}
        client = server.client()
        client.post("/api/login", json={"login": "operator", "password": "wrong-wrong"}, headers=headers)
        accounts = office.app.state.services.accounts
        from sqlalchemy import select

        from storage.session import read_scope
        from storage.tables.people import LoginFailure

        with read_scope(accounts.engine) as session:
            addresses = set(session.scalars(select(LoginFailure.address)))
        assert seen in addresses, addresses
        assert "198.51.100.1" not in addresses  # what the client wrote itself is never believed
        server.stop()
    office.engine.dispose()
