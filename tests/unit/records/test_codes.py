"""Codes, masks and day limits: the shared vectors, and what must hold for any input."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.__main__ import main as bench
from bench.parts.compare import agrees
from core.codes.credit import ALPHABET, check_credit_code, credit_check_character, organisation_check_character
from core.codes.licences import ROOT, check_licence_id, mod_37_36
from core.codes.masking import mask_id, mask_name, mask_phone, personal_numbers
from core.codes.resident import check_resident_id, resident_check_character
from core.legal_time.calendar import statutory_calendar
from core.legal_time.workdays import (
    add_months,
    longest_span,
    natural_days_after,
    shortest_span,
    work_days_after,
    work_days_between,
)

VECTORS = Path(__file__).parent / "government_vectors.json"
TODAY = date(2026, 11, 28)
DAYS = st.dates(date(2025, 1, 1), date(2026, 12, 31))


def test_every_government_vector_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(["vectors", str(VECTORS), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1] == {"total": 118, "ok": 118, "unknown_kinds": []}
    assert all(set(line) == {"id", "kind", "ok", "got"} and line["ok"] for line in lines[:-1])


def test_a_wrong_or_unknown_vector_is_not_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "v.json"
    vectors = [
        {"id": "a", "kind": "mask_name", "input": "张三", "expect": "李*"},
        {"id": "b", "kind": "nothing", "input": 1, "expect": 1},
        {"id": "c", "kind": "uscc", "input": None, "expect": {"valid": True}},
        {"id": "d", "kind": "rating", "input": {"code": 9}, "expect": {"error": "input_invalid"}},
        {"id": "e", "kind": "rating", "input": {}, "expect": {"code": 1}},
    ]
    path.write_text(json.dumps({"vectors": vectors}), "utf-8")
    assert bench(["vectors", str(path), "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["ok"] for line in lines[:-1]] == [False, False, False, True, False]
    assert lines[-1] == {"total": 5, "ok": 1, "unknown_kinds": ["nothing"]}


def test_an_empty_file_is_not_right(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text("{}", "utf-8")
    assert bench(["vectors", str(tmp_path / "v.json")]) == 1


@pytest.mark.parametrize(
    ("expect", "got", "tolerance", "right"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, {}, True),
        ({"a": None}, {}, {}, False),
        ({"a": True}, {"a": 1}, {}, False),
        ({"a": 0.3}, {"a": 0.30000000000000004}, {}, False),
        ({"lat": 43.87}, {"lat": 43.8700005}, {"deg": 1e-6}, True),
        ({"height_m": 1.0}, {"height_m": 1.2}, {"deg": 1e-6, "m": 0.1}, False),
        ({"problems": ["a", "b"]}, {"problems": ["b", "a"]}, {}, True),
        ({"list": ["a", "b"]}, {"list": ["b", "a"]}, {}, False),
        ({"corners_en_m": [[1.0, 2.0], None]}, {"corners_en_m": [[1.05, 2.0], None]}, {"corners_m": 0.1}, True),
    ],
)
def test_only_expected_keys_count_within_their_tolerance(
    expect: object, got: object, tolerance: dict[str, float], right: bool
) -> None:
    assert agrees(expect, got, tolerance) is right


@given(st.text(ALPHABET[10:], min_size=8, max_size=8), st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_changed_character_of_a_credit_code_is_found(organisation: str, place: int, other: str) -> None:
    body = "91220105" + organisation + organisation_check_character(organisation)
    code = body + credit_check_character(body)
    assert check_credit_code(code).valid
    assert check_credit_code(code[:place] + other + code[place + 1 :]).valid is (code[place] == other)


@given(st.dates(date(1907, 1, 1), TODAY), st.integers(0, 999), st.integers(0, 16), st.sampled_from("0123456789"))
def test_one_changed_digit_of_a_resident_number_is_found(born: date, number: int, place: int, other: str) -> None:
    body = f"220105{born:%Y%m%d}{number:03d}"
    code = body + resident_check_character(body)
    checked = check_resident_id(code, TODAY)
    assert checked.valid
    assert checked.parts["birth"] == born.isoformat()
    assert check_resident_id(code[:place] + other + code[place + 1 :], TODAY).valid is (code[place] == other)


@given(st.text(max_size=40))
def test_any_text_is_answered_and_normalised_text_checks_alike(text: str) -> None:
    for check in (check_credit_code, check_licence_id, lambda t: check_resident_id(t, TODAY)):
        answer = check(text)
        assert check(answer.normalised).problems == answer.problems


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=20), st.integers(1, 999))
def test_a_licence_of_another_version_needs_another_check(serial: str, version: int) -> None:
    front = ["11220105TEXT000336001", "11220105TEXT000336", serial, f"{version:03d}"]
    made = ".".join([ROOT, *front, mod_37_36("".join(front))])
    assert check_licence_id(made).valid
    other = ".".join([ROOT, *front[:3], f"{version % 999 + 1:03d}", made[-1]])
    assert not check_licence_id(other).valid


@given(st.text("张王李欧阳司马三四五Aa ·-0123456789", max_size=24))
def test_a_mask_never_shows_more_than_it_may(text: str) -> None:
    folded = text.strip()
    assert len(mask_name(text)) <= len(folded)
    if len(folded) > 2 and not folded.isascii():
        assert mask_name(text)[2:] == "*" * (len(folded) - 2)
    assert sum(c != "*" for c in mask_id(text)) <= 2
    digits = sum(c in "0123456789" for c in mask_phone(text))
    assert digits <= 13 or len(folded) <= 6


@pytest.mark.parametrize(
    ("name", "masked"),
    [("欧阳锋", "欧阳*"), ("欧阳", "欧*"), ("John Smith", "J*** S****"), ("", ""), (" 张三 ", "张*")],
)
def test_names(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+8613900001234", "+86139****1234"),
        ("043181234567", "0431****4567"),
        ("(0431)81234567", "(0431)****4567"),
        ("1390000", "***0000"),
        ("95588", "95588"),
        ("１３９００００１２３４", "139****1234"),
    ],
)
def test_phones(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


def test_personal_numbers_in_a_text_are_found_where_they_stand() -> None:
    text = "当事人220105189901010012，电话１３９００００１２３４。编号20261128000000000012"
    assert [(text[a:b], kind) for a, b, kind in personal_numbers(text)] == [
        ("220105189901010012", "id"),
        ("１３９００００１２３４", "phone"),
    ]


@given(DAYS, st.integers(0, 90), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=3))
def test_work_days_agree_with_a_counter_day_by_day(start: date, days: int, pauses: list[tuple[int, int]]) -> None:
    calendar = statutory_calendar()
    suspended = tuple((start + timedelta(days=a), start + timedelta(days=a + b)) for a, b in pauses)
    due = work_days_after(start, days, calendar, suspended).due
    counted, day = 0, start
    while day < due:
        day += timedelta(days=1)
        counted += calendar.works(day.toordinal()) and not any(a < day <= b for a, b in suspended)
    assert counted == days
    if not suspended:
        assert work_days_between(start, due, calendar) == days
        assert work_days_between(due, start, calendar) == -days


@given(DAYS, st.integers(0, 400))
def test_a_natural_limit_ends_on_a_work_day(start: date, days: int) -> None:
    calendar = statutory_calendar()
    limit = natural_days_after(start, days, calendar)
    assert calendar.works(limit.due.toordinal())
    assert limit.due >= start + timedelta(days=days)
    assert limit.provisional is (limit.due.year not in calendar.published or start.year not in calendar.published)


@given(st.integers(1, 200))
def test_spans_hold_every_start_without_holidays(days: int) -> None:
    spans = []
    for first in range(7):
        left, day = days, first
        while left:
            day += 1
            left -= day % 7 < 5
        spans.append(day - first)
    assert min(spans) >= shortest_span(days)
    assert max(spans) <= longest_span(days)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(0, 60))
def test_months_later_is_the_same_day_or_the_month_end(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


def test_every_form_vector_holds(capsys: pytest.CaptureFixture[str]) -> None:
    vectors = Path(__file__).parents[1] / "forms" / "vectors.json"
    assert bench(["vectors", str(vectors), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["unknown_kinds"] == []
