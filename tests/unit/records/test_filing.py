"""Filing: periods, approval with locks, stale totals, roll-up against brute force, validation, workbooks."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.workbook.defined_name import DefinedName
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound, YiwangError
from records.filing.approving import approve, exempt, take_back
from records.filing.commands import save, send_back, submit
from records.filing.dataset import Dataset, DatasetInvalid, parse_dataset
from records.filing.errors import FilingChanged, FilingIncomplete, FilingLocked, NotYetApproved
from records.filing.example import example_bodies, example_datasets, example_tree, fill_example, write_units
from records.filing.overview import matrix
from records.filing.period_state import Desk
from records.filing.periods import KINDS, PeriodInvalid, before, bounds, period_of
from records.filing.prefill import already_answered, prefilled
from records.filing.rollup import Child, roll_up
from records.filing.sheet_reading import read_sheet
from records.filing.store import datasets, get_dataset, take_dataset
from records.filing.totals import cells_of, drill, kept_totals, roll_up_period
from records.filing.tree import UnitTree, load_tree, save_units
from records.filing.workbook import fill_template, write_sheet
from records.registers.definition import shipped_registers
from storage.session import read_scope, session_scope
from storage.tables.filing import Filing, FilingApproval, FilingEvent, FilingExemption, FilingTotal, FilingValue
from storage.tables.registry import Division
from tests.unit.records.registry import fresh

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
UNITS: list[tuple[str, str, str | None]] = [
    ("d", "区", None), ("t1", "甲镇", "d"), ("t2", "乙镇", "d"),
    ("v1", "一村", "t1"), ("v2", "二村", "t1"), ("v3", "三村", "t2"), ("v4", "四村", "t2"),
]  # fmt: skip
TREE = UnitTree({u: p for u, _, p in UNITS}, {u: n for u, n, _ in UNITS})
BODY: dict[str, Any] = {
    "id": "poultry", "zh": "防疫", "en": "vaccination", "period": "month", "timely_days": 5, "expiry_days": 0,
    "form": {"questions": [
        {"type": "group", "name": "g", "label": {"zh": "家禽"}, "children": [
            {"type": "integer", "name": "due", "label": {"zh": "应免"}, "required": True, "constraint": ". >= 0"},
            {"type": "integer", "name": "done", "label": {"zh": "已免"}, "required": True}]},
        {"type": "decimal", "name": "cost", "label": {"zh": "费用"}},
        {"type": "text", "name": "remark", "label": {"zh": "说明"}}]},
    "rollup": {"due": "sum", "done": "sum", "cost": "sum", "remark": "list"},
    "checks": [{"id": "more-than-due", "question": "done", "zh": "已免大于应免", "en": "more than due",
                "fault": "${done} > ${due}"}],
    "prefill": {"due": "last"},
}  # fmt: skip
DATASET = parse_dataset(BODY)
PERIOD = "2026-11"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = fresh(tmp_path)
    with session_scope(made) as session:
        save_units(session, UNITS)
    return made


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with session_scope(engine) as opened:
        yield opened


def desk(dataset: Dataset = DATASET, day: date = NOW.date(), tree: UnitTree = TREE) -> Desk:
    return Desk(dataset, tree, "clerk", NOW, day)


def filed(session: Session, unit: str, due: int = 10, done: int = 5, period: str = PERIOD) -> None:
    save(session, desk(), unit, period, {"due": due, "done": done})
    submit(session, desk(), unit, period)


@given(st.sampled_from(KINDS[:-1]), st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_every_day_lies_in_its_period_and_periods_join(kind: str, day: date) -> None:
    label = period_of(kind, day)
    first, last = bounds(kind, label)
    assert first <= day <= last
    earlier = before(kind, label, 3)
    assert bounds(kind, earlier[0])[1] + timedelta(days=1) == first
    assert earlier == sorted(earlier, reverse=True)


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("month", "2026-13"),
        ("week", "2026-W54"),
        ("day", "2026-02-29"),
        ("year", "26"),
        ("quarter", "2026-Q5"),
        ("x", "1"),
    ],
)
def test_what_is_no_period_is_refused(kind: str, label: str) -> None:
    with pytest.raises(PeriodInvalid):
        bounds(kind, label)


@pytest.mark.parametrize(
    "change",
    [
        {"period": "decade"},
        {"rollup": {"nothing": "sum"}},
        {"rollup": {"due": "mean"}},
        {"rollup": {"due": "ratio"}},
        {"prefill": {"due": "crystal ball"}},
        {"day_unit": "moon"},
        {"checks": [{"id": "x"}]},
    ],
)
def test_a_wrong_data_set_names_its_field(change: dict[str, Any]) -> None:
    with pytest.raises(DatasetInvalid):
        parse_dataset({**BODY, **change})


def test_the_example_has_26_forms_and_93_units() -> None:
    assert len(example_datasets()) == 26
    assert len(example_tree().parents) == 93
    assert {d.period for d in example_datasets()} == set(KINDS)


def test_the_examples_units_are_the_districts_own_divisions(session: Session) -> None:
    """Accounts bear divisions: a village that is none has nobody who files for it."""
    session.add(Division(code="220105", name="二道区", level="district"))
    session.flush()
    streets = [f"2201050{number:02d}" for number in range(1, 13)]
    for street in streets:
        session.add(Division(code=street, name=street, level="street", parent_code="220105"))
        session.flush()
        for number in range(1, 9):
            code = f"{street}{number:03d}"
            session.add(Division(code=code, name=f"社区{code}", level="community", parent_code=street))
    session.flush()
    write_units(session)
    own = {unit: parent for unit, parent in load_tree(session).parents.items() if unit.startswith("220105")}
    assert len(own) == 93 and set(streets) < set(own)
    assert all(parent is None or unit.startswith(parent) for unit, parent in own.items())


def test_a_data_set_is_a_new_version_only_when_it_differs(session: Session) -> None:
    assert take_dataset(session, BODY, NOW, "x").version == 1
    assert take_dataset(session, BODY, NOW, "x").version == 1
    assert take_dataset(session, {**BODY, "timely_days": 7}, NOW, "x").version == 2
    assert get_dataset(session, "poultry").rule.timely_days == 7
    assert get_dataset(session, "poultry", 1).rule.timely_days == 5
    assert [d.id for d in datasets(session)] == ["poultry"]
    with pytest.raises(NotFound):
        get_dataset(session, "nothing")


def test_a_filing_goes_up_and_comes_down_again(session: Session) -> None:
    for unit in ("v1", "v2"):
        filed(session, unit)
    with pytest.raises(FilingLocked):
        save(session, desk(), "v1", PERIOD, {"due": 1})
    with pytest.raises(NotYetApproved) as early:
        approve(session, desk(), "t1", PERIOD)
    assert "、".join(desk().tree.names.get(one, one) for one in ("v1", "v2")) in str(early.value)
    approve(session, desk(), "v1", PERIOD)
    with pytest.raises(FilingLocked):
        send_back(session, desk(), "v1", PERIOD, "改正")
    approve(session, desk(), "v2", PERIOD)
    approve(session, desk(), "t1", PERIOD)
    with pytest.raises(FilingLocked):
        take_back(session, desk(), "v1", PERIOD)
    with pytest.raises(NotYetApproved):
        approve(session, desk(), "d", PERIOD)
    take_back(session, desk(), "t1", PERIOD)
    take_back(session, desk(), "v1", PERIOD)
    row = send_back(session, desk(), "v1", PERIOD, "改正", ["done"])
    assert row.state == "returned"
    save(session, desk(), "v1", PERIOD, {"done": 6})
    assert submit(session, desk(), "v1", PERIOD).state == "filed"
    actions = list(session.scalars(select(FilingEvent.action).where(FilingEvent.unit_id == "v1")))
    assert {"cell", "filed", "approved", "taken_back", "returned"} <= set(actions)


def test_exempt_units_do_not_hold_an_approval_up(session: Session) -> None:
    filed(session, "v3")
    approve(session, desk(), "v3", PERIOD)
    with pytest.raises(NotYetApproved):
        approve(session, desk(), "t2", PERIOD)
    exempt(session, desk(), "v4", PERIOD, "已撤并")
    approve(session, desk(), "t2", PERIOD)
    with pytest.raises(FilingLocked):
        save(session, desk(), "v4", PERIOD, {"due": 1})
    with pytest.raises(InputInvalid):
        exempt(session, desk(), "v1", PERIOD, "")


def test_what_is_wrong_is_not_filed_and_a_warning_wants_a_comment(session: Session) -> None:
    save(session, desk(), "v1", PERIOD, {"due": 3})
    with pytest.raises(FilingIncomplete):
        submit(session, desk(), "v1", PERIOD)
    save(session, desk(), "v1", PERIOD, {"done": 4})
    with pytest.raises(FilingIncomplete) as caught:
        submit(session, desk(), "v1", PERIOD)
    assert [p["code"] for p in caught.value.data["problems"]] == ["more-than-due"]
    for number, period in enumerate(("2026-08", "2026-09", "2026-10")):
        save(session, desk(), "v2", period, {"due": 10 + number, "done": 5})
        submit(session, desk(), "v2", period)
    save(session, desk(), "v2", PERIOD, {"due": 100, "done": 5})
    with pytest.raises(FilingIncomplete) as caught:
        submit(session, desk(), "v2", PERIOD)
    assert [p["code"] for p in caught.value.data["problems"]] == ["unusual"]
    save(session, desk(), "v2", PERIOD, {"due": 100}, comments={"due": "新建养殖场"})
    assert submit(session, desk(), "v2", PERIOD).state == "filed"


def test_two_editors_do_not_overwrite_each_other(session: Session) -> None:
    row = save(session, desk(), "v1", PERIOD, {"due": 1})
    version = row.version
    save(session, desk(), "v1", PERIOD, {"due": 2}, expected_version=version)
    with pytest.raises(FilingChanged):
        save(session, desk(), "v1", PERIOD, {"due": 3}, expected_version=version)


def test_time_runs_out_and_the_first_filing_counts_as_on_time(session: Session) -> None:
    strict = parse_dataset({**BODY, "expiry_days": 10})
    late = desk(strict, date(2026, 12, 11))
    with pytest.raises(FilingLocked):
        save(session, late, "v1", PERIOD, {"due": 1})
    in_time = desk(strict, date(2026, 12, 5))
    save(session, in_time, "v1", PERIOD, {"due": 1, "done": 1})
    assert submit(session, in_time, "v1", PERIOD).on_time is True
    send_back(session, late, "v1", PERIOD, "改正")
    save(session, late, "v1", PERIOD, {"due": 2})  # whoever gets it back may correct it
    assert submit(session, late, "v1", PERIOD).on_time is True


@pytest.mark.parametrize("unit", ["t1", "d", "nothing"])
def test_only_leaves_file(session: Session, unit: str) -> None:
    with pytest.raises((InputInvalid, NotFound)):
        save(session, desk(), unit, PERIOD, {"due": 1})
    with pytest.raises(InputInvalid):
        save(session, desk(), "v1", PERIOD, {"nothing": 1})


def test_totals_are_partial_stale_and_fresh_again(session: Session) -> None:
    filed(session, "v1", 10, 4)
    filed(session, "v2", 6, 6)
    roll_up_period(session, desk(), PERIOD)
    town, whole = (kept_totals(session, "poultry", PERIOD, u)["due"] for u in ("t1", "d"))
    assert (town["value"], town["partial"], town["stale"]) == (16, False, False)
    assert (whole["value"], whole["partial"], whole["missing"]) == (16, True, ["v3", "v4"])
    send_back(session, desk(), "v2", PERIOD, "改正")
    town = kept_totals(session, "poultry", PERIOD, "t1")["due"]
    assert (town["value"], town["stale"]) == (16, True)
    assert kept_totals(session, "poultry", PERIOD, "t2")["due"]["stale"] is False
    roll_up_period(session, desk(), PERIOD)
    town = kept_totals(session, "poultry", PERIOD, "t1")["due"]
    assert (town["value"], town["partial"], town["missing"], town["stale"]) == (10, True, ["v2"], False)
    lines = drill(session, desk(), "d", "due", PERIOD)
    assert [(line["unit"], line["value"], line["partial"]) for line in lines] == [("t1", 10, True), ("t2", None, True)]
    assert drill(session, desk(), "t1", "due", PERIOD)[1]["state"] == "returned"


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.integers(-99, 99), st.decimals(-9, 9, places=2)), st.booleans()), max_size=12
    )
)
def test_a_sum_is_exact(parts: list[tuple[Any, bool]]) -> None:
    children = [
        Child(f"v{n}", None if v is None else v if isinstance(v, int) else float(v), exempt=free)
        for n, (v, free) in enumerate(parts)
    ]
    total = roll_up("sum", children)
    there = [v for v, free in parts if v is not None and not free]
    assert total.value == (float(sum(Fraction(str(v)) for v in there)) if there else None)
    assert total.missing == tuple(f"v{n}" for n, (v, free) in enumerate(parts) if v is None and not free)


@dataclass(frozen=True)
class Rows:
    """Everything that is kept of the period, read at once and without the code under test."""

    states: dict[str, str]
    cells: dict[tuple[str, str], Any]
    free: set[str]
    approved: set[str]
    totals: list[tuple[str, str, Any, bool]]  # those that are not marked as stale

    @classmethod
    def of(cls, session: Session) -> Rows:
        filings = session.execute(select(Filing.filing_id, Filing.unit_id, Filing.state)).all()
        units = {filing_id: unit for filing_id, unit, _ in filings}
        values = session.execute(select(FilingValue.filing_id, FilingValue.question, FilingValue.value)).all()
        kept = (FilingTotal.unit_id, FilingTotal.question, FilingTotal.value, FilingTotal.partial)
        return cls(
            {unit: state for _, unit, state in filings},
            {(units[filing], question): json.loads(value) for filing, question, value in values if value is not None},
            set(session.scalars(select(FilingExemption.unit_id))),
            set(session.scalars(select(FilingApproval.unit_id))),
            [(u, q, None if v is None else json.loads(v), partial)
             for u, q, v, partial in session.execute(select(*kept).where(FilingTotal.stale.is_(False)))],
        )  # fmt: skip

    def added_up(self, unit: str, question: str) -> tuple[Any, bool]:
        """``(total or None, partial)`` by hand."""
        leaves = [leaf for leaf in LEAVES_BELOW[unit] if leaf not in self.free]
        there = [leaf for leaf in leaves if self.states.get(leaf) in ("filed", "approved")]
        given = [self.cells[leaf, question] for leaf in there if (leaf, question) in self.cells]
        return (sum(given) if given else None), len(given) < len(leaves)


LEAVES_BELOW = {"d": ["v1", "v2", "v3", "v4"], "t1": ["v1", "v2"], "t2": ["v3", "v4"]}


def _step(session: Session, dice: random.Random) -> None:
    unit, leaf = dice.choice(["d", "t1", "t2", "v1", "v2", "v3", "v4"]), dice.choice(["v1", "v2", "v3", "v4"])
    what = dice.choice(
        ["save", "save", "submit", "submit", "return", "approve", "approve", "take_back", "roll", "exempt"]
    )
    try:
        match what:
            case "save":
                save(session, desk(), leaf, PERIOD, {"due": dice.randrange(50, 60), "done": dice.randrange(50)})
            case "submit":
                submit(session, desk(), leaf, PERIOD)
            case "return":
                send_back(session, desk(), leaf, PERIOD, "改正")
            case "approve":
                approve(session, desk(), unit, PERIOD)
            case "take_back":
                take_back(session, desk(), unit, PERIOD)
            case "exempt" if dice.random() < 0.1:
                exempt(session, desk(), leaf, PERIOD, "撤并")
            case _:
                roll_up_period(session, desk(), PERIOD, dice.choice(["d", "t1", "t2"]))
    except YiwangError:
        pass


def _must_hold(session: Session) -> None:
    rows = Rows.of(session)
    for unit, question, value, partial in rows.totals:
        if question in ("due", "done"):
            assert (value, partial) == rows.added_up(unit, question)
    for town, below in (("t1", ("v1", "v2")), ("t2", ("v3", "v4")), ("d", ("t1", "t2"))):
        if town in rows.approved:
            for unit in below:
                parts = LEAVES_BELOW.get(unit, [unit])
                assert unit in rows.approved or all(part in rows.free for part in parts)
    leaves = {unit for unit in rows.approved if unit.startswith("v")}
    assert leaves == {unit for unit, state in rows.states.items() if state == "approved"}


def _sequences(tmp_path: Path, count: int, steps: int, seed: int) -> None:
    engine = fresh(tmp_path)
    with session_scope(engine) as session:
        save_units(session, UNITS)
    dice = random.Random(seed)
    for _ in range(count):
        with Session(engine) as session:
            for _ in range(steps):
                _step(session, dice)
                session.expire_all()
                _must_hold(session)
            session.rollback()


def test_random_sequences_never_leave_a_total_that_differs_unmarked(tmp_path: Path) -> None:
    _sequences(tmp_path, 12, 30, 1)


@pytest.mark.long
@pytest.mark.parametrize("hundred", range(10))
def test_a_thousand_random_sequences(tmp_path: Path, hundred: int) -> None:
    _sequences(tmp_path, 100, 30, 100 + hundred)


def test_the_matrix_shows_states_and_two_rates(session: Session) -> None:
    filed(session, "v1", period="2026-10")
    exempt(session, desk(), "v2", "2026-10", "撤并")
    shown = matrix(session, desk(), "d", ["2026-10", PERIOD])
    by_unit = {row["unit"]: row for row in shown["rows"]}
    assert [row["unit"] for row in shown["rows"]] == ["d", "t1", "v1", "v2", "t2", "v3", "v4"]
    assert by_unit["v1"]["cells"][0] == {"state": "filed", "on_time": False, "overdue": False, "locked": False}
    assert by_unit["v2"]["cells"][0]["state"] == "exempt"
    assert by_unit["v3"]["cells"][0]["overdue"] is True
    assert by_unit["t1"]["cells"][0] == {"state": "partial", "filed": 1, "expected": 1}
    assert shown["rates"][0] == {"expected": 3, "rate": 33.3, "rate_on_time": 0.0}
    approve(session, desk(), "v1", "2026-10")
    assert matrix(session, desk(), "t1", ["2026-10"])["rows"][0]["cells"][0]["state"] == "ready"


def test_prefill_takes_the_last_period(session: Session) -> None:
    filed(session, "v1", 17, 5, period="2026-10")
    assert prefilled(session, desk(), "v1", PERIOD) == {"due": {"value": 17, "source": "last"}}
    assert prefilled(session, desk(), "v2", PERIOD) == {}


def test_a_question_that_is_answered_already_is_named() -> None:
    found = already_answered([("a", "统一社会信用代码"), ("b", "应免"), ("c", "天气")], shipped_registers(), [DATASET])
    assert [(line["question"], line["answered_by"]) for line in found] == [
        ("a", "register enterprise.code"),
        ("b", "dataset poultry.due"),
    ]


VALUES = {"v1": {"due": 10, "done": 5, "cost": 0.1, "remark": "=1+1"}, "v2": {"due": 3}}
LEAVES = {"v1": "一村", "v2": "二村"}


def test_a_sheet_comes_back_as_it_went() -> None:
    content = write_sheet(DATASET, PERIOD, list(LEAVES.items()), VALUES)
    read = read_sheet(DATASET, content, LEAVES)
    assert (read.cells, read.problems, read.period) == (VALUES, [], PERIOD)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert {str(area) for area in sheet.merged_cells.ranges} >= {"C1:D1", "A1:A2", "E1:E2"}
    assert sheet.protection.sheet and sheet["A3"].protection.locked and not sheet["C3"].protection.locked
    assert sheet["F3"].data_type == "s"


def test_wrong_cells_of_a_sheet_are_named_and_the_others_taken() -> None:
    book = openpyxl.load_workbook(io.BytesIO(write_sheet(DATASET, PERIOD, list(LEAVES.items()), VALUES)))
    sheet = book.worksheets[0]
    sheet["C3"], sheet["D3"], sheet["E4"] = "十", 2.5, "=SUM(A1:A2)"
    sheet["A5"], sheet["A6"], sheet["A7"] = "v9", "v1", None
    sheet["C5"] = sheet["C6"] = 1
    sheet["E1"] = "别的列"
    out = io.BytesIO()
    book.save(out)
    read = read_sheet(DATASET, out.getvalue(), LEAVES)
    told = {(p.row, p.column, p.code) for p in read.problems}
    assert {(3, "应免", "not-a-number"), (3, "已免", "not-integer"), (5, "单位代码", "unit-unknown")} <= told
    assert {(6, "单位代码", "unit-twice"), (1, "别的列", "column-unknown"), (1, "费用", "column-missing")} <= told
    assert read.cells == {"v1": {"remark": "=1+1"}, "v2": {"due": 3}}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<html>", b"\xd0\xcf\x11\xe0"])
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(InputInvalid):
        read_sheet(DATASET, content, LEAVES)
    with pytest.raises(InputInvalid):
        fill_template(content, {})


def _template(names: dict[str, str]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "上级表"
    sheet["A1"] = "防疫统计表"
    sheet.merge_cells("A1:C1")
    for name, place in names.items():
        book.defined_names[name] = DefinedName(name, attr_text=f"上级表!{place}")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_the_superiors_layout_is_filled_by_names() -> None:
    content = fill_template(
        _template({"yw_due": "$B$3", "yw_remark": "$C$3", "other": "$A$9"}), {"due": 16, "remark": "=x"}
    )
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book["上级表"]
    assert (sheet["B3"].value, sheet["C3"].value, sheet["C3"].data_type, sheet["A9"].value) == (16, "=x", "s", None)
    assert {str(area) for area in sheet.merged_cells.ranges} == {"A1:C1"}


@pytest.mark.parametrize("names", [{"yw_due": "$B$3:$C$3"}, {"yw_nothing": "$B$3"}])
def test_names_that_fit_nothing_are_refused(names: dict[str, str]) -> None:
    with pytest.raises(InputInvalid):
        fill_template(_template(names), {"due": 1})


def test_the_example_rolls_up_as_added_by_hand(tmp_path: Path) -> None:
    made, tree = fresh(tmp_path), example_tree()
    dataset = next(d for d in example_datasets() if d.ratios)
    at = datetime(2026, 11, 3, tzinfo=UTC)
    with session_scope(made) as session:
        write_units(session)
        count = fill_example(session, dataset, tree, "2026-10", at, share=0.5)
        own = Desk(dataset, tree, "x", at, at.date())
        found = roll_up_period(session, own, "2026-10")
        cells, _ = cells_of(session, dataset.id, "2026-10")
        top = found["220105"]
        assert top["q1"].value == sum(row["q1"] for row in cells.values())
        share = sum(row["q2"] for row in cells.values()) * 100 / top["q1"].value
        assert top["rate"].value == pytest.approx(share, abs=0.005)
        assert len(top["q1"].missing) == 86 - count
        assert session.scalar(select(func.count()).select_from(FilingTotal)) == 7 * len(dataset.rollup)
    with read_scope(made) as session:
        assert matrix(session, own, "220105", ["2026-10"])["rates"][0]["expected"] == 86


def test_every_example_body_is_json() -> None:
    assert len({body["id"] for body in example_bodies()}) == 26
