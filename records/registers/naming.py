"""Names as they are searched: pinyin, initials, and the pairs of characters inside."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from core.language.syllables import syllable

SURNAMES = {  # read otherwise than the same character elsewhere
    "单": "shan", "解": "xie", "曾": "zeng", "查": "zha", "仇": "qiu", "区": "ou", "朴": "piao", "盖": "ge",
    "尉": "wei", "乐": "yue", "翟": "zhai", "华": "hua", "任": "ren", "覃": "qin", "缪": "miao", "幺": "yao",
    "召": "shao", "种": "chong", "秘": "bi", "冼": "xian", "长": "zhang", "万": "wan", "重": "chong", "逄": "pang",
    "员": "yun", "纪": "ji", "宁": "ning",
}  # fmt: skip
MOST_PINYIN, MOST_INITIALS = 120, 40
_KEPT = 4096  # names; an import brings equal ones one after the other


@lru_cache(maxsize=_KEPT)
def spelled(name: str, person: bool = False) -> tuple[str, str]:
    """``(pinyin, initials)`` of a name: ``("zhangsan", "zs")``; surnames are read as surnames in a person's name."""
    syllables = list(map(syllable, name))
    if person and name[:1] in SURNAMES:
        syllables[0] = SURNAMES[name[0]]
    return "".join(syllables)[:MOST_PINYIN], "".join([s[:1] for s in syllables])[:MOST_INITIALS]


def grams(name: str) -> list[str]:
    """The pairs of neighbouring characters after the first (a prefix is found by the name's own index)."""
    text = searched(name)
    if len(text) < 4:
        return [text[1:]] if len(text) == 3 else []
    return list(dict.fromkeys(text[i : i + 2] for i in range(1, len(text) - 1)))


@lru_cache(maxsize=_KEPT)
def searched(name: str) -> str:
    """A name as it is compared: half-width, lower case, without blanks."""
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name)
    return "".join(name.split()).lower()
