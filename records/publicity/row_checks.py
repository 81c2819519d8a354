"""What the checks of a 双公示 row share: its text, decision date, credit codes, identity number, numbers in texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.codes.credit import check_credit_code
from core.codes.masking import personal_numbers
from core.codes.resident import check_resident_id


@dataclass(frozen=True, slots=True)
class RowFault:
    """One problem of a row: the element (field of the national table) and the code of what is wrong with it."""

    field: str
    code: str


def text_of(row: Mapping[str, Any], name: str) -> str:
    """The field's text, without blanks around it; empty when it is missing."""
    value = row.get(name)
    return "" if value is None else str(value).strip()


def day_in(text: str) -> date | None:
    """A day as tables carry it (``2026-11-20``, ``2026/11/20``, also with a time after it); None: it is none."""
    try:
        return date.fromisoformat(text[:10].replace("/", "-"))
    except ValueError:
        return None


def codes_of(faults: Iterable[RowFault]) -> list[str]:
    """Each code once, in the order found."""
    return list(dict.fromkeys(fault.code for fault in faults))


def missing(row: Mapping[str, Any], required: Iterable[str]) -> list[RowFault]:
    """``required`` for every element that is empty."""
    return [RowFault(name, "required") for name in required if not text_of(row, name)]


def decision_faults(row: Mapping[str, Any], name: str, today: date) -> list[RowFault]:
    """``date_invalid``, ``date_future``; an empty date is a matter of :func:`missing`."""
    text = text_of(row, name)
    if not text:
        return []
    decided = day_in(text)
    if decided is None:
        return [RowFault(name, "date_invalid")]
    return [RowFault(name, "date_future")] if decided > today else []


def party_faults(row: Mapping[str, Any], prefix: str, authorities: Iterable[str], today: date) -> list[RowFault]:
    """Of the 行政相对人 (``prefix`` XK or CF) ``uscc`` or ``resident_id``; ``authority_uscc`` of the authorities."""
    faults = []
    person = "自然人" in text_of(row, f"{prefix}_XDR_LB")
    code = text_of(row, f"{prefix}_XDR_SHXYM")
    if (code and not check_credit_code(code).valid) or (not code and not person):
        faults.append(RowFault(f"{prefix}_XDR_SHXYM", "uscc"))
    for name in authorities:
        if (authority := text_of(row, name)) and not check_credit_code(authority).valid:
            faults.append(RowFault(name, "authority_uscc"))
    number = text_of(row, f"{prefix}_XDR_ZJHM")
    identity = person and number and text_of(row, f"{prefix}_XDR_ZJLX") in ("", "身份证")
    if identity and not check_resident_id(number, today).valid:
        faults.append(RowFault(f"{prefix}_XDR_ZJHM", "resident_id"))
    return faults


def release_faults(row: Mapping[str, Any], texts: Iterable[str]) -> list[RowFault]:
    """``personal_number``: a text to be published holds a resident or mobile number (standards/11 §2)."""
    return [RowFault(name, "personal_number") for name in texts if personal_numbers(text_of(row, name))]
