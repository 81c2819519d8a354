"""Rows of a text table, one after another, whatever its size: encoding, separator and unclosed quotation marks told."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from core.tables.encoding import Encoding, detect
from core.tables.problem import Problems

MAX_CELL = 1 << 20
_MAX_LINE = 4 << 20
_MAX_LINES = 200  # a cell with more lines is a quotation mark that nobody closed
_BLANK = " \t\r\n\0\x1a\u3000\u00a0\ufeff"
_KEPT_TEXT = re.compile(r"""="([^"]*)"|'([0-9.+-]+)""")
_SEPARATORS = ",\t;|，"


def read_csv(file: BinaryIO, name: str, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """``(row, cells)`` of every row that is not blank; ``row`` as Excel counts, the file's first is 1.

    Raises :class:`FileUnreadable` for a file that is no text.  A quotation mark that is opened and not closed costs
    the row it stands in, not the rest of the file.
    """
    found = detect(file)
    if found.damaged:
        problems.tell(name, "encoding_damaged", encoding=found.title)
    text = io.TextIOWrapper(file, encoding=found.codec, errors="replace", newline="")
    try:
        yield from _records(text, name, problems)
    finally:
        if not file.closed:  # a reader that stops in the middle may close the file before this ends
            text.detach()


def encoding_of(file: BinaryIO) -> Encoding:
    """What :func:`read_csv` would decode ``file`` with."""
    return detect(file)


def _records(text: io.TextIOWrapper, name: str, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    feed = _Feed(text)
    head = feed.peek()
    separator = _separator(head)
    if head.strip().lower().startswith("sep=") and len(head.strip()) == 5:
        separator = head.strip()[4]
        feed.drop()
    csv.field_size_limit(MAX_CELL)
    row, width = feed.dropped, 0
    reader = csv.reader(feed, delimiter=separator)
    while True:
        feed.begin()
        row += 1
        try:
            cells = next(reader, None)
        except csv.Error:
            problems.tell(name, "cell_too_long", row=row, limit=MAX_CELL)
            reader = csv.reader(feed, delimiter=separator)
            continue
        if cells is not None and _swallowed(feed, len(cells), width, separator):
            problems.tell(name, "quote_open", row=row)
            feed.give_back()
            reader = csv.reader(feed, delimiter=separator)
            continue
        if cells is None:
            return
        width = max(width, len(cells))
        if any(cell.strip(_BLANK) for cell in cells):
            yield row, [_as_shown(cell) for cell in cells]


def _as_shown(cell: str) -> str:
    """``="0012"`` and ``'0012``, which programs write so that Excel keeps the zeros, are 0012."""
    if cell[:1] not in ("=", "'"):
        return cell
    kept = _KEPT_TEXT.fullmatch(cell.strip())
    return cell if kept is None else kept[1] if kept[1] is not None else kept[2]


def _swallowed(feed: _Feed, cells: int, width: int, separator: str) -> bool:
    """Whether this row took lines that are rows of their own, because a quotation mark is not closed."""
    if feed.cut and feed.taken:
        return _open_quote(feed.taken, separator)
    if len(feed.taken) < 2 or cells >= width:
        return False
    return any(len(next(csv.reader([line], delimiter=separator), [])) == width for line in feed.taken[1:])


def _open_quote(lines: list[str], separator: str) -> bool:
    """Whether a quotation mark is still open after ``lines``."""
    try:
        list(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _separator(head: str) -> str:
    """The separator that occurs most often outside quotation marks in the first line."""
    outside = "".join(part for k, part in enumerate(head.split('"')) if k % 2 == 0)
    return max(_SEPARATORS, key=lambda s: (outside.count(s), -_SEPARATORS.index(s)))


class _Feed:
    """Lines for ``csv.reader``; those of the row at hand can be given back when it does not end."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._back: list[str] = []
        self.taken: list[str] = []
        self.cut = False
        self.dropped = 0

    def peek(self) -> str:
        line = self._text.readline(_MAX_LINE)
        self._back = [line] if line else []
        return line

    def drop(self) -> None:
        self._back.pop()
        self.dropped = 1

    def begin(self) -> None:
        self.taken = []
        self.cut = False

    def give_back(self) -> None:
        """All lines of this row but the first are to be read again."""
        self._back += self.taken[:0:-1]
        self.taken = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _MAX_LINES:
            self.cut = True
            raise StopIteration
        line = self._back.pop() if self._back else self._text.readline(_MAX_LINE)
        if not line:
            self.cut = True
            raise StopIteration
        self.taken.append(line)
        return line
