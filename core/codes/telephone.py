"""Mobile numbers of mainland China (11 digits beginning with 13 to 19), in whatever way they are written."""

from __future__ import annotations

import re
import unicodedata

_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")


def mobile_of(written: str) -> str | None:
    """The eleven digits of a mobile number; None for anything else (a landline, an address, a name)."""
    plain = re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", written))
    found = _MOBILE.fullmatch(plain)
    return found.group(1) if found else None
