"""Values as people write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tables import values
from core.tables.problem import CellInvalid


@pytest.mark.parametrize(
    ("written", "meant"),
    [("１２５．４０", 125.4), ("1,250.5", 1250.5), ("\u22123", -3), (" 7 ".strip(), 7), ("1e3", 1000), (2, 2)],
)
def test_numbers(written: Any, meant: float) -> None:
    assert values.number(written) == meant


@pytest.mark.parametrize("written", ["1²", "", "1,25", "1_000", "nan", "inf", True, None, "12a", date(2026, 1, 1)])
def test_no_numbers(written: Any) -> None:
    with pytest.raises(CellInvalid):
        values.number(written)


@pytest.mark.parametrize(
    "written",
    ["125.41", "125.41°", "E125.41", "125°24′36″", "125°24'36\"E", "东经125度24分36秒", "125.41E", "１２５．４１"],
)
def test_degrees(written: str) -> None:
    assert values.degrees(written, 180) == pytest.approx(125.41)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-28",
        "2026/11/28",
        "2026.11.28",
        "2026年11月28日",
        "20261128",
        "２０２６-11-28",
        datetime(2026, 11, 28, 9),
    ],
)
def test_days(written: Any) -> None:
    assert values.day(written) == date(2026, 11, 28)


@pytest.mark.parametrize("written", ["2026-02-30", "28.11.2026", "46354", "昨天", ""])
def test_no_days(written: str) -> None:
    with pytest.raises(CellInvalid):
        values.day(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-28 08:30", datetime(2026, 11, 28, 8, 30)),
        ("2026-11-28T08:30:15.25", datetime(2026, 11, 28, 8, 30, 15, 250_000)),
        ("2026年11月28日 8时30分", datetime(2026, 11, 28, 8, 30)),
        ("2026-11-28T08:30:00+08:00", datetime(2026, 11, 28, 8, 30, tzinfo=timezone(timedelta(hours=8)))),
        ("2026-11-28T00:30:00Z", datetime(2026, 11, 28, 0, 30, tzinfo=timezone.utc)),  # noqa: UP017
    ],
)
def test_an_offset_is_kept(written: str, meant: datetime) -> None:
    found = values.moment(written)
    assert found == meant and found.utcoffset() == meant.utcoffset()


@pytest.mark.parametrize("separator", [";", "；", ",", "，", "、", " ", "|", "/"])
def test_lists_split_at_every_separator(separator: str) -> None:
    assert values.choices(f"staff{separator}inspector", ("staff", "inspector")) == ["inspector", "staff"]


def test_an_unknown_part_of_a_list_is_refused() -> None:
    with pytest.raises(CellInvalid, match="staf"):
        values.choices("staf", ("staff",))


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.datetimes(), st.none()))
def test_no_value_breaks_a_parser(value: Any) -> None:
    for parse in (values.number, values.whole, values.yes_no, values.day, values.moment, values.text):
        try:
            parse(value)
        except CellInvalid as error:
            assert str(error)
