"""What a check of a code answers, and how entered codes are made comparable."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """``valid`` with ``problems`` (in the order found; a valid code may carry warnings) and the code's ``parts``.

    ``normalised`` is what to store: half-width, upper case, without spaces.
    """

    valid: bool
    normalised: str
    problems: tuple[str, ...] = ()
    parts: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """One flat object: ``valid``, ``normalised``, ``problems`` and the parts."""
        return {"valid": self.valid, "normalised": self.normalised, "problems": list(self.problems), **self.parts}


def refused(text: str, *problems: str) -> CodeCheck:
    return CodeCheck(False, text, problems)


def normalise(text: object) -> str:
    """Half-width (NFKC), without any white space or zero-width mark, upper case.

    Full-width digits come from Chinese input methods; Python's ``isdigit`` and ``int`` would take them as they are,
    a browser would not (standards/12 §3.1).
    """
    folded = str(text)
    if folded.isascii() and folded.isalnum():
        return folded.upper()
    folded = unicodedata.normalize("NFKC", folded)
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc")).upper()


def is_digits(text: str) -> bool:
    """ASCII digits only, at least one."""
    return text.isascii() and text.isdigit()
