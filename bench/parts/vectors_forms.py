"""Kinds of form vectors and the functions that answer them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.forms.vectors import merged_context, outcome
from core.legal_time.calendar import statutory_calendar

Body = Mapping[str, Any]


def _expression(body: Body, document: Body) -> Any:
    """``{"value": …}``, or ``{"error": code}`` of what is wrong with the expression."""
    context = merged_context(document.get("context") or {}, body.get("context"))
    return outcome(body["expr"], context, statutory_calendar())


CHECKS: dict[str, Callable[[Body, Body], Any]] = {"expressions": _expression}
