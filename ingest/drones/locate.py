"""A file of an aircraft's card becomes a place: footprint, centre, ground resolution, uncertainty, what is wrong.

Used by ``python -m app drone locate``, by uploads and by the map.  A file without a place is kept with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import YiwangError
from ingest.drones import picture_file
from ingest.drones.facts import Facts, of_picture
from ingest.drones.film_facts import facts_of
from ingest.drones.georeference import (
    EN,
    NoGroundInView,
    NoPosition,
    Pose,
    ground_offset,
    look,
    place,
    uncertainty,
)
from ingest.drones.lens import Camera
from ingest.drones.placed import Located, Place
from ingest.drones.problems import AttitudeUnknown, CameraUnknown, HeightUnknown, Note, note
from ingest.drones.turned import turned, upright

CONFIDENCE_95 = 2.448  # radius of 95 % of a plane normal distribution, in sigmas
ROOT_2 = math.sqrt(2)
_SWING = 1.5  # heights: beyond that the footprint's far end says nothing about its middle
FARTHEST = 5.0  # times the height: how far ahead a footprint with the horizon in it is drawn (standards/08 §6.2)
SHALLOW = -15.0  # degrees of pitch beyond which a point on the ground says little (standards/10 §4)
_TILT, _YAW, _YAW_RTK = 0.5, 2.0, 0.5  # degrees, one sigma
_BAROMETER, _TERRAIN, _LASER = 0.5, 2.0, 0.3  # m
_MOST_SPAN = 3.5  # hours by which a clock's zone may differ from the sun's


def locate(path: Path, ground_m: float | None = None, name: str = "") -> Located:
    """Never raises for what a file holds: every fault is a note.  ``name``: what its owner calls it."""
    name = name or path.name
    kind, facts, notes = "", None, list[Note]()
    try:
        head = picture_file.begin_of(path)
        kind = picture_file.kind_of(head)
        if not kind:
            raise picture_file.KindUnknown(file=name)
        if Path(name).suffix.lower() not in picture_file.ENDINGS[kind]:
            notes.append(note("wrong_extension", ending=Path(name).suffix, kind=kind))
        if kind in ("jpeg", "tiff"):
            facts = of_picture(picture_file.read_picture(path, kind))
        else:
            facts, more = facts_of(path, kind)
            notes += more
        notes += [note(code) for code in facts.problems]
        notes += _clock(facts)
        return Located(name, kind, facts, _place_of(facts, ground_m, notes), tuple(notes))
    except YiwangError as error:
        notes.append(Note(error.code, str(error)))
    except OSError as error:
        notes.append(Note("file_unreadable", f"{name} cannot be read: {error.strerror}"))
    return Located(name, kind, facts, None, tuple(notes))


def locate_all(paths: Sequence[Path], ground_m: float | None = None) -> list[Located]:
    """Every file in the order given; copies that a program has turned are found by their neighbours."""
    found = [locate(path, ground_m) for path in paths]
    for index in turned(paths, found):
        other = upright(found[index])
        notes = list[Note]()
        if other.facts is not None:
            found[index] = replace(other, place=_place_of(other.facts, ground_m, notes))
    return found


def _clock(facts: Facts) -> Iterator[Note]:
    """A zone that the sun contradicts: the camera's clock stands in the wrong zone."""
    zone = facts.taken.zone
    if (
        zone
        and facts.taken.source in ("utc", "receiver", "offset")
        and facts.lon is not None
        and facts.taken.warning is None
    ):
        hours = (int(zone[1:3]) + int(zone[4:6]) / 60) * (-1 if zone[0] == "-" else 1)
        apart = (hours - facts.lon / 15 + 12) % 24 - 12
        if abs(apart) > _MOST_SPAN:
            yield note("camera_clock_wrong", zone=zone)


def height_above_ground(facts: Facts, ground_m: float | None) -> tuple[float, float, str]:
    """Metres, their sigma, and by what: the stated ground, the laser, the height above take-off.

    ``ground_m`` is the ground's elevation in the pictures' own altitude system; a number nearer to nought than to the
    take-off point's elevation is a height above (or below) the take-off point.
    """
    rel, absolute = facts.rel_alt_m, facts.abs_alt_m
    if ground_m is not None:
        if rel is not None and (absolute is None or abs(ground_m) <= abs(ground_m - (absolute - rel))):
            return rel - ground_m, _BAROMETER, "ground"
        if absolute is not None:
            return absolute - ground_m, facts.sigma_z_m or 1.0, "ground"
    if facts.laser_m is not None and facts.attitude is not None and facts.attitude.pitch <= SHALLOW:
        return facts.laser_m * math.sin(math.radians(-facts.attitude.pitch)), _LASER, "laser"
    if rel is None:
        raise HeightUnknown()
    return rel, math.hypot(facts.sigma_z_m or _BAROMETER, _TERRAIN), "metadata"


def _place_of(facts: Facts, ground_m: float | None, notes: list[Note]) -> Place:
    if facts.lon is None or facts.lat is None:
        raise NoPosition()
    if facts.attitude is None:
        Pose(facts.lon, facts.lat, 1.0, 0.0, -90.0)  # a position out of range is told first
        raise AttitudeUnknown()
    height, sigma_h, method = height_above_ground(facts, ground_m)
    pose = Pose(facts.lon, facts.lat, height, facts.attitude.yaw, facts.attitude.pitch, facts.attitude.roll)
    if facts.camera is None:
        raise CameraUnknown(model=facts.model or "?")
    return place_of(facts.camera, pose, (facts.sigma_xy_m, sigma_h, facts.position_source), method, notes)


def place_of(camera: Camera, pose: Pose, sigmas: tuple[float, float, str], method: str, notes: list[Note]) -> Place:
    """The footprint, clipped where the horizon is in view; :class:`NoGroundInView` when there is nothing below it."""
    middle = ground_offset(camera, pose, camera.width / 2, camera.height / 2)
    corners = _outline(camera, pose)
    if len(corners) < 3:
        raise NoGroundInView()
    if middle is None or len(corners) != 4 or any(_beyond(camera, pose, c) for c in _edges(camera)):
        notes.append(note("horizon_in_view", metres=round(FARTHEST * pose.height_m)))
    if pose.pitch > SHALLOW:
        notes.append(note("shallow_angle", pitch=round(pose.pitch, 1)))
    if middle is None:
        middle = (sum(e for e, _ in corners) / len(corners), sum(n for _, n in corners) / len(corners))
    slant = math.hypot(*middle, pose.height_m)
    theta = math.atan2(math.hypot(*middle), pose.height_m)
    sigma_xy, sigma_h, source = sigmas
    yaw = _YAW_RTK if source == "rtk_fixed" else _YAW
    sure = uncertainty(pose.height_m, math.degrees(theta) - 90, sigma_xy, sigma_h, _TILT, yaw)
    reach = max(math.hypot(e - middle[0], n - middle[1]) for e, n in corners)
    swing = ROOT_2 * min(reach, _SWING * pose.height_m) * math.radians(yaw)
    bearing = math.degrees(math.atan2(*middle)) % 360 if math.hypot(*middle) > 0.01 else pose.yaw % 360
    radius = CONFIDENCE_95 * math.hypot(sure.sigma_along_m, sure.sigma_cross_m, swing) / ROOT_2
    return Place(
        tuple(place(pose, corner) for corner in corners), place(pose, middle), pose.height_m,
        100 * slant / camera.focal_px, radius,
        (sure.sigma_along_m, sure.sigma_cross_m, bearing), method,
    )  # fmt: skip


def _edges(camera: Camera) -> tuple[EN, ...]:
    return (0.0, 0.0), (camera.width, 0.0), (camera.width, camera.height), (0.0, camera.height)


def _margin(camera: Camera, pose: Pose, pixel: EN) -> float:
    """Positive where the ground is nearer than FARTHEST heights ahead of the camera."""
    north, east, down = look(camera, pose, *pixel)
    ahead_n, ahead_e, _ = look(camera, pose, camera.cx, camera.cy)
    level = math.hypot(ahead_n, ahead_e)
    ahead = (north * ahead_n + east * ahead_e) / level if level > 1e-9 else math.hypot(north, east)
    return down - max(ahead, 0.0) / FARTHEST


def _beyond(camera: Camera, pose: Pose, pixel: EN) -> bool:
    return _margin(camera, pose, pixel) < 0


def _outline(camera: Camera, pose: Pose) -> list[EN]:
    """Offsets of the corners in the picture's order; edges are cut where they leave what is drawn."""
    corners, found = _edges(camera), list[EN]()
    for here, there in zip(corners, (*corners[1:], corners[0]), strict=True):
        inside, next_inside = not _beyond(camera, pose, here), not _beyond(camera, pose, there)
        if inside:
            _add(found, camera, pose, here)
        if inside != next_inside:
            _add(found, camera, pose, _crossing(camera, pose, here, there, inside))
    return found


def _crossing(camera: Camera, pose: Pose, here: EN, there: EN, inside: bool) -> EN:
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        pixel = (here[0] + (there[0] - here[0]) * middle, here[1] + (there[1] - here[1]) * middle)
        if _beyond(camera, pose, pixel) == inside:
            high = middle
        else:
            low = middle
    at = low if inside else high
    return here[0] + (there[0] - here[0]) * at, here[1] + (there[1] - here[1]) * at


def _add(found: list[EN], camera: Camera, pose: Pose, pixel: EN) -> None:
    if (offset := ground_offset(camera, pose, *pixel)) is not None:
        found.append(offset)
