"""Check digits of the two national identifiers: resident number (GB 11643) and credit code (GB 32100).

Pure.  Input must be normalised (NFKC, upper case) before; full-width digits are not digits here.
"""

from __future__ import annotations

import re
from datetime import date

_RESIDENT = re.compile(r"[1-9][0-9]{16}[0-9X]")
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECKS = "10X98765432"
CREDIT_CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I, O, S, V, Z
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def resident_number_valid(text: str) -> bool:
    """Is ``text`` an 18-character resident number with a real birth date and a right check character (GB 11643)?"""
    if not _RESIDENT.fullmatch(text):
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, _RESIDENT_WEIGHTS, strict=False))
    return _RESIDENT_CHECKS[total % 11] == text[17]


def credit_code_valid(text: str) -> bool:
    """Is ``text`` an 18-character unified social credit code with a right check character (GB 32100)?

    The inner check of the organisation code (GB 11714) is not asked: early registrations fail it.
    """
    if len(text) != 18 or any(c not in CREDIT_CODE_CHARACTERS for c in text):
        return False
    total = sum(CREDIT_CODE_CHARACTERS.index(c) * w for c, w in zip(text, _CREDIT_WEIGHTS, strict=False))
    return CREDIT_CODE_CHARACTERS[-total % 31] == text[17]
