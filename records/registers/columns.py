"""A register's fields as columns of a table that somebody brings, with the checks of their types."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.codes.credit import check_credit_code
from core.codes.items import check_item_code
from core.codes.projects import check_project_code
from core.codes.resident import check_resident_id, plainly_valid
from core.codes.result import CodeCheck, is_digits, normalise
from core.tables.columns import Column, parse_row
from core.tables.problem import CellInvalid, Problems
from core.tables.reader import TableRow
from core.tables.values import as_text, day, narrow, text
from core.tables.words import Word, register
from records.registers.definition import Field, Register

register(
    {
        "code_wrong": Word(
            "error",
            ("{shown} is not a valid code ({problems})", "check the code at its source; do not guess digits"),
            ("{shown} 不是有效代码（{problems}）", "请核对原始证件，不要猜测"),
        ),
        "phone_wrong": Word(
            "error", ("{shown} is not a telephone number", "correct it"), ("{shown} 不是电话号码", "请改正")
        ),
        "division_unknown": Word(
            "error",
            ("{value!r} is no division of this district", "give its 12-digit code or its name"),
            ("{value!r} 不是本区的街道或社区", "请填写12位代码或名称"),
        ),
        "grid_unknown": Word(
            "error", ("{value!r} is not a grid code", "give 15 digits"), ("{value!r} 不是网格编码", "请填写15位数字")
        ),
        "birth_differs": Word(
            "error",
            ("the date of birth is not that of the identity number", "correct one of them"),
            ("出生日期与公民身份号码不一致", "请改正其中一项"),
        ),
        "sex_differs": Word(
            "error",
            ("the sex is not that of the identity number", "correct one of them"),
            ("性别与公民身份号码不一致", "请改正其中一项"),
        ),
        "grid_elsewhere": Word(
            "error",
            ("the grid lies outside the community", "correct one of them"),
            ("网格不在所填社区内", "请改正其中一项"),
        ),
        "key_missing": Word("error", ("a field of the key is missing", "give it"), ("缺少主键字段", "请填写")),
    }
)


@dataclass(frozen=True)
class Surroundings:
    """What checks must know: the day, the district's divisions (code → name, and name → code where it is unique)."""

    today: date
    divisions: Mapping[str, str]
    by_name: Mapping[str, str]
    item_types: Container[str] = ()


def surroundings(today: date, divisions: Mapping[str, str]) -> Surroundings:
    """Names that stand for several divisions name none."""
    names: dict[str, str] = {}
    for code, name in divisions.items():
        names[name] = "" if name in names else code
    return Surroundings(today, divisions, {name: code for name, code in names.items() if code})


def columns_of(register: Register, around: Surroundings) -> list[Column]:
    """One column a field; a wrong cell is a problem, never a guess."""
    return [_column(field, around) for field in register.fields]


def _column(field: Field, around: Surroundings) -> Column:
    also = tuple(dict.fromkeys((field.zh, *field.also)))
    kinds = {"integer": "whole", "decimal": "number", "flag": "yesno", "lon": "lon", "lat": "lat"}
    low = -math.inf if field.low is None else field.low
    high = math.inf if field.high is None else field.high
    parse = _parser(field, around)
    return Column(
        field.name, kinds.get(field.type, "text"), field.required, length=field.length, low=low, high=high, also=also,
        parse_with=parse,
    )  # fmt: skip


class RowParser:
    """Typed rows by ``columns``, as :func:`core.tables.columns.parse_row`, with what repeats (sex, community …) kept.

    A row in which anything is unusual takes the slow way, which names every problem.
    """

    def __init__(self, columns: list[Column]) -> None:
        self._columns = columns
        self._fast = [(column.name, column.parse, column.required, _Memory()) for column in columns]

    def parse(self, row: TableRow, problems: Problems) -> dict[str, Any] | None:
        """The typed values; None when a field is wrong, each of which is then one problem."""
        values: dict[str, Any] = {}
        cells = row.values
        for name, parse, required, memory in self._fast:
            cell = cells.get(name, "")
            if cell == "":
                if required:
                    return parse_row(cells, self._columns, row.place, problems)
                continue
            kept = memory.get(cell) if type(cell) is str else None
            if kept is None:
                if type(cell) is not str or not _usual(cell):
                    return parse_row(cells, self._columns, row.place, problems)
                try:
                    kept = parse(cell)
                except CellInvalid:
                    return parse_row(cells, self._columns, row.place, problems)
                memory.keep(cell, kept)
            values[name] = kept
        return values


class _Memory(dict[str, Any]):
    """Parsed values of a column; a column that hardly repeats is not remembered for long."""

    def keep(self, cell: str, value: Any) -> None:
        if len(self) < 4096:
            self[cell] = value


def _usual(cell: str) -> bool:
    return cell.isprintable() and cell[0] != " " and cell[-1] != " " and "\ufffd" not in cell


def _parser(field: Field, around: Surroundings) -> Callable[[Any], Any] | None:
    match field.type:
        case "resident_id":
            return lambda value: _resident(value, around.today)
        case "uscc":
            return lambda value: _code(value, check_credit_code)
        case "item_code":
            return lambda value: _code(value, lambda t: check_item_code(t, around.item_types))
        case "project_code":
            return lambda value: _code(value, check_project_code)
        case "phone":
            return _phone
        case "division":
            return lambda value: _division(value, around)
        case "grid":
            return _grid
        case "choice":
            titles = {title: code for code, title in (field.choices or {}).items()}
            return lambda value: _choice(value, field.choices or {}, titles)
        case "date":
            return _day
        case "text" | "long" | "person_name" | "record" | "building" | "department" | "choices":
            return lambda value: _text(value, field.length)
        case _:
            return None


def _day(value: Any) -> str:
    if isinstance(value, str) and len(value) == 10 and value[4] == "-":
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    return day(value).isoformat()


def _text(value: Any, length: int) -> str:
    """As :func:`core.tables.values.text`; what does not begin like a number needs no look for lost digits."""
    if isinstance(value, str) and len(value) <= length and value[:1] not in "+-0123456789":
        return value
    return text(value, length)


def _code(value: Any, check: Callable[[str], CodeCheck], hidden: bool = False) -> str:
    checked = check(text(value, 120))
    if not checked.valid:
        shown = f"…{checked.normalised[-4:]}" if hidden else checked.normalised
        raise CellInvalid("code_wrong", shown=shown, problems=", ".join(checked.problems))
    return checked.normalised


def _resident(value: Any, today: date) -> str:
    if type(value) is str and plainly_valid(value, today):
        return value
    return _code(value, lambda shown: check_resident_id(shown, today), hidden=True)


def _phone(value: Any) -> str:
    if type(value) is str and 3 <= len(value) <= 20 and is_digits(value):
        return value
    shown = text(value, 200)  # 1.3812345678E+19 is a number that a table program has shortened
    found = shown if shown.isascii() else narrow(shown)
    if found.isascii() and found.isdigit() and 3 <= len(found) <= 20:
        return found
    digits = "".join(c for c in found if c in "0123456789")
    if not 3 <= len(digits) <= 20 or any(c not in "0123456789+-() 转extEXT.,/;" for c in found):
        raise CellInvalid("phone_wrong", shown=f"…{found[-2:]}")
    return found.strip()


def _division(value: Any, around: Surroundings) -> str:
    found = normalise(as_text(value))
    if found in around.divisions:
        return found
    named = around.by_name.get(as_text(value).strip())
    if named is None:
        raise CellInvalid("division_unknown", value=as_text(value)[:40])
    return named


def _grid(value: Any) -> str:
    found = normalise(as_text(value))
    if len(found) != 15 or not is_digits(found):
        raise CellInvalid("grid_unknown", value=found[:40])
    return found


def _choice(value: Any, choices: Mapping[str, str], titles: Mapping[str, str]) -> str:
    found = as_text(value).strip()
    if found in choices:
        return found
    if found in titles:
        return titles[found]
    folded = narrow(found)
    if folded in choices or folded in titles:
        return folded if folded in choices else titles[folded]
    raise CellInvalid("choice", value=found[:40], known=", ".join(choices.values()))
