"""English names of divisions: Hanyu Pinyin of the proper part and the generic part in English (东盛街道: Dongsheng
Subdistrict), as signs and maps in China write them (GB/T 28039, Hanyu Pinyin for Chinese place names)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.late import Late

if TYPE_CHECKING:
    import pypinyin
else:
    pypinyin = Late("pypinyin")

_GENERIC = (
    ("街道办事处", "Subdistrict"), ("街道", "Subdistrict"), ("社区居民委员会", "Community"),
    ("社区居委会", "Community"),
    ("社区", "Community"), ("村民委员会", "Village"), ("村委会", "Village"), ("居委会", "Neighbourhood"),
    ("开发区", "Development Zone"), ("自治县", "Autonomous County"), ("镇", "Town"), ("乡", "Township"),
    ("村", "Village"), ("区", "District"), ("县", "County"), ("市", "City"),
)  # fmt: skip
_PARTS = re.compile(r"[\u3400-\u9fff]+|[^\u3400-\u9fff]+")


def english_of(name: str) -> str:
    """``长青街道`` → ``Changqing Subdistrict``; what holds no Chinese stays as it is."""
    for ending, english in _GENERIC:
        proper = name.removesuffix(ending)
        if proper and proper != name:
            return f"{_spelled(proper)} {english}"
    return _spelled(name)


def _spelled(name: str) -> str:
    words = [_joined(part) if part[0] >= "\u3400" else part.strip() for part in _PARTS.findall(name)]
    return " ".join(word for word in words if word)


def _joined(name: str) -> str:
    """Syllables as one word; an apostrophe before one that begins with a, e or o (Xi'an)."""
    syllables = pypinyin.lazy_pinyin(name, v_to_u=True)
    return "".join(f"'{s}" if k and s[:1] in "aeo" else s for k, s in enumerate(syllables)).capitalize()
