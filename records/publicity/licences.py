"""Checks of one 行政许可 row of 双公示 (field names of the national table, standards/11 §3)."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import date
from typing import Any

from records.publicity.row_checks import (
    RowFault,
    codes_of,
    day_in,
    decision_faults,
    missing,
    party_faults,
    text_of,
)

REQUIRED = (
    "XK_XDR_MC", "XK_XDR_LB", "XK_XKWS", "XK_WSH", "XK_XKLB", "XK_NR", "XK_JDRQ", "XK_XKJG", "XK_XKJGDM",
    "XK_LYDW", "XK_LYDWDM",
)  # fmt: skip
"""What names whom, what, when and by whom; validity and state are not asked of every licence."""
UNLIMITED = ("长期", "永久", "长期有效", "永久有效")


def licence_faults(row: Mapping[str, Any], today: date, already_seen: Container[str] = ()) -> list[RowFault]:
    """The problems of a row by element.

    ``already_seen`` are the document numbers (XK_WSH) of the authority's rows before this one.  Codes: ``required``,
    ``date_invalid``, ``date_future``, ``uscc``, ``authority_uscc``, ``resident_id``, ``validity_invalid`` (neither a
    day nor 长期), ``validity_order`` (ends before it begins), ``duplicate``.
    """
    faults = missing(row, REQUIRED)
    faults += decision_faults(row, "XK_JDRQ", today)
    faults += party_faults(row, "XK", ("XK_XKJGDM", "XK_LYDWDM"), today)
    faults += _validity(row)
    if (number := text_of(row, "XK_WSH")) and number in already_seen:
        faults.append(RowFault("XK_WSH", "duplicate"))
    return faults


def licence_problems(row: Mapping[str, Any], today: date, already_seen: Container[str] = ()) -> list[str]:
    """The codes of :func:`licence_faults`, each once."""
    return codes_of(licence_faults(row, today, already_seen))


def _validity(row: Mapping[str, Any]) -> list[RowFault]:
    """XK_YXQZ is the first day, XK_YXQZI the last one."""
    first, last = text_of(row, "XK_YXQZ"), text_of(row, "XK_YXQZI")
    begins, ends = day_in(first), day_in(last)
    faults = [RowFault("XK_YXQZ", "validity_invalid")] if first and begins is None else []
    if last and ends is None and last not in UNLIMITED:
        faults.append(RowFault("XK_YXQZI", "validity_invalid"))
    if begins and ends and ends < begins:
        faults.append(RowFault("XK_YXQZI", "validity_order"))
    return faults
