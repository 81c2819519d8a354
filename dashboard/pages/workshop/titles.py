"""Small things that the workshop's pages share."""

from __future__ import annotations

from typing import Any

from dashboard.pages.frame import Visit

GRID_CLASS = "ag-theme-quartz desk-grid"


def label(words: dict[str, Any] | None, visit: Visit, fallback: str = "") -> str:
    """A title in the visitor's language, else in any."""
    found = words or {}
    return str(found.get(visit.language) or next(iter(found.values()), "") or fallback)
