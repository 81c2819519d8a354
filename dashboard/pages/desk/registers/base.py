"""The page's entry and the desk that its callbacks ask."""

from __future__ import annotations

from dashboard.pages.frame import Page, Visit
from dashboard.registers.places import PlaceDesk

PAGE = Page(
    path="/registers", zh="登记簿", en="Registers", order=60,
    roles=("admin", "manager", "operator", "dispatcher", "staff", "inspector", "grid_worker"),
)  # fmt: skip


def desk_of(visit: Visit) -> PlaceDesk:
    """The registers as this visitor may use them."""
    return PlaceDesk(visit.services, visit.principal.actor)
