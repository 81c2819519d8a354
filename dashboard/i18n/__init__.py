"""The words of the pages: one JSON file a language, the same keys in each.

Keys are dotted (``case.state.handling``); ``{name}`` in a text is filled from keyword data.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent
LANGUAGES = ("zh", "en")
DEFAULT = "zh"
COOKIE = "yiwang_lang"


@lru_cache(maxsize=8)
def words(language: str) -> dict[str, str]:
    """Every key of ``language`` with its text."""
    loaded: dict[str, str] = json.loads((HERE / f"{language}.json").read_text(encoding="utf-8"))
    return loaded


def chosen(cookie: str | None) -> str:
    """The language that a cookie asks for, else Chinese."""
    return cookie if cookie in LANGUAGES else DEFAULT


def translate(language: str, key: str, **data: object) -> str:
    """The text of ``key`` in ``language``.

    Raises:
        KeyError: no such key; a test keeps every key that the code names in both files.
    """
    return words(language)[key].format_map(data) if data else words(language)[key]
