"""双公示: checks of licences and penalties with good and bad rows, timeliness over holidays, figures an authority."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select

from core.legal_time.calendar import statutory_calendar
from records.publicity.judging import PUBLICITY, figures, judge
from records.publicity.licences import licence_faults, licence_problems
from records.publicity.penalties import penalty_faults, penalty_problems
from records.registers.definition import shipped_registers
from records.registers.storing import values_of
from storage.session import read_scope
from storage.tables.records import RegisterRecord
from tests.unit.records.registry import SEAL, csv_of, take

TODAY = date(2026, 11, 28)
BUREAU = "12220100TEXT00041M"
LICENCE: dict[str, Any] = {
    "XK_WSH": "虚构许字〔2026〕1号", "XK_XDR_MC": "虚构食品店", "XK_XDR_LB": "法人及非法人组织",
    "XK_XDR_SHXYM": "91220105TEXT000178", "XK_XKWS": "准予许可决定书", "XK_XKLB": "普通", "XK_NR": "食品经营",
    "XK_JDRQ": "2026-11-10", "XK_YXQZ": "2026-11-10", "XK_YXQZI": "2031-11-09", "XK_XKJG": "虚构审批局",
    "XK_XKJGDM": BUREAU, "XK_LYDW": "虚构审批局", "XK_LYDWDM": BUREAU, "published": "2026-11-19",
}  # fmt: skip
PENALTY: dict[str, Any] = {
    "CF_WSH": "虚构罚字〔2026〕7号", "CF_XDR_MC": "虚构食品店", "CF_XDR_LB": "法人及非法人组织",
    "CF_XDR_SHXYM": "91220105TEXT000178", "CF_WFXW": "占道经营", "CF_SY": "占用人行道", "CF_YJ": "虚构条例第3条",
    "CF_CFLB": "罚款", "CF_NR": "罚款500元", "CF_NR_FK": 0.05, "CF_JDRQ": "2026-11-10", "CF_CFJG": "虚构执法局",
    "CF_CFJGDM": BUREAU, "CF_SJLY": "虚构执法局", "CF_SJLYDM": BUREAU,
}  # fmt: skip


def test_good_rows_have_no_problem() -> None:
    assert licence_problems(LICENCE, TODAY) == [] and penalty_problems(PENALTY, TODAY) == []
    assert licence_problems({**LICENCE, "XK_YXQZI": "长期"}, TODAY) == []
    assert licence_problems({**LICENCE, "XK_YXQZ": "", "XK_YXQZI": None}, TODAY) == []


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"XK_NR": "  "}, "XK_NR", "required"),
        ({"XK_JDRQ": "2026-13-01"}, "XK_JDRQ", "date_invalid"),
        ({"XK_JDRQ": "2026-11-29"}, "XK_JDRQ", "date_future"),
        ({"XK_XDR_SHXYM": "91220105TEXT000179"}, "XK_XDR_SHXYM", "uscc"),
        ({"XK_XDR_SHXYM": ""}, "XK_XDR_SHXYM", "uscc"),
        ({"XK_LYDWDM": "12220100TEXT000410"}, "XK_LYDWDM", "authority_uscc"),
        ({"XK_YXQZI": "五年"}, "XK_YXQZI", "validity_invalid"),
        ({"XK_YXQZ": "长期"}, "XK_YXQZ", "validity_invalid"),
        ({"XK_YXQZI": "2026/11/09"}, "XK_YXQZI", "validity_order"),
        (
            {"XK_XDR_LB": "自然人", "XK_XDR_SHXYM": "", "XK_XDR_ZJHM": "220105199001011230"},
            "XK_XDR_ZJHM",
            "resident_id",
        ),
    ],
)
def test_a_bad_licence_names_the_element(change: dict[str, Any], field: str, code: str) -> None:
    assert [(f.field, f.code) for f in licence_faults({**LICENCE, **change}, TODAY)] == [(field, code)]


def test_every_missing_element_of_a_licence_is_named_and_the_code_is_told_once() -> None:
    row = {**LICENCE, "XK_NR": "", "XK_XKWS": None}
    assert [f.field for f in licence_faults(row, TODAY)] == ["XK_XKWS", "XK_NR"]
    assert licence_problems(row, TODAY) == ["required"]
    assert licence_problems(LICENCE, TODAY, {"虚构许字〔2026〕1号"}) == ["duplicate"]


def test_a_fine_typed_in_yuan_is_a_matter_of_its_element() -> None:
    assert [(f.field, f.code) for f in penalty_faults({**PENALTY, "CF_NR_FK": 500.0}, TODAY)] == [
        ("CF_NR_FK", "fine_unit")
    ]


@pytest.mark.parametrize(
    ("decided", "published", "today", "time", "deadline"),
    [
        ("2026-09-30", "2026-10-15", TODAY, "on_time", date(2026, 10, 15)),  # National Day between
        ("2026-09-30", "2026-10-16", TODAY, "late", date(2026, 10, 15)),
        ("2026-10-01", "", date(2026, 10, 15), "open", date(2026, 10, 15)),  # decided on a holiday
        ("2026-10-01", "", date(2026, 10, 16), "overdue", date(2026, 10, 15)),
        ("2026-11-10", "2026-11-09", TODAY, "undated", None),
        ("2026-11-20", "2026-12-01", TODAY, "open", date(2026, 12, 1)),  # a day that has not come is no publication
        ("", "2026-11-09", TODAY, "undated", None),
    ],
)
def test_timeliness_counts_work_days(
    decided: str, published: str, today: date, time: str, deadline: date | None
) -> None:
    row = {**LICENCE, "XK_JDRQ": decided, "published": published}
    (found,) = judge("licence", [("r", row)], today, statutory_calendar())
    assert (found.time, found.deadline) == (time, deadline)


def test_texts_to_be_published_hold_no_personal_number() -> None:
    row = {**PENALTY, "CF_SY": "电话13800138000的店主占道"}
    (found,) = judge("penalty", [("r", row)], TODAY, statutory_calendar())
    assert ("CF_SY", "personal_number") in [(f.field, f.code) for f in found.faults]


def test_figures_an_authority() -> None:
    other = {**LICENCE, "XK_XKJG": "虚构住建局", "XK_XKJGDM": "91220105TEXT000178", "published": ""}
    rows = [
        ("a", LICENCE),
        ("b", {**LICENCE, "XK_WSH": "2", "published": "2026-11-27"}),
        ("c", {**LICENCE, "XK_WSH": "3", "XK_NR": ""}),
        ("d", {**LICENCE, "XK_WSH": "1 ", "XK_JDRQ": "2026-11-26", "published": ""}),
        ("e", {**LICENCE, "XK_XKJG": "审批局（虚构）"}),  # the same authority by its code: the number came before
        ("f", other),
    ]
    judged = judge("licence", rows, TODAY, statutory_calendar())
    by_name = {one.authority: one for one in figures(judged)}
    first = by_name["虚构审批局"]
    assert first.times == {"on_time": 2, "late": 1, "open": 1, "overdue": 0, "undated": 0}
    assert (first.decisions, first.faulty) == (4, 1)
    assert first.rates == {"report_rate": 75.0, "compliance_rate": 66.67, "on_time_rate": 66.67}
    assert [f.code for f in judged[4].faults] == ["duplicate"]
    assert by_name["虚构住建局"].rates == {"report_rate": 0.0, "compliance_rate": None, "on_time_rate": None}
    assert by_name["虚构住建局"].times["overdue"] == 1


@pytest.mark.parametrize(("kind", "good"), [("licence", LICENCE), ("penalty", PENALTY)])
def test_a_table_with_wrong_elements_is_taken_and_judged(engine: Engine, kind: str, good: dict[str, Any]) -> None:
    of = PUBLICITY[kind]
    register = shipped_registers()[of.register_id]
    prefix = of.number[:2]
    person = {f"{prefix}_XDR_LB": "自然人", f"{prefix}_XDR_SHXYM": "", f"{prefix}_XDR_ZJHM": "220105199001011230"}
    report = take(engine, csv_of([good, {**good, of.number: "2", **person}], register), register)
    assert (report.created, report.refused) == (2, 0)
    with read_scope(engine) as session:
        stored = session.scalars(select(RegisterRecord).order_by(RegisterRecord.record_id)).all()
        assert "220105199001011230" not in str([row.data for row in stored])
        rows = [(row.record_id, values_of(row, SEAL)) for row in stored]
    judged = {one.number: one for one in judge(kind, rows, date(2026, 11, 11), statutory_calendar())}
    codes = {f.code for f in judged["2"].faults}
    assert "resident_id" in codes and not {"required", "date_invalid", "fine_invalid", "fine_unit"} & codes
