"""How a fault of a definition is worded: what is wrong and what to do, in both languages."""

from __future__ import annotations

from core.records import Record

USE, USE_ZH = "{perhaps}use one of: {known}", "{perhaps}可用：{known}"


class ProblemWords(Record, frozen=True):
    """``en`` and ``zh``: what is wrong, what to do; ``{perhaps}`` is a guess at the word that was meant."""

    en: tuple[str, str]
    zh: tuple[str, str]


def worded(en: str, how: str, zh: str, zh_how: str) -> ProblemWords:
    """The words of one fault."""
    return ProblemWords(en=(en, how), zh=(zh, zh_how))
