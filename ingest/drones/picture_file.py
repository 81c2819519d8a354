"""What a picture's file holds, without decoding a pixel: size, EXIF, XMP packets, and what is wrong with it."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import YiwangError
from core.filekind import MAX_PIXELS
from ingest.drones import tiff

_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_END = b"\xff\xd9"
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MOST_SEGMENTS = 2000


class FileUnreadable(YiwangError):
    code = "file_unreadable"
    message = "{file} cannot be read: {detail}"
    remedy = "check that it is there and may be read"
    zh = "{file} 无法读取：{detail}"
    zh_remedy = "请检查文件是否存在、可否读取"


class KindUnknown(YiwangError):
    code = "kind_unknown"
    message = "{file} is no JPEG, DNG, MP4, MOV, SRT or KLV file"
    remedy = "send what the aircraft's card holds"
    zh = "{file} 不是 JPEG、DNG、MP4、MOV、SRT 或 KLV 文件"
    zh_remedy = "请发送飞行器存储卡上的文件"


class FileBroken(YiwangError):
    code = "file_broken"
    message = "{file} begins like {kind} but is cut short or damaged"
    remedy = "copy it from the card again"
    zh = "{file} 开头像 {kind}，但被截断或损坏"
    zh_remedy = "请从存储卡重新复制"


class FileEmpty(YiwangError):
    code = "file_empty"
    message = "{file} holds not one byte"
    remedy = "copy it from the card again"
    zh = "{file} 是空文件"
    zh_remedy = "请从存储卡重新复制"


@dataclass(frozen=True, slots=True)
class PictureFile:
    """``exif`` by tag name (:mod:`ingest.drones.tiff`), ``xmp`` packets as text, problem codes of the file itself."""

    width: int
    height: int
    exif: dict[str, Any]
    xmp: tuple[str, ...]
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    width: int = 0
    height: int = 0
    exif: bytes = b""
    xmp: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


KINDS = ("jpeg", "tiff", "film", "stream", "klv", "text")
ENDINGS = {
    "jpeg": {".jpg", ".jpeg", ".jpe"}, "tiff": {".dng", ".tif", ".tiff"}, "film": {".mp4", ".mov", ".m4v"},
    "stream": {".ts", ".mpg", ".mpeg", ".m2ts"}, "klv": {".klv", ".bin", ".ts"}, "text": {".srt"},
}  # fmt: skip
_SUBTITLE_HEAD = 4096


def kind_of(head: bytes) -> str:
    """Which of :data:`KINDS` the first bytes belong to; "" when none."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[:4] in (b"II*\0", b"MM\0*"):
        return "tiff"
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") and len(head) >= 12:
        return "film"
    if head[:1] == b"\x47" and (len(head) < 377 or head[188:189] == b"\x47" == head[376:377]):
        return "stream" if len(head) >= 188 else ""
    if head.startswith(b"\x06\x0e\x2b\x34"):
        return "klv"
    start = head[:_SUBTITLE_HEAD]
    return "text" if b"-->" in start and b"\0" not in start else ""


def begin_of(path: Path) -> bytes:
    """The first bytes; :class:`FileUnreadable` when there is no such file, :class:`FileEmpty` when it holds nothing."""
    try:
        with path.open("rb") as file:
            head = file.read(_SUBTITLE_HEAD)
    except OSError as error:
        raise FileUnreadable(file=path.name, detail=error.strerror or type(error).__name__) from error
    if not head:
        raise FileEmpty(file=path.name)
    return head


def read_picture(path: Path, kind: str) -> PictureFile:
    """A JPEG or a DNG; :class:`FileBroken` when it ends before its size is known."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        found = _jpeg(view) if kind == "jpeg" else _tiff(view)
    if found is None:
        raise FileBroken(file=path.name, kind="a JPEG" if kind == "jpeg" else "a TIFF")
    return found


def _tiff(view: mmap.mmap) -> PictureFile | None:
    exif = tiff.tags(lambda at, length: view[at : at + length])
    width, height = exif.get("ImageWidth"), exif.get("ImageHeight")
    if not (isinstance(width, int) and isinstance(height, int) and width and height):
        return None
    packet = exif.pop("XMP", b"")
    xmp = (packet.decode("utf-8", "replace"),) if isinstance(packet, bytes) and packet else ()
    return PictureFile(width, height, exif, xmp, _size_problem(width, height))


def _size_problem(width: int, height: int) -> tuple[str, ...]:
    return ("too_many_pixels",) if width * height > MAX_PIXELS else ()


def _jpeg(view: mmap.mmap) -> PictureFile | None:
    """Walk the markers up to the picture's data (ITU-T T.81 §B.1); a picture without an end is cut short."""
    found, at, size = _Found(), 2, len(view)
    for _ in range(_MOST_SEGMENTS):
        if at + 4 > size or view[at] != 0xFF:
            return None
        marker = view[at + 1]
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD7:
            at += 1 if marker == 0xFF else 2
            continue
        length = struct.unpack(">H", view[at + 2 : at + 4])[0]
        if length < 2 or at + 2 + length > size:
            return None
        _segment(found, marker, view[at + 4 : at + 2 + length])
        at += 2 + length
        if marker == 0xDA:
            break
    else:
        return None
    if not (found.width and found.height):
        return None
    if view.rfind(_END, at) < 0:  # a whole picture has it near the file's end
        found.problems.append("truncated")
    exif = tiff.tags(lambda start, count: found.exif[start : start + count]) if found.exif else {}
    problems = (*found.problems, *_size_problem(found.width, found.height))
    return PictureFile(found.width, found.height, exif, tuple(found.xmp), problems)


def _segment(found: _Found, marker: int, body: bytes) -> None:
    if marker == 0xE1 and body.startswith(_EXIF) and not found.exif:
        found.exif = body[len(_EXIF) :]
    elif marker == 0xE1 and body.startswith(_XMP):
        found.xmp.append(body[len(_XMP) :].decode("utf-8", "replace"))
    elif marker in _SIZES and len(body) >= 5 and not found.width:
        found.height, found.width = struct.unpack(">HH", body[1:5])
