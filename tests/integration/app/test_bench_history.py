"""The years of cases behind the growth figures are like real ones: complete, spread, and every chain verifies."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import Engine, func, inspect, select, text

from bench.parts.history import SITES, grow
from bench.parts.merging import settle_city
from bench.parts.replay import Day, make_sites
from events.evidence.audit_log import ChainFlaw
from events.evidence.verify import check_log
from storage.schema import full_metadata
from storage.session import make_engine, read_scope
from storage.tables.cases import Case, CaseTransition
from tests.databases import create_all


def check(engine: Engine) -> None:
    settle_city(engine, Day(sites=make_sites(8, random.Random(1))))
    rows = grow(engine, 100, incidents=24)
    assert rows["case_file"] == 110
    assert rows["audit_entry"] >= rows["case_transition"] > 500
    assert all(rows.values())
    assert grow(engine, 200, incidents=24)["case_file"] == 220  # adds to what is there
    assert [f for f in check_log(engine, {}) if isinstance(f, ChainFlaw)] == []
    with read_scope(engine) as session:
        count = func.count()
        assert session.execute(select(Case.open, count).group_by(Case.open).order_by(Case.open)).all() == [
            (False, 200),
            (True, 20),
        ]
        sites, kinds, span = session.execute(
            select(
                func.count(Case.site_id.distinct()),
                func.count(Case.kind.distinct()),
                func.count(Case.opened_at.distinct()),
            )
        ).one()
        assert sites > 100 and kinds >= 3 and span > 150
        first, last = session.execute(select(func.min(Case.opened_at), func.max(Case.opened_at))).one()
        assert (last - first).days > 800
        moved = select(count).where(CaseTransition.at < Case.opened_at, CaseTransition.case_id == Case.case_id)
        assert session.scalar(moved) == 0
    wanted = {index.name for index in full_metadata().tables["case_file"].indexes}
    assert wanted <= {index["name"] for index in inspect(engine).get_indexes("case_file")}
    assert SITES == 6_948


def test_on_sqlite(engine: Engine) -> None:
    check(engine)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


@pytest.mark.postgres
def test_on_postgresql(postgres_url: str) -> None:
    engine = make_engine(postgres_url)
    create_all(engine)
    check(engine)
    engine.dispose()
