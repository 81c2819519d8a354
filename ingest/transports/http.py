"""HTTP push listener: other platforms and gateways POST readings; the answer comes after they are durable.

``POST /readings`` (plain JSON and CloudEvents), ``/v1.1/Observations``, ``/v1.1/Datastreams(n)/Observations``,
``/v1.1/CreateObservations``, ``/push/<mapping>`` (another platform's own JSON),
``/zlm/<hook>?token=…`` (web hooks of ZLMediaKit, which
can send no header: the token is the account's password).  Basic authentication with the device
account of the settings may speak for every device; a bearer token speaks for the devices whose registry entry holds
its SHA-256 (``attributes.token_sha256``).

A plain ASGI application: nothing here needs a framework, and every limit is in sight.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import uvicorn

from core.clock import Clock
from core.errors import Forbidden, YiwangError
from core.network.calm_server import CalmServer
from core.records import Observation, Reading
from core.settings import Settings
from ingest.connections.pushing import may_push, take_push
from ingest.connections.running import Connections, Held
from ingest.counters import Refusal
from ingest.gateways.zlm_hooks import read_hook
from ingest.mapping import Mapped, map_payload
from ingest.pipeline import Durable, Pipeline, durable
from ingest.push import Pushed, parse_push
from ingest.router import Router
from ingest.transports.limits import AllowList, TokenBucket

log = logging.getLogger("yiwang.ingest")

MAX_BODY_BYTES = 1_048_576
BODY_WAIT_S = 15.0
MAX_AT_ONCE = 100
REQUESTS_PER_S, REQUEST_BURST = 50.0, 200.0
FAILURES_PER_MIN, FAILURE_BURST = 6.0, 20.0

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class _Refusal(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        self.status, self.code, self.detail, self.headers = status, code, detail, headers or {}
        super().__init__(detail)


class _Buckets:
    """A token bucket per address, for the addresses seen last."""

    def __init__(self, rate: float, burst: float, limit: int = 10_000) -> None:
        self._rate, self._burst, self._limit = rate, burst, limit
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def wait_s(self, address: str, now: float, amount: float) -> float:
        """Seconds to wait after taking ``amount``; 0 means go on."""
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = TokenBucket(self._rate, self._burst, now)
            if len(self._buckets) > self._limit:
                self._buckets.popitem(last=False)
        return bucket.take(amount, now)


class PushApp:
    """The ASGI application."""

    def __init__(
        self, settings: Settings, pipeline: Pipeline, clock: Clock, router: Router,
        connections: Connections | None = None,
    ) -> None:  # fmt: skip
        self._settings, self._pipeline, self._clock, self._router = settings, pipeline, clock, router
        self._connections = connections
        self._counters = pipeline.counters.of("http")
        self._requests = _Buckets(REQUESTS_PER_S, REQUEST_BURST)
        self._failures = _Buckets(FAILURES_PER_MIN / 60, FAILURE_BURST)
        self._active = 0
        self._allow = AllowList(settings.allow.get("ingest_http", ()))
        self._datastreams: dict[str, tuple[str, str]] = {}
        for device in pipeline.registry:
            self._learn(device.device_id, device.attributes)
        pipeline.registry.on_change(lambda device: self._learn(device.device_id, device.attributes))

    def _learn(self, device_id: str, attributes: dict[str, Any]) -> None:
        listed = attributes.get("sensorthings")
        if isinstance(listed, dict):
            self._datastreams |= {str(name): (device_id, str(quantity)) for name, quantity in listed.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self._active += 1
        try:
            status, body, headers = await self._answer(scope, receive)
        except _Refusal as refusal:
            self._counters.refuse(refusal.code)
            status, headers = refusal.status, refusal.headers
            body = {"error": refusal.code, "message": refusal.detail}
        finally:
            self._active -= 1
        lines = [(b"content-type", b"application/json")]
        lines += [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": json.dumps(body, ensure_ascii=False).encode()})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, Any], dict[str, str]]:
        address = str((scope.get("client") or ("?",))[0])
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        now = asyncio.get_running_loop().time()
        if not self._allow.admits(address):
            raise _Refusal(403, "not_allowed", f"{address} is not in YIWANG_INGEST_HTTP_ALLOW")
        wait = self._requests.wait_s(address, now, 1.0)
        if wait > 0 or self._active > MAX_AT_ONCE:
            raise _Refusal(429, "too_many_requests", "slow down", {"retry-after": str(max(1, round(wait)))})
        path = str(scope["path"])
        held = self._connections.pushed_to(path.removeprefix("/push/")) if self._connections else None
        if held is not None and path.startswith("/push/"):
            return await self._connection(held, scope, headers, address, now, receive)
        mapping = self._router.named(path.removeprefix("/push/")) if path.startswith("/push/") else None
        if path.startswith("/zlm/"):
            return await self._zlm(scope, headers, address, now, receive)
        if path != "/readings" and not path.startswith("/v1.1/") and mapping is None:
            raise _Refusal(404, "not_found", "post to /readings, /v1.1/Observations or /push/<mapping>")
        if scope["method"] != "POST":
            raise _Refusal(405, "method_not_allowed", "use POST", {"allow": "POST"})
        may = self._authorise(address, headers.get("authorization", ""), now)
        body = await _read_body(headers, receive)
        try:
            if mapping is not None:
                pushed = _from_mapping(map_payload(mapping, body, self._clock.now()))
            else:
                pushed = parse_push(path, headers, body, self._clock.now(), self._datastreams.get)
        except YiwangError as error:
            self._counters.keep(Refusal(error.code, str(error), self._clock.now(), body, path))
            raise _Refusal(400, error.code, str(error)) from error
        return await self._take(pushed, may, path, body)

    async def _connection(
        self, held: Held, scope: Scope, headers: dict[str, str], address: str, now: float, receive: Receive
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """A call of a connection's sender, with the connection's own key."""
        if scope["method"] != "POST":
            raise _Refusal(405, "method_not_allowed", "use POST", {"allow": "POST"})
        if self._failures.wait_s(address, now, 0.0) > 0:
            raise _Refusal(429, "too_many_failures", "too many wrong keys", {"retry-after": "60"})
        if not may_push(held, headers.get("authorization", "")):
            self._failures.wait_s(address, now, 1.0)
            raise _Refusal(401, "unauthorised", "wrong key", {"www-authenticate": 'Bearer realm="push"'})
        assert self._connections is not None
        status, body = await take_push(self._connections, held, headers, await _read_body(headers, receive))
        return status, body, {"retry-after": "5"} if status == 503 else {}

    async def _zlm(
        self, scope: Scope, headers: dict[str, str], address: str, now: float, receive: Receive
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """A web hook: counted as ``zlm``, answered as ZLMediaKit wants it (an unwatched stream is closed)."""
        if scope["method"] != "POST":
            raise _Refusal(405, "method_not_allowed", "use POST", {"allow": "POST"})
        given = parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=20).get("token", [""])[0]
        if given:
            account = f"{self._settings.mqtt_device_user}:{given}".encode()
            self._authorise(address, f"Basic {base64.b64encode(account).decode()}", now)
        else:
            self._authorise(address, headers.get("authorization", ""), now)
        try:
            hook, answer = read_hook(str(scope["path"]).removeprefix("/zlm/"), await _read_body(headers, receive))
        except YiwangError as error:
            raise _Refusal(400, error.code, str(error)) from error
        self._pipeline.counters.of("zlm").count(hook.name)
        return 200, answer, {}

    def _authorise(self, address: str, given: str, now: float) -> Callable[[str], bool]:
        """Which devices the caller may speak for."""
        if self._failures.wait_s(address, now, 0.0) > 0:
            raise _Refusal(429, "too_many_failures", "too many wrong passwords", {"retry-after": "60"})
        scheme, _, secret = given.partition(" ")
        if scheme.lower() == "basic" and self._is_account(secret):
            return lambda _device_id: True
        if scheme.lower() == "bearer" and secret:
            digest = hashlib.sha256(secret.strip().encode()).hexdigest()
            mine = {
                device.device_id
                for device in self._pipeline.registry
                if hmac.compare_digest(str(device.attributes.get("token_sha256", "")), digest)
            }
            if mine:
                return mine.__contains__
        self._failures.wait_s(address, now, 1.0)
        raise _Refusal(401, "unauthorised", "wrong account or token", {"www-authenticate": 'Basic realm="readings"'})

    def _is_account(self, secret: str) -> bool:
        try:
            user, _, password = base64.b64decode(secret, validate=True).decode().partition(":")
        except ValueError:  # letters outside ASCII, no base64, no UTF-8
            return False
        user_ok = hmac.compare_digest(user.encode(), self._settings.mqtt_device_user.encode())
        return hmac.compare_digest(password.encode(), self._settings.mqtt_device_password.encode()) and user_ok

    async def _take(
        self, pushed: Pushed, may: Callable[[str], bool], path: str, body: bytes
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        by_device: dict[str, tuple[list[Reading], list[Observation]]] = {}
        for reading in pushed.readings:
            by_device.setdefault(reading.device_id, ([], []))[0].append(reading)
        for observation in pushed.observations:
            by_device.setdefault(observation.source_id, ([], []))[1].append(observation)
        refused: list[dict[str, Any]] = [{"index": index, **error.as_dict()} for index, error in pushed.refused]
        waiting: list[Durable] = []
        accepted = 0
        for device_id, (readings, observations) in by_device.items():
            if not may(device_id):
                refused.append(Forbidden(action=f"speak for {device_id}").as_dict())
                self._counters.refuse("forbidden")
                continue
            accepted += len(readings) + len(observations)
            waiting += await self._pipeline.take("http", device_id, readings, observations)
        self._counters.count("messages")
        for _, error in pushed.refused:
            refusal = Refusal(error.code, str(error), self._clock.now(), body, path)
            named = str(error.data.get("device", ""))
            self._pipeline.note_refused("http", refusal, named if named and may(named) else "")
        if not await durable(waiting):
            self._counters.count("unconfirmed")
            raise _Refusal(503, "not_durable", "the bus did not confirm; send again", {"retry-after": "5"})
        status = 200 if accepted or not refused else 400
        return status, {"accepted": accepted, "refused": refused}, {}


def _from_mapping(mapped: Mapped) -> Pushed:
    readings = [reading for some in mapped.readings.values() for reading in some]
    observations = [observation for some in mapped.observations.values() for observation in some]
    return Pushed(readings, mapped.refused, observations)


async def _read_body(headers: dict[str, str], receive: Receive) -> bytes:
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_BODY_BYTES:
        raise _Refusal(413, "body_too_large", f"at most {MAX_BODY_BYTES} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Refusal(400, "disconnected", "the caller hung up")
                body += message.get("body", b"")
                if len(body) > MAX_BODY_BYTES:
                    raise _Refusal(413, "body_too_large", f"at most {MAX_BODY_BYTES} bytes")
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError as error:
        raise _Refusal(408, "body_too_slow", f"send the body within {BODY_WAIT_S:g} s") from error


class _Server(CalmServer):
    """uvicorn inside our process: it leaves the signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: PushApp, host: str, port: int, stop: asyncio.Event) -> None:
    """Listen until ``stop``; ``OSError`` when the port is taken."""
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, server_header=False, lifespan="off", ws="none",
        limit_concurrency=1000, timeout_keep_alive=15, h11_max_incomplete_event_size=16_384,
        timeout_graceful_shutdown=3,
    )  # fmt: skip
    listener = socket.create_server((host, port), backlog=256)  # uvicorn itself would end the process if it cannot
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    ends = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, ends}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        ends.cancel()
        server.end()
        await asyncio.gather(task, return_exceptions=True)
        listener.close()
