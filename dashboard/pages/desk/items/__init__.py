"""The catalogue of service items (事项库): the list, one item, and the departments' problem lists."""

from __future__ import annotations

from typing import Any

from dashboard.pages.desk.items.listing import listing
from dashboard.pages.desk.items.one import item_page
from dashboard.pages.desk.items.page import PAGE
from dashboard.pages.desk.items.problems import problems_page
from dashboard.pages.frame import Visit

__all__ = ["PAGE", "layout"]


def layout(visit: Visit, below: list[str]) -> Any:
    """``/items``, ``/items/problems`` or ``/items/{item_id}``."""
    if not below:
        return listing(visit)
    return problems_page(visit) if below[0] == "problems" else item_page(visit, below[0])
