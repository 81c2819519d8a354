"""Unified social credit codes 统一社会信用代码 (GB 32100-2015) and the organisation code inside (GB 11714-1997)."""

from __future__ import annotations

from operator import mul

from core.codes.result import CodeCheck, normalise, refused

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100 §4.5: no I O S V Z
_VALUE = {c: i for i, c in enumerate(ALPHABET)}
_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))  # 1 3 9 27 19 26 16 17 20 29 25 13 8 24 10 30 28
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
LENGTH = 18


def check_credit_code(text: object) -> CodeCheck:
    """Check an 18-character credit code.

    Problems: ``length``, ``alphabet``, ``check`` refuse; ``org_code_check`` (position 17) only warns, because early
    registrations carry wrong ones.
    """
    code = normalise(text)
    if len(code) != LENGTH:
        return refused(code, "length")
    if any(c not in _VALUE for c in code):
        return refused(code, "alphabet")
    if credit_check_character(code[:17]) != code[17]:
        return refused(code, "check")
    parts = {"registry": code[0], "division": code[2:8], "organisation": code[8:17]}
    warnings = () if organisation_check_character(code[8:16]) == code[16] else ("org_code_check",)
    return CodeCheck(True, code, warnings, parts)


def credit_check_character(first17: str) -> str:
    """The 18th character: (31 − Σ value·3^i mod 31) mod 31 (GB 32100 §4.6).  ``first17`` uses :data:`ALPHABET`."""
    total = sum(map(mul, map(_VALUE.__getitem__, first17), _WEIGHTS))
    return ALPHABET[(31 - total % 31) % 31]


def organisation_check_character(first8: str) -> str:
    """The organisation code's last character: 11 − Σ mod 11, 10 is X, 11 is 0; letters count A = 10 … Z = 35."""
    values = (int(c, 36) for c in first8)
    rest = 11 - sum(v * w for v, w in zip(values, _ORGANISATION_WEIGHTS, strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))
