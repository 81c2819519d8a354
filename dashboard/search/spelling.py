"""Chinese names by their pinyin: 吉林大路 is found by ``jilindalu``, ``jilin`` and ``jldl``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from core.late import Late

if TYPE_CHECKING:
    import pypinyin
else:
    pypinyin = Late("pypinyin")


@dataclass(frozen=True, slots=True)
class Spelling:
    """A name as it can be typed: itself in small letters, its syllables and their first letters, one a character."""

    text: str
    syllables: tuple[str, ...]
    initials: str


@dataclass(frozen=True, slots=True)
class Match:
    """Where a query was found in a name: characters ``start`` … ``end``; ``how``: text, initials or pinyin."""

    start: int
    end: int
    how: str
    score: float


@lru_cache(maxsize=200_000)
def spell(name: str) -> Spelling:
    """The spelling of ``name``; characters that are not Chinese stand for themselves."""
    syllables = tuple(
        syllable.lower()
        for run in _runs(name)
        for syllable in (pypinyin.lazy_pinyin(run) if _chinese(run[0]) else list(run))
    )
    return Spelling(name.lower(), syllables, "".join(s[0] if s else " " for s in syllables))


def _chinese(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff"


def _runs(name: str) -> list[str]:
    found: list[str] = []
    for character in name:
        if found and _chinese(found[-1][0]) == _chinese(character):
            found[-1] += character
        else:
            found.append(character)
    return found


def match(query: str, spelling: Spelling) -> Match | None:
    """The best place of ``query`` (small letters) in a name: as written, by initials, by syllables."""
    at = spelling.text.find(query)
    if at >= 0:
        return Match(at, at + len(query), "text", _score(1.0, at, len(query), len(spelling.text)))
    if not query.isascii() or len(spelling.syllables) != len(spelling.text):
        return None
    at = spelling.initials.find(query)
    if at >= 0 and len(query) > 1:
        return Match(at, at + len(query), "initials", _score(0.8, at, len(query), len(spelling.text)))
    return _by_syllables(query.replace(" ", "").replace("'", ""), spelling)


def _by_syllables(query: str, spelling: Spelling) -> Match | None:
    if len(query) < 2:
        return None
    for start in range(len(spelling.syllables)):
        end, left = start, query
        while left and end < len(spelling.syllables):
            syllable = spelling.syllables[end]
            if left.startswith(syllable):
                left = left[len(syllable) :]
            elif syllable.startswith(left):
                left = ""
            else:
                break
            end += 1
        if not left:
            return Match(start, end, "pinyin", _score(0.7, start, end - start, len(spelling.text)))
    return None


def _score(base: float, start: int, length: int, whole: int) -> float:
    """Earlier and fuller is better."""
    return base + (0.1 if start == 0 else 0.0) + 0.2 * length / max(1, whole)
