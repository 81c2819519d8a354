"""The request that a desk page's layout or callback answers."""

from __future__ import annotations

from contextvars import ContextVar

from fastapi import Request

asked: ContextVar[Request] = ContextVar("desk_request")


def current_request() -> Request:
    """The request; ``LookupError`` outside of one."""
    return asked.get()
