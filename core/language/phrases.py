"""What refusals put into their sentences (a detail, a remedy, an action), in Chinese (``phrases.zh.json`` beside it).

A phrase is English as the code writes it, ``{}`` where a value stands.  The most particular one that fits is taken; a
text that none fits stays as it is, for example a name, a number, or words of a foreign library.  A value that is a
phrase itself is Chinese as well.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("phrases.zh.json")
_LONGEST = 300  # no phrase is looked for in a longer text
_SHORT = 9  # "请使用 {}": taken for values and lists of values, not for half a sentence
_WORDS = re.compile(r"[a-z]{2,} [a-z]{2,}")


@lru_cache(maxsize=1)
def phrases() -> dict[str, str]:
    """Every phrase with its Chinese words."""
    found: dict[str, str] = json.loads(_FILE.read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Those with values, the one with the most words of its own first."""
    held = sorted((p for p in phrases() if "{}" in p), key=lambda p: -len(p.replace("{}", "")))
    made = [("(.+?)".join(re.escape(part) for part in p.split("{}")), phrases()[p]) for p in held]
    return [(re.compile(pattern, re.DOTALL), said) for pattern, said in made]


def in_chinese(text: str) -> str:
    """The text in Chinese where the phrase book has it."""
    known = phrases().get(text)
    if known is not None or len(text) > _LONGEST:
        return known or text
    for pattern, said in _patterns():
        match = pattern.fullmatch(text)
        if match and not (len(said) < _SHORT and any(_WORDS.search(value) for value in match.groups())):
            return said.format(*(in_chinese(each) if _WORDS.search(each) else each for each in match.groups()))
    return text
