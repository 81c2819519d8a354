"""Masked places, and the ground that a finding covers."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from msgspec.structs import replace

from core.geo.homography import GroundPoint, calibration_of, of_calibration
from core.records import AlgorithmConfig, CameraConfig, Zone
from tests.unit.vision.test_vision_logic import frame, seen
from vision.fleet.evidence import observation
from vision.judging.analyzer import CameraAnalysis, FrameOutcome
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import VisionFinding
from vision.judging.ground import footprint

LON, LAT = 125.36, 43.89
WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def degrees(east: float, north: float) -> tuple[float, float]:
    return LON + east / (111_320 * math.cos(math.radians(LAT))), LAT + north / 111_132


def calibrated() -> dict[str, object]:
    """A camera that looks north: 10 m wide at the lower edge, 30 m wide 20 m further on."""
    pairs = [(0.0, 1.0, -5.0, 0.0), (1.0, 1.0, 5.0, 0.0), (0.0, 0.33, -15.0, 20.0), (1.0, 0.33, 15.0, 20.0)]
    return calibration_of([GroundPoint(x, y, *degrees(east, north)) for x, y, east, north in pairs])


def metres(ring: list[list[float]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([((lon - LON) * 111_320 * math.cos(math.radians(LAT)), (lat - LAT) * 111_132) for lon, lat in ring])


def test_an_object_covers_ground_behind_its_lower_edge() -> None:
    homography = of_calibration(calibrated())
    assert homography is not None
    found = footprint(homography, (0.4, 0.5, 0.6, 1.0), "stopped_vehicle")
    assert found is not None
    corners = metres(found["coordinates"][0])
    assert corners[:, 0].min() == pytest.approx(-1, abs=0.05) and corners[:, 0].max() == pytest.approx(1, abs=0.05)
    assert corners[:, 1].min() == pytest.approx(0, abs=0.05) and corners[:, 1].max() == pytest.approx(2, abs=0.1)


def test_an_area_covers_what_its_box_shows() -> None:
    homography = of_calibration(calibrated())
    assert homography is not None
    found = footprint(homography, (0.0, 0.33, 1.0, 1.0), "waterlogging")
    assert found is not None
    corners = metres(found["coordinates"][0])
    assert corners[:, 1].max() == pytest.approx(20, abs=0.2) and corners[:, 0].max() == pytest.approx(15, abs=0.2)
    assert footprint(homography, (0.0, 0.0, 1.0, 1.0), "waterlogging") is not None  # to the horizon: as far as trusted
    assert footprint(homography, (0.0, 0.0, 1.0, 0.01), "stopped_vehicle") is None  # in the sky


def test_a_calibrated_cameras_observation_has_place_error_and_footprint() -> None:
    camera = CameraConfig(camera_id="c", name="c", url="", calibration=calibrated())
    outcome = FrameOutcome(
        VisionFinding(kind="stopped_vehicle", state="open", zone=None, box=(0.4, 0.5, 0.6, 1.0)), frame(1.0), seen()
    )
    made = observation(outcome, camera, 1, datetime.now(UTC), ())
    assert made.location is not None and made.location.lon == pytest.approx(LON, abs=1e-6)
    assert made.attributes["accuracy_m"] > 0 and made.attributes["footprint"]["type"] == "Polygon"
    plain = observation(outcome, replace(camera, calibration={}), 1, datetime.now(UTC), ())
    assert plain.location is None and "footprint" not in plain.attributes


def zone(name: str, polygon: tuple[tuple[float, float], ...], purpose: str = "") -> Zone:
    return Zone(zone_id=name, name=name, polygon=polygon, purpose=purpose)


def config(*algorithms: AlgorithmConfig, zones: tuple[Zone, ...]) -> CameraConfig:
    return CameraConfig(camera_id="c", name="c", url="", zones=zones, algorithms=algorithms)


def counts(analysis: CameraAnalysis) -> dict[str, int]:
    """People that each algorithm is shown: one stands on the left, one on the right (320 × 240)."""
    people = seen(("person", 0.9, (20.0, 60.0, 60.0, 200.0)), ("person", 0.9, (220.0, 60.0, 260.0, 200.0)))
    analysis.seen = {need.key: people for need in analysis.needs}
    return {a.kind: len(analysis.seen_by(a, frame(0.0))) for a in analysis.algorithms}


@pytest.fixture(scope="module")
def pool() -> DetectorPool:
    return DetectorPool()


def test_a_mask_hides_from_those_that_name_it_or_from_all(pool: DetectorPool) -> None:
    mask = zone("m", LEFT, "mask")
    crowding, intrusion = AlgorithmConfig(kind="crowding"), AlgorithmConfig(kind="intrusion")
    assert counts(CameraAnalysis(config(crowding, intrusion, zones=()), pool)) == {"crowding": 2, "intrusion": 2}
    everywhere = CameraAnalysis(config(crowding, intrusion, zones=(mask,)), pool)
    assert counts(everywhere) == {"crowding": 1, "intrusion": 1}
    only = CameraAnalysis(config(replace(crowding, zones=("m",)), intrusion, zones=(mask,)), pool)
    assert counts(only) == {"crowding": 1, "intrusion": 2}
    assert [z.zone_id for z in only.algorithms[0].zones] == [""]  # type: ignore[attr-defined]


def test_a_new_mask_or_a_zone_of_others_forgets_nothing(pool: DetectorPool) -> None:
    duty, mask = zone("duty", WHOLE), zone("m", LEFT, "mask")
    absence = AlgorithmConfig(kind="absence", zones=("duty",))
    before = CameraAnalysis(config(absence, zones=(duty,)), pool)
    masked = CameraAnalysis(config(replace(absence, zones=("duty", "m")), zones=(duty, mask)), pool, before=before)
    assert masked.algorithms[0] is before.algorithms[0] and counts(masked) == {"absence": 1}
    beside = CameraAnalysis(config(absence, zones=(duty, zone("other", LEFT))), pool, before=masked)
    assert beside.algorithms[0] is before.algorithms[0] and counts(beside) == {"absence": 2}
    redrawn = CameraAnalysis(config(absence, zones=(zone("duty", LEFT),)), pool, before=beside)
    assert redrawn.algorithms[0] is not before.algorithms[0]
