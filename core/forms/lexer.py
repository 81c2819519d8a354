"""Text of an expression → tokens with their columns."""

from __future__ import annotations

from typing import NamedTuple

from core.forms.errors import ExpressionSyntax, TooComplex
from core.forms.grammar import MAX_TEXT, SUGGESTIONS, is_name_part, is_name_start

_BLANK = " \t\r\n"
_DOUBLE = ("<=", ">=", "!=")
_SINGLE = "()+-*,=<>."
_DIGITS = "0123456789"


class Token(NamedTuple):
    """``kind``: number, string, ref, name, op, end.  ``at`` is the 0-based code point."""

    kind: str
    text: str
    at: int


def tokens_of(text: str) -> list[Token]:
    """The tokens of ``text``, the last of kind ``end``; :class:`ExpressionSyntax` where there is none."""
    if len(text) > MAX_TEXT:
        raise TooComplex(column=1, detail=f"the expression has more than {MAX_TEXT} characters")
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] in _BLANK:
            at += 1
            continue
        token, at = _next(text, at)
        found.append(token)
    found.append(Token("end", "", len(text)))
    return found


def _next(text: str, at: int) -> tuple[Token, int]:
    c = text[at]
    if c in _DIGITS:
        return _number(text, at)
    if c in "'\"":
        end = text.find(c, at + 1)
        if end < 0:
            raise syntax(at, "the text has no closing quote", "close it with the same quote")
        return Token("string", text[at + 1 : end], at), end + 1
    if text.startswith("${", at):
        return _reference(text, at)
    if text[at : at + 2] in _DOUBLE:
        return Token("op", text[at : at + 2], at), at + 2
    if c in _SINGLE:
        return Token("op", c, at), at + 1
    if is_name_start(c):
        end = at + 1
        while end < len(text) and is_name_part(text[end]):
            end += 1
        return Token("name", text[at:end], at), end
    raise unexpected(at, c)


def _number(text: str, at: int) -> tuple[Token, int]:
    end = at
    while end < len(text) and text[end] in _DIGITS:
        end += 1
    if end + 1 < len(text) and text[end] == "." and text[end + 1] in _DIGITS:
        end += 1
        while end < len(text) and text[end] in _DIGITS:
            end += 1
    return Token("number", text[at:end], at), end


def _reference(text: str, at: int) -> tuple[Token, int]:
    end = text.find("}", at)
    name = text[at + 2 : end].strip(_BLANK) if end > 0 else ""
    if not name or any(c in name for c in "${ \t\r\n"):
        raise syntax(at, "the name after ${ is missing or not closed", "write ${name}")
    return Token("ref", name, at), end + 1


def syntax(at: int, detail: str, how: str = "mend the expression") -> ExpressionSyntax:
    """A syntax error at the 0-based code point ``at``."""
    return ExpressionSyntax(column=at + 1, detail=detail, how=how)


def unexpected(at: int, text: str) -> ExpressionSyntax:
    """``text`` may not stand at ``at``; what was probably meant is suggested."""
    meant = SUGGESTIONS.get(text)
    error = syntax(at, f"{text!r} may not stand here", f"write {meant}" if meant else "mend the expression")
    if meant:
        error.data["suggestion"] = meant
    return error
