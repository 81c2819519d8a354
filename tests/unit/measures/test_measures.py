"""Measures against a plain count over the same rows; conditions, shares, stocks of the past, rights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session

from core.clock import BEIJING, ManualClock
from core.records import SYSTEM, Actor
from measures.conditions import moment
from measures.definition import BoardInvalid, Measure, parse_board, parse_measure
from measures.evaluation import Period, Reader, all_fields, check_measure
from measures.library import examine, library, save, version_of
from storage.session import make_engine
from storage.tables.cases import Case
from storage.tables.records import RegisterRecord
from tests.databases import create_all

NOW = datetime(2026, 6, 10, 4, tzinfo=UTC)  # noon in China


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = make_engine("sqlite://")
    create_all(engine)
    yield engine
    engine.dispose()


def a_case(number: int, **own: Any) -> Case:
    body = {
        "case_id": f"{number:026d}", "number": f"N{number}", "definition_id": "city_management",
        "definition_version": 1,
        "stage": "handle", "state": "handling", "title": f"case {number}", "opened_at": NOW, "updated_at": NOW,
        "department_id": "dept-fire", "division_code": "220105001001", "source_type": "camera",
    }  # fmt: skip
    return Case(**(body | own))


Drawn = st.fixed_dictionaries(
    {
        "opened_h": st.integers(-24 * 12, 0), "took_h": st.one_of(st.none(), st.integers(0, 200)),
        "limit_h": st.one_of(st.none(), st.integers(1, 100)), "severity": st.integers(1, 4),
        "department_id": st.sampled_from(["dept-fire", "dept-water", None]),
        "state": st.sampled_from(["handling", "cancelled", "closed"]),
    }
)  # fmt: skip


def written(session: Session, drawn: list[dict[str, Any]]) -> list[Case]:
    session.execute(delete(Case))
    found = []
    for number, one in enumerate(drawn):
        opened = NOW + timedelta(hours=one["opened_h"])
        closed = None if one["took_h"] is None else opened + timedelta(hours=one["took_h"])
        closed = closed if closed is not None and closed <= NOW else None
        deadline = None if one["limit_h"] is None else opened + timedelta(hours=one["limit_h"])
        case = a_case(
            number, opened_at=opened, closed_at=closed, open=closed is None, deadline_at=deadline,
            severity=one["severity"], department_id=one["department_id"], state=one["state"],
        )  # fmt: skip
        session.add(case)
        found.append(case)
    session.flush()
    return found


def gone(case: Case) -> bool:
    return case.state in ("cancelled", "rejected", "merged")


def in_time(case: Case) -> bool | None:
    if case.deadline_at is None:
        return None
    if case.closed_at is not None:
        return case.closed_at <= case.deadline_at
    return False if case.deadline_at < NOW else None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(Drawn, max_size=25))
def test_figures_equal_a_plain_count(engine: Engine, drawn: list[dict[str, Any]]) -> None:
    shipped = library(None, None).measures
    with Session(engine) as session:
        cases = written(session, drawn)
        reader = Reader(session, SYSTEM, NOW)
        period = reader.period(7)
        lying = [c for c in cases if period.begins <= c.opened_at < period.ends and not gone(c)]
        figure = reader.figure(shipped["new_cases"], period)
        assert figure.value == len(lying)
        earlier = [c for c in cases if period.before.begins <= c.opened_at < period.begins and not gone(c)]
        assert figure.before == len(earlier)
        groups = reader.groups(shipped["new_cases"], period, "department")
        assert {g.key: g.value for g in groups} == Counter(c.department_id or "" for c in lying)
        judged = [in_time(c) for c in lying if in_time(c) is not None]
        share = reader.figure(shipped["on_time_rate"], period)
        assert share.of == len(judged)
        assert share.value == (round(sum(bool(j) for j in judged) / len(judged), 6) if judged else None)
        rows = reader.rows(shipped["on_time_rate"], period)
        assert {row["key"] for row in rows} == {c.case_id for c in lying if in_time(c) is not None}
        by_day = dict(reader.series(shipped["new_cases"], period))
        wanted = Counter(c.opened_at.astimezone(BEIJING).date().isoformat() for c in lying)
        assert by_day == {day: wanted.get(day, 0) for day in by_day} and len(by_day) == 7
        grid = reader.grid(shipped["new_cases"], period, "hour", "weekday")
        assert sum(grid.values()) == len(lying)
        session.rollback()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(Drawn, max_size=25))
def test_a_stock_of_the_past_is_what_was_open_then(engine: Engine, drawn: list[dict[str, Any]]) -> None:
    measure = library(None, None).measures["open_cases"]
    with Session(engine) as session:
        cases = [c for c in written(session, drawn) if not gone(c)]
        reader = Reader(session, SYSTEM, NOW)
        for day, level in reader.series(measure, reader.period(7)):
            end = datetime.fromisoformat(day).replace(tzinfo=BEIJING) + timedelta(days=1)
            assert level == sum(c.opened_at < end and (c.closed_at is None or c.closed_at >= end) for c in cases), day
        session.rollback()


def test_a_reader_counts_what_he_may_see(engine: Engine) -> None:
    measure = library(None, None).measures["open_cases"]
    with Session(engine) as session:
        session.execute(delete(Case))
        session.add_all([a_case(1), a_case(2, confidential=True), a_case(3, department_id="dept-water")])
        session.flush()
        centre = Actor(user_id="o", name="o", roles=("operator",))
        stranger = Actor(user_id="f", name="f", roles=("staff",), department_id="dept-other")
        for actor, count in ((SYSTEM, 3), (centre, 2), (stranger, 0)):
            reader = Reader(session, actor, NOW)
            assert reader.figure(measure, reader.period(7)).value == count
            assert len(reader.rows(measure, reader.period(7))) == count
        session.rollback()


def a_record(number: int, register: str = "project", **data: Any) -> RegisterRecord:
    return RegisterRecord(
        record_id=f"{number:026d}", register_id=register, name=f"r{number}", data=data, created_at=NOW,
        updated_at=NOW - timedelta(hours=number), division_code="220105001001",
    )  # fmt: skip


def test_registers_are_added_up_and_an_empty_one_has_no_figure(engine: Engine) -> None:
    shipped = library(None, None).measures
    with Session(engine) as session:
        session.add_all(
            [a_record(1, stage="building", investment=15000, progress=40.0, light="red"),
             a_record(2, stage="building", investment=5000, progress=60.0, light="green"),
             a_record(3, stage="planned", investment=30000, light="green")]
        )  # fmt: skip
        session.flush()
        reader = Reader(session, SYSTEM, NOW)
        period = reader.period(30)
        value = {name: reader.figure(shipped[name], period).value for name in
                 ("investment", "project_progress", "red_projects", "projects", "enterprises", "requests")}  # fmt: skip
        assert value == {"investment": 5.0, "project_progress": 50.0, "red_projects": 1, "projects": 2,
                         "enterprises": None, "requests": None}  # fmt: skip
        assert reader.figure(shipped["projects"], period).as_of == NOW - timedelta(hours=1)
        stages = {g.key: g.value for g in reader.groups(shipped["all_projects"], period, "data.stage")}
        assert stages == {"building": 2, "planned": 1}
        session.rollback()


def test_age_is_the_whole_sets_and_turns_stale(engine: Engine) -> None:
    shipped = library(None, None).measures
    with Session(engine) as session:
        session.add(a_record(800, "network_line", status="up"))
        session.flush()
        reader = Reader(session, SYSTEM, NOW)
        assert reader.figure(shipped["lines_up"], reader.period(7)).stale
        assert reader.figure(shipped["lines_down"], reader.period(7)).value == 0, "the set is there: a nought is true"
        session.rollback()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"id": "x", "zh": "x", "en": "x", "source": "nowhere"}, "nowhere"),
        ({"id": "x", "zh": "x", "en": "x", "source": "cases", "where": {"colour": 1}}, "colour"),
        ({"id": "x", "zh": "x", "en": "x", "source": "cases", "where": {"severity": {"roughly": 1}}}, "roughly"),
        ({"id": "x", "zh": "x", "en": "x", "source": "cases", "where": {"severity": "high"}}, "high"),
        ({"id": "x", "zh": "x", "en": "x", "source": "cases", "where": {"opened": "soon"}}, "soon"),
        ({"id": "x", "zh": "x", "en": "x", "source": "cases", "value": "mean"}, "field"),
        ({"id": "x", "zh": "x", "en": "x", "source": "cases", "value": "share"}, "share"),
        ({"id": "x", "zh": "x", "en": "x", "source": "cases", "colour": 1},
             "colour"),
        ({"id": "x", "zh": "x", "en": "x", "source": "cases",
          "history": {"begins": "state", "ends": "closed"}}, "state"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_measure_is_named(engine: Engine, body: dict[str, Any], said: str) -> None:
    with Session(engine) as session, pytest.raises(BoardInvalid, match=said):
        check_measure(session, parse_measure(body, "file.yaml"), NOW)


def test_every_shipped_measure_and_board_can_be_built(engine: Engine) -> None:
    found = library(None, None)
    assert not found.problems
    with Session(engine) as session:
        reader = Reader(session, SYSTEM, NOW)
        for measure in found.measures.values():
            check_measure(session, measure, NOW)
            reader.figure(measure, reader.period(30))
            reader.series(measure, reader.period(30))
        for board in found.boards.values():
            for tile in board.tiles:
                for name in tile.shown:
                    if tile.by:
                        reader.groups(found.measures[name], reader.period(30), tile.by)
        assert {"cases", "records"} <= set(all_fields(session, NOW))
    assert {"openness", "ratings", "supervision", "network", "operations"} <= set(found.boards)
    four = ("public_management", "public_service", "public_safety", "economy")
    for name in four:
        assert sum(tile.kind == "number" for tile in found.boards[name].tiles) >= 12


@pytest.mark.parametrize(("text", "wanted"), [("now", 0), ("-2h", -2), ("+3h", 3), ("today", -12), ("-1d", -36)])
def test_moments(text: str, wanted: int) -> None:
    assert moment(text, NOW, "x") == NOW + timedelta(hours=wanted)


def test_a_broken_file_is_told_and_changes_nothing(tmp_path: Any) -> None:
    (tmp_path / "a.yaml").write_text(
        "board: {id: mine, zh: 我的, en: Mine, tiles: [{kind: number, measure: open_cases}]}\n"
    )
    (tmp_path / "b.yaml").write_text("board: {id: mine, zh: x, en: x, tiles: [{kind: number, measure: open_case}]}\n")
    (tmp_path / "c.yaml").write_text("board: [\n")
    (tmp_path / "d.yaml").write_bytes(b"\xff\xfe\x00")
    found = library(None, tmp_path)
    assert found.boards["mine"].zh == "我的"
    told = "\n".join(found.problems)
    assert len(found.problems) == 3
    assert "b.yaml" in told and "did you mean open_cases" in told and "c.yaml" in told and "d.yaml" in told


def test_an_edited_board_is_the_next_version_and_two_editors_do_not_overwrite(engine: Engine) -> None:
    clock = ManualClock(NOW)
    boss = Actor(user_id="boss", name="boss", roles=("admin",))
    text = "board: {id: economy, zh: 经济, en: Economy, tiles: [{kind: number, measure: projects, width: 3}]}"
    with Session(engine) as session:
        assert save(session, None, text, boss, clock, seen=0) == 1
        session.flush()
        assert len(library(session, None).boards["economy"].tiles) == 1 and version_of(session, "economy") == 1
        with pytest.raises(BoardInvalid, match="meanwhile"):
            save(session, None, text, boss, clock, seen=0)
        with pytest.raises(BoardInvalid, match="unknown"):
            examine(session, None, text.replace("projects", "nothing"), clock)
        session.rollback()


def test_a_board_names_the_tile_that_is_wrong() -> None:
    known = {"m": Measure(id="m", zh="m", en="m", source="cases")}
    body = {"id": "b", "zh": "b", "en": "b", "tiles": [{"kind": "bars", "measure": "m"}]}
    with pytest.raises(BoardInvalid, match="tile 1"):
        parse_board(body, known, "x")
    assert Period(NOW, NOW + timedelta(days=2)).before == Period(NOW - timedelta(days=2), NOW)
