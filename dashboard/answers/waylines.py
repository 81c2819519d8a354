"""Answers about the library of routes."""

from __future__ import annotations

from typing import TypedDict

from storage.waylines import WaylineView


class WaylineList(TypedDict):
    """Routes, the newest first."""

    items: list[WaylineView]
