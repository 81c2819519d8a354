"""An issued document as docx (ECMA-376): title, paragraphs, number, seal line, the same bytes every time."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def docx_of(content: Mapping[str, Any]) -> bytes:
    """``content`` as the effect ``issue`` seals it: title, paragraphs, number, case, date, seal."""
    seal = content.get("seal")
    lines = [
        _line(content.get("title"), "center", bold=True), _line(content.get("number"), "center"),
        *(_line(text) for text in content.get("paragraphs") or ()),
        *([_line(seal, "right")] if seal else []), _line(content.get("date"), "right"),
    ]  # fmt: skip
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{_MAIN}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" Type="{_OFFICE}" '
        'Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body>{"".join(lines)}</w:body></w:document>',
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), (_HEAD + text).encode(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _line(text: Any, side: str = "left", *, bold: bool = False) -> str:
    plain = escape(_NOT_XML.sub("", str(text or "")))
    weight = "<w:rPr><w:b/></w:rPr>" if bold else ""
    return f'<w:p><w:pPr><w:jc w:val="{side}"/></w:pPr><w:r>{weight}<w:t xml:space="preserve">{plain}</w:t></w:r></w:p>'
