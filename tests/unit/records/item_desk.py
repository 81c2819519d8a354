"""A catalogue on a throw-away database, and the people who work on it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from core.records import Actor
from records.items.catalogue import ItemDesk
from records.items.generating import basics, item_of
from storage.session import make_engine
from tests.databases import create_all

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)  # a Thursday
MAKER = Actor("maker", "编制", ("staff",), "dept-market")
SECOND = Actor("second", "审核", ("manager",), "dept-market")
BOSS = Actor("boss", "管理员", ("admin",), "dept-services")
STRANGER = Actor("stranger", "外部门", ("staff",), "dept-civil")


def desk(actor: Actor = MAKER, *, duty: bool = True, at: datetime = NOW) -> ItemDesk:
    """The actor's desk; ``duty``: does the duty list contain everything?"""
    return ItemDesk(actor, at, lambda basic: duty)


def item(number: int = 0, level: str = "4", body: int = 301) -> dict[str, Any]:
    """A clean item of the example."""
    return item_of(basics()[number], level, "市场监督管理局", body)


def empty_engine() -> Engine:
    """A fresh database in memory's stead: a file of its own is not needed for so little."""
    engine = make_engine("sqlite:///:memory:")
    create_all(engine)
    return engine
