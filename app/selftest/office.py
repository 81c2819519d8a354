"""A person at the REST API: logs in, watches, moves cases.  The same calls as the pages and the phone make."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

from core.errors import YiwangError


class ApiRefused(YiwangError):
    code = "api_refused"
    message = "{method} {path} answered {status}: {body}"
    remedy = "look into the web process's log"


class Office:
    """One logged-in person."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=30, trust_env=False)

    async def log_in(self, login: str, password: str) -> None:
        """Open a session; later calls carry its cookie and CSRF token."""
        answer = await self._call("POST", "/api/login", json={"login": login, "password": password})
        self._client.headers["X-CSRF-Token"] = answer["csrf_token"]

    async def close(self) -> None:
        """Drop the connections."""
        await self._client.aclose()

    async def cases(self, **filters: str) -> list[dict[str, Any]]:
        """The newest cases that this person may see."""
        answer = await self._call("GET", "/api/cases", params={"limit": "200", **filters})
        return list(answer["items"])

    async def tasks(self) -> list[dict[str, Any]]:
        """What this person or the department has to do."""
        answer = await self._call("GET", "/api/tasks")
        return list(answer["items"])

    async def case(self, case_id: str) -> dict[str, Any]:
        """One case with everything."""
        return dict(await self._call("GET", f"/api/cases/{case_id}"))

    async def command(self, case_id: str, name: str, **data: Any) -> dict[str, Any]:
        """Move a case; sent with an Idempotency-Key as the phone does."""
        body = {"name": name, "data": data, "idempotency_key": uuid.uuid4().hex}
        return dict(await self._call("POST", f"/api/cases/{case_id}/commands", json=body))

    async def photograph(self, case_id: str, jpeg: bytes) -> dict[str, Any]:
        """Attach a photograph of the finished work."""
        files = {"file": ("after.jpg", jpeg, "image/jpeg")}
        path = f"/api/cases/{case_id}/attachments"
        return dict(await self._call("POST", path, params={"purpose": "after"}, files=files))

    async def live(self, connected: Callable[[], None] = lambda: None) -> AsyncIterator[dict[str, Any]]:
        """Changes of cases as they are pushed (server-sent events of type ``case``)."""
        async with self._client.stream("GET", "/api/live", timeout=None) as response:
            kind = ""
            async for line in response.aiter_lines():
                if line.startswith("event:"):
                    kind = line[6:].strip()
                    if kind == "hello":
                        connected()
                elif line.startswith("data:") and kind == "case":
                    yield dict(json.loads(line[5:]))

    async def _call(self, method: str, path: str, **how: Any) -> Any:
        for attempt in range(3):
            try:
                answer = await self._client.request(method, path, **how)
                break
            except httpx.TransportError as error:  # the web process may just be restarting
                if attempt == 2:
                    raise ApiRefused(method=method, path=path, status="nothing", body=repr(error)) from error
                await asyncio.sleep(1)
        if answer.status_code >= 400:
            raise ApiRefused(method=method, path=path, status=answer.status_code, body=answer.text[:300])
        return answer.json()
