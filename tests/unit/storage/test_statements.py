"""ReadyStatement statements: the same values, rows and errors as SQLAlchemy's own, on both databases' texts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.settings import Settings
from storage.schema import create_all
from storage.session import make_engine, read_scope, session_scope
from storage.sql.statements import ReadyRows, ReadyStatement, put_out
from storage.tables.cases import Case, CaseClock, CaseTransition

NOW = datetime(2026, 6, 5, 1, 2, 3, 456789, tzinfo=UTC)
CASES = ReadyRows(Case, lambda rows: rows.where(Case.case_id == bindparam("wanted", ""), Case.stage.in_(["a", "b"])))


def a_case(case_id: str = "c1") -> Case:
    return Case(
        case_id=case_id, number=f"N{case_id}", definition_id="d", definition_version=1, stage="a", state="s",
        title="渗水", opened_at=NOW, updated_at=NOW, lon=125.5, form={"a": [1, None, "二"]}, confidence=0.25,
    )  # fmt: skip


@pytest.fixture
def session(settings: Settings) -> Session:
    engine = make_engine(settings.database_url)
    create_all(engine)
    with session_scope(engine) as first:
        first.add(a_case())
    found = Session(engine, expire_on_commit=False)
    yield found
    found.close()
    engine.dispose()


def test_rows_are_the_sessions_own_objects_with_the_same_values(session: Session) -> None:
    (case,) = CASES.all(session, {"wanted": "c1"})
    assert case in session and not session.dirty and CASES.all(session, {"wanted": "c1"}) == [case]
    with read_scope(session.get_bind()) as other:  # type: ignore[arg-type]
        same = other.get(Case, "c1")
        names = [column.name for column in Case.__table__.columns]
        assert [getattr(case, n) for n in names] == [getattr(same, n) for n in names]
    assert CASES.all(session, {"wanted": "nobody"}) == []
    session.rollback()


def test_what_changed_is_written_and_the_session_goes_on(session: Session) -> None:
    (case,) = CASES.all(session, {"wanted": "c1"})
    case.form = {**case.form, "b": True}
    case.title = case.title  # set, and the same
    clock = CaseClock(
        clock_id="k", case_id="c1", kind="handle", limit_value=2, limit_unit="work_day", started_at=NOW
    )  # fmt: skip
    session.add(clock)
    put_out(session, case, clock)
    assert not session.dirty and not session.new and clock.suspensions == []
    clock.stopped_at = NOW
    session.commit()  # the unit of work takes over where it was left
    stored = session.scalars(select(CaseClock).execution_options(populate_existing=True)).one()
    assert stored is clock and stored.stopped_at == NOW
    session.refresh(case)
    assert case.form["b"] is True


def test_a_row_read_again_is_refreshed_only_when_it_is_wanted(session: Session) -> None:
    (case,) = CASES.all(session, {"wanted": "c1"})
    session.rollback()
    with session_scope(session.get_bind()) as other:  # type: ignore[arg-type]
        other.get(Case, "c1").title = "anders"  # type: ignore[union-attr]
    assert CASES.all(session, {"wanted": "c1"}, refresh=True) == [case] and case.title == "anders"


def test_errors_are_sqlalchemys_and_a_savepoint_takes_its_rows_with_it(session: Session) -> None:
    rows = ReadyStatement(insert(CaseTransition))
    row = {
        "case_id": "c1", "seq": 1, "command": "x", "from_state": "", "to_state": "s", "actor_id": "a", "at": NOW,
        "reason": "", "data": {"n": 1}, "idempotency_key": None,
    }  # fmt: skip
    rows.run(session, row)
    with pytest.raises(IntegrityError), session.begin_nested():
        rows.run(session, row)
    rows.run(session, {**row, "seq": 2}, {**row, "seq": 3})
    with session.begin_nested() as savepoint:
        rows.run(session, {**row, "seq": 4})
        savepoint.rollback()
    session.commit()
    assert session.scalars(select(CaseTransition.seq).order_by(CaseTransition.seq)).all() == [1, 2, 3]
    assert ReadyStatement(select(CaseTransition.data)).rows(session, {})[0] == [{"n": 1}]
