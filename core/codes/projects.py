"""Codes of investment projects 投资项目代码 (GB/T 40058-2021): 20 digits, shown with four hyphens.

The algorithm of the last digit is not published, so only the form is checked.
"""

from __future__ import annotations

from core.codes.result import CodeCheck, is_digits, normalise, refused

_WIDTHS = (4, 6, 2, 2, 6)
_FIRST_OLD, _LAST_OLD = 2015, 2020  # older codes begin with the year; read as YYMM the month would be 15–20
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－_ "), "-")


def check_project_code(text: object) -> CodeCheck:
    """``YYMM-dddddd-FF-TT-RRRRRC``, with or without hyphens.

    Parts: ``generation`` ("2020", or "2015" for ``YYYY-…`` of 2015–2020), year, month, division, field, type, random,
    check.  Problems: ``length``, ``not_numeric``, ``month``.
    """
    code = normalise(text).translate(_DASHES)
    digits = code.replace("-", "")
    if len(digits) != sum(_WIDTHS):
        return refused(code, "length")
    if not is_digits(digits):
        return refused(code, "not_numeric")
    pieces, at = [], 0
    for width in _WIDTHS:
        pieces.append(digits[at : at + width])
        at += width
    normalised, time = "-".join(pieces), pieces[0]
    parts = {"division": pieces[1], "field": pieces[2], "type": pieces[3]}
    if _FIRST_OLD <= int(time) <= _LAST_OLD:
        old = {"generation": "2015", "year": int(time), **parts, "serial": pieces[4]}
        return CodeCheck(True, normalised, (), old)
    month = int(time[2:])
    if not 1 <= month <= 12:
        return refused(normalised, "month")
    dated = {"generation": "2020", "year": 2000 + int(time[:2]), "month": month}
    return CodeCheck(True, normalised, (), {**dated, **parts, "random": pieces[4][:5], "check": pieces[4][5]})
