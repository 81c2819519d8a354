"""What a file is, told by its content: never by its name or by what the sender says.

Many kinds begin alike.  HEIC, AVIF, M4A, Canon raw and MP4 all start with an ISO base media ``ftyp`` box (ISO/IEC
14496-12 §4.3): the brands in it tell them apart, and whether there is a video track is read from the track handlers.
A picture's size in pixels is read from its header: a few bytes that would unfold to gigabytes are never decoded.
"""

from __future__ import annotations

import codecs
import struct
from typing import BinaryIO, Literal

from core.errors import InputInvalid
from core.officefile import XLSX, look_inside
from core.records import Record

MAX_PIXELS = 150_000_000  # more than any phone or survey camera takes; a decoded picture stays below 0.5 GB
HEAD_BYTES = 65_536
TRANSPORT_STREAM, KLV = "video/mp2t", "application/x-klv"
_MAX_BOXES = 20_000
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF = {b"avif", b"avis"}
_AUDIO = {b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "}
_PICTURE = {b"mif1", b"mif2", b"msf1", b"miaf", b"jxl ", b"crx "}
_QUICKTIME = {b"qt  "}
_VIDEO = (
    b"iso", b"mp4", b"avc", b"hvc", b"hev", b"M4V", b"3gp", b"3g2", b"dash", b"cmf", b"mmp", b"MSNV", b"XAVC", b"f4v",
)  # fmt: skip
_WAYS = {
    "image/heic": "set the camera to JPEG (iPhone: Settings, Camera, Formats, Most Compatible)",
    "image/avif": "send the picture as JPEG",
    "image/jxl": "send the picture as JPEG",
    "image/x-raw": "send the picture as JPEG",
    "image/gif": "send the picture as JPEG or PNG",
    "image/svg+xml": "send the drawing as PNG or PDF",
    "audio/mp4": "send a picture or a video; sound alone is not taken",
}


class FileKind(Record, frozen=True, omit_defaults=False):
    """``media_type`` by content; ``kind`` as evidence knows it; ``width`` and ``height`` in pixels where known."""

    media_type: str
    kind: Literal["photo", "clip", "document", "table", "archive"]
    width: int = 0
    height: int = 0


    @property
    def evidence(self) -> Literal["photo", "clip", "document"]:
        """How evidence files call it."""
        return self.kind if self.kind in ("photo", "clip") else "document"


class FileRefused(InputInvalid):
    """``media_type`` says what the file is, "" when nothing known; ``reason`` is a code for pages."""

    code = "file_refused"
    message = "{field} {detail}"
    remedy = "{how}"
    zh = "{field} {detail}"
    zh_remedy = "{how}"


def refused(media_type: str, reason: str, detail: str, how: str = "") -> FileRefused:
    """The typed refusal of a file."""
    return FileRefused(
        field="file", media_type=media_type, reason=reason, detail=detail,
        how=how or _WAYS.get(media_type, "send JPEG, PNG, WebP, MP4, WebM or PDF"),
    )  # fmt: skip


def recognise(file: BinaryIO) -> FileKind:
    """The kind of a seekable file; :class:`FileRefused` for what is not taken, is cut short or would unfold too far."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    size = file.seek(0, 2)
    if not head:
        raise refused("", "empty", "is empty")
    if head.startswith(b"\xff\xd8\xff"):
        return _photo("image/jpeg", *_jpeg_size(file, size))
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        if len(head) < 24 or head[12:16] != b"IHDR":
            raise _broken("image/png")
        return _photo("image/png", *struct.unpack(">II", head[16:24]))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _photo("image/webp", *_webp_size(head))
    if head.startswith(b"%PDF-"):
        return FileKind(media_type="application/pdf", kind="document")
    if head[4:8] == b"ftyp":
        return _media_file(file, head, size)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        if b"webm" in head[:64]:
            return FileKind(media_type="video/webm", kind="clip")
        raise refused("video/x-matroska", "kind", "is a Matroska film", "send MP4 or WebM")
    if head.startswith(b"PK\x03\x04"):
        return _archive(file, head, size)
    return _other(head)


def _other(head: bytes) -> FileKind:
    """Geographic pictures and tables; then what is known and not taken."""
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return FileKind(media_type="image/tiff", kind="photo")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        detail = "is an Office file of the old kind, or one with a password"
        raise refused("application/x-ole-storage", "kind", detail, "save it without a password as docx, xlsx or PDF")
    if head[:1] == b"\x47" and head[188:189] == b"\x47" == head[376:377]:  # packets of ISO/IEC 13818-1 §2.4.3.2
        return FileKind(media_type=TRANSPORT_STREAM, kind="clip")
    if head.startswith(b"\x06\x0e\x2b\x34"):  # a universal label of SMPTE ST 336
        return FileKind(media_type=KLV, kind="document")
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"gif87a", b"gif89a")):
        raise refused("image/gif", "kind", "is a GIF")
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        raise refused("image/jxl", "kind", "is JPEG XL")
    if start.startswith((b"<svg", b"<?xml", b"<!doctype", b"<html", b"<script")):
        svg = b"<svg" in head[:4096].lower()
        raise refused("image/svg+xml" if svg else "text/html", "kind", "is a text with markup, not a picture")
    if _is_text(head):
        return FileKind(media_type="text/csv", kind="table")
    raise refused("", "unknown", "is of no kind that is known here")


_INSIDE = {
    "macros": ("holds macros", "save it without macros, as docx or xlsx"),
    "bomb": ("would unfold too far", "send the document itself, with smaller pictures"),
    "encrypted": ("is encrypted", "save it without a password"),
    "broken": ("is cut short or damaged", "open it, save it anew and send it again"),
}


def _archive(file: BinaryIO, head: bytes, size: int) -> FileKind:
    """An office document by what lies in it, else any archive."""
    inside = look_inside(file, size)
    looks_like_sheet = b"[Content_Types].xml" in head and b"xl/" in head
    if inside.problem and not (inside.problem == "broken" and b"[Content_Types].xml" not in head):
        raise refused("application/zip", inside.problem, *_INSIDE[inside.problem])
    if inside.media_type == XLSX or (looks_like_sheet and not inside.media_type):
        return FileKind(media_type=XLSX, kind="table")
    if inside.media_type:
        return FileKind(media_type=inside.media_type, kind="document")
    return FileKind(media_type="application/zip", kind="archive")


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(head, final=False)
        except UnicodeDecodeError:
            continue
        return all(byte >= 32 or byte in b"\t\r\n\f" for byte in head[:4096])
    return False


def _broken(media_type: str) -> FileRefused:
    return refused(media_type, "broken", f"begins like {media_type} but is cut short or damaged", "send it again")


def _photo(media_type: str, width: int, height: int) -> FileKind:
    if not (width and height):
        raise _broken(media_type)
    if width * height > MAX_PIXELS:
        how = f"send at most {MAX_PIXELS // 10**6} megapixels"
        raise refused(media_type, "too_many_pixels", f"has {width} × {height} pixels", how)
    return FileKind(media_type=media_type, kind="photo", width=width, height=height)


def _jpeg_size(file: BinaryIO, size: int) -> tuple[int, int]:
    """Width and height from the frame header (ITU-T T.81 §B.2.2); markers are walked, thumbnails are skipped."""
    at = 2
    for _ in range(2000):
        file.seek(at)
        head = file.read(9)
        if len(head) < 4 or head[0] != 0xFF:
            break
        marker = head[1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in (0xD9, 0xDA):
            break
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if len(head) < 9:
                break
            height, width = struct.unpack(">HH", head[5:9])
            return width, height
        at += 2 if 0xD0 <= marker <= 0xD8 or marker == 0x01 else 2 + struct.unpack(">H", head[2:4])[0]
        if at >= size:
            break
    return 0, 0


def _webp_size(head: bytes) -> tuple[int, int]:
    """Width and height of the three kinds of WebP (RFC 9649 §2)."""
    kind = head[12:16]
    if kind == b"VP8X" and len(head) >= 30:
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if kind == b"VP8 " and len(head) >= 30 and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(head) >= 25 and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


def _brands(head: bytes) -> list[bytes]:
    length = min(struct.unpack(">I", head[:4])[0], len(head))
    body = head[8:length]
    return [body[:4], *(body[i : i + 4] for i in range(8, len(body) - 3, 4))]


def _media_file(file: BinaryIO, head: bytes, size: int) -> FileKind:
    """An ISO base media file: by its major brand, then its compatible ones, then its tracks."""
    brands = _brands(head)
    major = brands[0]
    if major in _AVIF or (major in _PICTURE and _AVIF & set(brands)):
        raise refused("image/avif", "kind", "is an AVIF picture")
    if major in _HEIF or major in _PICTURE:
        named = {b"jxl ": "image/jxl", b"crx ": "image/x-raw"}.get(major, "image/heic")
        raise refused(named, "kind", "is a HEIC picture" if named == "image/heic" else f"is {named}")
    if major in _AUDIO:
        raise refused("audio/mp4", "kind", "is a sound recording (M4A)")
    if major not in _QUICKTIME and not any(b.startswith(_VIDEO) for b in brands):
        shown = major.decode("latin-1").strip()
        raise refused("", "brand", f"has the brand {shown!r}, which is not known here", "send MP4")
    tracks = _tracks(file, size)
    if b"vide" in tracks:
        quick = major in _QUICKTIME
        return FileKind(media_type="video/quicktime" if quick else "video/mp4", kind="clip")
    if b"soun" in tracks:
        raise refused("audio/mp4", "kind", "holds sound and no picture")
    if b"pict" in tracks:
        raise refused("image/heic", "kind", "is a picture in an MP4 container (HEIC or AVIF)")
    raise _broken("video/mp4")


def _tracks(file: BinaryIO, size: int) -> set[bytes]:
    """Handler types of the file's tracks: moov/trak/mdia/hdlr, and meta/hdlr of a picture."""
    found: set[bytes] = set()
    budget = [_MAX_BOXES]
    _walk(file, 0, size, (), found, budget)
    return found


def _walk(file: BinaryIO, at: int, end: int, path: tuple[bytes, ...], found: set[bytes], budget: list[int]) -> None:
    while at + 8 <= end and budget[0] > 0:
        budget[0] -= 1
        file.seek(at)
        head = file.read(24)
        length, name = struct.unpack(">I4s", head[:8])
        body = 8
        if length == 1 and len(head) >= 16:
            length, body = struct.unpack(">Q", head[8:16])[0], 16
        elif length == 0:
            length = end - at
        if length < body or at + length > end:
            return  # cut short
        here = (*path, name)
        if here in ((b"moov",), (b"moov", b"trak"), (b"moov", b"trak", b"mdia")):
            _walk(file, at + body, at + length, here, found, budget)
        elif name == b"hdlr" and path == (b"moov", b"trak", b"mdia"):
            found.add(head[body + 8 : body + 12] if body == 8 else b"")
        elif here == (b"meta",):
            file.seek(at + body)
            if b"pict" in file.read(64):
                found.add(b"pict")
        at += length
