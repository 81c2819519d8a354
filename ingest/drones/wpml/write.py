"""Writes a route file: ``wpmz/template.kml`` and ``wpmz/waylines.wpml`` in a ZIP (standards/10 §2).

``<Point>`` is longitude, latitude; heights are above the take-off point.  A photo at every waypoint, or along ``legs``
one every so many metres; the case's number goes into the pictures' names, so that what comes back finds its case.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from xml.sax.saxutils import escape

from core.errors import InputInvalid
from ingest.drones.wpml.check import REQUIRED, Route, faults

KML, WPML = "http://www.opengis.net/kml/2.2", "http://www.dji.com/wpmz/1.0.2"
_SUFFIX = re.compile(r"[^A-Za-z0-9_-]")
_EPOCH = (2026, 1, 1, 0, 0, 0)  # of the ZIP's entries: the same flight is the same file


@dataclass(frozen=True, slots=True)
class Stop:
    """A waypoint with a photo: degrees, metres above take-off, heading −180…180 from north, gimbal pitch."""

    lon: float
    lat: float
    height_m: float
    heading: float
    pitch: float = -90.0


@dataclass(frozen=True, slots=True)
class Flight:
    """What a route needs besides its waypoints; ``label`` ends in the pictures' names.

    ``legs``: (first, last) waypoint of each line along which a photo is taken every ``every_m`` metres; without legs a
    photo is taken at every waypoint.
    """

    stops: Sequence[Stop]
    drone: int = 77
    drone_sub: int = 0
    payload: int = 66
    speed_ms: float = 8.0
    takeoff_height_m: float = 30.0
    label: str = ""
    gateway: str = "rc"
    legs: tuple[tuple[int, int], ...] = ()
    every_m: float = 0.0


def kmz(flight: Flight) -> bytes:
    """The file's bytes; :class:`core.errors.InputInvalid` with every fault of a route that would be refused."""
    wrong = faults(_route(flight))
    if not 0 < flight.speed_ms <= 15:
        wrong.append("speed_out_of_range")
    if flight.legs and not 0 < flight.every_m < 1000:
        wrong.append("photo_distance_out_of_range")
    if wrong:
        raise InputInvalid(field="route", detail=", ".join(wrong), how="correct what is named")
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in zip(REQUIRED, (_document(flight, False), _document(flight, True)), strict=True):
            archive.writestr(zipfile.ZipInfo(f"wpmz/{name}", _EPOCH), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _route(flight: Flight) -> Route:
    count = len(flight.stops)
    return Route(
        [f"wpmz/{name}" for name in REQUIRED], flight.gateway, flight.takeoff_height_m, flight.drone, flight.payload,
        "relativeToStartPoint", list(range(count)), flight.legs or [[n, n] for n in range(count)],
    )  # fmt: skip


def _tags(**values: object) -> str:
    return "".join(f"<wpml:{name}>{escape(str(value))}</wpml:{name}>" for name, value in values.items())


def _document(flight: Flight, flown: bool) -> str:
    """The template (editable) or the wayline (what is flown): they share the mission and the waypoints."""
    drone = f"<wpml:droneInfo>{_tags(droneEnumValue=flight.drone, droneSubEnumValue=flight.drone_sub)}</wpml:droneInfo>"
    payload = _tags(payloadEnumValue=flight.payload, payloadPositionIndex=0)
    mission = _tags(
        flyToWaylineMode="safely", finishAction="goHome", exitOnRCLost="executeLostAction",
        executeRCLostAction="goBack", takeOffSecurityHeight=_number(flight.takeoff_height_m),
        globalTransitionalSpeed=_number(flight.speed_ms), globalRTHHeight=_number(_highest(flight)),
    )  # fmt: skip
    inner = f"{mission}{drone}<wpml:payloadInfo>{payload}</wpml:payloadInfo>"
    folder = _folder(flight, flown)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="{KML}" xmlns:wpml="{WPML}"><Document>'
        f"<wpml:missionConfig>{inner}</wpml:missionConfig><Folder>{folder}</Folder></Document></kml>\n"
    )


def _highest(flight: Flight) -> float:
    return max(flight.takeoff_height_m, *(stop.height_m for stop in flight.stops))


def _folder(flight: Flight, flown: bool) -> str:
    speed = _tags(autoFlightSpeed=_number(flight.speed_ms))
    if flown:
        head = _tags(templateId=0, waylineId=0, executeHeightMode="relativeToStartPoint") + speed
    else:
        system = _tags(coordinateMode="WGS84", heightMode="relativeToStartPoint")
        head = _tags(templateType="waypoint", templateId=0) + speed
        head += f"<wpml:waylineCoordinateSysParam>{system}</wpml:waylineCoordinateSysParam>"
    label = _SUFFIX.sub("-", flight.label)[:32] or "yiwang"
    last = dict(flight.legs)
    return head + "".join(
        _stop(n, stop, flight.speed_ms, _doing(flight, n, stop, last, label), flown)
        for n, stop in enumerate(flight.stops)
    )


def _doing(flight: Flight, index: int, stop: Stop, last: dict[int, int], label: str) -> str:
    if not flight.legs:
        return _actions(index, stop.pitch, label)
    return _along(index, last[index], stop.pitch, flight.every_m, label) if index in last else ""


def _stop(index: int, stop: Stop, speed: float, doing: str, flown: bool) -> str:
    height = _tags(executeHeight=_number(stop.height_m)) if flown else _tags(height=_number(stop.height_m))
    heading = _tags(
        waypointHeadingMode="smoothTransition", waypointHeadingAngle=_number(stop.heading),
        waypointPoiPoint="0.000000,0.000000,0.000000", waypointHeadingPathMode="followBadArc",
    )  # fmt: skip
    turn = _tags(waypointTurnMode="toPointAndStopWithDiscontinuityCurvature", waypointTurnDampingDist=0)
    return (
        f"<Placemark><Point><coordinates>{stop.lon:.8f},{stop.lat:.8f}</coordinates></Point>"
        f"{_tags(index=index)}{height}{_tags(waypointSpeed=_number(speed))}"
        f"<wpml:waypointHeadingParam>{heading}</wpml:waypointHeadingParam>"
        f"<wpml:waypointTurnParam>{turn}</wpml:waypointTurnParam>{_tags(useStraightLine=1)}"
        f"{doing}</Placemark>"
    )


def _gimbal(pitch: float) -> str:
    return _tags(
        gimbalHeadingYawBase="north", gimbalRotateMode="absoluteAngle", gimbalPitchRotateEnable=1,
        gimbalPitchRotateAngle=_number(pitch), gimbalRollRotateEnable=0, gimbalRollRotateAngle=0,
        gimbalYawRotateEnable=0, gimbalYawRotateAngle=0, gimbalRotateTimeEnable=0, gimbalRotateTime=0,
        payloadPositionIndex=0,
    )  # fmt: skip


def _photo(label: str) -> str:
    return _tags(payloadPositionIndex=0, fileSuffix=label, useGlobalPayloadLensIndex=1)


def _actions(index: int, pitch: float, label: str) -> str:
    """Turn the gimbal, then take the photo."""
    doing = (("gimbalRotate", _gimbal(pitch)), ("takePhoto", _photo(label)))
    return _group(index, index, index, _tags(actionTriggerType="reachPoint"), doing)


def _along(first: int, last: int, pitch: float, every_m: float, label: str) -> str:
    """Turn the gimbal where the line begins, then a photo every ``every_m`` metres until its end."""
    distance = _tags(actionTriggerType="multipleDistance", actionTriggerParam=_number(every_m))
    return _group(first, first, first, _tags(actionTriggerType="reachPoint"), (("gimbalRotate", _gimbal(pitch)),)) + (
        _group(first + 1, first, last, distance, (("takePhoto", _photo(label)),))
    )


def _group(number: int, first: int, last: int, trigger: str, doing: Sequence[tuple[str, str]]) -> str:
    group = _tags(
        actionGroupId=number, actionGroupStartIndex=first, actionGroupEndIndex=last, actionGroupMode="sequence"
    )
    actions = "".join(
        f"<wpml:action>{_tags(actionId=n, actionActuatorFunc=name)}"
        f"<wpml:actionActuatorFuncParam>{params}</wpml:actionActuatorFuncParam></wpml:action>"
        for n, (name, params) in enumerate(doing)
    )
    return f"<wpml:actionGroup>{group}<wpml:actionTrigger>{trigger}</wpml:actionTrigger>{actions}</wpml:actionGroup>"


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"
