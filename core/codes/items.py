"""The three codes of a service item 政务服务事项: basic 12, implementing 31, handling 33 characters.

The three have no check digit of their own; the implementing body's credit code inside has one.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from core.codes.credit import check_credit_code
from core.codes.result import CodeCheck, is_digits, normalise, refused

BASIC, IMPLEMENTING, HANDLING = 12, 31, 33
TYPES = frozenset({"01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "20"})  # GB/T 39046-2020, 事项类型
LEVELS = frozenset("1234567")  # 1 国家 2 省 3 市 4 县 5 镇(乡、街道) 6 村(社区) 7 分级管理
SCOPES = frozenset(
    [
        "00",
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
    ]
)


def check_item_code(text: object, local_types: Container[str] = ()) -> CodeCheck:
    """Tell the three codes apart by length and check their parts.

    ``local_types`` are the item types 11–19 and 21… that the district has declared.  Problems: ``length``,
    ``not_numeric``, ``scope_unknown``, ``type_unknown``, ``level_unknown``, ``org_check``.
    """
    code = normalise(text)
    match len(code):
        case 12:
            return _basic(code, local_types)
        case 31:
            return _implementing(code, local_types)
        case 33:
            return _handling(code, local_types)
        case _:
            return refused(code, "length")


def _basic(code: str, local_types: Container[str]) -> CodeCheck:
    if not is_digits(code):
        return refused(code, "not_numeric")
    scope, kind = code[:2], code[2:4]
    problems = []
    if scope not in SCOPES:
        problems.append("scope_unknown")
    if kind not in TYPES and kind not in local_types:
        problems.append("type_unknown")
    parts = {"kind": "basic", "scope": scope, "type": kind, "main": code[4:9], "sub": code[9:]}
    return CodeCheck(not problems, code, tuple(problems), parts)


def _implementing(code: str, local_types: Container[str]) -> CodeCheck:
    body, level, basic = code[:18], code[18], _basic(code[19:], local_types)
    problems = list(basic.problems)
    if level not in LEVELS:
        problems.insert(0, "level_unknown")
    if not check_credit_code(body).valid:
        problems.insert(0, "org_check")
    parts = {"kind": "implementing", "org": body, "level": level, "basic": code[19:]}
    return CodeCheck(not problems, code, tuple(problems), parts)


def _handling(code: str, local_types: Container[str]) -> CodeCheck:
    item = _implementing(code[:IMPLEMENTING], local_types)
    problems = list(item.problems)
    if not is_digits(code[IMPLEMENTING:]):
        problems.append("not_numeric")
    elif code[IMPLEMENTING:] == "00":
        problems.append("seq_zero")
    parts = {"kind": "handling", "implementing": code[:IMPLEMENTING], "seq": code[IMPLEMENTING:]}
    return CodeCheck(not problems, code, tuple(dict.fromkeys(problems)), parts)


def basic_of(text: object) -> str:
    """The 12-digit basic code inside any of the three; empty when the length fits none."""
    code = normalise(text)
    if len(code) == BASIC:
        return code
    return code[19:31] if len(code) in (IMPLEMENTING, HANDLING) else ""


def check_reuse(codes: Mapping[str, object]) -> dict[str, Any]:
    """Items that reuse (复用) one parent keep its basic code: ``{same_basic, problems}``.

    ``codes`` names the codes of the levels, upper level first, as ``{"province": …, "city_item": …}``.
    """
    basics = [basic_of(code) for code in codes.values() if code not in (None, "")]
    problems = []
    if any(not basic for basic in basics):
        problems.append("length")
    if len({b for b in basics if b}) > 1:
        problems.append("basic_differs_from_parent")
    return {"same_basic": "basic_differs_from_parent" not in problems and bool(basics), "problems": problems}
