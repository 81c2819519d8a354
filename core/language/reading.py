"""In which language the person reads for whom a page is drawn: names that exist in both are given in it.

Only pages set it; what is stored, sent or answered as JSON bears the Chinese name (and the English one beside it).
"""

from __future__ import annotations

from contextvars import ContextVar

reading: ContextVar[str] = ContextVar("reading", default="zh")


def own_name(zh: str, en: str | None) -> str:
    """The name in the reader's language; the Chinese one where there is no other."""
    return en if en and reading.get() == "en" else zh


def own_or_none(zh: str | None, en: str | None) -> str | None:
    """The same of something that may be missing."""
    return None if zh is None else own_name(zh, en)
