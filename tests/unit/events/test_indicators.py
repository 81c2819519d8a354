"""Indicators against cases whose fate is known, and against people who would like better ones."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine

from app.cli import main
from core.errors import InputInvalid
from core.legal_time.limits import Limit
from core.records import SYSTEM
from events.indicators.counting import IndicatorQuestion
from events.indicators.evaluation import IndicatorLine, Table, cases_behind, evaluate
from events.indicators.export import as_csv, as_xlsx
from storage.session import read_scope
from tests.unit.events.casework import FRIDAY, Town, actor, photo

TWO_HOURS = Limit(value=2, unit="urgent_hour")
DAY = IndicatorQuestion(opened_from=FRIDAY - timedelta(days=1), opened_to=FRIDAY + timedelta(days=30))


@pytest.fixture
def town(engine: Engine) -> Town:
    return Town(engine)


def ask(town: Town, who: str = "", **changes: Any) -> Table:
    import msgspec

    with read_scope(town.engine) as session:
        person = actor(who) if who else SYSTEM
        return evaluate(session, person, msgspec.structs.replace(DAY, **changes), town.clock.now())


def line(table: Table, key: str) -> IndicatorLine:
    return next(x for x in table.lines if x.key == key)


def behind(town: Town, measure: str, key: str | None = None, **changes: Any) -> set[str]:
    import msgspec

    with read_scope(town.engine) as session:
        question = msgspec.structs.replace(DAY, **changes)
        return set(cases_behind(session, SYSTEM, question, measure, key, town.clock.now()))


def test_plain_rates(town: Town) -> None:
    good = town.open(limit=TWO_HOURS)
    town.close(good.case_id)
    late = town.open(limit=TWO_HOURS)
    town.do(late.case_id, "accept", "fire")
    town.clock.advance(3 * 3600)
    town.do(late.case_id, "finish", "fire", evidence=[photo("d")])
    waiting = town.open(limit=TWO_HOURS, lead="water")
    town.clock.advance(3 * 3600)
    town.report()
    table = ask(town)
    fire, water = line(table, "fire"), line(table, "water")
    assert fire.rates["handling_rate"] == 1 and fire.rates["on_time_handling_rate"] == 0.5
    assert fire.rates["late_handling_rate"] == 0.5 and fire.rates["close_rate"] == 0.5
    assert water.rates["handling_rate"] == 0 and water.rates["overdue_unhandled_rate"] == 1
    assert water.rates["close_rate"] is None  # nothing to close: no rate, not a zero
    assert table.total.counts["reported"] == 4 and table.total.rates["registration_rate"] == 0.75
    assert fire.score is not None and water.score is not None and fire.score > water.score
    assert table.lines[0].key == "fire"
    assert behind(town, "overdue_unhandled", "water") == {waiting.case_id}
    assert behind(town, "handled_late") == {late.case_id}
    assert fire.mean_handling_s == pytest.approx((120 + 10860 + 60) / 2, rel=0.1)


def test_every_number_has_its_cases(town: Town) -> None:
    for i in range(3):
        case = town.open(limit=TWO_HOURS, class_code=f"event-05-0{i + 1}")
        if i:
            town.close(case.case_id)
    for by in ("department", "street", "class", "severity", "day", "month", "all", "kind", "source"):
        table = ask(town, by=by)
        for group in table.lines:
            for name, count in group.counts.items():
                assert len(behind(town, name, group.key if by != "severity" else None, by=by)) == count, (by, name)


def test_a_finish_without_work_is_not_on_time(town: Town) -> None:
    case = town.open(limit=TWO_HOURS)
    town.do(case.case_id, "accept", "fire")
    town.do(case.case_id, "finish", "fire", no_photo_reason="trust me")
    fire = line(ask(town), "fire")
    assert fire.counts["handled"] == 1 and fire.counts["fast_finish"] == 1
    assert fire.rates["on_time_handling_rate"] == 0


def test_handing_back_at_the_deadline_does_not_help(town: Town) -> None:
    early, late = town.open(limit=TWO_HOURS), town.open(limit=TWO_HOURS)
    town.do(early.case_id, "refuse", "fire", reason="not ours")
    town.clock.advance(7000)
    town.do(late.case_id, "return", "fire", reason="not ours, we think")
    fire = line(ask(town), "fire")
    assert (fire.counts["should_handle"], fire.counts["late_return"], fire.counts["overdue_unhandled"]) == (1, 1, 1)
    assert behind(town, "late_return", "fire") == {late.case_id}


def test_closing_early_and_reopening_is_not_on_time(town: Town) -> None:
    case = town.open(limit=TWO_HOURS)
    town.close(case.case_id)
    assert line(ask(town), "fire").rates["on_time_handling_rate"] == 1
    town.do(case.case_id, "reopen", "operator", reason="it burns again")
    town.do(case.case_id, "dispatch", "operator", department_id="water")
    table = ask(town)
    assert line(table, "fire").rates["on_time_handling_rate"] == 0
    assert line(table, "fire").counts["reopened"] == 1


def test_splitting_a_case_does_not_multiply_the_score(town: Town) -> None:
    whole = town.report()
    town.do(whole.case_id, "split", "operator", titles=["a", "b", "c", "d"], reason="four corners")
    for child in town.detail(whole.case_id).children:
        town.do(child.case_id, "register", "operator")
        town.do(child.case_id, "dispatch", "operator", department_id="fire")
        town.clock.advance(300)
        town.finish(child.case_id)
    assert line(ask(town), "fire").counts["handled"] == 1


def test_merged_and_cancelled_cases_count_nowhere(town: Town) -> None:
    stays, goes, wrong = town.open(), town.open(), town.open()
    town.do(goes.case_id, "merge", "operator", other_case_id=stays.case_id, reason="the same")
    town.do(wrong.case_id, "cancel", "operator", reason="a test", false_alarm=True)
    town.close(stays.case_id)
    fire = line(ask(town), "fire")
    assert fire.counts["should_handle"] == 1 and fire.rates["handling_rate"] == 1


def test_extension_suspension_rework_bounce(town: Town) -> None:
    case = town.open(limit=TWO_HOURS)
    town.do(case.case_id, "accept", "fire")
    town.do(case.case_id, "request_extension", "fire", value=1, unit="urgent_hour", reason="hard")
    town.do(case.case_id, "approve_extension", "fire_boss")
    town.do(case.case_id, "approve_extension", "dispatcher")
    town.do(case.case_id, "suspend", "dispatcher", reason="waiting")
    town.do(case.case_id, "resume", "fire")
    town.do(case.case_id, "finish", "fire", evidence=[photo("e")])
    town.do(case.case_id, "rework", "inspector", reason="dirty")
    counts = line(ask(town), "fire").counts
    assert counts["extended"] == counts["suspended"] == 1
    town.do(case.case_id, "accept", "fire")
    town.do(case.case_id, "finish", "fire", evidence=[photo("f")])
    assert line(ask(town), "fire").rates["rework_rate"] == 1


def test_one_sees_only_ones_own(town: Town) -> None:
    town.open()
    town.open(lead="water")
    assert [x.key for x in ask(town, "fire").lines] == ["fire"]
    assert ask(town, "fire").total.counts["reported"] == 1
    assert ask(town, opened_from=FRIDAY + timedelta(days=20)).lines == []
    with pytest.raises(InputInvalid):
        behind(town, "beauty")


def test_export(town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town.close(town.open(limit=TWO_HOURS).case_id)
    table = ask(town)
    rows = list(csv.reader(io.StringIO(as_csv(table).decode("utf-8-sig"))))
    assert "处置率" in rows[0] and rows[1][0] == "fire" and len(rows) == 3
    (tmp_path / "t.xlsx").write_bytes(as_xlsx(table, "en"))
    sheet = load_workbook(tmp_path / "t.xlsx")["indicators"]
    assert sheet["A2"].value == "fire" and sheet.max_row == 3
    argv = ["indicators", "--from", "2026-06-01", "--to", "2026-07-01", "--database", str(town.engine.url)]
    assert main([*argv, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["counts"]["closed"] == 1
    assert main([*argv, "--cases", "closed", "--key", "fire"]) == 0
    assert len(capsys.readouterr().out.split()) == 1
    assert main([*argv, "--out", str(tmp_path / "u.csv")]) == 0 and (tmp_path / "u.csv").stat().st_size > 100
    assert main(["indicators", "--from", "June", "--to", "July"]) == 2
