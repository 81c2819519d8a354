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
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*?)(/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_ATTRIBUTE = re.compile(rb'([\w:]+)\s*=\s*"([^"]*)"')
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
    rows: int = 0
    columns: int = 0


def flaws_of(archive: zipfile.ZipFile) -> dict[str, Flaws]:
    """The flaws of every sheet by its name; empty for workbooks of another kind (XLSB, ODS)."""
    names = set(archive.namelist())
    book = next((n for n in names if n.lower() == "xl/workbook.xml"), None)
    if book is None:
        return {}
    widths = _zero_formats(archive, names)
    found: dict[str, Flaws] = {}
    for title, part in _sheets(archive, book, names).items():
        flaws = found[title] = Flaws()
        for piece in _pieces(archive, part):
            for letters, number in _FILLED.findall(piece):
                flaws.rows = max(flaws.rows, int(number))
                flaws.columns = max(flaws.columns, _column(letters) + 1) if len(letters) > 1 else max(flaws.columns, 26)
            if widths or _WORTH.search(piece):
                for cell in _CELL.finditer(piece):
                    _look(dict(_ATTRIBUTE.findall(cell[1])), cell[3] or b"", widths, flaws)
        if flaws.rows * flaws.columns > MAX_CELLS:
            raise ValueError(f"sheet {title} spreads over {flaws.rows} rows and {flaws.columns} columns")
    return found


def _look(attributes: dict[bytes, bytes], content: bytes, widths: dict[bytes, int], flaws: Flaws) -> None:
    place = _REFERENCE.fullmatch(attributes.get(b"r", b""))
    if not place:
        return
    at = int(place[2]) - 1, _column(place[1])
    value = _VALUE.search(content)
    if attributes.get(b"t") == b"e":
        flaws.errors[at] = value[1].decode("ascii", "replace") if value else "#ERROR!"
    elif _FORMULA.search(content) and attributes.get(b"t") != b"str" and not (value and value[1]):
        flaws.errors[at] = ""
    elif attributes.get(b"s") in widths and attributes.get(b"t", b"n") == b"n" and value:
        flaws.padded[at] = widths[attributes[b"s"]]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _pieces(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The sheet's XML in pieces that end between two rows."""
    rest = b""
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE):
            rest += piece
            cut = rest.rfind(b"</row>")
            if cut < 0 and len(rest) < 16 * _PIECE:
                continue
            yield rest[:cut] if cut >= 0 else rest
            rest = rest[cut:] if cut >= 0 else b""
    yield rest


def _sheets(archive: zipfile.ZipFile, book: str, names: set[str]) -> dict[str, str]:
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
