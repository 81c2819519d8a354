"""One-time and follow-up codes: made, read as people type them, shown in groups; tables know their hash."""

from __future__ import annotations

import hashlib
import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: no i, l, o, u
CODE_LENGTH = 20  # characters of 5 bits
_LOOKS_LIKE = str.maketrans("ilo", "110")


def new_code() -> str:
    """A code of 100 random bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def plain_code(text: str) -> str:
    """A code as people type it (capitals, blanks, dashes, o for 0); empty when it cannot be one."""
    kept = "".join(c for c in text.lower() if c not in " -\u2013\u2014_\t\n")
    kept = kept.translate(_LOOKS_LIKE)
    return kept if len(kept) == CODE_LENGTH and all(c in ALPHABET for c in kept) else ""


def shown_code(code: str) -> str:
    """In groups of four, to be read out."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4)).upper()


def code_hash(code: str) -> str:
    """What tables and the inside know of a code."""
    return hashlib.sha256(code.encode()).hexdigest()
