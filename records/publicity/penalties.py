"""Checks of one 行政处罚 row of 双公示 (field names of the national table, standards/11 §3)."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from core.codes.credit import check_credit_code
from core.codes.resident import check_resident_id
from core.codes.result import normalise

REQUIRED = (
    "CF_WSH", "CF_XDR_MC", "CF_XDR_LB", "CF_WFXW", "CF_SY", "CF_YJ", "CF_CFLB", "CF_NR",
    "CF_JDRQ", "CF_CFJG", "CF_CFJGDM", "CF_SJLY", "CF_SJLYDM",
)  # fmt: skip
LEAST_FINE_ASKED = Decimal(100)  # 1,000,000 yuan in the unit 10,000: without an amount in the text, rather a unit error
_AMOUNT = re.compile(r"([0-9][0-9,，]*(?:\.[0-9]+)?)\s*(亿|万|千|百)?元")
_FACTOR = {"亿": 10**8, "万": 10**4, "千": 1000, "百": 100, None: 1}
_CHINESE_FORM = re.compile(
    r"[零〇壹贰叁肆伍陆柒捌玖拾佰仟一二三四五六七八九十百千两]+万?[零〇壹贰叁肆伍陆柒捌玖拾佰仟一二三四五六七八九十百千两]*元"
)


def penalty_problems(row: Mapping[str, Any], today: date, already_seen: Container[str] = ()) -> list[str]:
    """The problems of a row, sorted by rule below.

    ``already_seen`` are the document numbers (CF_WSH) of the authority's rows before this one.  Codes: ``required``,
    ``date_invalid``, ``date_future``, ``uscc``, ``authority_uscc``, ``resident_id``, ``fine_missing``,
    ``fine_invalid``, ``fine_unit`` (typed in yuan; the unit is 10,000 yuan), ``fine_mismatch``, ``duplicate``.
    """
    problems = ["required"] if any(not _text(row, name) for name in REQUIRED) else []
    problems += _dates(row, today)
    problems += _codes(row, today)
    problems += _fine(row)
    if (number := _text(row, "CF_WSH")) and number in already_seen:
        problems.append("duplicate")
    return problems


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def _dates(row: Mapping[str, Any], today: date) -> list[str]:
    text = _text(row, "CF_JDRQ")
    if not text:
        return []
    try:
        decided = date.fromisoformat(text[:10].replace("/", "-"))
    except ValueError:
        return ["date_invalid"]
    return ["date_future"] if decided > today else []


def _codes(row: Mapping[str, Any], today: date) -> list[str]:
    problems = []
    person = "自然人" in _text(row, "CF_XDR_LB")
    code = _text(row, "CF_XDR_SHXYM")
    if (code and not check_credit_code(code).valid) or (not code and not person):
        problems.append("uscc")
    for name in ("CF_CFJGDM", "CF_SJLYDM"):
        if (authority := _text(row, name)) and not check_credit_code(authority).valid:
            problems.append("authority_uscc")
            break
    number = _text(row, "CF_XDR_ZJHM")
    identity = person and number and _text(row, "CF_XDR_ZJLX") in ("", "身份证")
    if identity and not check_resident_id(number, today).valid:
        problems.append("resident_id")
    return problems


def _fine(row: Mapping[str, Any]) -> list[str]:
    """The amount is in 10,000 yuan; typed yuan is the commonest error."""
    raw, fined = _text(row, "CF_NR_FK"), "罚款" in _text(row, "CF_CFLB")
    if not raw:
        return ["fine_missing"] if fined else []
    try:
        amount = Decimal(normalise(raw).replace(",", ""))
    except InvalidOperation:
        return ["fine_invalid"]
    if not amount.is_finite() or amount < 0:
        return ["fine_invalid"]
    if fined and amount == 0:
        return ["fine_missing"]
    stated = amounts_in_yuan(_text(row, "CF_NR"))
    if not stated:
        return ["fine_unit"] if amount >= LEAST_FINE_ASKED and not _CHINESE_FORM.search(_text(row, "CF_NR")) else []
    if any(amount * 10_000 == yuan for yuan in stated):
        return []
    return ["fine_unit"] if any(amount == yuan for yuan in stated) else ["fine_mismatch"]


def amounts_in_yuan(text: str) -> list[Decimal]:
    """The amounts that a text states in Arabic figures: 罚款500元 → 500, 罚款1.2万元 → 12000."""
    found = []
    for figure, factor in _AMOUNT.findall(normalise(text)):
        found.append(Decimal(figure.replace(",", "").replace("，", "")) * _FACTOR[factor or None])
    return found
