"""The syllable of one Chinese character, without tone, from pypinyin's dictionary of characters alone.

The package itself loads its 47,000 phrases as well (57 MB); names are read character by character.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=32_768)
def syllable(character: str) -> str:
    """``zhong`` for 中, ``lv`` for 绿; ASCII letters and digits stand for themselves, other signs for nothing."""
    if character.isascii():
        return character.lower() if character.isalnum() else ""
    reading = _readings().get(ord(character))
    plain = character.lower() if reading is None else _toneless(reading.partition(",")[0])
    return "".join(c for c in plain if c.isascii() and c.isalnum())


def _toneless(reading: str) -> str:
    return unicodedata.normalize("NFD", reading).replace("u\u0308", "v")


@lru_cache(maxsize=1)
def _readings() -> dict[int, str]:
    """Character → readings with tones, the usual one first: ``{20013: "zhōng,zhòng"}``."""
    package = importlib.util.find_spec("pypinyin")
    if package is None or not package.submodule_search_locations:
        raise ImportError("pypinyin is not installed")
    file = Path(package.submodule_search_locations[0]) / "pinyin_dict.py"
    found = importlib.util.spec_from_file_location("pypinyin_characters", file)
    if found is None or found.loader is None:
        raise ImportError(f"{file} cannot be loaded")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    readings: dict[int, str] = module.pinyin_dict
    return readings
