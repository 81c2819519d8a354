"""Checks: found once, followed up once, gone when mended; a late approval opens a supervision case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.clock import ManualClock
from core.errors import InputInvalid
from events.runtime.wiring import case_service
from measures.checks import parse_check, run_check
from measures.library import library
from measures.runner import CheckRunner
from storage.session import make_engine, session_scope
from storage.tables.boards import CheckFinding
from storage.tables.cases import Case
from storage.tables.records import RegisterRecord
from storage.tables.registry import Department
from tests.databases import create_all

NOW = datetime(2026, 6, 10, 4, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path}/x.db")
    create_all(engine)
    with session_scope(engine) as session:
        session.add(Department(department_id="dept-plan", name="规自局"))
    yield engine
    engine.dispose()


def line(number: int, status: str) -> RegisterRecord:
    return RegisterRecord(
        record_id=f"{number:026d}", register_id="network_line", name=f"L{number}", data={"status": status},
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def test_a_finding_is_told_once_and_gone_when_it_is_mended(engine: Engine) -> None:
    found, clock = library(None, None), ManualClock(NOW)
    check = found.checks["line_down"]
    opened: list[str] = []

    def opening(_session: Session, _check: Any, subject: str, _title: str, _row: Any) -> str:
        opened.append(subject)
        return "c"

    case_check = parse_check(
        {"id": "x", "zh": "x", "en": "x", "measure": "lines_down", "then": "case"}, found.measures
    )  # fmt: skip
    with session_scope(engine) as session:
        session.add_all([line(1, "down"), line(2, "up")])
    for wanted in ((1, 0), (0, 0)):
        with session_scope(engine) as session:
            run = run_check(session, check, found.measures[check.measure], clock)
            assert (run.new, run.gone) == wanted
            run_check(session, case_check, found.measures["lines_down"], clock, opening)
    assert opened == [f"{1:026d}"], "once"
    with session_scope(engine) as session:
        session.get_one(RegisterRecord, f"{1:026d}").data = {"status": "up"}
    with session_scope(engine) as session:
        assert run_check(session, check, found.measures[check.measure], clock).gone == 1
        assert session.get_one(CheckFinding, ("line_down", f"{1:026d}")).gone_at == NOW


def test_a_figure_out_of_bounds_is_one_finding_a_day(engine: Engine) -> None:
    found = library(None, None)
    check = parse_check({"id": "y", "zh": "y", "en": "y", "measure": "lines_up", "below": 0.9}, found.measures)
    with session_scope(engine) as session:
        session.add_all([line(1, "down"), line(2, "up")])
    for hours, new in ((0, 1), (1, 0), (30, 1)):
        with session_scope(engine) as session:
            clock = ManualClock(NOW + timedelta(hours=hours))
            assert run_check(session, check, found.measures["lines_up"], clock).new == new
    with pytest.raises(InputInvalid, match="nothing"):
        parse_check({"id": "y", "zh": "y", "en": "y", "measure": "nothing"}, found.measures)


def test_a_late_approval_opens_one_supervision_case(engine: Engine, tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    late = Case(
        case_id="a" * 26, number="A1", definition_id="project_approval", definition_version=1, stage="x",
        state="accepted", title="厂房", opened_at=NOW - timedelta(days=200), updated_at=NOW,
        deadline_at=NOW - timedelta(days=1), department_id="dept-plan",
    )  # fmt: skip
    with session_scope(engine) as session:
        session.add(late)
    runner = CheckRunner(engine, clock, case_service(engine, clock, district="220105"), tmp_path)
    assert runner.look()["approval_overtime"].opened == 1
    clock.advance(7200)
    assert runner.look()["approval_overtime"].new == 0
    with session_scope(engine) as session:
        opened = session.scalars(select(Case).where(Case.definition_id == "supervision_visit")).one()
        assert "A1" in opened.title and opened.source_id == "check:approval_overtime"
        assert session.scalar(select(func.count()).select_from(CheckFinding)) == 1
