"""The legal clock against an independent second counter, and its edges."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import YiwangError
from core.legal_time.calendar import CalendarInvalid, statutory_calendar
from core.legal_time.limits import Limit
from core.legal_time.workclock import DeadlineUnreachable, LimitInvalid, SuspensionInvalid, deadline
from events.legal_time.requests import answer, parse_words
from tests.unit.core.clock_oracle import oracle, random_question

PLAIN: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "periods": [["08:00", "12:00"], ["14:00", "18:00"]],
    "weekend": [6, 7],
}


def ask(start: str, value: float, unit: str, **more: Any) -> str | None:
    question = {"start": start, "limit": {"value": value, "unit": unit}, "calendar": PLAIN, **more}
    found: str | None = answer(question)["deadline"]
    return found


def agree(question: dict[str, Any]) -> None:
    """The clock and the counter give the same deadline; spans too long for one count are counted longer."""
    days = 16
    expected = oracle(question, days, 60)
    while expected == "beyond" and days < 10_000:
        days *= 3
        expected = oracle(question, days, 60)
    shown = answer(question)
    found = shown["deadline"] and datetime.fromisoformat(shown["deadline"]).astimezone(UTC)
    assert found == expected, question
    assert shown["derivation"]


@given(seed=st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_agrees_with_the_counter(seed: int) -> None:
    agree(random_question(np.random.default_rng(seed)))


@given(seed=st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_agrees_where_the_clocks_change(seed: int) -> None:
    agree(random_question(np.random.default_rng(seed), ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")))


def test_counts_single_seconds() -> None:
    rng = np.random.default_rng(11)
    for _ in range(5):
        question = random_question(rng, grain=1)
        question["limit"]["value"] = min(question["limit"]["value"], 6)
        expected = oracle(question, 40, 1)
        if expected == "beyond":
            continue
        shown = answer(question)["deadline"]
        assert (shown and datetime.fromisoformat(shown)) == expected


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("part", range(40))
def test_agrees_on_a_million_histories(part: int) -> None:
    rng = np.random.default_rng((20261121, part))
    for _ in range(25_000):
        agree(random_question(rng))


def test_the_worked_example() -> None:
    suspended = [["2026-06-05T17:00:00+08:00", "2026-06-08T09:00:00+08:00"]]
    assert ask("2026-06-05T15:00:00+08:00", 4, "work_hour", suspensions=suspended) == "2026-06-08T11:00:00+08:00"


@pytest.mark.parametrize(
    ("start", "value", "unit", "expected"),
    [
        ("2026-06-05T10:00", 2, "work_hour", "2026-06-05T12:00:00+08:00"),  # used up at noon ends at noon
        ("2026-06-05T12:30", 1, "work_hour", "2026-06-05T15:00:00+08:00"),
        ("2026-06-05T15:00", 1, "work_day", "2026-06-08T15:00:00+08:00"),
        ("2026-06-06T03:00", 1, "urgent_day", "2026-06-07T03:00:00+08:00"),
        ("2026-06-06T03:00", 2, "urgent_hour", "2026-06-06T05:00:00+08:00"),
        ("2026-06-06T03:00", 0, "work_day", "2026-06-06T03:00:00+08:00"),  # nothing to count
        ("2026-06-05T17:59:59", 1 / 3600, "work_hour", "2026-06-05T18:00:00+08:00"),
        ("2026-06-05T07:00:00Z", 4, "work_hour", "2026-06-08T09:00:00+08:00"),
    ],
)
def test_plain_cases(start: str, value: float, unit: str, expected: str) -> None:
    assert ask(start, value, unit) == expected


def test_a_holiday_that_is_also_a_workday_is_a_workday() -> None:
    days = {"holidays": ["2026-06-06"], "workdays": ["2026-06-06"]}
    shown = answer(
        {"start": "2026-06-05T18:00", "limit": {"value": 1, "unit": "work_hour"}, "calendar": {**PLAIN, **days}}
    )
    assert shown["deadline"] == "2026-06-06T09:00:00+08:00"


def test_an_open_suspension_has_no_deadline_unless_the_limit_ends_before() -> None:
    open_end = [["2026-06-05T17:00:00+08:00", None]]
    shown = answer(
        {
            "start": "2026-06-05T15:00",
            "limit": {"value": 3, "unit": "work_hour"},
            "calendar": PLAIN,
            "suspensions": open_end,
        }
    )
    assert shown["deadline"] is None and shown["suspended"] is True
    assert ask("2026-06-05T15:00", 2, "work_hour", suspensions=open_end) == "2026-06-05T17:00:00+08:00"


def test_extensions_count_in_their_own_unit_after_the_limit() -> None:
    more = [{"value": 2, "unit": "urgent_hour"}, {"value": 1, "unit": "work_hour"}]
    assert ask("2026-06-05T15:00", 3, "work_hour", extensions=more) == "2026-06-08T09:00:00+08:00"


def test_statutory_holidays_and_shifted_workdays() -> None:
    # National Day 2026: 1–7 October; Saturday 10 October is worked, as was Sunday 20 September.
    start = datetime.fromisoformat("2026-09-30T17:00:00+08:00")
    result = deadline(start, Limit(value=2, unit="work_hour"), statutory_calendar())
    assert result.at == datetime.fromisoformat("2026-10-08T09:00:00+08:00")
    friday = datetime.fromisoformat("2026-10-09T17:00:00+08:00")
    late = deadline(friday, Limit(value=2, unit="work_hour"), statutory_calendar())
    assert late.at == datetime.fromisoformat("2026-10-10T09:00:00+08:00")
    assert not late.warnings


def test_an_unpublished_year_is_said() -> None:
    start = datetime.fromisoformat("2027-03-01T09:00:00+08:00")
    result = deadline(start, Limit(value=1, unit="work_hour"), statutory_calendar())
    assert any("2027" in w for w in result.warnings)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"periods": []}, CalendarInvalid),
        ({"periods": [["08:00", "08:00"]]}, CalendarInvalid),
        ({"periods": [["22:00", "06:00"]]}, CalendarInvalid),
        ({"periods": [["08:00", "12:00"], ["11:59", "18:00"]]}, CalendarInvalid),
        ({"periods": [["8", "12:00"]]}, CalendarInvalid),
        ({"periods": [["08:00", "25:00"]]}, CalendarInvalid),
        ({"weekend": [0]}, CalendarInvalid),
        ({"weekend": [1, 2, 3, 4, 5, 6, 7]}, DeadlineUnreachable),
        ({"timezone": "Mars/Olympus"}, CalendarInvalid),
        ({"holidays": ["2026-13-01"]}, CalendarInvalid),
    ],
)
def test_impossible_calendars(change: dict[str, Any], error: type[YiwangError]) -> None:
    with pytest.raises(error) as caught:
        answer(
            {"start": "2026-06-05T15:00", "limit": {"value": 1, "unit": "work_hour"}, "calendar": {**PLAIN, **change}}
        )
    assert caught.value.as_dict()["remedy"]


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "4", None, True, [4]])
def test_impossible_limits(value: Any) -> None:
    with pytest.raises(LimitInvalid):
        ask("2026-06-05T15:00", value, "work_hour")


def test_limits_beyond_every_calendar() -> None:
    for unit in ("work_day", "urgent_day"):
        with pytest.raises(DeadlineUnreachable):
            ask("2026-06-05T15:00", 10_000_000, unit)


def test_a_suspension_that_ends_before_it_begins() -> None:
    with pytest.raises(SuspensionInvalid):
        ask("2026-06-05T15:00", 1, "work_hour", suspensions=[["2026-06-05T17:00", "2026-06-05T16:00"]])


def test_touching_periods_are_one() -> None:
    whole = {**PLAIN, "periods": [["12:00", "24:00"], ["00:00", "12:00"]], "weekend": []}
    shown = answer({"start": "2026-06-05T15:00", "limit": {"value": 1, "unit": "work_day"}, "calendar": whole})
    assert shown["deadline"] == "2026-06-06T15:00:00+08:00"


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        ("4 工作时", Limit(value=4, unit="work_hour")),
        ("2紧急工作时", Limit(value=2, unit="urgent_hour")),
        ("3 工作日", Limit(value=3, unit="work_day")),
        ("1 自然日", Limit(value=1, unit="urgent_day")),
        ("1.5 work_hour", Limit(value=1.5, unit="work_hour")),
        ("2 work hours", Limit(value=2, unit="work_hour")),
    ],
)
def test_words(words: str, limit: Limit) -> None:
    assert parse_words(words) == limit


@pytest.mark.parametrize("words", ["", "工作时", "4", "-4 工作时", "4 fortnights"])
def test_words_that_are_no_limit(words: str) -> None:
    with pytest.raises(LimitInvalid):
        parse_words(words)
