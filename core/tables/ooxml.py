"""What is in an XLSX file and in no reader's answer: error cells, formulas without a result, zeros by format.

Sheets are scanned piece by piece with patterns (no XML tree of a large sheet is built); ECMA-376 part 1, 18.3.1.4.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

_PIECE = 1 << 20
_LARGE = 16 << 20  # bytes of a sheet's XML from which on it is read row after row
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*?)(/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
ATTRIBUTE = re.compile(rb'([\w:]+)\s*=\s*"([^"]*)"')
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)<")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_REFERENCE = re.compile(rb"([A-Z]{1,3})(\d{1,7})")
_FILLED = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>/]*>')
MAX_CELLS = 20_000_000  # of the rectangle around all values: one lonely cell at XFD1048576 would need 17 milliards
_WORTH = re.compile(rb'\st\s*=\s*"e"|<(?:\w+:)?f[\s>/]')


@dataclass
class Flaws:
    """By (row, column) from 0: errors (empty text: a formula without a result) and the width zeros are shown to."""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    padded: dict[tuple[int, int], int] = field(default_factory=dict)


def flaws_of(archive: zipfile.ZipFile) -> dict[str, Flaws]:
    """The flaws of every sheet by its name; empty for workbooks of another kind (XLSB, ODS)."""
    names = set(archive.namelist())
    book = next((n for n in names if n.lower() == "xl/workbook.xml"), None)
    if book is None:
        return {}
    widths = _zero_formats(archive, names)
    found: dict[str, Flaws] = {}
    for title, part in sheets_of(archive, book, names).items():
        flaws = found[title] = Flaws()
        for piece in pieces(archive, part):
            if widths or _WORTH.search(piece):
                for cell in _CELL.finditer(piece):
                    _look(dict(ATTRIBUTE.findall(cell[1])), cell[3] or b"", widths, flaws)
    return found


def is_large(archive: zipfile.ZipFile) -> bool:
    """Whether a sheet is long, or a lonely cell lies far out, so that no reader should hold its whole rectangle."""
    names = set(archive.namelist())
    book = next((n for n in names if n.lower() == "xl/workbook.xml"), None)
    if book is None:
        return False
    parts = [*sheets_of(archive, book, names).values()]
    if any(archive.getinfo(part).file_size > _LARGE for part in parts):
        return True
    for part in parts:
        rows = columns = 0
        for piece in pieces(archive, part):
            for letters, number in _FILLED.findall(piece):
                rows = max(rows, int(number))
                columns = max(columns, column_of(letters) + 1) if len(letters) > 1 else max(columns, 26)
        if rows * columns > MAX_CELLS:
            return True
    return False


def book_parts(archive: zipfile.ZipFile) -> tuple[list[tuple[str, bool, str]], bool]:
    """``([(sheet title, hidden, part)], whether days are counted from 1904)``."""
    from defusedxml.ElementTree import fromstring

    names = set(archive.namelist())
    book = next(n for n in names if n.lower() == "xl/workbook.xml")
    parts, hidden, mac = sheets_of(archive, book, names), set[str](), False
    for element in fromstring(archive.read(book)).iter():
        tag = element.tag.rsplit("}", 1)[-1]
        if tag == "sheet" and element.get("state", "visible") != "visible":
            hidden.add(element.get("name", ""))
        elif tag == "workbookPr":
            mac = element.get("date1904", "0") in ("1", "true")
    return [(title, title in hidden, part) for title, part in parts.items() if "chartsheet" not in part], mac


def number_formats(archive: zipfile.ZipFile) -> dict[bytes, tuple[int, str]]:
    """Index of each cell style → ``(number of its format, its code if it has one of its own)``."""
    from defusedxml.ElementTree import fromstring

    if "xl/styles.xml" not in archive.namelist():
        return {}
    codes: dict[str, str] = {}
    found: dict[bytes, tuple[int, str]] = {}
    for element in fromstring(archive.read("xl/styles.xml")).iter():
        tag = element.tag.rsplit("}", 1)[-1]
        if tag == "numFmt":
            codes[element.get("numFmtId", "")] = element.get("formatCode", "")
        elif tag == "cellXfs":
            for index, style in enumerate(element):
                number = style.get("numFmtId", "0")
                found[str(index).encode()] = (int(number) if number.isdigit() else 0, codes.get(number, ""))
    return found


def _look(attributes: dict[bytes, bytes], content: bytes, widths: dict[bytes, int], flaws: Flaws) -> None:
    place = _REFERENCE.fullmatch(attributes.get(b"r", b""))
    if not place:
        return
    at = int(place[2]) - 1, column_of(place[1])
    value = _VALUE.search(content)
    if attributes.get(b"t") == b"e":
        flaws.errors[at] = value[1].decode("ascii", "replace") if value else "#ERROR!"
    elif _FORMULA.search(content) and attributes.get(b"t") != b"str" and not (value and value[1]):
        flaws.errors[at] = ""
    elif attributes.get(b"s") in widths and attributes.get(b"t", b"n") == b"n" and value:
        flaws.padded[at] = widths[attributes[b"s"]]


def column_of(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def pieces(archive: zipfile.ZipFile, part: str, end: bytes = b"</row>") -> Iterator[bytes]:
    """The part's XML in pieces that end before an ``end``-tag's next element: between two rows, or two texts."""
    rest = b""
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE):
            rest += piece
            cut = rest.rfind(end)
            if cut < 0 and len(rest) < 16 * _PIECE:
                continue
            cut = cut + len(end) if cut >= 0 else len(rest)
            yield rest[:cut]
            rest = rest[cut:]
    yield rest


def sheets_of(archive: zipfile.ZipFile, book: str, names: set[str]) -> dict[str, str]:
    """Sheet title → its part in the archive."""
    from defusedxml.ElementTree import fromstring

    relations = posixpath.join(posixpath.dirname(book), "_rels", posixpath.basename(book) + ".rels")
    if relations not in names:
        return {}
    targets = {r.get("Id"): r.get("Target", "") for r in fromstring(archive.read(relations))}
    found = {}
    for element in fromstring(archive.read(book)).iter():
        if element.tag.rsplit("}", 1)[-1] != "sheet":
            continue
        key = next((v for k, v in element.attrib.items() if k.endswith("}id")), None)
        target = targets.get(key, "")
        part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
        if part in names:
            found[element.get("name", "")] = part
    return found


def _zero_formats(archive: zipfile.ZipFile, names: set[str]) -> dict[bytes, int]:
    """Index of each cell style whose format is zeros only → how many."""
    from defusedxml.ElementTree import fromstring

    if "xl/styles.xml" not in names:
        return {}
    tree = fromstring(archive.read("xl/styles.xml"))
    codes: dict[str, int] = {}
    styles: dict[bytes, int] = {}
    for element in tree.iter():
        if element.tag.endswith("}numFmt") and re.fullmatch("0{2,}", element.get("formatCode", "")):
            codes[element.get("numFmtId", "")] = len(element.get("formatCode", ""))
        elif element.tag.endswith("}cellXfs"):
            for index, style in enumerate(element):
                if style.get("numFmtId") in codes:
                    styles[str(index).encode()] = codes[style.get("numFmtId", "")]
    return styles
