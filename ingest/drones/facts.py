"""What a picture's tags say, whoever built the aircraft: place, heights, attitude, camera, how sure, when."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from ingest.drones import metadata
from ingest.drones.lens import SENSOR_WIDTHS, Camera, Distortion, focal_pixels, focal_pixels_35
from ingest.drones.metadata import TakenAt, number
from ingest.drones.picture_file import PictureFile
from ingest.drones.xmp import Tags, tags

_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}  # EXIF 3.0, FocalPlaneResolutionUnit
_SAME_SIZE = 0.03  # relative: a calibrated width that differs by less is this picture's
_ZOOM_DIFFERS = 1.25  # a calibrated focal length that EXIF contradicts by more is another lens's
_SIGMA_XY = {"rtk_fixed": 0.03, "rtk_float": 0.5, "single": 1.5, "gnss": 1.5}  # m, standards/10 §4
_SIGMA_Z = {"rtk_fixed": 0.06, "rtk_float": 1.0}
_PIX4D_MOST = 10.0  # degrees behind the nadir that a Pix4D pitch can show; Autel writes 0 ahead, −90 down


@dataclass(frozen=True, slots=True)
class Attitude:
    """Degrees as :mod:`ingest.drones.georeference` takes them."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True)
class Facts:
    """Degrees and metres; None for what nobody said.  ``problems`` are codes."""

    lon: float | None
    lat: float | None
    rel_alt_m: float | None
    abs_alt_m: float | None
    attitude: Attitude | None
    camera: Camera | None
    model: str
    serial: str
    taken: TakenAt
    position_source: str
    sigma_xy_m: float
    sigma_z_m: float | None
    laser_m: float | None
    width: int
    height: int
    problems: tuple[str, ...] = ()
    resaved: bool = False  # written anew by a program: its size is not the one that EXIF states


def of_picture(file: PictureFile) -> Facts:
    """The facts of a picture from its EXIF and XMP."""
    found, exif = tags(file.xmp), file.exif
    dji = metadata.photo_position(found)
    lon, lat = _place(found, exif)
    source = "gnss" if dji["position_source"] == "gnss" else dji["position_source"]
    sigma = dji["sigma_xy_m"] or _positive(found, "Camera:GPSXYAccuracy") or _real(exif.get("GPSHPositioningError"))
    attitude, unknown = _attitude(found, str(exif.get("Make", "")))
    problems = [*file.problems, *(["xmp_damaged"] if found.broken else []), *unknown]
    taken = metadata.taken_at({**exif, "UTCAtExposure": found.get("UTCAtExposure")})
    if taken.warning:
        problems.append(taken.warning)
    return Facts(
        lon=lon, lat=lat, rel_alt_m=_first(found, "RelativeAltitude"), abs_alt_m=_height(found, exif),
        attitude=attitude, camera=camera(file, found), model=_model(exif, found), serial=_serial(exif, found),
        taken=taken, position_source=source, sigma_xy_m=sigma or _SIGMA_XY[source],
        sigma_z_m=dji["sigma_z_m"] or _SIGMA_Z.get(source), laser_m=_positive(found, "LRFTargetDistance"),
        width=file.width, height=file.height, problems=tuple(problems),
        resaved=_real(exif.get("ExifImageWidth")) not in (None, file.width),
    )  # fmt: skip


def _real(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _first(found: Mapping[str, str], *names: str) -> float | None:
    return next((value for name in names if (value := number(found.get(name))) is not None), None)


def _positive(found: Mapping[str, str], *names: str) -> float | None:
    value = _first(found, *names)
    return value if value is not None and value > 0 else None


def _place(found: Tags, exif: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """XMP's position, which has more digits, else EXIF's; 0/0 is none."""
    lat = _first(found, "GpsLatitude", "Latitude", "GPSLatitude")
    lon = _first(found, "GpsLongitude", "GpsLongtitude", "Longitude", "GPSLongitude")
    if lat is None or lon is None or (lat == 0 and lon == 0):
        lat = _degrees(exif.get("GPSLatitude"), exif.get("GPSLatitudeRef"), "S")
        lon = _degrees(exif.get("GPSLongitude"), exif.get("GPSLongitudeRef"), "W")
    if lat is None or lon is None or (lat == 0 and lon == 0):
        return None, None
    return lon, lat


def _degrees(parts: Any, side: Any, negative: str) -> float | None:
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    known = [float(part) for part in takewhile(lambda part: isinstance(part, int | float), parts)]
    if not known or any(isinstance(part, int | float) for part in parts[len(known) :]):
        return None
    if len(known) < 3 and known[-1].is_integer():
        return None  # minutes or seconds over nought after a whole number: within a kilometre or two, no place
    value = float(sum(part / 60**power for power, part in enumerate(known)))
    return -value if isinstance(side, str) and side.upper().startswith(negative) else value


def _height(found: Tags, exif: Mapping[str, Any]) -> float | None:
    stated = _first(found, "AbsoluteAltitude")
    value = exif.get("GPSAltitude")
    if stated is not None or not isinstance(value, int | float):
        return stated
    below = exif.get("GPSAltitudeRef") in (1, b"\x01")
    return -float(value) if below else float(value)


def _attitude(found: Tags, make: str) -> tuple[Attitude | None, list[str]]:
    """Yaw, pitch, roll of the camera; a gimbal of three noughts on a turned aircraft says nothing."""
    for yaw, pitch, roll in (
        ("GimbalYawDegree", "GimbalPitchDegree", "GimbalRollDegree"),
        ("CameraYawDegree", "CameraPitchDegree", "CameraRollDegree"),
        ("CameraOrientationNED.Yaw", "CameraOrientationNED.Pitch", "CameraOrientationNED.Roll"),
        ("CameraOrientationNEDYaw", "CameraOrientationNEDPitch", "CameraOrientationNEDRoll"),
    ):
        angles = (_first(found, yaw), _first(found, pitch), _first(found, roll))
        if angles[0] is None or angles[1] is None:
            continue
        if angles[0] == angles[1] == 0 and not angles[2] and _first(found, "FlightYawDegree"):
            return None, ["attitude_all_zero"]
        return Attitude(angles[0], angles[1], angles[2] or 0.0), []
    yaw_, pitch_ = _first(found, "Camera:Yaw"), _first(found, "Camera:Pitch")
    if yaw_ is None or pitch_ is None:
        return None, []
    roll_ = _first(found, "Camera:Roll") or 0.0
    if make.lower().startswith("autel") and pitch_ < -_PIX4D_MOST:
        return Attitude(yaw_, pitch_, roll_), []
    return Attitude(yaw_, pitch_ - 90, -roll_ if make.lower().startswith("sensefly") else roll_), []


def camera(file: PictureFile, found: Mapping[str, str]) -> Camera | None:
    """From the calibration in pixels, else the focal plane, the sensor's width, the 35 mm equivalent."""
    width, height = file.width, file.height
    stated = _stated_focal(file)
    dewarp = _dewarp(file, found)
    if dewarp is not None:
        return dewarp
    calibrated = _positive(found, "CalibratedFocalLength", "CalibratedFocalLength.X")
    if calibrated is not None:
        centre = _calibrated_centre(file, found)
        scale = _scale(file, max(centre) if centre else None)
        focal = _zoomed(calibrated * scale, _real(file.exif.get("DigitalZoomRatio")) or 1.0, stated)
        differs = max(focal, stated) / min(focal, stated) if stated else 1.0
        if not (differs > _ZOOM_DIFFERS and "zoom" in found.get("ImageSource", "").lower()):
            return Camera(width, height, focal, *_middle(file, centre, scale))
    return None if stated is None else Camera(width, height, stated, width / 2, height / 2)


def _calibrated_centre(file: PictureFile, found: Mapping[str, str]) -> tuple[float, float] | None:
    """The calibrated principal point in the full picture's pixels, as the file's pixels lie: a copy on its side has
    its sides exchanged."""
    cx = _positive(found, "CalibratedOpticalCenterX", "CalibratedOpticalCenter.X")
    cy = _positive(found, "CalibratedOpticalCenterY", "CalibratedOpticalCenter.Y")
    if cx is None:
        return None
    other = cy or cx * file.height / file.width
    return (other, cx) if (cx > other) != (file.width >= file.height) else (cx, other)


def _middle(file: PictureFile, centre: tuple[float, float] | None, scale: float) -> tuple[float, float]:
    if centre is None:
        return file.width / 2, file.height / 2
    return centre[0] * scale, centre[1] * scale


def _zoomed(calibrated: float, zoom: float, stated: float | None) -> float:
    """A calibration is that of the lens: digital zoom multiplies it, unless EXIF says that it is in it already."""
    if zoom <= 1 or stated is None:
        return calibrated * max(zoom, 1.0)
    return min((calibrated, calibrated * zoom), key=lambda focal: abs(math.log(focal / stated)))


def _scale(file: PictureFile, centre: float | None) -> float:
    """Actual over nominal long side: calibrations are for the full size, files may have been resized."""
    actual = max(file.width, file.height)
    nominal = 2 * centre if centre else _full_size(file)
    if nominal is None or abs(nominal - actual) / actual < _SAME_SIZE:
        return 1.0
    return actual / nominal


def _full_size(file: PictureFile) -> float | None:
    """The long side that EXIF states for the picture as it was taken."""
    sides = [side for name in ("ExifImageWidth", "ExifImageHeight") if (side := _real(file.exif.get(name)))]
    return max(sides, default=None)


def _stated_focal(file: PictureFile) -> float | None:
    """Pixels by EXIF; a resized file's focal plane resolution is that of the full size.

    Sensors are measured along their long side, whichever way a picture lies.
    """
    exif, side = file.exif, max(file.width, file.height)
    millimetres, zoom = _real(exif.get("FocalLength")), _real(exif.get("DigitalZoomRatio")) or 1.0
    full = _full_size(file) or side
    per_unit = _real(exif.get("FocalPlaneXResolution"))
    unit = _UNIT_MM.get(exif.get("FocalPlaneResolutionUnit", 2))
    if millimetres and per_unit and unit:
        return millimetres / unit * per_unit * side / full * zoom
    sensor = SENSOR_WIDTHS.get(str(exif.get("Model", "")).strip().upper())
    if millimetres and sensor:
        return focal_pixels(side, millimetres, sensor, zoom)
    equivalent = _real(exif.get("FocalLengthIn35mm"))
    return focal_pixels_35(file.width, file.height, equivalent, zoom) if equivalent else None


def _dewarp(file: PictureFile, found: Mapping[str, str]) -> Camera | None:
    """``date;fx,fy,cx,cy,k1,k2,p1,p2,k3`` of a picture that is not yet dewarped; cx, cy count from the middle."""
    numbers = [number(part) for part in found.get("DewarpData", "").rpartition(";")[2].split(",")]
    values = [value for value in numbers if value is not None]
    if len(values) != 9 or len(numbers) != 9 or values[0] <= 0 or found.get("DewarpFlag", "0").strip("+ ") == "1":
        return None
    stated = _calibrated_centre(file, found)
    scale = _scale(file, max(stated) if stated else None)
    k1, k2, p1, p2, k3 = values[4:]
    centre = file.width / 2 + values[2] * scale, file.height / 2 + values[3] * scale
    return Camera(file.width, file.height, values[0] * scale, *centre, Distortion(k1, k2, p1, p2, k3))


def _model(exif: Mapping[str, Any], found: Tags) -> str:
    make, model = (str(exif.get(name, "")).strip("\0 ") for name in ("Make", "Model"))
    name = model if model.lower().startswith(make.lower()) else f"{make} {model}"
    return (name.strip() or found.get("DroneModel", ""))[:80]


def _serial(exif: Mapping[str, Any], found: Tags) -> str:
    given = found.get("DroneSerialNumber") or found.get("CameraSerialNumber") or exif.get("BodySerialNumber")
    return str(given or exif.get("CameraSerialNumber") or "")[:80]
