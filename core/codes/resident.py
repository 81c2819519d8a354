"""Resident identity numbers 公民身份号码 (GB 11643-1999)."""

from __future__ import annotations

import re
from datetime import date
from operator import mul

from core.codes.result import CodeCheck, is_digits, normalise, refused

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ZEROS = 48 * sum(_WEIGHTS)  # the digits are taken as bytes: 0 is 48
_CHECK = "10X98765432"
_FLOAT = re.compile(r"[0-9]+(\.[0-9]+)?E\+?[0-9]+|[0-9]{15,18}\.0*", re.ASCII)
LENGTH = 18
OLDEST = 120


def check_resident_id(text: object, today: date) -> CodeCheck:
    """Check an 18-character resident number against ``today``.

    Problems that refuse: ``length`` (15 digits of the first generation too: kept, never accepted as new),
    ``alphabet``, ``date``, ``future``, ``check``; ``spreadsheet_number`` when a spreadsheet has cut the digits.
    ``age_over_120`` warns.  Division codes of abolished counties stay valid, so they are not looked up.
    """
    code = normalise(text)
    if ("." in code or "E" in code) and _FLOAT.fullmatch(code):
        return refused(code, *(() if len(code) == LENGTH else ("length",)), "spreadsheet_number")
    if len(code) != LENGTH:
        return refused(code, "length")
    if not is_digits(code[:17]) or not (is_digits(code[17]) or code[17] == "X"):
        return refused(code, "alphabet")
    born = _birth(code)
    if born is None:
        return refused(code, "date")
    if born > today:
        return refused(code, "future")
    if resident_check_character(code[:17]) != code[17]:
        return refused(code, "check")
    parts = {"division": code[:6], "birth": born.isoformat(), "sex": "男" if int(code[16]) % 2 else "女"}
    return CodeCheck(True, code, ("age_over_120",) if age_on(born, today) > OLDEST else (), parts)


def plainly_valid(code: str, today: date) -> bool:
    """Whether ``code`` stands as it is to be stored and :func:`check_resident_id` takes it; in a third of the time."""
    if len(code) != LENGTH or not is_digits(code[:17]) or resident_check_character(code[:17]) != code[17]:
        return False
    born = _birth(code)
    return born is not None and born <= today


def resident_check_character(first17: str) -> str:
    """The 18th character: ISO 7064 MOD 11-2 with ``10X98765432`` (GB 11643 §4.2.4)."""
    return _CHECK[(sum(map(mul, first17.encode("ascii"), _WEIGHTS)) - _ZEROS) % 11]


def age_on(born: date, day: date) -> int:
    """Completed years; who was born on 29 February completes a year on 1 March of a common year."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _birth(code: str) -> date | None:
    try:
        return date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        return None
