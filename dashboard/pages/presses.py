"""What was pressed on a desk page."""

from __future__ import annotations

from typing import Any

from dash import ctx


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
