"""The elements of a service item, read from data: titles, types, code lists, which ones are locked to the parent."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import InputInvalid
from core.forms.expression import Expression, parse

DATA = Path(__file__).parent / "data"
TYPES = ("text", "code", "codes", "flag", "number", "unit", "depth", "url", "phone", "date", "rows", "count")


@dataclass(frozen=True)
class Element:
    """One element.  ``required``: "always", "given" (where the record has it), "" or an expression."""

    name: str
    zh: str
    en: str
    type: str
    max: int = 0
    codes: Mapping[str, str] = field(default_factory=dict)
    open: str = ""  # a pattern of codes that the district may add
    alias: tuple[str, ...] = ()
    required: str = ""
    given: bool = False  # the expression holds only where the record has the element
    locked: bool = False

    @property
    def headings(self) -> tuple[str, ...]:
        """What a column of it may be called: name, titles, the name with blanks, hyphens or nothing between words."""
        return (self.name, self.zh, *self.alias, *spelled(self.name), *(s for a in self.alias for s in spelled(a)))

    @property
    def required_if(self) -> Expression | None:
        return parse(self.required) if self.required not in ("", "always", "given") else None


@dataclass(frozen=True)
class ElementTable:
    """All elements with their headings; ``rows`` are the headings of the sheets of materials and fees."""

    elements: tuple[Element, ...]
    rows: Mapping[str, Mapping[str, str]]

    def __post_init__(self) -> None:
        headings: dict[str, str] = {}
        for element in self.elements:
            for heading in element.headings:
                headings.setdefault(_folded(heading), element.name)
        object.__setattr__(self, "_headings", headings)
        object.__setattr__(self, "_by_name", {element.name: element for element in self.elements})

    def named(self, heading: str) -> str:
        """The element's field name for a heading (name, Chinese title or alias), else the heading itself."""
        headings: dict[str, str] = self._headings  # type: ignore[attr-defined]
        return headings.get(_folded(heading), heading.strip())

    def get(self, name: str) -> Element | None:
        by_name: dict[str, Element] = self._by_name  # type: ignore[attr-defined]
        return by_name.get(name)


def spelled(name: str) -> tuple[str, ...]:
    """``task_name`` as ``task name``, ``task-name`` and ``taskname``; nothing for a title."""
    return tuple(name.replace("_", mark) for mark in (" ", "-", "")) if name.isascii() and "_" in name else ()


def _folded(heading: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", heading).split()).lstrip("*").strip().lower()


def read_elements(path: Path) -> ElementTable:
    """The table in a YAML file; :class:`InputInvalid` names the element."""
    body = yaml.safe_load(path.read_text("utf-8"))
    elements = tuple(_element(row, path) for row in body["elements"])
    return ElementTable(elements, body.get("row_titles") or {})


def _element(row: dict[str, Any], path: Path) -> Element:
    try:
        element = Element(**{**row, "alias": tuple(row.get("alias") or ())})
    except TypeError as error:
        raise InputInvalid(
            field=f"{path}: {row.get('name')}", detail=str(error), how="see the head of the file"
        ) from error
    if element.type not in TYPES:
        raise InputInvalid(
            field=f"{path}: {element.name}.type", detail=f"{element.type!r}", how=f"use one of {', '.join(TYPES)}"
        )
    return element


@lru_cache(maxsize=1)
def standard_elements() -> ElementTable:
    """The elements that come with the product (records/items/data/elements.yaml)."""
    return read_elements(DATA / "elements.yaml")
