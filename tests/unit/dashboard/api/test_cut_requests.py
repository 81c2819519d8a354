"""A request whose line breaks before its end changes nothing and is no fault of ours."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from core.settings import Settings
from tests.unit.dashboard.web import make_office


@pytest.mark.parametrize("path", ["/api/cases/01ABCDEF/commands", "/api/cases"])
def test_a_request_that_is_cut_off_is_no_fault(
    settings: Settings, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    office = make_office(settings)
    client = office.client("fireman")
    headers = {
        "host": "testserver", "content-type": "application/json", "content-length": "900",
        "x-csrf-token": client.headers["X-CSRF-Token"],
        "cookie": "; ".join(f"{k}={v}" for k, v in client.cookies.items()),
    }  # fmt: skip
    parts = iter(({"type": "http.request", "body": b'{"name": "rep', "more_body": True}, {"type": "http.disconnect"}))
    sent: list[Any] = []

    async def receive() -> Any:
        return next(parts, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 5),
        "server": ("testserver", 80), "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip
    with caplog.at_level(logging.INFO):
        asyncio.run(office.app(scope, receive, send))
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert sent[0]["status"] == 499
