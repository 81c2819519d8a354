"""The page of the item catalogue: who may open it, and words that its parts share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from core.clock import BEIJING
from dashboard.items.desk import CatalogueDesk
from dashboard.pages.frame import Page, Visit
from dashboard.pages.tables import chip

PAGE = Page(
    path="/items", zh="事项库", en="Service items", order=61, below=True,
    roles=("admin", "manager", "operator", "dispatcher", "staff", "viewer"),
)  # fmt: skip
LEVELS = ("1", "2", "3", "4", "5", "6")
STATES = ("draft", "published", "suspended", "withdrawn")
TONES = {"published": "good", "draft": "", "suspended": "warn", "withdrawn": "off", "review": "warn",
         "approved": "good", "refused": "bad", "replaced": "off"}  # fmt: skip


def desk_of(visit: Visit) -> CatalogueDesk:
    """The catalogue as the visitor may use it."""
    return CatalogueDesk(visit.services, visit.principal.actor)


def state_chip(visit: Visit, state: str) -> dict[str, str]:
    """The state of an item or a version as a chip."""
    return chip(visit.t(f"items.state.{state}"), TONES.get(state, ""))


def day(value: date | None) -> str:
    """A day, or a dash."""
    return value.isoformat() if value else "—"


def moment(value: datetime | None) -> str:
    """A moment in local time, or a dash."""
    return f"{value.astimezone(BEIJING):%Y-%m-%d %H:%M}" if value else "—"


def percent(value: float | None) -> str:
    """A rate; without anything to divide by a dash."""
    return "—" if value is None else f"{value:.1f} %"


def choices(visit: Visit, prefix: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Choices of a list with an empty one first."""
    return [
        {"value": "", "label": visit.t("items.all")},
        *({"value": n, "label": visit.t(f"{prefix}.{n}")} for n in names),
    ]
