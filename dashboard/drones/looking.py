"""Looks at a flight's pictures: boxes, their places on the ground, the same thing once.

Runs in a process of its own (``python -m app look FLIGHT``) that the worker starts with low priority: whatever a model
or a picture does to it, alarms go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from core.clock import Clock
from core.errors import YiwangError
from core.ids import new_id
from core.media import MediaStore
from core.memory import give_back
from dashboard.drones.intake import on_disk, place_of
from dashboard.drones.mosaics import Laid, lay
from ingest.drones.geojson import point
from ingest.drones.locate import locate_all
from ingest.drones.overlap.plane import GroundPlane, applied, plane_at
from ingest.drones.placed import Located
from ingest.drones.view import View, view_of
from storage.aerial import PICTURES, AerialStore, FindingView
from storage.drones import DroneStore, FileView
from storage.tables.drones import AerialFinding, AerialLook
from vision.aerial.pixels import OnDisk, Unreadable
from vision.aerial.sameness import Placed, things
from vision.aerial.sights import AerialEyes

log = logging.getLogger("yiwang.drones")
AT_ONCE = 2  # pictures that are looked at beside each other
MOST_PIXELS = 120_000_000  # of a picture that is decoded
_UPRIGHT = -60.0  # degrees of pitch from which things are seen from the side
_SAME_M = 1.5  # two sights nearer than that may be one thing, where the pictures were matched
_SAME_BY_TAGS_M = 6.0  # by the tags alone neighbours and copies cannot be told apart any better


class FlightLook:
    """Looks at flights of one installation."""

    def __init__(
        self, store: AerialStore, drones: DroneStore, media: MediaStore, clock: Clock, eyes: AerialEyes
    ) -> None:
        self.store, self.drones, self.media, self.clock, self.eyes = store, drones, media, clock, eyes

    def early(self, flight_id: str) -> int:
        """Look at a flight whose files still arrive, by their tags and all but the newest: :meth:`flight` ends it."""
        files = [f for f in self.drones.files(flight_id) if f.kind in PICTURES][1:]
        known = self.store.looks(flight_id)
        fresh = [f for f in reversed(files) if f.file_id not in known]
        with ExitStack() as held:
            paths = [held.enter_context(on_disk(self.media, f.uri)) for f in fresh]
            ground = Ground.by_tags(fresh, locate_all(paths))
            with ThreadPoolExecutor(AT_ONCE) as pool:
                for look, found in pool.map(
                    lambda one: self._look(one[0], one[1], ground), zip(fresh, paths, strict=True)
                ):
                    self.store.keep(look, found)
        return len(fresh)

    def flight(self, flight_id: str, made: Callable[[Laid], object] | None = None) -> int:
        """Look at what nobody looked at yet; returns how many pictures that were.

        ``made`` is called with the matched flight, beside the looks: places come first, the mosaic with the findings.
        """
        files = [f for f in reversed(self.drones.files(flight_id)) if f.kind in PICTURES]
        known = self.store.looks(flight_id)
        fresh = [f for f in files if f.file_id not in known]
        if not fresh:
            return 0
        with ExitStack() as held:
            paths = [held.enter_context(on_disk(self.media, f.uri)) for f in files]
            ground = Ground.of(files, paths)
            for file in files:
                if not file.placed_by and (place := ground.place(file)):
                    self.store.put_place(file.file_id, place)
            give_back()
            waiting = [(f, p) for f, p in zip(files, paths, strict=True) if f.file_id not in known]
            with ThreadPoolExecutor(AT_ONCE) as pool, ThreadPoolExecutor(1) as beside:
                layer = beside.submit(made, ground.laid) if made is not None and ground.laid is not None else None
                for look, found in pool.map(lambda one: self._look(one[0], one[1], ground), waiting):
                    self.store.keep(look, found)
                if layer is not None:
                    layer.result()
            self._placed_anew([f for f in files if f.file_id in known], ground)
            self.store.group(same(self.store.findings(flight_id), ground))
        return len(fresh)

    def _placed_anew(self, files: Sequence[FileView], ground: Ground) -> None:
        """Findings of pictures that were looked at before their flight was matched."""
        by_file = {f.file_id: f for f in files}
        spots = {}
        for finding in self.store.findings(next((f.flight_id for f in files), ""), state="found"):
            file, view = by_file.get(finding.file_id), ground.views.get(finding.file_id)
            if file is None or view is None or finding.reported_at is not None:
                continue
            size = (view.camera.width, view.camera.height) * 2
            box = [float(share) * side for share, side in zip(finding.box, size, strict=True)]
            if (known := ground.at(file, *stands_at(finding.name, box, view))) is not None:
                spots[finding.finding_id] = known
        self.store.put_spots(spots)

    def _look(self, file: FileView, path: Path, ground: Ground) -> tuple[AerialLook, list[AerialFinding]]:
        start, now = time.monotonic(), self.clock.now()
        view = ground.views.get(file.file_id)
        look = AerialLook(file_id=file.file_id, looked_at=now, problem="", reviewed_by="")
        found: list[AerialFinding] = []
        try:
            image = _pixels(path)
            if image is None:
                look.problem = "picture_unreadable"
            else:
                look.height, look.width = image.height, image.width
                metres = _resolution(file, view)
                sights = self.eyes.look(image, metres, view.pose.pitch if view else None)
                size = np.array([look.width, look.height] * 2)
                found = [
                    _row(file, s.name, [round(float(v), 5) for v in np.array(s.box) / size], now, ground, s)
                    for s in sights
                ]
                look.problem = "; ".join(sorted(self.eyes.failed.values()))[:300]
        except Unreadable:
            look.problem = "picture_unreadable"
        except Exception as error:  # noqa: BLE001 — one picture or model must not stop the others
            log.warning("%s could not be looked at: %r", file.name, error)
            look.problem = f"{type(error).__name__}: {error}"[:300]
        look.seconds = round(time.monotonic() - start, 2)
        return look, found


class Ground:
    """Where pixels of a flight's pictures lie: matched pictures by their adjustment, others by their own tags."""

    def __init__(
        self,
        views: dict[str, View],
        laid: Laid | None,
        matched: dict[str, Any],
        places: Mapping[str, Any] | None = None,
    ) -> None:
        self.views, self.laid, self._matched, self._places = views, laid, matched, places or {}

    @classmethod
    def of(cls, files: Sequence[FileView], paths: Sequence[Path]) -> Ground:
        """Nothing here fails for what a file holds: without a place its findings have none."""
        located = locate_all(paths)
        tags = cls.by_tags(files, located)
        try:
            laid = lay(paths, located)
        except YiwangError as error:
            log.info("not matched: %s", error)
            return tags
        order = [f.file_id for f, one in zip(files, located, strict=True) if view_of(one) is not None]
        alone = set(laid.adjusted.alone)
        matched = {
            order[int(p.key.partition(":")[0])]: m
            for i, (p, m) in enumerate(zip(laid.pictures, laid.adjusted.matrices, strict=True))
            if i not in alone
        }
        return cls(tags.views, laid, matched, tags._places)

    @classmethod
    def by_tags(cls, files: Sequence[FileView], located: Sequence[Located]) -> Ground:
        """By each picture's own tags alone."""
        views = {f.file_id: v for f, one in zip(files, located, strict=True) if (v := view_of(one)) is not None}
        return cls(views, None, {}, {f.file_id: place_of(one) for f, one in zip(files, located, strict=True)})

    @property
    def plane(self) -> GroundPlane | None:
        """The plane of the flight; None without any place."""
        if self.laid is not None:
            return self.laid.plane
        first = next(iter(self.views.values()), None)
        return None if first is None else plane_at(first.pose.lon, first.pose.lat)

    def place(self, file: FileView) -> dict[str, Any]:
        """The place to keep: by matching with how well it agrees, else by the tags of the whole flight; {}: none."""
        place, view, matrix = self._places.get(file.file_id) or {}, self.views.get(file.file_id), None
        matrix = self._matched.get(file.file_id)
        if not place or view is None or matrix is None or self.laid is None:
            return place if place.get("corners") != file.place.get("corners") else {}
        wide, high = view.camera.width, view.camera.height
        spots = np.array([[0, 0], [wide, 0], [wide, high], [0, high], [wide / 2, high / 2]], np.float64)
        degrees = [point((float(lon), float(lat))) for lon, lat in self.laid.plane.degrees(applied(matrix, spots))]
        told = self.laid.adjusted
        return {
            **place, "corners": degrees[:4], "centre": degrees[4], "method": "matched",
            "height_m": round(place["height_m"] * told.scale, 3), "gsd_cm": round(place["gsd_cm"] * told.scale, 4),
            "residual_m": round(told.residual_m or 0.0, 3), "residual_px": round(told.residual_px or 0.0, 2),
        }  # fmt: skip

    @property
    def same_m(self) -> float:
        """Within what distance two sights may be one thing."""
        residual = self.laid.adjusted.residual_m if self.laid is not None else None
        return _SAME_BY_TAGS_M if residual is None else max(_SAME_M, 3 * residual)

    def at(self, file: FileView, u: float, v: float) -> tuple[float, float, float] | None:
        """Longitude, latitude and 95 % radius of a pixel; None where nobody knows."""
        view, matrix = self.views.get(file.file_id), self._matched.get(file.file_id)
        if view is None:
            if not file.place:
                return None
            lon, lat = file.place["centre"]  # placed by hand: the whole picture is one spot
            return float(lon), float(lat), float(file.place.get("uncertainty_m") or 50.0)
        if matrix is not None and self.laid is not None:
            _, x, y = view.camera.ray(u, v)
            straight = np.array(
                [[view.camera.cx + view.camera.focal_px * x, view.camera.cy + view.camera.focal_px * y]]
            )
            lon, lat = self.laid.plane.degrees(applied(matrix, straight))[0]
            return float(lon), float(lat), view.uncertainty_m
        spot = view.ground(u, v)
        return None if spot is None else (*spot, view.uncertainty_m)


def _row(file: FileView, name: str, box: list[float], now: datetime, ground: Ground, sight: Any) -> AerialFinding:
    known = ground.at(file, *stands_at(name, sight.box, ground.views.get(file.file_id)))
    key = new_id()
    return AerialFinding(
        finding_id=key, flight_id=file.flight_id, file_id=file.file_id, thing_id=key, name=name, box=box,
        confidence=sight.confidence, model=sight.model.name, model_sha256=sight.model.sha256,
        lon=known[0] if known else None, lat=known[1] if known else None,
        uncertainty_m=round(known[2], 1) if known else None, state="found", judged_by="", created_at=now,
    )  # fmt: skip


def stands_at(name: str, box: Sequence[float], view: View | None) -> tuple[float, float]:
    """The pixel at which a thing stands: its middle; the lower edge of what is upright in an oblique view."""
    x1, y1, x2, y2 = box
    upright = name in ("fire", "smoke", "person") and view is not None and view.pose.pitch > _UPRIGHT
    return (x1 + x2) / 2, y2 if upright else (y1 + y2) / 2


def same(findings: Sequence[FindingView], ground: Ground) -> dict[str, str]:
    """Which thing each placed finding shows; what was told or rejected before keeps its thing."""
    plane = ground.plane
    placed = [f for f in findings if f.lon is not None and f.lat is not None and f.state != "rejected"]
    if plane is None or not placed:
        return {}
    metres = plane.metres(np.array([[f.lon, f.lat] for f in placed], np.float64))
    ordered = sorted(zip(placed, metres, strict=True), key=lambda p: (p[0].reported_at is None, p[0].created_at))
    sights = [Placed(f.finding_id, f.file_id, f.name, float(e), float(n), f.confidence) for f, (e, n) in ordered]
    return things(sights, ground.same_m)


def _resolution(file: FileView, view: View | None) -> float | None:
    if view is not None and (metres := view.metres_a_pixel(view.camera.width / 2, view.camera.height / 2)):
        return metres
    gsd = file.place.get("gsd_cm")
    return float(gsd) / 100 if gsd else None


def _pixels(path: Path) -> OnDisk | None:
    """The picture as its pixels lie; None for what is no picture or larger than any survey camera's."""
    from PIL import Image

    try:
        with Image.open(path) as head:
            wide, high = head.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return OnDisk(path, wide, high) if wide * high <= MOST_PIXELS else None
