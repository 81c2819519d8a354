"""What is kept of each case is summed on PostgreSQL as on SQLite."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.legal_time.limits import Limit
from core.records import SYSTEM
from events.indicators import tally
from events.indicators.counting import Grouping, IndicatorQuestion, sums_of
from events.indicators.evaluation import rulebook
from events.indicators.kept import kept_sums
from storage.session import make_engine, read_scope, session_scope
from tests.databases import create_all
from tests.unit.events.casework import FRIDAY, Town

GROUPS: tuple[Grouping, ...] = ("department", "street", "class", "day", "all")


def test_kept_and_counted_are_the_same(postgres_url: str) -> None:
    engine = make_engine(postgres_url)
    create_all(engine)
    town, guards = Town(engine), rulebook().guards
    limit = Limit(value=2, unit="urgent_hour")
    town.close(town.open(limit=limit).case_id)
    town.do(town.open(limit=limit).case_id, "accept", "fire")
    town.clock.advance(3 * 3600)
    now = town.clock.now()
    with session_scope(engine) as session:
        while tally.catch_up(session, guards):
            pass
    for by in GROUPS:
        question = IndicatorQuestion(
            opened_from=FRIDAY - timedelta(days=1), opened_to=FRIDAY + timedelta(days=9), by=by
        )
        with read_scope(engine) as session:
            kept = kept_sums(session, SYSTEM, question, now, guards)
            direct = sums_of(session, SYSTEM, question, now, guards)
        assert kept is not None and set(kept[0]) == set(direct), by
        for key, found in direct.items():
            got = {name: value for name, value in kept[0][key].counts.items() if value}
            assert got == pytest.approx({name: value for name, value in found.counts.items() if value}), (by, key)
            assert (kept[0][key].took, kept[0][key].handled) == pytest.approx((found.took, found.handled)), (by, key)
    engine.dispose()
