"""What pictures and videos say about themselves: XMP of DJI, EXIF times against UTC, SRT subtitles (standards/10 §3).

Numbers come with and without sign, as attributes or elements; names are read by name space, never by prefix alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import defusedxml.ElementTree as SafeXml

from core.errors import YiwangError

DJI = "{http://www.dji.com/drone-dji/1.0/}"
_FIXED, _SINGLE = 50, 16
_MOST = 4 << 20  # characters of a packet or a block that are looked at
_QUARTER = timedelta(minutes=15)
_CLOCK_WRONG = timedelta(minutes=3)


class MetadataInvalid(YiwangError):
    code = "metadata_invalid"
    message = "the metadata cannot be read: {detail}"
    remedy = "take the picture's EXIF, or place it by hand"


def dji_tags(xmp: str) -> dict[str, str]:
    """``name → text`` of the DJI name space, from attributes and elements alike."""
    try:
        root = SafeXml.fromstring(xmp[:_MOST])
    except Exception as error:  # noqa: BLE001 - the parser raises whatever broken XML and refused entities lead to
        raise MetadataInvalid(detail=type(error).__name__) from error
    found: dict[str, str] = {}
    for element in root.iter():
        if isinstance(element.tag, str) and element.tag.startswith(DJI) and (element.text or "").strip():
            found[element.tag.removeprefix(DJI)] = element.text.strip()
        for name, value in element.attrib.items():
            if name.startswith(DJI):
                found[name.removeprefix(DJI)] = value.strip()
    return found


def number(text: str | None) -> float | None:
    """``+43.87``, ``-12.30`` …; None for what is no finite number."""
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and value == value and abs(value) != float("inf") else None


def photo_position(tags: Mapping[str, str]) -> dict[str, Any]:
    """Position, heights, gimbal, how the position was found and how sure it is, focal length, time."""
    latitude, longitude = (
        _first(tags, *names) for names in (("GpsLatitude", "Latitude"), ("GpsLongitude", "GpsLongtitude"))
    )
    flag = number(tags.get("RtkFlag"))
    sigmas = [s for s in (number(tags.get("RtkStdLat")), number(tags.get("RtkStdLon"))) if s is not None]
    return {
        "lat": latitude, "lon": longitude, "abs_alt_m": number(tags.get("AbsoluteAltitude")),
        "abs_alt_ref": "rtk" if "rtk" in tags.get("AltitudeType", "").lower() else "gps",
        "rel_alt_m": number(tags.get("RelativeAltitude")),
        "gimbal": {axis.lower(): number(tags.get(f"Gimbal{axis}Degree")) for axis in ("Yaw", "Pitch", "Roll")},
        "flight_yaw": number(tags.get("FlightYawDegree")), "position_source": position_source(flag),
        "sigma_xy_m": max(sigmas, default=None), "sigma_z_m": number(tags.get("RtkStdHgt")),
        "focal_px": number(tags.get("CalibratedFocalLength")), "utc": _utc_text(tags.get("UTCAtExposure")),
    }  # fmt: skip


def _first(tags: Mapping[str, str], *names: str) -> float | None:
    return next((value for name in names if (value := number(tags.get(name))) is not None), None)


def position_source(flag: float | None) -> str:
    """RtkFlag: 50 fixed, 32–49 float, 16 single, anything else plain GNSS."""
    if flag == _FIXED:
        return "rtk_fixed"
    if flag is not None and 32 <= flag < _FIXED:
        return "rtk_float"
    return "single" if flag == _SINGLE else "gnss"


@dataclass(frozen=True, slots=True)
class TakenAt:
    """``utc`` as ISO text; ``zone`` as stated or inferred to the quarter hour; ``warning`` camera_clock_wrong."""

    utc: str | None
    zone: str | None
    warning: str | None


def taken_at(exif: Mapping[str, str | None], default_zone: str = "+08:00") -> TakenAt:
    """When a picture was taken: the UTC tag where there is one, else local time with its offset or the default."""
    local = _exif_time(exif.get("DateTimeOriginal"), exif.get("SubSecTimeOriginal"))
    exact = _moment(exif.get("UTCAtExposure"))
    offset = _zone(exif.get("OffsetTimeOriginal"))
    if exact is None:
        if local is None:
            return TakenAt(None, None, None)
        zone = offset or _zone(default_zone) or UTC
        return TakenAt(_utc(local.replace(tzinfo=zone)), _zone_text(zone), None)
    if local is None:
        return TakenAt(_utc(exact), _zone_text(offset) if offset else None, None)
    apart = local.replace(tzinfo=UTC) - exact
    steps = round(apart / _QUARTER)
    inferred = offset or (timezone(steps * _QUARTER) if abs(steps) <= 56 else UTC)
    wrong = abs(apart - (inferred.utcoffset(None) or timedelta())) > _CLOCK_WRONG
    return TakenAt(_utc(exact), _zone_text(inferred), "camera_clock_wrong" if wrong else None)


def _exif_time(text: str | None, fraction: str | None) -> datetime | None:
    try:
        found = datetime.strptime((text or "").strip(), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    digits = (fraction or "").strip()
    return found.replace(microsecond=int(digits.ljust(6, "0")[:6])) if digits.isascii() and digits.isdigit() else found


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _zone(text: str | None) -> timezone | None:
    match = re.fullmatch(r"([+-])([0-9]{2}):?([0-9]{2})", (text or "").strip())
    if not match or int(match[2]) > 14:
        return None
    span = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-span if match[1] == "-" else span)


def _zone_text(zone: timezone) -> str:
    minutes = round((zone.utcoffset(None) or timedelta()).total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _utc(moment: datetime) -> str:
    """ISO text with Z; a fraction of 0, 3 or 6 digits, as many as say something."""
    there = moment.astimezone(UTC)
    spec = "seconds" if not there.microsecond else "milliseconds" if there.microsecond % 1000 == 0 else "microseconds"
    return there.isoformat(timespec=spec).replace("+00:00", "Z")


def _utc_text(text: str | None) -> str | None:
    found = _moment(text)
    return _utc(found) if found else None


_BRACKET = re.compile(r"\[?\b(\w+)\s*:\s*([+-]?[0-9][0-9./]*)")
_STAMP = re.compile(
    r"([0-9]{4})[-.]([0-9]{2})[-.]([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{3})(?:,([0-9]{3}))?)?"
)
_GPS = re.compile(
    r"GPS ?\(\s*([+-]?[0-9]+(?:\.[0-9]*)?)\s*,\s*([+-]?[0-9]+(?:\.[0-9]*)?)"
    r"\s*(?:,\s*([+-]?[0-9]+(?:\.[0-9]*)?)M?\s*)?\)"
)
_HOME = re.compile(r"HOME ?\(\s*([+-]?[0-9]+(?:\.[0-9]*)?)\s*,\s*([+-]?[0-9]+(?:\.[0-9]*)?)")
_ANGLES = re.compile(
    r"([FG])\.PRY \(([+-]?[0-9]+(?:\.[0-9]*)?)°, ([+-]?[0-9]+(?:\.[0-9]*)?)°, ([+-]?[0-9]+(?:\.[0-9]*)?)°\)"
)
_HEIGHT = re.compile(r"(?:BAROMETER:|\bH )([+-]?[0-9]+(?:\.[0-9]*)?)")
_FNUMBER = re.compile(r"\bF(?:num:F?|/)([0-9]+(?:\.[0-9]*)?)", re.IGNORECASE)
_FRAME = re.compile(r"(?:FrameCnt|SrtCnt)\s*:\s*([0-9]+)")


def first_subtitle(text: str, zone: str = "+08:00") -> dict[str, Any]:
    """The values of an SRT file's first block, whatever generation wrote it.

    The third number in ``GPS(…)`` is the satellite count; of two numbers the one beyond ±90 is the longitude.
    """
    block = text[:_MOST].replace("\r", "").strip().split("\n\n")[0]
    named = {name.lower(): value for name, value in _BRACKET.findall(block)}
    found: dict[str, Any] = {"rel_alt_m": None, "abs_alt_m": None, "utc": _stamp(block, zone)}
    found |= _named(named)
    if (gps := _GPS.search(block)) is not None:
        found["lon"], found["lat"] = _ordered(float(gps[1]), float(gps[2]))
        if gps[3] is not None:
            found["satellites"] = int(float(gps[3]))
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


def _named(named: Mapping[str, str]) -> dict[str, Any]:
    """``[name: value]`` pairs; older generations write f-number and focal length times 100 and 10."""
    found: dict[str, Any] = {}
    old = "longtitude" in named or "altitude" in named
    pairs = {"latitude": "lat", "longitude": "lon", "longtitude": "lon", "rel_alt": "rel_alt_m", "abs_alt": "abs_alt_m",
             "altitude": "alt_unknown_ref_m"}  # fmt: skip
    for name, key in pairs.items():
        if (value := number(named.get(name))) is not None:
            found[key] = value
    if (aperture := number(named.get("fnum"))) is not None:
        found["fnumber"] = aperture / 100 if aperture >= 90 else aperture
    if (focal := number(named.get("focal_len"))) is not None:
        found["focal35_mm"] = focal / 10 if old else focal
    return found


def _ordered(first: float, second: float) -> tuple[float, float]:
    """(longitude, latitude): the value beyond ±90 is the longitude, else the first is."""
    return (second, first) if abs(second) > 90 >= abs(first) else (first, second)


def _stamp(block: str, zone: str) -> str | None:
    match = _STAMP.search(block)
    if match is None:
        return None
    micro = int((match[7] or "0").ljust(3, "0")) * 1000 + int(match[8] or 0)
    try:
        year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
        local = datetime(year, month, day, hour, minute, second, micro, tzinfo=_zone(zone) or UTC)
    except ValueError:
        return None
    return _utc(local)
