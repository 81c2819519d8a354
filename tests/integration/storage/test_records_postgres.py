"""Registers on PostgreSQL: the same import, search, change and merge as on SQLite."""

from __future__ import annotations

import pytest

from records.registers.merging import merge, unmerge
from records.registers.search import Query, count, page
from records.registers.storing import change_record, history, values_of
from storage.migrate import migrate
from storage.session import make_engine, read_scope, session_scope
from storage.tables.records import RegisterRecord
from tests.unit.records.registry import PERSON, SEAL, csv_of, origin, people, preparer, take


@pytest.mark.postgres
def test_registers_on_postgresql(postgres_url: str) -> None:
    migrate(postgres_url)
    engine = make_engine(postgres_url)
    try:
        body = csv_of(people(200))
        assert take(engine, body).created == 200
        assert take(engine, body).unchanged == 200
        with read_scope(engine) as session:
            record = page(session, Query("person", limit=1, offset=70), SEAL)[0]
            hidden = SEAL.open(record.record_id, record.sealed)
            for words in (record.name, record.pinyin, hidden["id_number"], hidden["phone"], record.name[:2]):
                assert record.record_id in {r.record_id for r in page(session, Query("person", words, limit=200), SEAL)}
            street = Query("person", division=record.division_code[:9], limit=200)
            expected = sum(p["division"].startswith(record.division_code[:9]) for p in people(200))
            assert len(page(session, street, SEAL)) == count(session, street, SEAL) == expected
        with session_scope(engine) as session:
            record = session.get_one(RegisterRecord, record.record_id)
            assert change_record(session, record, {"phone": "12000009999"}, preparer(), PERSON, SEAL, origin())
        with session_scope(engine) as session:
            first, second = page(session, Query("person", limit=2), SEAL)
            before = values_of(first, SEAL)
            row = merge(session, first.record_id, second.record_id, PERSON, preparer(), SEAL, origin())
        with session_scope(engine) as session:
            unmerge(session, row.merge_id, PERSON, preparer(), SEAL, origin())
            again = session.get_one(RegisterRecord, first.record_id)
            assert values_of(again, SEAL) == before
            assert len(history(session, again, PERSON, SEAL)) >= 1
    finally:
        engine.dispose()
