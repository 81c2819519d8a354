"""Every JSON answer that a test gets from the application is held to the shape that its route declares."""

from __future__ import annotations

import gzip
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from dashboard.api.deps import ANSWERS

_CHECKED: dict[type[Any], Any] = {}


class AnswerOther(AssertionError):
    """An answer that is not what its route declares."""


class Held:
    """An ASGI application that looks at what it sends."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def __getattr__(self, name: str) -> Any:
        return getattr(self.app, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head: dict[str, Any] = {}
        parts: list[bytes] = []

        async def kept(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            elif _is_json(head):
                parts.append(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, kept)
        if parts:
            check(scope.get("route"), head["status"], _plain(head, b"".join(parts)))


def _headers(head: dict[str, Any]) -> dict[bytes, bytes]:
    return {name.lower(): value for name, value in head.get("headers", ())}


def _is_json(head: dict[str, Any]) -> bool:
    return 200 <= head.get("status", 0) < 300 and b"json" in _headers(head).get(b"content-type", b"")


def _plain(head: dict[str, Any], body: bytes) -> bytes:
    return gzip.decompress(body) if _headers(head).get(b"content-encoding") == b"gzip" else body


def check(route: Any, status: int, body: bytes) -> None:
    """``body`` is of the declared kind and has no field that the kind does not name (unless it is a standard's)."""
    if route is None or not getattr(route, "include_in_schema", False) or not body:
        return
    for declared in getattr(route, "responses", {}).values():
        for part in declared.get("content", {}).values():
            kind = _kind(part.get("schema", {}))
            if kind is not None:
                try:
                    msgspec.json.decode(body, type=kind)
                except msgspec.ValidationError as error:
                    raise AnswerOther(f"{route.path} {status}: {error}: {body[:300]!r}") from error
                unnamed = _unnamed(kind, msgspec.json.decode(body))
                if unnamed:
                    raise AnswerOther(f"{route.path}: {kind.__name__} does not declare {sorted(unnamed)}")


def _kind(schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return ANSWERS[schema["$ref"].rsplit("/", 1)[-1]]
    if schema.get("type") == "array" and "$ref" in schema.get("items", {}):
        row: Any = _kind(schema["items"])
        return list[row]
    return None


def _unnamed(kind: Any, sent: Any) -> set[str]:
    """Fields at the top that the kind does not name."""
    if not isinstance(sent, dict) or not isinstance(kind, type):
        return set()
    if kind.__name__.startswith(("Ogc", "SensorThings")):
        return set()
    if kind not in _CHECKED:
        (_, parts) = msgspec.json.schema_components([kind])
        _CHECKED[kind] = set(parts[kind.__name__].get("properties", {}))
    return set(sent) - _CHECKED[kind]
