"""The words of the pages: one JSON file a language, the same keys in each.

Keys are dotted (``case.state.handling``); ``{name}`` in a text is filled from keyword data.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from core import plugins
from events import definitions
from vision.params import WORDS

HERE = Path(__file__).parent
LANGUAGES = ("zh", "en")
DEFAULT = "zh"
COOKIE = "yiwang_lang"


PREFIXES = {"algorithm": "kind", "rule": "whystep", "channel": "channel", "source": "protocol"}
PARAMETERS = {"algorithm": "aparam", "rule": "param"}


def words(language: str) -> dict[str, str]:
    """Every key of ``language`` with its text: the pages' own words, and the names that plug-ins bear themselves."""
    return _words(language, plugins.city_mark())


@lru_cache(maxsize=8)
def _words(language: str, mark: object) -> dict[str, str]:
    del mark  # only tells one state of the city's plug-ins from the next
    loaded: dict[str, str] = json.loads((HERE / f"{language}.json").read_text(encoding="utf-8"))
    loaded |= _definition_words(language)
    for group, prefix in PREFIXES.items():
        loaded |= {f"{prefix}.{kind}": title for kind, title in plugins.titles(group, language).items()}
    loaded |= {f"aparam.{name}": getattr(said, language) for name, said in WORDS.items()}
    for group, prefix in PARAMETERS.items():
        for kind in plugins.titles(group, language):
            said = plugins.about(group, kind).params
            loaded |= {f"{prefix}.{name}": getattr(name_of, language) for name, name_of in said.items()}
    return dict(sorted(loaded.items()))


def _definition_words(language: str) -> dict[str, str]:
    """Names of stages, states and commands, as the shipped kinds of case bear them.

    Where two kinds name one differently, city management's name stands: it is the kind that pages show most.
    """
    found: dict[str, str] = {}
    files = Path(definitions.__path__[0]).glob("*.json")
    for file in sorted(files, key=lambda path: (path.stem != "city_management", path.stem)):
        body = json.loads(file.read_text(encoding="utf-8"))
        named = [(f"stage.{stage['id']}", stage["name"]) for stage in body["stages"]]
        named += [(f"state.{name}", said["name"]) for name, said in body["states"].items()]
        named += [(f"command.{name}", said["name"]) for name, said in body["commands"].items()]
        for key, names in named:
            found.setdefault(key, names[language])
    return found


def chosen(cookie: str | None) -> str:
    """The language that a cookie asks for, else Chinese."""
    return cookie if cookie in LANGUAGES else DEFAULT


def translate(language: str, key: str, **data: object) -> str:
    """The text of ``key`` in ``language``.

    Raises:
        KeyError: no such key; a test keeps every key that the code names in both files.
    """
    return words(language)[key].format_map(data) if data else words(language)[key]
