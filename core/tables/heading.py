"""Which row of a table is its heading, and which column each of its cells names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from core.tables.cells import Cell
from core.tables.problem import Problems

SEARCHED = 30  # rows in which a heading is looked for: titles, units and notes may stand above it
_UNIT = re.compile(r"[(\[][^()\[\]]*[)\]]$")
_SPACE = re.compile(r"[\s\u200b\u200c\u200d\ufeff\x00-\x1f]+")


def plain(text: str) -> str:
    """A heading as it is compared: full-width forms, case, blanks and marks of obligation do not count."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _SPACE.sub("", folded).strip("*:").removesuffix("(必填)").strip("*:")


def letters(index: int) -> str:
    """The column's letters as a sheet shows them: 0 is A, 26 is AA."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text


class Names:
    """Known column names with their other spellings (and what the user mapped), found by :func:`plain`."""

    def __init__(self, known: Mapping[str, Iterable[str]], mapped: Mapping[str, str] | None = None) -> None:
        self.known = list(known)
        self._by_text = {plain(name): name for name in known}
        for name, others in known.items():
            for other in others:
                self._by_text.setdefault(plain(other), name)
        self._by_text.update({plain(theirs): ours for theirs, ours in (mapped or {}).items()})

    def find(self, text: str) -> str | None:
        """The column that ``text`` means, with or without a unit in brackets behind it; None where it means none."""
        folded = plain(text)
        found = self._by_text.get(folded)
        return found if found is not None else self._by_text.get(_UNIT.sub("", folded))


@dataclass
class Heading:
    """The heading in ``row``: ``columns`` by name → the places (from 0) that carry it."""

    row: int
    width: int
    columns: dict[str, list[int]] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)

    @cached_property
    def plain(self) -> list[tuple[str, int]] | None:
        """``(name, place)`` of every column; None where a name stands at several places."""
        if any(len(places) != 1 for places in self.columns.values()):
            return None
        return [(name, places[0]) for name, places in self.columns.items()]


def find_heading(rows: Sequence[tuple[int, Sequence[Cell]]], names: Names) -> Heading | None:
    """The first row among ``rows`` that names most known columns; None where none names any.

    Without known columns the first row with at least two texts is taken (or the first at all).
    """
    if not names.known:
        texts = [(n, cells) for n, cells in rows if sum(isinstance(c, str) and bool(c.strip()) for c in cells) > 1]
        chosen = (texts or list(rows))[:1]
        return read_heading(chosen[0][0], chosen[0][1], names) if chosen else None
    best: Heading | None = None
    for number, cells in rows:
        found = read_heading(number, cells, names)
        if found.columns and (best is None or len(found.columns) > len(best.columns)):
            best = found
    return best


def read_heading(row: int, cells: Sequence[Cell], names: Names) -> Heading:
    """``cells`` understood as a heading."""
    found = Heading(row, 0)
    for place, cell in enumerate(cells):
        text = "" if cell is None else str(cell).strip()
        if not text:
            continue
        found.width = place + 1
        name = names.find(text) if names.known else text
        if name is None:
            found.unknown[place] = text
        else:
            found.columns.setdefault(name, []).append(place)
    return found


def tell_heading(found: Heading, names: Names, problems: Problems, file: str, sheet: str) -> None:
    """Name the columns of a heading that are unknown or stand there twice."""
    for text in found.unknown.values():
        # An unknown heading is more often a misspelt one than a wish to have it ignored.
        if not plain(text).endswith("_note"):
            problems.tell(file, "column_unknown", sheet=sheet, row=found.row, field=text, known=", ".join(names.known))
    for name, places in found.columns.items():
        if len(places) > 1:
            where = ", ".join(letters(p) for p in places)
            problems.tell(file, "column_twice", sheet=sheet, row=found.row, field=name, count=len(places), places=where)
