"""In which encoding a text file is: UTF-8 with and without mark, UTF-16, GB18030 (which includes GBK and GB 2312).

The whole file is looked at, a megabyte at a time: the first Chinese character may stand at the very end.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from core.tables.problem import FileUnreadable

_BLOCK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF8_CHAR = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
_CHINESE_UTF8 = re.compile(rb"[\xe3-\xe9\xef][\x80-\xbf]{2}")


@dataclass(frozen=True)
class Encoding:
    """``codec`` as Python names it, ``title`` as people know it; ``damaged``: some bytes do not decode."""

    codec: str
    title: str
    damaged: bool = False


def detect(file: BinaryIO) -> Encoding:
    """The encoding of ``file``, read from its beginning; it is left there again.

    A file that is UTF-8 up to a few spoilt bytes stays UTF-8: GB18030 would decode it all into nonsense.
    """
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return _checked(file, codec, codec.removesuffix("-sig").upper())
    wide = _utf16_without_mark(head)
    if wide:
        return _checked(file, wide, "UTF-16")
    if b"\0" in head:
        raise FileUnreadable("binary")
    return codec_of(file)


def codec_of(file: BinaryIO, *, before: bytes = b"", prefer_gb: bool = False) -> Encoding:
    """UTF-8 or GB18030, by the bytes of ``file`` from where it stands (``before``: bytes that belong to it too).

    ``prefer_gb``: bytes that are both (联通 in GBK is UTF-8 as well) are GB18030, because the file says so.
    """
    if prefer_gb and not _decodes(file, "ascii", before) and _decodes(file, "gb18030", before):
        return Encoding("gb18030", "GB18030")
    for codec, title in (("utf-8", "UTF-8"), ("gb18030", "GB18030")):
        if codec == "gb18030" and _is_spoilt_utf8(file, before):
            return Encoding("utf-8", "UTF-8", damaged=True)
        if _decodes(file, codec, before):
            return Encoding(codec, title)
    return Encoding("gb18030", "GB18030", damaged=True)


def decode(data: bytes) -> tuple[str, Encoding]:
    """``data`` as text by :func:`detect`; what does not decode becomes U+FFFD."""
    import io

    found = detect(io.BytesIO(data))
    return data.decode(found.codec, errors="replace"), found


def _checked(file: BinaryIO, codec: str, title: str) -> Encoding:
    return Encoding(codec, title, damaged=not _decodes(file, codec))


def _utf16_without_mark(head: bytes) -> str:
    """UTF-16 without a mark: commas and line ends have a zero on one side only."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half < 4 or max(even, odd) < 0.1 * half or min(even, odd) > 0.01 * half:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _blocks(file: BinaryIO, before: bytes = b"") -> Iterator[bytes]:
    """What is in ``file`` from here; it is left where it stood."""
    start = file.tell()
    try:
        if before:
            yield before
        while block := file.read(_BLOCK):
            yield block
    finally:
        file.seek(start)


def _decodes(file: BinaryIO, codec: str, before: bytes = b"") -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        for block in _blocks(file, before):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _is_spoilt_utf8(file: BinaryIO, before: bytes = b"") -> bool:
    """Whether the bytes above ASCII are UTF-8 but for a few, or half of the lines that have such are Chinese in UTF-8.

    Lines of another encoding (a table put together from two) cost themselves, not those that are right.
    """
    high = whole = 0
    lines = right = 0
    for block in _blocks(file, before):
        high += len(_HIGH.findall(block))
        whole += sum(map(len, _UTF8_CHAR.findall(block)))
        for line in block.splitlines():
            if not line.isascii():
                lines += 1
                right += bool(_CHINESE_UTF8.search(line)) and _is_utf8(line)
    return high > 0 and (whole >= 0.9 * high or right >= 0.5 * lines)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
