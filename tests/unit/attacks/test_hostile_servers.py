"""Servers that we ask (cameras over ONVIF, platforms, webhooks) and that answer with malice."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.addresses import leads_inside
from core.clock import SystemClock
from core.errors import YiwangError
from core.network.fetching import AnswerTooLarge, fetch
from ingest.gateways import onvif
from ingest.gateways.client import GatewayClient

Answer = Callable[[asyncio.StreamWriter], Coroutine[Any, Any, None]]
BOMB = gzip.compress(b"\0" * (64 << 20))


def whole(body: bytes, *heads: str, status: str = "200 OK") -> Answer:
    """An answer that ends."""

    async def send(writer: asyncio.StreamWriter) -> None:
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *heads]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return send


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        await writer.drain()


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # hung up on: that is what they are for
        finally:
            writer.close()

    listener = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()


HOSTILE: list[tuple[Answer, type[httpx.HTTPError]]] = [
    (endless, AnswerTooLarge),
    (drip, httpx.ReadTimeout),
    (whole(BOMB, "Content-Encoding: gzip"), AnswerTooLarge),
    (whole(b"no gzip", "Content-Encoding: gzip"), httpx.DecodingError),
    (whole(b"x", "Content-Encoding: br"), httpx.DecodingError),
    (whole(b"", "Content-Encoding: gzip, gzip"), httpx.DecodingError),
]


@pytest.mark.parametrize(("answer", "raised"), HOSTILE)
def test_an_answer_is_bounded_in_size_and_time(answer: Answer, raised: type[httpx.HTTPError]) -> None:
    async def play() -> None:
        async with server(answer) as url, httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(raised):
                await fetch(client, "GET", url, most=100_000, deadline_s=1.0)

    asyncio.run(asyncio.wait_for(play(), 60))


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=5000), st.sampled_from(["", "gzip"]))
def test_an_honest_answer_comes_as_it_is(body: bytes, packed: str) -> None:
    heads = [f"Content-Encoding: {packed}"] if packed else []
    sent = gzip.compress(body) if packed else body

    async def play() -> tuple[httpx.Response, bytes]:
        async with server(whole(sent, *heads)) as url, httpx.AsyncClient(trust_env=False) as client:
            return await fetch(client, "GET", url, most=5000)

    response, found = asyncio.run(play())
    assert (response.status_code, found) == (200, body)


def test_a_longer_answer_can_be_cut() -> None:
    async def play() -> bytes:
        async with server(endless) as url, httpx.AsyncClient(trust_env=False) as client:
            return (await fetch(client, "GET", url, most=1000, cut=True))[1]

    assert len(asyncio.run(play())) == 1000


ENTITY = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
FILE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'
DEEP = b"<a>" * 200_000


@pytest.mark.parametrize(
    "answer",
    [
        endless,
        whole(BOMB, "Content-Encoding: gzip"),
        whole(ENTITY),
        whole(FILE),
        whole(DEEP),
        whole(b"<html>Log in</html>"),
        whole(b"\xff\xfe\x00"),
        whole(b"", "Location: http://169.254.169.254/latest/meta-data/", status="302 Found"),
        whole(b"", 'WWW-Authenticate: Digest realm="' + "x" * 3000 + '"', status="401 Unauthorized"),
        whole(b"", "WWW-Authenticate: Digest nonce=,,,qop=", status="401 Unauthorized"),
    ],
)
def test_a_hostile_camera_costs_one_refusal(answer: Answer) -> None:
    async def play() -> float:
        async with server(answer) as url:
            camera = onvif.Onvif(f"{url}/onvif/device_service", "admin", "secret", SystemClock(), timeout_s=3)
            began = time.monotonic()
            with pytest.raises(YiwangError) as refused:
                await camera.profiles()
            await camera.close()
            assert "secret" not in str(refused.value)
            return time.monotonic() - began

    assert asyncio.run(play()) < 60


INSIDE = ["127.0.0.1", "[::1]", "169.254.169.254", "2130706433", "0x7f.1", "0.0.0.0", "[::ffff:127.0.0.1]"]


@pytest.mark.parametrize("host", INSIDE)
def test_a_camera_cannot_send_our_password_inside(host: str) -> None:
    camera = onvif.Onvif("http://10.1.2.3/onvif/device_service", "admin", "secret", SystemClock())
    with pytest.raises(YiwangError, match="this machine"):
        camera._with_account(f"rtsp://{host}:6379/x")
    asyncio.run(camera.close())


@given(st.text(max_size=30))
def test_any_host_name_can_be_asked_about(host: str) -> None:
    assert leads_inside(host) in {True, False}


@given(st.binary(max_size=400))
def test_rubbish_on_the_discovery_port_finds_nobody(datagram: bytes) -> None:
    assert onvif.parse_matches(datagram) == []


def test_a_gateway_is_bounded_too() -> None:
    async def play() -> None:
        for answer in (endless, whole(BOMB, "Content-Encoding: gzip")):
            async with server(answer) as url:
                client = GatewayClient(url, 5.0)
                with pytest.raises(YiwangError):
                    await client.fetch("/", {})
                await client.close()

    asyncio.run(asyncio.wait_for(play(), 120))
