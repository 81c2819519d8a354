"""The envelope of every answer to Pilot, and errors in it: ``{"code", "message", "data"}``."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from fastapi import Request, Response

from core.errors import InputInvalid, YiwangError
from dashboard.errors import status_of

LARGEST = 1 << 20
Handler = Callable[..., Awaitable[Any]]


def told(data: Any, code: int = 0, message: str = "success", status: int = 200) -> Response:
    """An answer; ``code`` ≠ 0 is shown to the pilot."""
    body = msgspec.json.encode({"code": code, "message": message, "data": data})
    return Response(body, status, media_type="application/json")


def enveloped(handler: Handler) -> Handler:
    """Typed errors as envelopes: 401 and 403 as status, everything else as a text for the pilot."""

    @functools.wraps(handler)
    async def run(*given: Any, **named: Any) -> Any:
        try:
            answer = await handler(*given, **named)
        except YiwangError as error:
            status = status_of(error)
            return told({}, status, f"{error}", status if status in (401, 403) else 200)
        return answer if isinstance(answer, Response) else told(answer)

    return run


async def sent(request: Request) -> dict[str, Any]:
    """The body as an object."""
    data = await request.body()
    if len(data) > LARGEST:
        raise InputInvalid(field="body", detail="is too large", how="send at most 1 MB")
    try:
        found = msgspec.json.decode(data or b"{}")
    except msgspec.DecodeError as error:
        raise InputInvalid(field="body", detail="is no JSON", how="send an object") from error
    if not isinstance(found, dict):
        raise InputInvalid(field="body", detail="is no object", how="send an object")
    return found
