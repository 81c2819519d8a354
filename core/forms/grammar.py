"""The words of the expression language: functions with their arity, operators, limits, and helpful suggestions.

A subset of XLSForm's language with our own rules for empty answers, dates and text.  The browser has the same tables
in ``dashboard/static/forms/grammar.mjs``; a test compares them.
"""

from __future__ import annotations

MAX_DEPTH = 32  # brackets in brackets
MAX_NODES = 500
MAX_TEXT = 8000  # characters of one expression
MANY = 100

# name → (fewest, most arguments)
FUNCTIONS: dict[str, tuple[int, int]] = {
    "if": (3, 3), "coalesce": (1, MANY), "not": (1, 1), "true": (0, 0), "false": (0, 0),
    "selected": (2, 2), "count-selected": (1, 1),
    "count": (1, 1), "count-non-empty": (1, 1), "sum": (1, MANY), "min": (1, MANY), "max": (1, MANY),
    "round": (1, 2), "int": (1, 1), "abs": (1, 1), "number": (1, 1),
    "string": (1, 1), "string-length": (1, 1), "concat": (1, MANY), "substr": (2, 3),
    "contains": (2, 2), "starts-with": (2, 2), "ends-with": (2, 2), "regex": (2, 2),
    "today": (0, 0), "days-between": (2, 2), "workdays-between": (2, 2), "add-workdays": (2, 2), "age-on": (1, 2),
    "id-valid": (1, 1), "uscc-valid": (1, 1), "choice-label": (1, 2),
}  # fmt: skip

# known to XLSForm, not to us: named in the error
_NOT_SUPPORTED = (
    "pulldata instance once position indexed-repeat jr:choice-name format-date format-date-time decimal-date-time "
    "decimal-time date date-time now random uuid randomize area distance checklist weighted-checklist pow log exp sqrt "
    "sin cos tan join normalize-space translate count-if digest boolean-from-string selected-at "
    "current version username"
)
NOT_SUPPORTED = frozenset(_NOT_SUPPORTED.split(" "))

# what people type → what the language has
SUGGESTIONS: dict[str, str] = {
    "（": "(", "）": ")", "，": ",", "、": ",", "“": '"', "”": '"', "‘": "'", "’": "'", "＝": "=", "＞": ">", "＜": "<",
    "≥": ">=", "≤": "<=", "≠": "!=", "×": "*", "÷": "div", "＋": "+", "－": "-", "—": "-", "–": "-", "．": ".",
    "\u3000": " ", "\u00a0": " ", "＄": "$", "｛": "{", "｝": "}", "%": "mod", "/": "div", "&": "and", "|": "or",
    "!": "not(…)",
}  # fmt: skip

# code points that may stand in a bare name (a column of the sheet choices) beside ASCII letters, digits and _ - . :
NAME_RANGES = ((0xC0, 0x24F), (0x370, 0x1FFF), (0x3005, 0x3007), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


def is_name_start(character: str) -> bool:
    """May a bare name begin with ``character``?"""
    if character.isascii():
        return character.isalpha() or character == "_"
    point = ord(character)
    return any(low <= point <= high for low, high in NAME_RANGES)


def is_name_part(character: str) -> bool:
    """May a bare name go on with ``character``?"""
    return is_name_start(character) or (character.isascii() and (character.isdigit() or character in "-.:"))
