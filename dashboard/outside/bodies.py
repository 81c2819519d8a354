"""What the page sends."""

from __future__ import annotations

from typing import Any

import msgspec


class Sent(msgspec.Struct, forbid_unknown_fields=True):
    """``key``: of the opened form; ``solution``: of the check against robots; ``ticket``: of a confirmed telephone;
    ``code``: of the request that is rated."""

    key: str
    answers: dict[str, Any] = {}
    solution: dict[str, Any] = {}
    ticket: str = ""
    code: str = ""
    language: str = "zh"


class PhoneSent(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    phone: str
    solution: dict[str, Any] = {}
    language: str = "zh"


class DigitsSent(msgspec.Struct, forbid_unknown_fields=True):
    ticket: str
    digits: str


class CodeSent(msgspec.Struct, forbid_unknown_fields=True):
    code: str
