"""Telemetry in DJI's SRT subtitles: every generation of them (standards/10 §3.1).

The third number in ``GPS(…)`` is the satellite count; the Matrice 300 writes the latitude first and a height with an M.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ingest.drones.metadata import number, utc_text, zone_of

MOST = 64 << 20  # characters of a file that are looked at: an hour at 60 lines a second
_NUMBER = r"[+-]?[0-9]+(?:\.[0-9]*)?"
_BRACKET = re.compile(r"\[?\b(\w+)\s*:\s*([+-]?[0-9][0-9./]*)")
_STAMP = re.compile(
    r"([0-9]{4})[-.]([0-9]{1,2})[-.]([0-9]{1,2}) ([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{3})(?:,([0-9]{3}))?)?"
)
_TIMES = re.compile(
    r"([0-9]+):([0-9]{2}):([0-9]{2})[,.]([0-9]{1,3})\s*-->\s*([0-9]+):([0-9]{2}):([0-9]{2})[,.]([0-9]{1,3})"
)
_GPS = re.compile(rf"GPS ?\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*(?:,\s*({_NUMBER})(M?)\s*)?\)")
_HOME = re.compile(rf"HOME ?\(\s*({_NUMBER})\s*,\s*({_NUMBER})")
_ANGLES = re.compile(rf"([FG])\.PRY \(({_NUMBER})°, ({_NUMBER})°, ({_NUMBER})°\)")
_HEIGHT = re.compile(rf"(?:BAROMETER:|\bHb:|\bH )({_NUMBER})")
_FNUMBER = re.compile(r"\b(?:F(?:num:F?|/)|IR:F)([0-9]+(?:\.[0-9]*)?)", re.IGNORECASE)
_FRAME = re.compile(r"(?:FrameCnt|SrtCnt)\s*:\s*([0-9]+)")
_BLANK = re.compile(r"\n[ \t]*\n")
_PAIRS = {
    "latitude": "lat", "longitude": "lon", "longtitude": "lon", "rel_alt": "rel_alt_m", "abs_alt": "abs_alt_m",
    "altitude": "alt_unknown_ref_m", "gb_yaw": "gimbal_yaw", "gb_pitch": "gimbal_pitch", "gb_roll": "gimbal_roll",
}  # fmt: skip


def blocks(text: str) -> Iterator[str]:
    """The blocks of a file; byte order mark, CRLF and empty ends do not count."""
    at, clean = 0, text[:MOST].lstrip("\ufeff").replace("\r", "")
    for gap in _BLANK.finditer(clean):
        if block := clean[at : gap.start()].strip():
            yield block
        at = gap.end()
    if block := clean[at:].strip():
        yield block


def first_subtitle(text: str, zone: str = "+08:00") -> dict[str, Any]:
    """The values of the file's first block, whatever generation wrote it."""
    return values(next(blocks(text), ""), zone)


def first_place(text: str, zone: str = "+08:00") -> dict[str, Any] | None:
    """The values of the first block that says where the aircraft is; None when none does."""
    for block in blocks(text):
        found = values(block, zone)
        if found.get("lat") is not None and found.get("lon") is not None:
            return found
    return None


def span(text: str) -> float | None:
    """Seconds from the file's begin to the end of its last block; None without times."""
    ends = [seconds(found.groups()[4:]) for found in _TIMES.finditer(text[:MOST])]
    return max(ends, default=None)


def seconds(parts: tuple[str, ...]) -> float:
    """Seconds of hours, minutes, seconds and thousandths."""
    hours, minutes, whole, part = parts
    return int(hours) * 3600 + int(minutes) * 60 + int(whole) + int(part.ljust(3, "0")) / 1000


def values(block: str, zone: str = "+08:00") -> dict[str, Any]:
    """The values of one block."""
    found: dict[str, Any] = {"rel_alt_m": None, "abs_alt_m": None, "utc": _stamp(block, zone)}
    found |= _named({name.lower(): value for name, value in _BRACKET.findall(block)})
    found |= _gps(block)
    if found.get("lat") == 0 and found.get("lon") == 0:
        found |= {"lat": None, "lon": None, "warning": "no_position"}
    if (home := _HOME.search(block)) is not None:
        found["home"] = list(_ordered(float(home[1]), float(home[2])))
    if (height := _HEIGHT.search(block)) is not None:
        found["rel_alt_m"] = float(height[1])
    if (aperture := _FNUMBER.search(block)) is not None and "fnumber" not in found:
        found["fnumber"] = float(aperture[1])
    if (frame := _FRAME.search(block)) is not None:
        found["frame"] = int(frame[1])
    for which, pitch, roll, yaw in _ANGLES.findall(block):
        name = "flight" if which == "F" else "gimbal"
        found |= {f"{name}_pitch": float(pitch), f"{name}_roll": float(roll), f"{name}_yaw": float(yaw)}
    return found


def _gps(block: str) -> dict[str, Any]:
    gps = _GPS.search(block)
    if gps is None:
        return {}
    first, second = float(gps[1]), float(gps[2])
    if gps[4]:  # Matrice 300: latitude, longitude, metres
        lat, lon = (first, second) if abs(first) <= 90 else (second, first)
        return {"lon": lon, "lat": lat}
    lon, lat = _ordered(first, second)
    return {"lon": lon, "lat": lat} | ({} if gps[3] is None else {"satellites": int(float(gps[3]))})


def _named(named: Mapping[str, str]) -> dict[str, Any]:
    """``[name: value]`` pairs; older generations write f-number and focal length times 100 and 10."""
    found: dict[str, Any] = {}
    old = "longtitude" in named or "altitude" in named
    for name, key in _PAIRS.items():
        if (value := number(named.get(name))) is not None:
            found[key] = value
    if (aperture := number(named.get("fnum"))) is not None:
        found["fnumber"] = aperture / 100 if aperture >= 90 else aperture
    if (focal := number(named.get("focal_len"))) is not None:
        found["focal35_mm"] = focal / 10 if old else focal
    if (zoom := number(named.get("dzoom_ratio"))) is not None and zoom > 0:
        found["digital_zoom"] = zoom / 10000 if zoom >= 1000 else zoom
    if "lat" in found and "lon" in found and _in_radians(found["lat"], found["lon"]):
        found["lat"], found["lon"] = math.degrees(found["lat"]), math.degrees(found["lon"])
    return found


def _in_radians(lat: float, lon: float) -> bool:
    """Some firmware wrote radians; read as degrees all such places lie at sea off West Africa."""
    return 0 < abs(lat) <= math.pi / 2 and 0 < abs(lon) <= math.pi


def _ordered(first: float, second: float) -> tuple[float, float]:
    """(longitude, latitude): the value beyond ±90 is the longitude, else the first is."""
    return (second, first) if abs(second) > 90 >= abs(first) else (first, second)


def _stamp(block: str, zone: str) -> str | None:
    match = _STAMP.search(block)
    if match is None:
        return None
    micro = int((match[7] or "0").ljust(3, "0")) * 1000 + int(match[8] or 0)
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    return utc_text(year, month, day, hour, minute, second, micro, zone_of(zone))
