"""Findings become observations: pictures stored and sealed, boxes drawn, ids given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import cv2
import numpy as np
from msgspec.structs import replace as replace_record

from core.geo.homography import of_calibration
from core.ids import derived_id
from core.media import MediaStore
from core.records import CameraConfig, EvidenceRef, GeoPoint, Observation, Zone
from vision.detections import Detections, Image
from vision.fleet.blur import Blur
from vision.judging.analyzer import FrameOutcome
from vision.judging.findings import VisionFinding
from vision.judging.ground import footprint

MAX_EDGE = 1280  # pixels; evidence larger than this is scaled down
_RED, _YELLOW, _GREEN = (40, 40, 230), (40, 200, 250), (80, 200, 80)


def jpeg(image: Image, quality: int = 88) -> bytes:
    """The picture as JPEG, at most ``MAX_EDGE`` pixels wide or high."""
    edge = max(image.shape[:2])
    if edge > MAX_EDGE:
        scale = MAX_EDGE / edge
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    good, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not good:
        raise ValueError("picture cannot be encoded")
    return bytes(data)


def annotated_jpeg(outcome: FrameOutcome, zones: Sequence[Zone]) -> bytes:
    """The picture with zones, detections and the finding's box drawn; :class:`ValueError` without a picture."""
    frame, finding = outcome.frame, outcome.finding
    if frame is None:
        raise ValueError("there is no picture to draw on")
    canvas = frame.image.copy()
    size = np.array([frame.width, frame.height])
    for zone in zones:
        corners = np.round(np.asarray(zone.polygon) * size).astype(np.int32)
        cv2.polylines(canvas, [corners], True, _YELLOW, 2)
    relevant = _relevant(outcome)
    for row in range(len(relevant)):
        x1, y1, x2, y2 = (int(v) for v in relevant.box(row))
        cv2.rectangle(canvas, (x1, y1), (x2, y2), _GREEN, 2)
        _label(canvas, f"{relevant.name(row)} {relevant.confidence[row]:.2f}", x1, y1, _GREEN)
    if finding.box:
        x1, y1, x2, y2 = (int(v) for v in np.asarray(finding.box) * np.tile(size, 2))
        cv2.rectangle(canvas, (x1, y1), (x2, y2), _RED, 3)
    text = f"{finding.kind} {finding.state} {frame.at:%Y-%m-%d %H:%M:%S}Z"
    _label(canvas, text, 4, frame.height - 6, _RED if finding.state == "open" else _GREEN)
    return jpeg(canvas)


def _relevant(outcome: FrameOutcome) -> Detections:
    if outcome.algorithm is None:
        return outcome.seen
    classes = [c for need in outcome.algorithm.needs for c in need.classes]
    return outcome.seen.of(*classes, confidence=0.3)


def _label(canvas: Image, text: str, x: int, y: int, colour: tuple[int, int, int]) -> None:
    (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    y = max(y, h + 4)
    cv2.rectangle(canvas, (x, y - h - 4), (x + w + 4, y + 2), colour, -1)
    cv2.putText(canvas, text, (x + 2, y - 2), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)


def store_pictures(
    outcome: FrameOutcome, zones: Sequence[Zone], media: MediaStore, blur: Blur | None = None
) -> tuple[EvidenceRef, ...]:
    """The clean and the annotated picture, sealed in the media store; none when there was no picture.

    With ``blur`` faces or plates are unrecognisable in both before anything is stored.
    """
    if outcome.frame is None:
        return ()
    if blur is not None:
        outcome = replace(outcome, frame=replace(outcome.frame, image=blur.apply(outcome.frame.image)))
    assert outcome.frame is not None
    at = outcome.frame.at
    return (
        media.put(jpeg(outcome.frame.image), kind="snapshot", media_type="image/jpeg", taken_at=at),
        media.put(annotated_jpeg(outcome, zones), kind="annotated", media_type="image/jpeg", taken_at=at),
    )


def observation(
    outcome: FrameOutcome,
    camera: CameraConfig,
    epoch: int | None,
    received_at: datetime,
    evidence: tuple[EvidenceRef, ...],
) -> Observation:
    """The finding as an observation of ``camera``; same camera, kind, zone, state and moment: same id."""
    f = outcome.finding
    at = outcome.frame.at if outcome.frame else received_at
    place, accuracy_m = on_the_ground(f.box, camera)
    state = f.attributes.get("state", "")
    return Observation(
        observation_id=derived_id(camera.camera_id, f.kind, f.zone, f.state, str(state), at),
        kind=f.kind,
        state=f.state,
        source_type="camera",
        source_id=camera.camera_id,
        observed_at=at,
        received_at=received_at,
        site_id=camera.site_id,
        location=place or camera.location,
        value=f.value,
        unit=f.unit,
        confidence=f.confidence,
        zone=f.zone,
        box=f.box,
        model=outcome.seen.models[0] if outcome.seen.models else None,
        evidence=evidence,
        epoch=epoch,
        attributes=_attributes(outcome, camera) | (_on_map(f, camera, accuracy_m) if place else {}),
    )


def on_the_ground(box: tuple[float, float, float, float] | None, camera: CameraConfig) -> tuple[GeoPoint | None, float]:
    """Where the lower edge's middle of ``box`` stands on the ground, with its standard error in metres.

    None where the camera was not calibrated, or sees the point above the horizon or too far away.
    """
    homography = of_calibration(camera.calibration)
    if box is None or homography is None:
        return None, 0.0
    found = homography.ground((box[0] + box[2]) / 2, box[3])
    if found is None:
        return None, 0.0
    return GeoPoint(lon=round(found[0], 7), lat=round(found[1], 7)), homography.error_m


def _on_map(finding: VisionFinding, camera: CameraConfig, accuracy_m: float) -> dict[str, object]:
    """What a calibrated camera adds: how exact the place is, and the ground that the finding covers."""
    homography = of_calibration(camera.calibration)
    covers = footprint(homography, finding.box, finding.kind) if homography and finding.box else None
    return {"accuracy_m": accuracy_m} | ({"footprint": covers} if covers else {})


def with_clip(first: Observation, clip: EvidenceRef, stands: bool, now: datetime) -> Observation:
    """``first`` once more with its clip, in the state that holds now."""
    return replace_record(
        first,
        observation_id=derived_id(first.observation_id, "clip"),
        state="open" if stands else "clear",
        observed_at=now,
        received_at=now,
        evidence=(clip,),
        attributes={**first.attributes, "clip_of": first.observation_id},
    )


def _attributes(outcome: FrameOutcome, camera: CameraConfig) -> dict[str, object]:
    given = dict(outcome.finding.attributes)
    given["camera_name"] = camera.name
    if len(outcome.seen.models) > 1:
        given["models"] = [f"{m.name}@{m.sha256[:12]}" for m in outcome.seen.models]
    return given
