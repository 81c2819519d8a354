"""What an archive is that may be an office document, told by what lies in it.

Office Open XML (ECMA-376 part 2, §10.1) names its parts in ``[Content_Types].xml``; OFD (GB/T 33190-2016) begins at
``OFD.xml``.  Nothing is unfolded except the list of content types, up to :data:`MAX_LIST_BYTES`.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import BinaryIO

from core.records import Record

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OFD = "application/ofd"
PDF = "application/pdf"
SUFFIXES = {PDF: ".pdf", DOCX: ".docx", XLSX: ".xlsx", OFD: ".ofd"}  # the documents that a case takes

MAX_ARCHIVE_BYTES = 128 << 20  # a larger archive is no office document here
MAX_INDEX_BYTES = 2 << 20  # the archive's own list of parts
MAX_PARTS = 10_000
MAX_UNFOLDED_BYTES = 512 << 20  # of all parts together, as declared
MAX_LIST_BYTES = 1 << 20
_TYPES, _OFD_ROOT = "[content_types].xml", "ofd.xml"
_MAINS = {
    b"wordprocessingml.document.main+xml": DOCX,
    b"spreadsheetml.sheet.main+xml": XLSX,
}
_CONTENT_TYPE = re.compile(rb"""ContentType\s*=\s*["']([^"']{1,300})["']""")
_END = b"PK\x05\x06"


class Inside(Record, frozen=True):
    """``media_type`` of an office document, "" for any other archive; ``problem``: broken, bomb, encrypted, macros."""

    media_type: str = ""
    problem: str = ""


def look_inside(file: BinaryIO, size: int) -> Inside:
    """What the archive in the seekable ``file`` of ``size`` bytes is."""
    if size > MAX_ARCHIVE_BYTES:
        return Inside()
    index = _index_bytes(file, size)
    if index is None:
        return Inside(problem="broken")
    if index > MAX_INDEX_BYTES:
        return Inside(problem="bomb")
    try:
        with zipfile.ZipFile(file) as archive:
            return _told(archive)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, OSError, EOFError):
        return Inside(problem="broken")


def _index_bytes(file: BinaryIO, size: int) -> int | None:
    """How long the archive says that its list of parts is; None without an end record or with one of 64 bits."""
    file.seek(max(0, size - 65_557))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22 or tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        return None
    return int.from_bytes(tail[at + 12 : at + 16], "little")


def _told(archive: zipfile.ZipFile) -> Inside:
    parts = archive.infolist()
    names = [part.filename.replace("\\", "/").lower() for part in parts]
    office, ofd = names.count(_TYPES), names.count(_OFD_ROOT)
    if not office and not ofd:
        return Inside()
    if office + ofd > 1:
        return Inside(problem="broken")  # two readers could see two documents
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNFOLDED_BYTES:
        return Inside(problem="bomb")
    if any(part.flag_bits & 1 for part in parts):
        return Inside(problem="encrypted")
    if any(name.rsplit("/", 1)[-1].startswith("vbaproject") for name in names):
        return Inside(problem="macros")
    return Inside(media_type=OFD) if ofd else _by_content_types(archive, parts[names.index(_TYPES)])


def _by_content_types(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Inside:
    with archive.open(part) as stream:
        listed = stream.read(MAX_LIST_BYTES + 1)
    if len(listed) > MAX_LIST_BYTES:
        return Inside(problem="bomb")
    listed = listed.replace(b"\0", b"")  # UTF-16 as well
    low = listed.lower()
    if b"macro" in low or b"vbaproject" in low or b"&#" in low or b"<!" in low.replace(b"<!--", b""):
        return Inside(problem="macros")  # or a type written so that it cannot be read plainly
    found = {_main(kind) for kind in _CONTENT_TYPE.findall(listed)} - {""}
    return Inside(media_type=found.pop()) if len(found) == 1 else Inside(problem="" if not found else "broken")


def _main(kind: bytes) -> str:
    return next((media_type for end, media_type in _MAINS.items() if kind.endswith(end)), "")
