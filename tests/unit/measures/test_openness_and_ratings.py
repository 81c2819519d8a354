"""Openness, ratings and electronic supervision: figures equal a plain count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from measures.evaluation import Reader
from measures.library import library
from storage.schema import create_all
from storage.session import make_engine, session_scope
from storage.tables.cases import Case
from storage.tables.persons import CaseRating
from storage.tables.records import RegisterRecord
from tests.unit.measures.test_measures import SYSTEM

NOW = datetime(2026, 6, 10, 2, 0, tzinfo=UTC)
TODAY = date(2026, 6, 10)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = make_engine("sqlite://")
    create_all(engine)
    yield engine
    engine.dispose()


def figure(engine: Engine, name: str) -> float | None:
    with Session(engine) as session:
        reader = Reader(session, SYSTEM, NOW)
        return reader.figure(library(None, None).measures[name], reader.period(30)).value


def test_columns_due_late_and_never_published(engine: Engine) -> None:
    days = {"a": -3, "b": 0, "c": 6, "d": 40, "e": None}
    with session_scope(engine) as session:
        for number, (name, due) in enumerate(days.items()):
            data = {"unit": "u", "number": name, "name": name}
            if due is not None:
                data |= {"next_due": (TODAY + timedelta(days=due)).isoformat(), "last_updated": "2026-05-01"}
            session.add(
                RegisterRecord(record_id=f"{number:026d}", register_id="open_column", name=name, data=data,
                               created_at=NOW, updated_at=NOW)
            )  # fmt: skip
    names = ("open_columns", "columns_late", "openness_due", "openness_empty")
    assert [figure(engine, name) for name in names] == [5, 1, 2, 1]
    assert figure(engine, "openness_in_time") == 0.75  # a column that never was published counts neither way


def a_case(number: int, **more: object) -> Case:
    body: dict[str, object] = {
        "case_id": f"{number:026d}", "number": f"N{number}", "definition_id": "project_approval", "title": "t",
        "definition_version": 1, "kind": "x", "state": "handling", "stage": "handle", "open": True, "severity": 2,
        "source_type": "manual", "opened_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return Case(**(body | more))


def test_what_is_irregular_about_approvals(engine: Engine) -> None:
    long_ago = NOW - timedelta(days=5)
    closed = {"open": False, "state": "closed", "opened_at": long_ago}
    with session_scope(engine) as session:
        session.add(a_case(1, **closed, closed_at=long_ago + timedelta(minutes=20)))
        session.add(a_case(2, **closed, closed_at=NOW))
        session.add(a_case(3, **(closed | {"state": "force_closed"}), closed_at=NOW))
        session.add(a_case(4, reopened=2))
        session.add(a_case(5))
        session.add(a_case(6, **(closed | {"definition_id": "city_event"}), closed_at=long_ago))
    assert figure(engine, "approval_irregular") == 3


def test_ratings_that_count(engine: Engine) -> None:
    with session_scope(engine) as session:
        for number, (stars, counted, followed) in enumerate(
            ((5, True, None), (4, True, None), (2, True, "x"), (1, True, None), (1, False, "y"))
        ):
            session.add(a_case(number, definition_id="help_request"))
            session.flush()
            session.add(
                CaseRating(rating_id=f"r{number}", case_id=f"{number:026d}", stars=stars, counted=counted,
                           bad_case_id=followed, rated_at=NOW - timedelta(days=2))
            )  # fmt: skip
    names = ("ratings", "rating_mean", "satisfied_rate", "bad_ratings", "bad_unfollowed", "ratings_appealed")
    assert [figure(engine, name) for name in names] == [4, 3.0, 0.5, 2, 1, 1]
