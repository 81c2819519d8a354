"""Item records out of a workbook (element names or titles as headings) or a JSON list."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import InputInvalid
from core.tables.cells import CellError
from core.tables.columns import Column
from core.tables.problem import Problems
from core.tables.reader import TableRow, is_workbook, raw_rows
from records.items.elements import ElementTable, spelled, standard_elements
from records.items.facts import text_of

KEYS = ("id", "item", "row_guid", "handling", "implementing", "local_task_code", "task_name")
_EXACT = 10**15  # Excel keeps fifteen digits of a number
_NESTED = ("materials", "fees", "faq", "parent")
_NESTED_KEYS = {"material_name": "materials", "fee_name": "fees"}


@dataclass(frozen=True)
class ReadItems:
    """The records with their keys, and what is wrong with the file itself."""

    records: tuple[tuple[str, Mapping[str, Any]], ...]
    problems: Problems = field(default_factory=Problems)


def read_items(path: Path, table: ElementTable | None = None) -> ReadItems:
    """The items of ``path``; :class:`InputInvalid` when it is neither a table nor a JSON list of objects."""
    try:
        with path.open("rb") as file:
            return read_item_file(file, path, table)
    except OSError as error:
        raise InputInvalid(field=str(path), detail=str(error), how="give a readable XLSX, CSV or JSON file") from error


def read_item_file(file: BinaryIO, path: Path, table: ElementTable | None = None) -> ReadItems:
    """:func:`read_items` of an open file; ``path`` names it."""
    known = table or standard_elements()
    if is_workbook(file) or path.suffix.lower() in (".csv", ".tsv"):
        return _from_table(file, path.name, known)
    return _keyed(_from_json(file.read(), path), known)


def _from_json(raw: bytes, path: Path) -> list[Mapping[str, Any]]:
    body = _parsed(raw, path)
    if isinstance(body, Mapping):
        body = next((body[k] for k in ("items", "records", "data", "vectors") if isinstance(body.get(k), list)), [body])
    if not isinstance(body, list):
        raise InputInvalid(field=str(path), detail="is not a list", how="give a JSON list of item records")
    for position, record in enumerate(body, 1):
        if not isinstance(record, Mapping):
            raise InputInvalid(field=f"{path}[{position}]", detail="is not an object", how="give one object an item")
    return [_unwrapped(record) for record in body]


def _parsed(raw: bytes, path: Path) -> Any:
    """JSON, or an object a line; UTF-8 and UTF-16 with or without a mark, GB 18030."""
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError as error:
            wrong: ValueError = error
    else:
        raise InputInvalid(field=str(path), detail=str(wrong), how="save it as UTF-8") from wrong
    try:
        return json.loads(text)
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            if len(lines) > 1 and all(line.lstrip().startswith("{") for line in lines):
                return [json.loads(line) for line in lines]
        except ValueError:
            pass
        how = "give a JSON list of items, or a workbook"
        raise InputInvalid(field=str(path), detail=str(error), how=how) from error


def _unwrapped(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item itself out of a test vector ``{"kind": "item_record", "input": {…}}``, which gives it its id."""
    inner = record.get("input")
    if record.get("kind") != "item_record" or not isinstance(inner, Mapping):
        return record
    return {"id": record.get("id"), **inner}


def _keyed(records: list[Mapping[str, Any]], table: ElementTable) -> ReadItems:
    return ReadItems(tuple((item_key(record, position, table), record) for position, record in enumerate(records, 1)))


def item_key(record: Mapping[str, Any], position: int, table: ElementTable) -> str:
    """What names the item: its own id, else its codes, else its name, else ``#position``."""
    named = {table.named(str(key)): value for key, value in record.items()}
    for key in KEYS:
        if named.get(key) not in (None, ""):
            return text_of(named[key])
    return f"#{position}"


def _from_table(file: BinaryIO, name: str, table: ElementTable) -> ReadItems:
    problems = Problems()
    records: list[dict[str, Any]] = []
    by_key: dict[str, dict[str, Any]] = {}
    nested: list[tuple[str, dict[str, Any]]] = []
    columns = {column.name: column for column in _columns(table)}
    for row in raw_rows(file, name, list(columns.values()), problems):
        cells = {key: _cell(value, row, key, problems) for key, value in row.values.items()}
        if _headings_again(cells, columns):
            continue
        part = next((part for key, part in _NESTED_KEYS.items() if cells.get(key)), None)
        if part is not None:
            nested.append((part, cells))
            continue
        record = {
            key: value for key, value in cells.items() if key not in table.rows.get("materials", {}) or value != ""
        }
        for key, value in record.items():
            if isinstance(value, str) and value[:1] in ("[", "{") and _may_nest(key, table):
                record[key] = _json_cell(value, row, key, problems)
        records.append(record)
        for key in KEYS:
            if record.get(key):
                by_key.setdefault(text_of(record[key]), record)
    _drop_empty_columns(records, table)
    _attach(nested, by_key)
    keyed = tuple((item_key(record, position, table), record) for position, record in enumerate(records, 1))
    return ReadItems(keyed, problems)


def _headings_again(cells: Mapping[str, Any], columns: Mapping[str, Column]) -> bool:
    """A second row of headings (element names under the titles): each filled cell is a heading of its own column."""
    filled = [(columns[key], text_of(value)) for key, value in cells.items() if value != "" and key in columns]
    return len(filled) > 1 and all(value in (column.name, *column.also) for column, value in filled)


def _drop_empty_columns(records: list[dict[str, Any]], table: ElementTable) -> None:
    """An optional column that nobody has filled says nothing about any item."""
    for element in table.elements:
        if not element.required and all(record.get(element.name) in ("", None) for record in records):
            for record in records:
                record.pop(element.name, None)


def _may_nest(name: str, table: ElementTable) -> bool:
    element = table.get(name)
    return name in _NESTED or (element is not None and element.type in ("codes", "rows", "count"))


def _columns(table: ElementTable) -> list[Column]:
    columns = {e.name: Column(e.name, also=e.headings[1:]) for e in table.elements}
    for key in ("id", "item", "row_guid", "code_scheme", "parent"):
        columns.setdefault(key, Column(key))
    taken = {title for column in columns.values() for title in (column.name, *column.also)}
    for titles in table.rows.values():
        for key, title in titles.items():
            known = columns.get(key)
            if known is None:
                columns[key] = Column(key, also=(title, *spelled(key)))
            elif title not in taken:  # by_law of an item and of its materials have titles of their own
                columns[key] = Column(key, also=(*known.also, title))
    return list(columns.values())


def _cell(value: Any, row: TableRow, key: str, problems: Problems) -> Any:
    if isinstance(value, CellError):
        code = "cell_error" if value.text else "formula_empty"
        problems.tell(row.place.file, code, sheet=row.place.sheet, row=row.place.row, field=key, value=value.text)
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _EXACT:
        place = row.place
        problems.tell(place.file, "digits_lost", sheet=place.sheet, row=place.row, field=key, value=f"{value:.0f}")
    return "" if value is None else value


def _json_cell(text: str, row: TableRow, key: str, problems: Problems) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        problems.tell(
            row.place.file, "not_json", sheet=row.place.sheet, row=row.place.row, field=key, value=text[:60], detail=""
        )
        return []


def _attach(nested: list[tuple[str, dict[str, Any]]], by_key: Mapping[str, dict[str, Any]]) -> None:
    """Rows of the sheets of materials and fees go to the item that they name."""
    for part, cells in nested:
        for key in KEYS:
            item = by_key.get(text_of(cells.get(key)))
            if item is not None:
                rows = item.setdefault(part, [])
                if not isinstance(rows, list):
                    rows = item[part] = []
                if part == "fees" and "fee_basis" in cells:  # 收费依据 on the sheet of fees is the row's own basis
                    cells["by_law"] = cells.pop("fee_basis")
                rows.append({k: v for k, v in cells.items() if k not in KEYS})
                break


def checked_lines(found: Iterator[tuple[str, int, Any]]) -> list[dict[str, Any]]:
    """Problems as JSON lines ``{item, element, rule, severity, message, …}``."""
    return [
        {
            "item": key,
            "element": problem.element,
            "rule": problem.rule,
            "severity": problem.severity,
            "message": problem.message,
            "message_en": problem.message_en,
            "remedy": problem.remedy,
            "row": position,
        }
        for key, position, problem in found
    ]
