"""Connections of the web server: a head within 10 s, a body within 30 s, few connections of strangers.

A connection belongs to a stranger until a request with a session came over it.  Strangers have a budget for each
address and one for all; when it is spent, the stranger who has waited longest is cut off, so that thousands of
half-open connections never keep out whoever logs in or is signed in, from the same address too.  Connections of trusted
proxies are not counted by address: there the proxy has the same limits (deploy/Caddyfile).
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections import OrderedDict
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dashboard.client_address import Proxies

HEAD_S = 10.0
BODY_S = 30.0
HEAD_BYTES = 64 * 1024
SLOWEST_BYTES_S = 1024  # a signed-in sender's body may take longer than BODY_S at this rate
PER_ADDRESS = 100
GRACE_S = 0.5  # an office whose pages all come back at once is let in: each shows its session within this time
BURST = 4  # times PER_ADDRESS, meanwhile
STRANGERS = 1500  # from everywhere
SIGNED_IN = 6000
EXTENSION = "yiwang.connection"
_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Budget:
    """Who is connected, and who has to go."""

    def __init__(self, proxies: Proxies, per_address: int = PER_ADDRESS, strangers: int = STRANGERS) -> None:
        self._proxies, self._per_address, self._most = proxies, per_address, strangers
        self._strangers: OrderedDict[GuardedProtocol, str] = OrderedDict()  # the longest waiting first
        self._by_address: dict[str, OrderedDict[GuardedProtocol, None]] = {}
        self._signed_in: set[GuardedProtocol] = set()
        self._trimming: set[str] = set()  # addresses whose strangers are counted again in a moment
        self.cut = 0

    @property
    def strangers(self) -> int:
        """Connections without a session."""
        return len(self._strangers)

    def come(self, connection: GuardedProtocol, address: str) -> None:
        """A new connection; the longest waiting stranger goes when there is no room."""
        if self._proxies.trusts(address):
            return
        mates = self._by_address.get(address, OrderedDict())
        if len(mates) >= BURST * self._per_address:
            self._send_away(next(iter(mates)))
        elif len(mates) >= self._per_address:
            self._trim_soon(address, connection.loop)
        if len(self._strangers) >= self._most:
            self._send_away(next(iter(self._strangers)))
        self._by_address.setdefault(address, OrderedDict())[connection] = None
        self._strangers[connection] = address

    def sign_in(self, connection: GuardedProtocol) -> None:
        """A request with a session came over it."""
        if connection in self._strangers and len(self._signed_in) < SIGNED_IN:
            self._forget(connection)
            self._signed_in.add(connection)

    def go(self, connection: GuardedProtocol) -> None:
        """It is closed."""
        self._forget(connection)
        self._signed_in.discard(connection)

    def _trim_soon(self, address: str, loop: asyncio.AbstractEventLoop) -> None:
        if address not in self._trimming:
            self._trimming.add(address)
            loop.call_later(GRACE_S, self._trim, address, loop)

    def _trim(self, address: str, loop: asyncio.AbstractEventLoop) -> None:
        """Those who came at once have had time to show a session: who has none and waited longest goes.

        Whoever sent a whole request and waits for our answer is not at fault when this machine is slow: he is asked
        again a moment later.
        """
        self._trimming.discard(address)
        mates = self._by_address.get(address, OrderedDict())
        over = len(mates) - self._per_address
        for connection in [one for one in mates if not one.waits_for_us][: max(over, 0)]:
            self._send_away(connection)
        if len(mates) > self._per_address:
            self._trim_soon(address, loop)

    def _send_away(self, connection: GuardedProtocol) -> None:
        self.cut += 1
        self._forget(connection)
        connection.abort()

    def _forget(self, connection: GuardedProtocol) -> None:
        address = self._strangers.pop(connection, None)
        if address is not None:
            mates = self._by_address[address]
            mates.pop(connection, None)
            if not mates:
                del self._by_address[address]


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP connection with time limits and a budget; the budget is set by :func:`protocol_of`."""

    budget: Budget

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._in_head = True
        self._head_bytes = 0
        self._body_began = self._last_data = self._body_bytes = 0.0
        self._session = False

    # what asyncio says ----------------------------------------------------
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.budget.come(self, self.client[0] if self.client else "")
        self._arm(HEAD_S, self._head_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self.budget.go(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if self._timer is None:  # the next request on a connection that was kept
                self._arm(HEAD_S, self._head_late)
            if self._head_bytes > HEAD_BYTES and len(data) < HEAD_BYTES:
                self._refuse(_LONG)
                return
        else:
            self._body_bytes += len(data)
            self._last_data = self.loop.time()
        with contextlib.suppress(AttributeError):  # the parser goes away with a connection that was cut meanwhile
            super().data_received(data)

    # what the parser says -------------------------------------------------
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope.setdefault("extensions", {})[EXTENSION] = {"sign_in": self.sign_in}

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        self._body_began = self._last_data = self.loop.time()
        self._body_bytes = 0
        self._arm(BODY_S, self._body_late)
        hosts = sum(1 for name, _ in self.headers if name == b"host")
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            raise ValueError("one Host")  # answered with 400 (RFC 9112 3.2): who reads the first, who the last?
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._disarm()
        self._in_head = True
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._disarm()
        self.budget.go(self)
        super().handle_websocket_upgrade()

    # limits ---------------------------------------------------------------
    @property
    def waits_for_us(self) -> bool:
        """A whole request came and is not answered yet."""
        return self._in_head and self.cycle is not None and not self.cycle.response_complete

    def sign_in(self) -> None:
        """Called by the gate when the request carried a session."""
        self._session = True
        self.budget.sign_in(self)

    def abort(self) -> None:
        """Cut it off."""
        self._disarm()
        if self.transport is not None:
            self.transport.abort()

    def _head_late(self) -> None:
        self._refuse(_LATE)

    def _body_late(self) -> None:
        now = self.loop.time()
        allowed = BODY_S + self._body_bytes / SLOWEST_BYTES_S if self._session else BODY_S
        waiting_for_us = self.flow is not None and self.flow.read_paused
        if waiting_for_us or (now - self._body_began < allowed and now - self._last_data < BODY_S):
            self._arm(1.0, self._body_late)
        else:
            self._refuse(_LATE)

    def _refuse(self, answer: bytes) -> None:
        self._disarm()
        if self.transport is None or self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(answer)
        self.transport.close()

    def _arm(self, seconds: float, then: Any) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, then)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def protocol_of(budget: Budget) -> type[GuardedProtocol]:
    """The protocol class of one server."""
    return type("Guarded", (GuardedProtocol,), {"budget": budget})


def more_files(wanted: int = 65_536) -> int:
    """Let this process open as many files (connections) as it may; how many those are."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
