"""Tags of a TIFF directory: EXIF in a JPEG's APP1, DNG files (TIFF 6.0 §2, EXIF 3.0 §4.6, DNG 1.7).

Only the tags that place a picture are read.  Offsets that lead outside the file, circles and broken counts end the
directory, never the program: what was read so far stands.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

Read = Callable[[int, int], bytes]  # (offset, length) → bytes, fewer at the end of the file
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I"}
_MOST_ENTRIES, _MOST_BYTES, _MOST_XMP = 1000, 4096, 4 << 20

MAIN = {
    0x0100: "ImageWidth", 0x0101: "ImageHeight", 0x010F: "Make", 0x0110: "Model", 0x0112: "Orientation",
    0x014A: "SubIFDs", 0x02BC: "XMP", 0x8769: "ExifIFD", 0x8825: "GPSIFD", 0x0132: "DateTime", 0xC612: "DNGVersion",
    0xC62F: "CameraSerialNumber", 0x00FE: "SubfileType",
}  # fmt: skip
EXIF = {
    0x9003: "DateTimeOriginal", 0x9004: "CreateDate", 0x9291: "SubSecTimeOriginal", 0x9010: "OffsetTime",
    0x9011: "OffsetTimeOriginal", 0x920A: "FocalLength", 0xA405: "FocalLengthIn35mm", 0xA002: "ExifImageWidth",
    0xA003: "ExifImageHeight", 0xA20E: "FocalPlaneXResolution", 0xA210: "FocalPlaneResolutionUnit",
    0xA404: "DigitalZoomRatio", 0xA431: "BodySerialNumber",
}  # fmt: skip
GPS = {
    1: "GPSLatitudeRef", 2: "GPSLatitude", 3: "GPSLongitudeRef", 4: "GPSLongitude", 5: "GPSAltitudeRef",
    6: "GPSAltitude", 7: "GPSTimeStamp", 16: "GPSImgDirectionRef", 17: "GPSImgDirection", 29: "GPSDateStamp",
    31: "GPSHPositioningError",
}  # fmt: skip


def tags(read: Read) -> dict[str, Any]:
    """Tags by name, of the first directory with its EXIF, GPS and sub-directories; {} for what is no TIFF."""
    head = read(0, 8)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8 or struct.unpack(order + "H", head[2:4])[0] != 42:
        return {}
    seen: set[int] = set()
    found = _directory(read, order, struct.unpack(order + "I", head[4:8])[0], MAIN, seen)
    for pointer, names in (("ExifIFD", EXIF), ("GPSIFD", GPS)):
        if isinstance(at := found.pop(pointer, None), int):
            found |= _directory(read, order, at, names, seen)
    subs = found.pop("SubIFDs", ())
    for at in subs if isinstance(subs, tuple) else (subs,):
        if isinstance(at, int):
            _larger(found, _directory(read, order, at, MAIN, seen))
    return found


def _larger(found: dict[str, Any], sub: dict[str, Any]) -> None:
    """A DNG's first directory is a preview: the picture's size is that of the largest directory."""
    there, here = _size(sub), _size(found)
    if there is not None and (here is None or there > here):
        found["ImageWidth"], found["ImageHeight"] = there


def _size(directory: dict[str, Any]) -> tuple[int, int] | None:
    width, height = directory.get("ImageWidth"), directory.get("ImageHeight")
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None


def _directory(read: Read, order: str, at: int, names: dict[int, str], seen: set[int]) -> dict[str, Any]:
    count_bytes = read(at, 2)
    if at in seen or len(count_bytes) < 2:
        return {}
    seen.add(at)
    count = min(struct.unpack(order + "H", count_bytes)[0], _MOST_ENTRIES)
    entries = read(at + 2, count * 12)
    found: dict[str, Any] = {}
    for start in range(0, len(entries) - 11, 12):
        tag, kind, number = struct.unpack(order + "HHI", entries[start : start + 8])
        name = names.get(tag)
        if name is None or kind not in _SIZES or name in found:
            continue
        size = _SIZES[kind] * number
        if size > (_MOST_XMP if name == "XMP" else _MOST_BYTES):
            continue
        raw = entries[start + 8 : start + 8 + size]
        if size > 4:
            raw = read(struct.unpack(order + "I", entries[start + 8 : start + 12])[0], size)
        if len(raw) == size and number:
            found[name] = _value(order, kind, number, raw)
    return found


def _value(order: str, kind: int, number: int, raw: bytes) -> Any:
    """A text, a number, bytes or a tuple of numbers; a fraction over nought is None."""
    if kind == 2:
        return raw.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
    if kind == 7:
        return raw
    if kind in (5, 10):
        parts = struct.unpack(order + ("II" if kind == 5 else "ii") * number, raw)
        many = tuple(top / bottom if bottom else None for top, bottom in zip(parts[::2], parts[1::2], strict=True))
    else:
        many = struct.unpack(order + _CODES[kind] * number, raw)
        if kind == 1 and number > 16:
            return raw
    return many[0] if number == 1 else many
