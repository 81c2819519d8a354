"""Is a text, as it stands, a resident number (GB 11643) or credit code (GB 32100)?  For expressions, which never
normalise: full-width digits and a small ``x`` are not valid here, :mod:`core.codes` accepts them at entry."""

from __future__ import annotations

import re
from datetime import date

from core.codes.credit import ALPHABET, credit_check_character
from core.codes.resident import resident_check_character

_RESIDENT = re.compile(r"[1-9][0-9]{16}[0-9X]")


def resident_number_valid(text: str) -> bool:
    """18 characters, a real birth date and the right check character (GB 11643)."""
    if not _RESIDENT.fullmatch(text):
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return resident_check_character(text[:17]) == text[17]


def credit_code_valid(text: str) -> bool:
    """18 characters of the code's alphabet and the right check character (GB 32100).

    The inner check of the organisation code (GB 11714) is not asked: early registrations fail it.
    """
    return len(text) == 18 and all(c in ALPHABET for c in text) and credit_check_character(text[:17]) == text[17]
