"""Filing on PostgreSQL, where two transactions really run at the same time: totals and approvals stay true."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from records.filing.approving import approve, take_back
from records.filing.commands import save, send_back
from records.filing.errors import FilingLocked
from records.filing.period_state import approved_units
from records.filing.totals import kept_totals, roll_up_period
from records.filing.tree import save_units
from storage.migrate import migrate
from storage.session import make_engine, read_scope, session_scope
from storage.tables.filing import Filing
from tests.unit.records.test_filing import UNITS, desk, filed


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    migrate(postgres_url)
    made = make_engine(postgres_url)
    with session_scope(made) as session:
        save_units(session, UNITS)
    yield made
    made.dispose()


class Meanwhile:
    """What somebody else does in a transaction of their own while ours is open."""

    def __init__(self, engine: Engine, does: Callable[[Session], object]) -> None:
        self.error: Exception | None = None

        def run() -> None:
            try:
                with session_scope(engine) as session:
                    does(session)
            except Exception as error:
                self.error = error

        self._thread = threading.Thread(target=run)
        self._thread.start()
        self._thread.join(1)  # long enough to be done, if nothing keeps it from being so

    def end(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()


def _returned_while_added_up(engine: Engine, period: str) -> None:
    with session_scope(engine) as session:
        filed(session, "v1", 10, 4, period)
    with session_scope(engine) as session:
        roll_up_period(session, desk(), period)
        other = Meanwhile(engine, lambda own: send_back(own, desk(), "v1", period, "改正"))
    other.end()
    assert other.error is None
    with read_scope(engine) as session:
        assert kept_totals(session, "poultry", period, "t1")["due"]["stale"] is True


def _taken_back_while_the_town_is_approved(engine: Engine, period: str) -> None:
    with session_scope(engine) as session:
        for unit in ("v1", "v2"):
            filed(session, unit, period=period)
            approve(session, desk(), unit, period)
    with session_scope(engine) as session:
        approve(session, desk(), "t1", period)
        other = Meanwhile(engine, lambda own: take_back(own, desk(), "v1", period))
    other.end()
    assert isinstance(other.error, FilingLocked)
    with read_scope(engine) as session:
        assert approved_units(session, "poultry", period) == {"v1", "v2", "t1"}


def _begun_twice(engine: Engine, period: str) -> None:
    with session_scope(engine) as session:
        save(session, desk(), "v1", period, {"due": 1})
        other = Meanwhile(engine, lambda own: save(own, desk(), "v1", period, {"done": 1}))
    other.end()
    assert other.error is None
    with read_scope(engine) as session:
        assert session.scalar(select(func.count()).where(Filing.period == period)) == 1


@pytest.mark.postgres
def test_what_happens_at_the_same_moment_leaves_totals_and_approvals_true(engine: Engine) -> None:
    _returned_while_added_up(engine, "2026-08")
    _taken_back_while_the_town_is_approved(engine, "2026-09")
    _begun_twice(engine, "2026-10")
