"""What a desk page's layout or callback answers: the request, and what was pressed."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from dash import ctx
from fastapi import Request

asked: ContextVar[Request] = ContextVar("desk_request")


def current_request() -> Request:
    """The request; ``LookupError`` outside of one."""
    return asked.get()


def pressed() -> tuple[Any, Any]:
    """The id of the component that was pressed and the value it sent; ``(None, None)`` where nothing was.

    A callback over many buttons (pattern ``ALL``) is also triggered by buttons that have just appeared, with no value
    yet, and Dash sends one request for both when the press comes before the first is answered.
    """
    for each in ctx.triggered:
        if each["value"]:
            name = each["prop_id"]
            return ctx.triggered_prop_ids.get(name, name.rpartition(".")[0]), each["value"]
    return None, None
