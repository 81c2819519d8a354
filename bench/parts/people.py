"""People as a district's export has them: a CSV and a workbook with Chinese headings, generated."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from core.sealing import Seal
from records.registers.definition import shipped_registers
from records.registers.generating import rows

COMMUNITIES = [
    (f"220105{street:03d}{community:03d}", 125.3 + community * 0.004, 43.8 + street * 0.01)
    for street in range(1, 13)
    for community in range(1, 9)
]
SEAL = Seal("a key for measurements only")


def table(wanted: int) -> Iterator[list[str]]:
    """The head and ``wanted`` people."""
    register = shipped_registers()["person"]
    titles = {field.name: field.zh for field in register.fields}
    names = [name for name in titles if name not in ("remark", "work", "education")]
    yield [titles[name] for name in names]
    for values in rows(register, COMMUNITIES, wanted):
        yield [str(values.get(name, "")) for name in names]


def people_csv(wanted: int) -> bytes:
    """As a text table in UTF-8."""
    out = io.StringIO()
    csv.writer(out).writerows(table(wanted))
    return out.getvalue().encode("utf-8-sig")


def write_people_xlsx(path: Path, wanted: int) -> None:
    """As a workbook; written by hand, row after row, as the shared texts of 370,000 people would fill the memory."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in _PARTS.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' + text)
        texts: dict[str, int] = {}
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            for number, cells in enumerate(table(wanted), 1):
                line = "".join(
                    f'<c r="{chr(65 + k)}{number}" t="s"><v>{texts.setdefault(cell, len(texts))}</v></c>'
                    for k, cell in enumerate(cells)
                )
                sheet.write(f'<row r="{number}">{line}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as shared:
            shared.write(f'<sst xmlns="{_MAIN}" uniqueCount="{len(texts)}">'.encode())
            for text in texts:
                shared.write(f"<si><t>{escape(text)}</t></si>".encode())
            shared.write(b"</sst>")


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="people" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
}
