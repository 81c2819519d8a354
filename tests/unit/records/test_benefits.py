"""Benefits without application: who is entitled on a day and why, and the past as it was before later changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from records.benefits.rules import age_on, explain, last_day, parse_benefit, periods_before, shipped_benefits
from records.benefits.simulating import explained, simulate
from storage.session import make_engine
from storage.tables.records import RecordEvent, RegisterRecord
from tests.databases import create_all

OLD_AGE = shipped_benefits()["old_age"]
DAY = date(2026, 11, 30)
PERSON = {"name": "张三", "birth": "1940-05-01", "category": "resident"}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    engine = make_engine(f"sqlite:///{tmp_path / 'b.db'}")
    create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def record(session: Session, number: int, **data: Any) -> str:
    at, key = datetime(2026, 11, 28, tzinfo=UTC), f"{number:026d}"
    values = {**PERSON, **data}
    begins = values.pop("valid_from", None)
    session.add(RegisterRecord(record_id=key, register_id="person", name="x", data=values, created_at=at, updated_at=at,
                               valid_from=begins))  # fmt: skip
    session.flush()
    return key


@pytest.mark.parametrize(
    ("birth", "amount"), [("1946-12-01", 0), ("1946-11-30", 100), ("1936-11-30", 200), ("1926-11-30", 300)]
)
def test_an_allowance_goes_by_age_on_the_day(birth: str, amount: float) -> None:
    said = explain(OLD_AGE, {**PERSON, "birth": birth}, DAY)
    assert (said.entitled, said.amount) == (amount > 0, amount)


def test_an_explanation_names_every_condition_and_what_it_saw() -> None:
    said = explain(OLD_AGE, {**PERSON, "category": "floating"}, DAY)
    assert [(c["holds"], c["facts"]) for c in said.conditions] == [
        (True, {"age": 86, "birth": "1940-05-01"}), (False, {"category": "floating"}),
    ]  # fmt: skip
    unknown = explain(OLD_AGE, {"category": "resident"}, DAY)
    assert not unknown.entitled and unknown.amount == 0


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(0, 120))
def test_nobody_is_older_the_day_before_a_birthday(born: date, years: int) -> None:
    try:
        birthday = born.replace(year=born.year + years)
    except ValueError:  # 29 February
        birthday = date(born.year + years, 3, 1)
    assert age_on(born.isoformat(), birthday) == years
    assert age_on(born.isoformat(), date.fromordinal(birthday.toordinal() - 1)) == years - 1


def test_periods_end_with_their_month_or_year() -> None:
    assert [last_day(p) for p in ("2026-02", "2028-02", "2026-12", "2026")] == [
        date(2026, 2, 28), date(2028, 2, 29), date(2026, 12, 31), date(2026, 12, 31),
    ]  # fmt: skip
    assert periods_before(OLD_AGE, date(2026, 1, 15), 3) == ["2025-10", "2025-11", "2025-12"]


def test_the_past_is_simulated_as_it_was(session: Session) -> None:
    moved = record(session, 1)
    record(session, 2, birth="1946-10-15")
    record(session, 3, birth="1930-01-01", valid_from=date(2026, 10, 20))
    at = datetime(2026, 10, 10, tzinfo=UTC)
    session.add(RecordEvent(event_id="e", record_id=moved, version=2, at=at, actor_id="x", action="changed",
                            field="category", old=json.dumps("away"), new=json.dumps("resident")))  # fmt: skip
    session.flush()
    found = simulate(session, OLD_AGE, ["2026-09", "2026-10"])
    assert [(p.period, p.entitled, p.amount) for p in found] == [("2026-09", 0, 0.0), ("2026-10", 3, 400.0)]
    assert explained(session, OLD_AGE, moved, date(2026, 9, 30)).entitled is False
    assert explained(session, OLD_AGE, moved, DAY).entitled is True
    with pytest.raises(NotFound):
        explained(session, OLD_AGE, "nobody", DAY)


NUMBERS = [{"zh": "a", "en": "a", "holds": "1", "shows": ["phone"]}]


@pytest.mark.parametrize("wrong", [{"register": "x"}, {"period": "week"}, {"conditions": []}, {"conditions": NUMBERS}])
def test_a_rule_for_everybody_or_with_numbers_in_its_reasons_is_refused(wrong: dict[str, Any]) -> None:
    good = {"id": "b", "zh": "b", "en": "b", "register": "person", "period": "month", "payer": "d", "then": "file",
            "amount": "1", "conditions": [{"zh": "a", "en": "a", "holds": "${age} > 1", "shows": ["age"]}]}  # fmt: skip
    parse_benefit(good)
    with pytest.raises(InputInvalid):
        parse_benefit({**good, **wrong})
