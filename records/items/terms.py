"""Terms: what a question or a paper means, whatever it is called; the dictionary by which bundles are merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import InputInvalid
from records.items.elements import DATA
from records.items.facts import text_of


@dataclass(frozen=True)
class QuestionTerm:
    """A question's meaning; ``prefill``: ``register.field`` that answers it."""

    term: str
    zh: str
    en: str
    type: str = "text"
    also: tuple[str, ...] = ()
    list: str = ""
    prefill: str = ""
    sensitive: bool = False
    constraint: str = ""


@dataclass(frozen=True)
class MaterialTerm:
    """A paper's meaning; ``licence``: the kind of licence (register ``licence``) that stands in for it."""

    term: str
    zh: str
    en: str
    also: tuple[str, ...] = ()
    licence: str = ""


@dataclass(frozen=True)
class Terms:
    """The dictionary."""

    questions: Mapping[str, QuestionTerm]
    materials: Mapping[str, MaterialTerm]
    choices: Mapping[str, list[dict[str, Any]]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_question_names", _names(self.questions))
        object.__setattr__(self, "_material_names", _names(self.materials))

    def of_question(self, question: Mapping[str, Any]) -> str:
        """The term of a question: the one that it names (``term``, ``meaning``), else by its name or title; "" unknown.

        A title that only looks alike has no term: then the question stays its item's own.
        """
        names: Mapping[str, str] = self._question_names  # type: ignore[attr-defined]
        stated = text_of(question.get("term") or question.get("meaning"))
        if stated:
            return stated
        label = question.get("label")
        titles = [question.get("zh"), *(label.values() if isinstance(label, Mapping) else (label,))]
        for name in (question.get("name"), *titles):
            found = names.get(_plain(name))
            if found:
                return found
        return ""

    def of_material(self, row: Mapping[str, Any]) -> str:
        """The term of a material row: its own ``term``, else by its name; "" unknown."""
        names: Mapping[str, str] = self._material_names  # type: ignore[attr-defined]
        return text_of(row.get("term")) or names.get(_plain(row.get("material_name")), "")


def _plain(value: Any) -> str:
    text = "".join(text_of(value).lower().split())
    return text.removesuffix("（原件）").removesuffix("(原件)").removesuffix("原件")


def _names(terms: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for term in terms.values():
        for name in (term.term, term.zh, *term.also):
            found.setdefault(_plain(name), term.term)
    return found


def read_terms(path: Path) -> Terms:
    """The dictionary in a YAML file; a name that two terms claim is refused."""
    body = yaml.safe_load(path.read_text("utf-8"))
    questions = {
        row["term"]: QuestionTerm(**{**row, "also": tuple(row.get("also") or ())}) for row in body["questions"]
    }
    materials = {
        row["term"]: MaterialTerm(**{**row, "also": tuple(row.get("also") or ())}) for row in body["materials"]
    }
    for terms in (questions, materials):
        seen: dict[str, str] = {}
        for term in terms.values():
            for name in (term.zh, *term.also):
                if seen.setdefault(_plain(name), term.term) != term.term:
                    raise InputInvalid(
                        field=f"{path}: {name}",
                        detail=f"means {seen[_plain(name)]} and {term.term}",
                        how="give it to one",
                    )
    return Terms(questions, materials, body.get("choices") or {})


@lru_cache(maxsize=1)
def standard_terms() -> Terms:
    """The dictionary that comes with the product (records/items/data/terms.yaml)."""
    return read_terms(DATA / "terms.yaml")
