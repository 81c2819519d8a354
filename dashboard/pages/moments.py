"""Moments on desk pages: fields for a date with time, shown and typed in the district's own time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dash_mantine_components as dmc

from core.clock import BEIJING
from core.errors import InputInvalid


def moment_field(identifier: Any, label: str, value: datetime | None, **more: Any) -> Any:
    """A field of the browser's own kind for a date with time (its words and calendar are the browser's)."""
    text = f"{value.astimezone(BEIJING):%Y-%m-%dT%H:%M}" if value else ""
    return dmc.TextInput(id=identifier, label=label, value=text, inputProps={"type": "datetime-local"}, **more)


def moment_of(text: str | None, field: str) -> datetime:
    """What such a field holds, in UTC.

    Raises:
        InputInvalid: it is empty or no moment.
    """
    try:
        return datetime.fromisoformat(text or "").replace(tzinfo=BEIJING).astimezone(UTC)
    except ValueError as error:
        raise InputInvalid(field=field, detail=f"{text!r} is no date with time", how="choose one") from error


def shown(value: Any, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A moment (aware, or ISO 8601 text) in the district's time; a dash for none."""
    if not value:
        return "—"
    moment = datetime.fromisoformat(str(value)) if isinstance(value, str) else value
    return moment.astimezone(BEIJING).strftime(pattern) if isinstance(moment, datetime) else str(value)
