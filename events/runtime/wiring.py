"""Putting the case service together with what its effects need from other rooms."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from core.clock import Clock
from events.cases.service import CaseService
from events.cases.transition import Work
from events.correlation.case_placement import Desk
from events.correlation.detaching import detach_effect
from events.correlation.places import PlaceRegistry
from events.dispatching.routing_in_force import routing_in_force


def case_service(engine: Engine, clock: Clock, **options: Any) -> CaseService:
    """A case service that knows every effect; ``options`` are those of :class:`CaseService`."""
    return CaseService(engine, clock, effects={"detach": detach_effect(_desk)}, **options)


def _desk(work: Work) -> tuple[Desk, PlaceRegistry]:
    registry = PlaceRegistry(work.service.clock)
    return Desk(work.service, work.service.clock, registry, routing_in_force()), registry
