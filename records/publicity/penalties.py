"""Checks of one 行政处罚 row of 双公示 (field names of the national table, standards/11 §3)."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from core.codes.result import normalise
from records.publicity.row_checks import RowFault, codes_of, decision_faults, missing, party_faults, text_of

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


def penalty_faults(row: Mapping[str, Any], today: date, already_seen: Container[str] = ()) -> list[RowFault]:
    """The problems of a row by element, sorted by rule below.

    ``already_seen`` are the document numbers (CF_WSH) of the authority's rows before this one.  Codes: ``required``,
    ``date_invalid``, ``date_future``, ``uscc``, ``authority_uscc``, ``resident_id``, ``fine_missing``,
    ``fine_invalid``, ``fine_unit`` (typed in yuan; the unit is 10,000 yuan), ``fine_mismatch``, ``duplicate``.
    """
    faults = missing(row, REQUIRED)
    faults += decision_faults(row, "CF_JDRQ", today)
    faults += party_faults(row, "CF", ("CF_CFJGDM", "CF_SJLYDM"), today)
    faults += [RowFault("CF_NR_FK", code) for code in _fine(row)]
    if (number := text_of(row, "CF_WSH")) and number in already_seen:
        faults.append(RowFault("CF_WSH", "duplicate"))
    return faults


def penalty_problems(row: Mapping[str, Any], today: date, already_seen: Container[str] = ()) -> list[str]:
    """The codes of :func:`penalty_faults`, each once."""
    return codes_of(penalty_faults(row, today, already_seen))


def _fine(row: Mapping[str, Any]) -> list[str]:
    """The amount is in 10,000 yuan; typed yuan is the commonest error."""
    raw, fined = text_of(row, "CF_NR_FK"), "罚款" in text_of(row, "CF_CFLB")
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
    stated = amounts_in_yuan(text_of(row, "CF_NR"))
    if not stated:
        return ["fine_unit"] if amount >= LEAST_FINE_ASKED and not _CHINESE_FORM.search(text_of(row, "CF_NR")) else []
    if any(amount * 10_000 == yuan for yuan in stated):
        return []
    return ["fine_unit"] if any(amount == yuan for yuan in stated) else ["fine_mismatch"]


def amounts_in_yuan(text: str) -> list[Decimal]:
    """The amounts that a text states in Arabic figures: 罚款500元 → 500, 罚款1.2万元 → 12000."""
    found = []
    for figure, factor in _AMOUNT.findall(normalise(text)):
        found.append(Decimal(figure.replace(",", "").replace("，", "")) * _FACTOR[factor or None])
    return found
