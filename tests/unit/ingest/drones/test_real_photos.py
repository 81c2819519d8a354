"""Eighteen real overlapping photos: the same ground point in two of them lies at one place within what is stated."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ingest.drones.geodesic import offset_of
from ingest.drones.georeference import Pose, ground_offset
from ingest.drones.locate import locate_all
from ingest.drones.placed import Located

FOLDER = Path(os.environ.get("YIWANG_REAL_DATA", "/nowhere")) / "drone" / "nadir_survey"
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="YIWANG_REAL_DATA names no folder with drone/nadir_survey"),
]


def ground(located: Located, pixels: Any, origin: tuple[float, float]) -> Any:
    facts, place = located.facts, located.place
    assert facts and place and facts.camera and facts.attitude and facts.lon and facts.lat
    pose = Pose(facts.lon, facts.lat, place.height_m, facts.attitude.yaw, facts.attitude.pitch, facts.attitude.roll)
    east, north = offset_of(*origin, facts.lon, facts.lat)
    offsets = [ground_offset(facts.camera, pose, u, v) or (np.nan, np.nan) for u, v in pixels]
    return np.array(offsets) + (east, north)


def test_points_seen_twice_agree_in_nineteen_of_twenty() -> None:
    paths = sorted(FOLDER.glob("*.JPG"))[3:12]
    found = locate_all(paths)
    turned = [
        path.name for path, one in zip(paths, found, strict=True) if any(n.code == "turned_copy" for n in one.notes)
    ]
    assert turned == [f"DJI_00{n}.JPG" for n in range(24, 30)]
    sift, matcher = cv2.SIFT_create(800), cv2.BFMatcher()
    flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    features = []
    for path in paths:
        picture = cv2.resize(cv2.imread(str(path), flags), None, fx=0.5, fy=0.5)
        keys, values = sift.detectAndCompute(picture, None)
        features.append((np.array([key.pt for key in keys]) * 2, values))
    first = found[0].facts
    assert first and first.lon and first.lat
    near = total = 0
    for (a, one), (b, two) in itertools.combinations(zip(features, found, strict=True), 2):
        pairs = [m for m, n in matcher.knnMatch(a[1], b[1], k=2) if m.distance < 0.7 * n.distance]
        if len(pairs) < 25:
            continue
        left, right = a[0][[m.queryIdx for m in pairs]], b[0][[m.trainIdx for m in pairs]]
        _, mask = cv2.findHomography(left, right, cv2.USAC_MAGSAC, 3.0)
        if mask is None or mask.sum() < 25:
            continue
        kept = mask.ravel() > 0
        origin = (first.lon, first.lat)
        apart = np.hypot(*(ground(one, left[kept], origin) - ground(two, right[kept], origin)).T)
        assert one.place and two.place
        near += int((apart <= np.hypot(one.place.uncertainty_m, two.place.uncertainty_m)).sum())
        total += len(apart)
    assert total > 200 and near / total >= 0.95
