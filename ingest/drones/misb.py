"""MISB ST 0601 local sets: the key-length-value telemetry of unmanned aircraft in MPEG-TS (standards/08 §6.3).

Checksum (tag 1): the 16-bit sum of everything from the key through the checksum's own tag and length, even bytes as
the high half.  A set with a wrong checksum is refused.  Integers that mean "out of range" are left out.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from core.errors import YiwangError

KEY = bytes.fromhex("060E2B34020B01010E01030101000000")
_MOST_TAGS = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ChecksumInvalid(YiwangError):
    code = "checksum"
    message = "the telemetry's checksum is {given}, the bytes sum to {computed}"
    remedy = "the packet was damaged on its way: wait for the next one"
    zh = "遥测校验值为 {given}，按字节计算为 {computed}"
    zh_remedy = "数据包途中损坏：请等下一个"


class SetInvalid(YiwangError):
    code = "klv_invalid"
    message = "this is no MISB ST 0601 set: {detail}"
    remedy = "send the data stream of the video as it is"
    zh = "这不是 MISB ST 0601 数据：{detail}"
    zh_remedy = "请按原样发送视频的数据流"


def _signed(span: float, bits: int) -> Callable[[bytes], float | None]:
    """±``span``/2 over the whole signed range; the lowest integer means "out of range"."""

    def read(raw: bytes) -> float | None:
        value = int.from_bytes(raw, "big", signed=True)
        return None if value == -(1 << (bits - 1)) else value * span / ((1 << bits) - 2)

    return read


def _unsigned(span: float, bits: int, offset: float = 0.0) -> Callable[[bytes], float | None]:
    return lambda raw: int.from_bytes(raw, "big") * span / ((1 << bits) - 1) + offset


_AXES = ("lat", "lon")
# tag → (name, bytes, reading)
TAGS: dict[int, tuple[str, int, Callable[[bytes], float | None]]] = {
    5: ("platform_heading", 2, _unsigned(360, 16)), 6: ("platform_pitch", 2, _signed(40, 16)),
    7: ("platform_roll", 2, _signed(100, 16)), 13: ("sensor_lat", 4, _signed(180, 32)),
    14: ("sensor_lon", 4, _signed(360, 32)), 15: ("sensor_alt_m", 2, _unsigned(19900, 16, -900)),
    16: ("hfov", 2, _unsigned(180, 16)), 17: ("vfov", 2, _unsigned(180, 16)),
    18: ("rel_azimuth", 4, _unsigned(360, 32)), 19: ("rel_elevation", 4, _signed(360, 32)),
    20: ("rel_roll", 4, _unsigned(360, 32)), 21: ("slant_range_m", 4, _unsigned(5_000_000, 32)),
    22: ("target_width_m", 2, _unsigned(10_000, 16)), 23: ("frame_centre_lat", 4, _signed(180, 32)),
    24: ("frame_centre_lon", 4, _signed(360, 32)), 25: ("frame_centre_elevation_m", 2, _unsigned(19900, 16, -900)),
    75: ("sensor_alt_ellipsoid_m", 2, _unsigned(19900, 16, -900)), 90: ("platform_pitch", 4, _signed(180, 32)),
    91: ("platform_roll", 4, _signed(180, 32)),
    **{26 + n: (f"corner_{_AXES[n % 2]}_offset_{n // 2 + 1}", 2, _signed(0.15, 16)) for n in range(8)},
    **{82 + n: (f"corner_{_AXES[n % 2]}_{n // 2 + 1}", 4, _signed(180 * (n % 2 + 1), 32)) for n in range(8)},
}  # fmt: skip
_TEXTS = {10: "platform", 11: "sensor", 3: "mission", 4: "tail_number"}


def sets(data: bytes) -> Iterator[dict[str, Any]]:
    """Every whole set with a right checksum in ``data``; what is between and what is damaged is passed over."""
    at = data.find(KEY)
    while at >= 0:
        with contextlib.suppress(YiwangError):
            yield decode(data[at:])
        at = data.find(KEY, at + len(KEY))


def decode(data: bytes) -> dict[str, Any]:
    """One set by names; :class:`SetInvalid` when cut short, :class:`ChecksumInvalid` when damaged."""
    if not data.startswith(KEY):
        raise SetInvalid(detail="the universal key is missing")
    length, at = _length(data, len(KEY))
    end = at + length
    if end > len(data):
        raise SetInvalid(detail=f"it holds {len(data) - at} of {length} bytes")
    found: dict[str, Any] = {}
    for _ in range(_MOST_TAGS):
        if at >= end:
            break
        tag, at = _oid(data, at)
        size, at = _length(data, at)
        raw = data[at : at + size]
        if at + size > end:
            raise SetInvalid(detail=f"tag {tag} is cut short")
        if tag == 1:
            _check(data[:at], raw)
        else:
            _take(found, tag, raw)
        at += size
    return _derived(found)


def _take(found: dict[str, Any], tag: int, raw: bytes) -> None:
    if tag == 2 and len(raw) == 8:
        moment = _EPOCH + timedelta(microseconds=min(struct.unpack(">Q", raw)[0], 1 << 52))
        spec = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
        found["utc"] = moment.isoformat(timespec=spec if moment.microsecond else "seconds").replace("+00:00", "Z")
    elif tag == 65 and raw:
        found["version"] = int.from_bytes(raw, "big")
    elif tag in _TEXTS:
        found[_TEXTS[tag]] = raw.decode("utf-8", "replace")[:127]
    elif (known := TAGS.get(tag)) is not None and len(raw) == known[1]:
        value = known[2](raw)
        if value is not None:
            found[known[0]] = value


def _derived(found: dict[str, Any]) -> dict[str, Any]:
    """The camera's azimuth against true north (its relative azimuth turns with the platform), full corners."""
    if "platform_heading" in found and "rel_azimuth" in found:
        found["camera_azimuth"] = (found["platform_heading"] + found["rel_azimuth"]) % 360
    if not found.get("sensor_lat") and not found.get("sensor_lon"):
        found["warning"] = "no_position"
    centre = found.get("frame_centre_lat"), found.get("frame_centre_lon")
    for number in range(1, 5):
        for axis, middle in zip(("lat", "lon"), centre, strict=True):
            offset = found.pop(f"corner_{axis}_offset_{number}", None)
            if offset is not None and middle is not None:
                found.setdefault(f"corner_{axis}_{number}", middle + offset)
    return found


def _check(before: bytes, raw: bytes) -> None:
    total = sum(byte << 8 if n % 2 == 0 else byte for n, byte in enumerate(before)) & 0xFFFF
    given = int.from_bytes(raw, "big")
    if len(raw) != 2 or given != total:
        raise ChecksumInvalid(given=f"{given:04X}", computed=f"{total:04X}")


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A BER length and where its value begins."""
    if at >= len(data):
        raise SetInvalid(detail="a length is missing")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    count = first & 0x7F
    if not 0 < count <= 4 or at + 1 + count > len(data):
        raise SetInvalid(detail="a length is broken")
    return int.from_bytes(data[at + 1 : at + 1 + count], "big"), at + 1 + count


def _oid(data: bytes, at: int) -> tuple[int, int]:
    """A BER-OID tag and where its length begins."""
    tag = 0
    for _ in range(4):
        if at >= len(data):
            raise SetInvalid(detail="a tag is missing")
        byte = data[at]
        tag, at = tag << 7 | byte & 0x7F, at + 1
        if byte < 0x80:
            return tag, at
    raise SetInvalid(detail="a tag is too long")
