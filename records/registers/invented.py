"""Numbers of nobody: right by their form and check characters, of a division and organisations that are none."""

from __future__ import annotations

from datetime import date

from core.codes.credit import ALPHABET, credit_check_character, organisation_check_character
from core.codes.resident import resident_check_character

NOBODY = "220199"  # no such division


def resident_number(born: date, number: int) -> str:
    """A number of nobody: valid by its form, of a division that does not exist."""
    body = f"{NOBODY}{born:%Y%m%d}{number % 1000:03d}"
    return body + resident_check_character(body)


def credit_number(number: int) -> str:
    """A credit code of no company, valid by both checks; TEXT marks it as invented."""
    digits = ""
    for _ in range(4):
        number, rest = divmod(number, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    organisation = f"TEXT{digits}"
    body = f"91{NOBODY}{organisation}{organisation_check_character(organisation)}"
    return body + credit_check_character(body)
