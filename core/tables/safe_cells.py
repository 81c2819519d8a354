"""Cells of files that we write: no text in them is taken for a formula, none breaks a workbook."""

from __future__ import annotations

import re
from typing import Any

# What spreadsheet programs take for the beginning of a formula, full-width signs and line breaks before it included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|")
_NO_PLACE_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # XML 1.0, 2.2 Characters


def printable(text: str) -> str:
    """``text`` without the characters that no workbook can hold."""
    return _NO_PLACE_IN_XML.sub("", text)


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet program may take ``text`` for a formula, when it is edited or read from CSV."""
    return text.lstrip(" \u3000").startswith(_FORMULA)


def safe_cell(value: Any) -> Any:
    """``value`` for a cell of CSV or XLSX: text that begins like a formula gets an apostrophe, other values stay."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if looks_like_formula(text) else text
