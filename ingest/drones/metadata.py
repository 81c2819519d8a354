"""What pictures say about themselves: XMP of DJI, EXIF times against UTC (standards/10 §3).

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
_CLOCK_WRONG = timedelta(minutes=2)


class MetadataInvalid(YiwangError):
    code = "metadata_invalid"
    message = "the metadata cannot be read: {detail}"
    remedy = "take the picture's EXIF, or place it by hand"
    zh = "元数据读不出：{detail}"
    zh_remedy = "请用照片的 EXIF，或手工放置"


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
    nowhere = not latitude and not longitude  # 0/0 is no place
    if nowhere:
        latitude = longitude = None
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
        "warning": "no_position" if nowhere else None,
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
    """``utc`` as ISO text; ``zone`` as stated or inferred to the quarter hour; ``warning`` camera_clock_wrong.

    ``source``: utc (a UTC tag), receiver (its clock told the zone), offset (EXIF states the zone), assumed, or "".
    """

    utc: str | None
    zone: str | None
    warning: str | None
    source: str = ""


def taken_at(exif: Mapping[str, Any], default_zone: str = "+08:00") -> TakenAt:
    """When a picture was taken: the UTC tag where there is one, else local time with its offset or the default.

    The receiver's own clock (``GPSDateStamp``, ``GPSTimeStamp``) may lag the exposure by seconds: it tells the zone,
    and the moment only where there is no local time or the camera's clock is wrong.
    """
    local = _exif_time(exif.get("DateTimeOriginal"), exif.get("SubSecTimeOriginal"))
    stated = _moment(exif.get("UTCAtExposure"))
    exact = stated or _receiver_time(exif.get("GPSDateStamp"), exif.get("GPSTimeStamp"))
    offset = _zone(exif.get("OffsetTimeOriginal") or exif.get("OffsetTime"))
    if exact is None:
        if local is None:
            return TakenAt(None, None, None)
        zone = offset or _zone(default_zone) or UTC
        return TakenAt(_utc(local.replace(tzinfo=zone)), _zone_text(zone), None, "offset" if offset else "assumed")
    by = "utc" if stated else "receiver"
    if local is None:
        return TakenAt(_utc(exact), _zone_text(offset) if offset else None, None, by)
    apart = local.replace(tzinfo=UTC) - exact
    steps = round(apart / _QUARTER)
    inferred = offset or (timezone(steps * _QUARTER) if abs(steps) <= 56 else UTC)
    if abs(apart - (inferred.utcoffset(None) or timedelta())) > _CLOCK_WRONG:
        return TakenAt(_utc(exact), _zone_text(inferred), "camera_clock_wrong", by)
    return TakenAt(_utc(exact if stated else local.replace(tzinfo=inferred)), _zone_text(inferred), None, by)


def _receiver_time(day: Any, clock: Any) -> datetime | None:
    parts = clock.split(":") if isinstance(clock, str) else clock
    numbers = [number(str(part)) for part in parts] if isinstance(parts, tuple | list) else []
    try:
        date = datetime.strptime(str(day).strip().replace("-", ":"), "%Y:%m:%d").replace(tzinfo=UTC)
        hours, minutes, seconds = (float(n) for n in numbers if n is not None)
        return date + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):
        return None


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


def zone_of(text: str) -> timezone:
    """``+08:00`` as a time zone; UTC for what is none."""
    return _zone(text) or UTC


def utc_text(
    year: int, month: int, day: int, hour: int, minute: int, second: int, micro: int, zone: timezone
) -> str | None:
    """A local time as ISO text in UTC; None when the calendar has no such moment."""
    try:
        return _utc(datetime(year, month, day, hour, minute, second, micro, tzinfo=zone))
    except (ValueError, OverflowError):
        return None
