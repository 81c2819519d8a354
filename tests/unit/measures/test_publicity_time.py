"""双公示 on a board: the timeliness in the database is the judgement of the page, for any dates and calendar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from core.legal_time.calendar import parse_calendar, statutory_calendar
from core.records import SYSTEM
from core.sealing import Seal
from measures.definition import Measure
from measures.evaluation import Reader
from records.publicity.judging import judge
from records.registers.definition import shipped_registers
from records.registers.preparing import Preparer
from records.registers.storing import Origin, create_records
from storage.schema import create_all
from storage.session import make_engine, read_scope, session_scope
from storage.tables.records import RegisterRecord

TODAY = date(2026, 11, 27)
NOW = datetime(2026, 11, 27, 4, tzinfo=UTC)
SEAL = Seal("k" * 43)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = make_engine("sqlite://")
    create_all(made)
    yield made
    made.dispose()


COUNTED = Measure(
    id="m", zh="m", en="m", source="records", where={"register": ["licence_publicity", "penalty_publicity"]}
)
_day = st.integers(-5, 1090).map(lambda back: (TODAY - timedelta(days=back)).isoformat())
_row = st.tuples(st.booleans(), st.one_of(_day, st.just("")), st.one_of(st.just(""), st.integers(-3, 40)))


def _kept(row: tuple[bool, str, Any], number: int) -> tuple[str, dict[str, Any]]:
    licence, decided, after = row
    prefix = "XK" if licence else "CF"
    authority = "XK_XKJG" if licence else "CF_CFJG"
    published = "" if after == "" or not decided else (date.fromisoformat(decided) + timedelta(days=after)).isoformat()
    if published > TODAY.isoformat():
        published = ""
    values = {f"{prefix}_WSH": str(number), authority: "甲局", f"{prefix}_JDRQ": decided, "published": published}
    return ("licence" if licence else "penalty"), {k: v for k, v in values.items() if v}


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(_row, min_size=1, max_size=30), weekend=st.sampled_from([[6, 7], [7]]))
def test_the_database_judges_as_the_page_does(engine: Engine, rows: list[Any], weekend: list[int]) -> None:
    calendar = parse_calendar({"weekend": weekend}) if weekend == [7] else statutory_calendar()
    kept = [_kept(row, number) for number, row in enumerate(rows)]
    with session_scope(engine) as session:
        session.query(RegisterRecord).delete()
        for number, (kind, values) in enumerate(kept):
            preparer = Preparer(shipped_registers()[f"{kind}_publicity"], SEAL, TODAY)
            create_records(session, [preparer.prepare(f"r{number:04}", values)], Origin("system", NOW, "t"))
    wanted: dict[str, int] = {}
    for kind in ("licence", "penalty"):
        for one in judge(kind, [("k", v) for k, v in kept if k == kind], TODAY, calendar):
            future = one.decided is not None and one.decided > TODAY
            name = "" if one.time == "undated" or future else one.time
            wanted[name] = wanted.get(name, 0) + 1
    with read_scope(engine) as session:
        reader = Reader(session, SYSTEM, NOW, calendar=calendar)
        found = {group.key: group.of for group in reader.groups(COUNTED, reader.period(1), "publicity")}
    assert found == wanted
