"""The 30 high-frequency items of the one counter (一平台办理), as data: their questions, papers and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from records.items.elements import DATA
from records.items.terms import Terms, standard_terms


@dataclass(frozen=True)
class FrequentItem:
    """One of them; ``questions`` and ``materials`` as the catalogue stores them with the item."""

    number: int
    name: str
    en: str
    type: str
    kind: str
    body: str
    legal: int
    promise: int
    served: tuple[str, ...]
    result: str
    questions: tuple[Mapping[str, Any], ...]
    materials: tuple[Mapping[str, Any], ...]


def read_frequent(path: Path, terms: Terms) -> tuple[FrequentItem, ...]:
    """The items of a YAML file (head of records/items/data/high_frequency.yaml)."""
    body = yaml.safe_load(path.read_text("utf-8"))
    return tuple(_item(row, terms) for row in body["items"])


@lru_cache(maxsize=1)
def frequent_items() -> tuple[FrequentItem, ...]:
    """The example that comes with the product."""
    return read_frequent(DATA / "high_frequency.yaml", standard_terms())


@lru_cache(maxsize=1)
def frequent_choices() -> dict[str, list[dict[str, Any]]]:
    """Choice lists of their questions, those of the terms among them."""
    own = yaml.safe_load((DATA / "high_frequency.yaml").read_text("utf-8")).get("choices") or {}
    return {**standard_terms().choices, **own}


def _item(row: Mapping[str, Any], terms: Terms) -> FrequentItem:
    return FrequentItem(
        row["number"], row["name"], row["en"], row["type"], str(row.get("kind", "2")), row["body"], row["legal"],
        row["promise"], tuple(row["served"]), row["result"], tuple(_question(q, terms) for q in row["ask"]),
        tuple(_paper(p) for p in row["papers"]),
    )  # fmt: skip


def _question(given: str | Mapping[str, Any], terms: Terms) -> Mapping[str, Any]:
    if isinstance(given, str):
        term = terms.questions[given]
        return {"name": term.term, "term": term.term, "label": {"zh": term.zh, "en": term.en}, "type": term.type,
                "list": term.list, "required": True}  # fmt: skip
    kind, _, choices = str(given["type"]).partition(" ")
    asked = {"name": given["name"], "label": {"zh": given["zh"], "en": given["en"]}, "type": kind, "list": choices,
             "required": True}  # fmt: skip
    return {**asked, "term": given["term"]} if given.get("term") else asked


def _paper(row: list[Any]) -> Mapping[str, Any]:
    name, term, need, source, issuer = row
    own = source == 10
    return {
        "material_name": name, "term": term, "material_type": "其他" if own else "证件证书证明",
        "material_format": "电子或纸质", "is_need": str(need), "source_type": str(source), "source_explain": issuer,
        "original": 1 if own else 0, "copies": 0 if own else 1, "accept_stand": "清晰、完整、有效",
        "fill_explain": "按样表填写",
    }  # fmt: skip
