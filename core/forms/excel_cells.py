"""One cell of a table → the answer to a question, or the code of what is wrong with it.

Codes: ``number-lost-digits`` (an identifier typed as a number), ``formula-not-calculated``, ``error-value``,
``not-a-number``, ``not-integer``, ``not-a-date``, ``not-offered``, ``ambiguous-code``, ``not-yes-no``.
Warnings (the value stands): ``excel-serial``, ``code-from-number``, ``text-from-number``, ``from-label``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from core.forms.dates import day_of
from core.forms.values import as_number, finite, number_text
from core.forms.xlsform.words import NO, YES

_EXACT = 1e15
_EPOCH = date(1899, 12, 30)
_LAST_SERIAL = 2_958_465  # 9999-12-31
_DATES = re.compile(r"([0-9]{4})(?:年|[-/.])([0-9]{1,2})(?:月|[-/.])([0-9]{1,2})日?")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_SPLIT = re.compile(r"[\s,，;；、]+")


@dataclass(frozen=True)
class CellRead:
    """``error`` set: there is no value."""

    value: Any = None
    error: str = ""
    warn: str = ""


def read_cell(
    value: Any, question: str, choices: Sequence[str] | Mapping[str, str] = (), *, formula: bool = False
) -> CellRead:
    """The answer of type ``question`` that a cell's ``value`` (as openpyxl gives it) means.

    ``choices`` are names, or name → label.  ``formula``: the cell holds a formula and ``value`` is its stored result.
    """
    if formula and value is None:
        return CellRead(error="formula-not-calculated")
    if value is None or (isinstance(value, str) and not value.strip()):
        return CellRead()
    if isinstance(value, str) and value.startswith("#") and value.rstrip("!?").isupper() and formula:
        return CellRead(error="error-value")
    if question in ("integer", "decimal", "range"):
        return _number(value, question)
    if question in ("date", "dateTime"):
        return _date(value, question)
    if question in ("select_one", "select_multiple", "rank"):
        return _choice(value, question, choices)
    if question == "acknowledge":
        return _yes(value)
    return _text(value)


def _text(value: Any) -> CellRead:
    if isinstance(value, bool):
        return CellRead("true" if value else "false")
    if isinstance(value, int | float):
        if abs(value) >= _EXACT:
            return CellRead(error="number-lost-digits")
        return CellRead(number_text(finite(value) or 0.0), warn="text-from-number")
    if isinstance(value, datetime | date | time):
        return CellRead(value.isoformat().removesuffix("T00:00:00"))
    return CellRead(str(value).strip())


def _number(value: Any, question: str) -> CellRead:
    if isinstance(value, bool | date | time):
        return CellRead(error="not-a-number")
    if isinstance(value, str):
        if any(unicodedata.category(c) == "No" for c in value):  # 1² is not 12
            return CellRead(error="not-a-number")
        text = unicodedata.normalize("NFKC", value).strip()
        value = as_number(text.replace(",", "") if _GROUPED.fullmatch(text) else text)
        if value is None:
            return CellRead(error="not-a-number")
    number = finite(float(value))
    if number is None:
        return CellRead(error="not-a-number")
    if question == "integer":
        return CellRead(int(number)) if number.is_integer() else CellRead(error="not-integer")
    return CellRead(int(number) if number.is_integer() and abs(number) < _EXACT else number)


def _date(value: Any, question: str) -> CellRead:
    if isinstance(value, datetime):
        if question == "dateTime":
            return CellRead(value.isoformat(timespec="seconds"))
        return CellRead(value.date().isoformat())
    if isinstance(value, date):
        return CellRead(value.isoformat())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _serial(value, question)
    text = unicodedata.normalize("NFKC", str(value)).strip()
    if question == "dateTime":
        moment = text.replace(" ", "T", 1)
        return CellRead(moment) if day_of(moment) and "T" in moment else CellRead(error="not-a-date")
    found = _DATES.fullmatch("".join(text.split())) or _COMPACT.fullmatch(text)
    iso = f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else text
    return CellRead(iso) if day_of(iso) and len(iso) == 10 else CellRead(error="not-a-date")


def _serial(value: float, question: str) -> CellRead:
    """Excel's count of days since 1900; 60 is a day that never was."""
    if not 1 <= value <= _LAST_SERIAL or int(value) == 60:
        return CellRead(error="not-a-date")
    day = _EPOCH + timedelta(days=int(value) + (value < 60))
    if question == "date":
        return CellRead(day.isoformat(), warn="excel-serial")
    seconds = round((value - int(value)) * 86_400)
    moment = datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)  # noqa: DTZ001 — Excel has no zone
    return CellRead(moment.isoformat(timespec="seconds"), warn="excel-serial")


def _choice(value: Any, question: str, choices: Sequence[str] | Mapping[str, str]) -> CellRead:
    labels = choices if isinstance(choices, Mapping) else dict.fromkeys(choices, "")
    parts = [value] if question == "select_one" or not isinstance(value, str) else _SPLIT.split(value.strip())
    reads = [_one_choice(part, labels) for part in parts if part not in ("", None)]
    error = next((read.error for read in reads if read.error), "")
    if error:
        return CellRead(error=error)
    warn = next((read.warn for read in reads if read.warn), "")
    return CellRead(reads[0].value if question == "select_one" else [read.value for read in reads], warn=warn)


def _one_choice(value: Any, labels: Mapping[str, str]) -> CellRead:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) >= _EXACT:
            return CellRead(error="number-lost-digits")
        fits = [name for name in labels if as_number(name) == float(value)]
        if len(fits) == 1:
            exact = fits[0] == number_text(value)
            return CellRead(fits[0], warn="" if exact else "code-from-number")
        return CellRead(error="ambiguous-code" if fits else "not-offered")
    text = str(value).strip()
    if text in labels:
        return CellRead(text)
    by_label = [name for name, label in labels.items() if label and label == text]
    if len(by_label) == 1:
        return CellRead(by_label[0], warn="from-label")
    return CellRead(error="ambiguous-code" if by_label else "not-offered")


def _yes(value: Any) -> CellRead:
    text = ("true" if value else "false") if isinstance(value, bool) else str(value).strip().lower()
    if text in YES or text == "ok":
        return CellRead(True)
    return CellRead() if text in NO else CellRead(error="not-yes-no")
