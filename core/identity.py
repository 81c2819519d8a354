"""Check digits of the two national identifiers as the expression language sees them: yes or no.

Pure.  Input must be normalised (NFKC, upper case) before; full-width digits are not digits here.  What is wrong with a
code, and its parts, say :mod:`core.codes.resident` and :mod:`core.codes.credit`.
"""

from __future__ import annotations

import re
from datetime import date

from core.codes.credit import ALPHABET, credit_check_character
from core.codes.resident import resident_check_character

_RESIDENT = re.compile(r"[1-9][0-9]{16}[0-9X]")
CREDIT_CODE_CHARACTERS = ALPHABET


def resident_number_valid(text: str) -> bool:
    """Is ``text`` an 18-character resident number with a real birth date and a right check character (GB 11643)?"""
    if not _RESIDENT.fullmatch(text):
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return resident_check_character(text[:17]) == text[17]


def credit_code_valid(text: str) -> bool:
    """Is ``text`` an 18-character unified social credit code with a right check character (GB 32100)?

    The inner check of the organisation code (GB 11714) is not asked: early registrations fail it.
    """
    if len(text) != 18 or any(c not in ALPHABET for c in text):
        return False
    return credit_check_character(text[:17]) == text[17]
