"""What two states of an item differ in, and what a lower item takes over from its upper one (复用)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from core.forms.values import is_empty
from records.items.elements import Element, ElementTable, standard_elements
from records.items.facts import comparable, text_of

ROW_NAMES = {"materials": "material_name", "fees": "fee_name"}


@dataclass(frozen=True, slots=True)
class ElementChange:
    """One element that differs; of rows (materials, fees) what was added, taken away and changed, by name."""

    element: str
    zh: str
    en: str
    old: str
    new: str
    locked: bool = False


def named_elements(data: Mapping[str, Any], table: ElementTable | None = None) -> dict[str, Any]:
    """``data`` under the table's element names, whatever headings it came with."""
    known = table or standard_elements()
    return {known.named(str(name)): value for name, value in data.items()}


def locked_names(chosen: Collection[str], table: ElementTable | None = None) -> frozenset[str]:
    """The elements that lower items take over unchanged: those that the item names, else the table's."""
    known = table or standard_elements()
    standard = frozenset(element.name for element in known.elements if element.locked)
    return (frozenset(chosen) & {element.name for element in known.elements}) or standard


def lock_of(parent: Mapping[str, Any], chosen: Collection[str], table: ElementTable | None = None) -> dict[str, Any]:
    """What the parent fixes for its lower items: its locked elements that say something."""
    names = locked_names(chosen, table)
    return {name: value for name, value in named_elements(parent, table).items() if name in names and _says(value)}


def taken_over(
    own: Mapping[str, Any], parent: Mapping[str, Any], chosen: Collection[str], table: ElementTable | None = None
) -> dict[str, Any]:
    """``own`` with the parent's locked elements in place of its own."""
    return {**named_elements(own, table), **lock_of(parent, chosen, table)}


def changes(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    locked: Collection[str] = (),
    table: ElementTable | None = None,
) -> list[ElementChange]:
    """The elements that differ in meaning (labels and codes, widths and blanks are alike), in the table's order."""
    known = table or standard_elements()
    before, after = named_elements(old, known), named_elements(new, known)
    found = []
    for element in known.elements:
        was, now = before.get(element.name), after.get(element.name)
        if _meant(was, element) == _meant(now, element):
            continue
        shown = _rows(was, now, element) if element.name in ROW_NAMES else (_shown(was, element), _shown(now, element))
        found.append(ElementChange(element.name, element.zh, element.en, *shown, element.name in locked))
    return found


def shown_value(value: Any, element: Element) -> str:
    """An element as people read it: labels of codes, yes and no, names of rows."""
    return _shown(value, element)


def _meant(value: Any, element: Element) -> Any:
    """The value as it is compared: what rows leave empty says nothing."""
    plain = comparable(value, element)
    if element.type != "rows":
        return plain
    return [{name: cell for name, cell in row.items() if not is_empty(cell)} for row in plain]


def _says(value: Any) -> bool:
    return not is_empty(value) and value is not False


def _shown(value: Any, element: Element) -> str:
    if element.type == "text" and isinstance(value, str):
        return value.strip()  # as it was written, full-width signs and all
    plain = comparable(value, element) if value is not None else ""
    if element.type == "flag":
        return {"1": "是", "0": "否"}.get(str(plain), str(plain))
    if element.type == "rows":
        name = ROW_NAMES.get(element.name, "name")
        rows = plain if isinstance(plain, list) else []
        return "；".join(str(row.get(name) or "") for row in rows)
    if isinstance(plain, list):
        return "、".join(element.codes.get(str(each), str(each)) for each in plain)
    return element.codes.get(str(plain), text_of(plain))


def _rows(old: Any, new: Any, element: Element) -> tuple[str, str]:
    """Only the rows that differ, each with what differs in it."""
    key = ROW_NAMES[element.name]
    before, after = ({_squeezed(row.get(key)): row for row in _meant(rows, element)} for rows in (old, new))
    gone = [str(row.get(key)) for name, row in before.items() if name not in after]
    came = [str(row.get(key)) for name, row in after.items() if name not in before]
    for name, row in after.items():
        was = before.get(name)
        if was is not None and was != row:
            fields = [f for f in dict.fromkeys([*was, *row]) if was.get(f) != row.get(f)]
            gone.append(f"{row.get(key)}（{_pairs(was, fields)}）")
            came.append(f"{row.get(key)}（{_pairs(row, fields)}）")
    if not gone and not came:  # the same rows in another order
        return _shown(old, element), _shown(new, element)
    return "；".join(gone), "；".join(came)


def _pairs(row: Mapping[str, Any], fields: list[str]) -> str:
    titles: dict[str, str] = {}
    for known in standard_elements().rows.values():
        titles = {**known, **titles}
    return "，".join(f"{titles.get(f, f)}：{text_of(row.get(f)) or '—'}" for f in fields)


def _squeezed(value: Any) -> str:
    return "".join(text_of(value).split())
