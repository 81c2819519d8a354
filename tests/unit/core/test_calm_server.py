"""The server that looks once a second: it answers, and ends at once when it is told to."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import httpx
import uvicorn

from core.network import calm_server
from core.network.calm_server import CalmServer


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


class Unbothered(CalmServer):
    """Leaves the signals of the test run alone, and counts its looks."""

    looks = 0

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await self._serve(sockets)

    async def on_tick(self, counter: int) -> bool:
        self.looks += 1
        return await super().on_tick(counter)


def test_it_answers_with_the_date_rests_between_two_looks_and_ends_when_told(monkeypatch: Any) -> None:
    monkeypatch.setattr(calm_server, "TICK_S", 600.0)  # ended by the word alone, not by the next look

    async def play() -> tuple[int, int, float]:
        listener = socket.create_server(("127.0.0.1", 0))
        server = Unbothered(uvicorn.Config(hello, log_config=None, lifespan="off"))
        running = asyncio.create_task(server.serve([listener]))
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            answer = await client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        assert answer.text == "hello" and "GMT" in answer.headers["date"]
        looks, began = server.looks, time.monotonic()
        await asyncio.to_thread(server.end)  # as from another thread
        await asyncio.wait_for(running, 300)
        listener.close()
        return looks, server.looks, time.monotonic() - began

    before, after, _ = asyncio.run(play())
    assert (before, after) == (1, 2)
