"""Rows of a large XLSX sheet, one after another: what it takes of memory does not grow with the rows.

calamine and openpyxl hold every cell, or every shared text as an object, of a workbook: a gigabyte for 370,000 people.
Here the shared texts are one run of bytes, and a sheet is read piece by piece (ECMA-376 part 1, 18.3.1.73, 18.4.8).
"""

from __future__ import annotations

import re
import zipfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from html import unescape

from core.tables.cells import Area, Cell, CellError
from core.tables.ooxml import ATTRIBUTE, book_parts, column_of, number_formats, pieces

WIDEST = 16_384
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?row>)", re.DOTALL)
_PLAIN = re.compile(  # a cell as nearly every program writes it
    rb'<c r="([A-Z]{1,3})[0-9]+"(?: s="([0-9]+)")?(?: t="([a-zA-Z]+)")?(?:/>|>(?:<v>([^<]*)</v>)?</c>)'
)
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)<")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_TEXT = re.compile(rb"<(?:\w+:)?t(?:\s[^>]*)?>([^<]*)<")
_PHONETIC = re.compile(rb"<(?:\w+:)?rPh\b.*?</(?:\w+:)?rPh>", re.DOTALL)
_ITEM = re.compile(rb"<(?:\w+:)?si(?:\s[^>]*)?(?:/>|>(.*?)</(?:\w+:)?si>)", re.DOTALL)
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TEMPORAL = re.compile(r"[ymdhsYMDHS年月日时分秒]")
_QUIET = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|[_*].')
_DATES = frozenset([*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)])  # built in, the Chinese ones too


@dataclass
class _Book:
    """What the cells of every sheet refer to."""

    texts: _Texts
    dates: frozenset[bytes]
    zeros: dict[bytes, int]
    epoch: datetime
    letters: dict[bytes, int] = field(default_factory=dict)


class _Texts:
    """The shared texts, as bytes one behind another."""

    def __init__(self) -> None:
        self._bytes, self._ends = bytearray(), array("Q", [0])

    def add(self, raw: bytes) -> None:
        self._bytes += raw
        self._ends.append(len(self._bytes))

    def __getitem__(self, at: int) -> str:
        if not 0 <= at < len(self._ends) - 1:
            raise ValueError(f"the shared text {at} is missing")
        return _decoded(bytes(self._bytes[self._ends[at] : self._ends[at + 1]]))


@dataclass(frozen=True)
class StreamedSheet:
    """One sheet: ``lines()`` gives ``(row from 1, cells)`` of every row that is not empty; ``merged`` as in a sheet."""

    name: str
    hidden: bool
    merged: list[Area]
    _archive: zipfile.ZipFile
    _part: str
    _book: _Book

    def lines(self) -> Iterator[tuple[int, list[Cell]]]:
        number = 0
        for piece in pieces(self._archive, self._part):
            for row in _ROW.finditer(piece):
                stated = dict(ATTRIBUTE.findall(row[1])).get(b"r", b"")
                number = int(stated) if stated.isdigit() else number + 1
                cells = _cells(row[2] or b"", self._book)
                if any(cell not in ("", None) for cell in cells):
                    yield number, cells


def streamed(archive: zipfile.ZipFile) -> Iterator[StreamedSheet]:
    """The sheets of the workbook, in its order."""
    parts, mac = book_parts(archive)
    formats = number_formats(archive)
    zeros = {style: len(code) for style, (_, code) in formats.items() if re.fullmatch("0{2,}", code)}
    dates = frozenset(style for style, (number, code) in formats.items() if _is_date(number, code))
    epoch = datetime(1904, 1, 1) if mac else datetime(1899, 12, 30)
    book = _Book(_texts(archive), dates, zeros, epoch)
    for title, hidden, part in parts:
        yield StreamedSheet(title, hidden, _merged(archive, part), archive, part, book)


def _is_date(number: int, code: str) -> bool:
    return number in _DATES if not code else bool(_TEMPORAL.search(_QUIET.sub("", code)))


def _texts(archive: zipfile.ZipFile) -> _Texts:
    texts = _Texts()
    part = next((n for n in archive.namelist() if n.lower() == "xl/sharedstrings.xml"), None)
    if part is None:
        return texts
    for piece in pieces(archive, part, b"</si>"):
        for item in _ITEM.finditer(piece):
            texts.add(_text(item[1] or b""))
    return texts


def _text(content: bytes) -> bytes:
    if b"rPh" in content:
        content = _PHONETIC.sub(b"", content)
    return b"".join(_TEXT.findall(content))


def _decoded(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")
    if "&" in text:
        text = unescape(text)
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return text


def _merged(archive: zipfile.ZipFile, part: str) -> list[Area]:
    found: list[Area] = []
    for piece in pieces(archive, part):
        if b"mergeCell" in piece:
            found += [
                (int(top) - 1, column_of(left), int(bottom) - 1, column_of(right))
                for left, top, right, bottom in _MERGED.findall(piece)
            ]
    return found


def _cells(content: bytes, book: _Book) -> list[Cell]:
    cells: list[Cell] = []
    found = _PLAIN.findall(content)
    if len(found) != content.count(b"<c ") or b":c " in content or b"<c>" in content:
        return _unusual(content, book)
    letters = book.letters
    for column, style, kind, value in found:
        at = letters.get(column)
        if at is None:
            at = letters[column] = column_of(column)
        while len(cells) < at:
            cells.append("")
        if value:
            cells.append(book.texts[int(value)] if kind == b"s" else _value(kind, style, value, book))
        elif kind == b"e":
            cells.append(CellError("#ERROR!"))
    return cells


def _unusual(content: bytes, book: _Book) -> list[Cell]:
    """Cells with formulas, inline texts, other orders of attributes, or without references."""
    cells: list[Cell] = []
    for match in _CELL.finditer(content):
        given = dict(ATTRIBUTE.findall(match[1]))
        body = match[2] or b""
        letters = given.get(b"r", b"").rstrip(b"0123456789")
        at = column_of(letters) if letters.isalpha() else len(cells)
        if at >= WIDEST:
            raise ValueError(f"a cell lies in column {at + 1}")
        while len(cells) < at:
            cells.append("")
        kind = given.get(b"t", b"n")
        value = _VALUE.search(body)
        if kind == b"inlineStr":
            cells.append(_decoded(_text(body)))
        elif value is not None and value[1]:
            cells.append(_value(kind, given.get(b"s", b""), value[1], book))
        elif kind == b"e" or (_FORMULA.search(body) and kind != b"str"):
            cells.append(CellError("#ERROR!" if kind == b"e" else ""))
        else:
            cells.append("")
    return cells


def _value(kind: bytes, style: bytes, value: bytes, book: _Book) -> Cell:
    match kind:
        case b"s":
            return book.texts[int(value)]
        case b"str":
            return _decoded(value)
        case b"b":
            return value.strip() == b"1"
        case b"e":
            return CellError(value.decode("ascii", "replace"))
        case b"d":
            stated = datetime.fromisoformat(value.decode("ascii", "replace"))
            return stated.date() if stated.time() == time(0) else stated
    number = float(value)
    if style in book.dates:
        return _moment(number, book.epoch)
    if style in book.zeros and number == int(number) >= 0:
        return str(int(number)).zfill(book.zeros[style])
    return number


def _moment(number: float, epoch: datetime) -> Cell:
    """A serial number as a day, a moment or a time of day; as it is where it is none."""
    if not 0 <= number < 2_958_466:
        return number
    if number < 1:
        return (datetime.min + timedelta(seconds=round(number * 86400))).time() if number else date(1899, 12, 31)
    early = timedelta(days=1) if epoch.year == 1899 and number < 60 else timedelta()  # Excel counts a 29 February 1900
    found = epoch + early + timedelta(seconds=round(number * 86400))
    return found.date() if found.time() == time(0) else found
