"""What every worker keeps up to date beside its commits: the rulebook, and the registry on the bus."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy import Engine

from core.bus import Bus
from events.correlation.intake import Intake
from events.correlation.places import PlaceRegistry
from events.rules.rulebook import read_rulebook, rulebook_mark
from storage.registry import publish_registry
from storage.session import read_scope
from storage.watching.changes import Changes

log = logging.getLogger("yiwang.worker")

POLL_S = 3.0
WAIT_S = 30.0  # without a commit there is nothing to take up


def load_rules(engine: Engine, intake: Intake) -> tuple[int, str]:
    """Give ``intake`` the rulebook of the table; its mark."""
    with read_scope(engine) as session:
        mark = rulebook_mark(session)
        book = read_rulebook(session)
    for problem in book.problems:
        log.warning("%s", problem)
    intake.book = book
    return mark


async def watch_rules(engine: Engine, intake: Intake) -> None:
    """Exchange the rulebook when the table changes."""

    def mark_now() -> tuple[int, str]:
        with read_scope(engine) as session:
            return rulebook_mark(session)

    changes = Changes(engine)
    await changes.look()
    mark = await asyncio.to_thread(load_rules, engine, intake)
    while True:
        await changes.wait(POLL_S, WAIT_S)
        await changes.look()
        if await asyncio.to_thread(mark_now) != mark:
            mark = await asyncio.to_thread(load_rules, engine, intake)
            log.info("rules reloaded: %d", len(intake.book.specs))


async def watch_registry(bus: Bus, engine: Engine, registry: PlaceRegistry) -> None:
    """Publish cameras and devices to key-value at start and whenever a revision grew."""
    changes = Changes(engine)
    while True:
        await changes.look()
        if await publish_registry(bus, engine):
            registry.forget()
        await changes.wait(POLL_S, WAIT_S)
