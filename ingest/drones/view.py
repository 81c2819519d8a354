"""A located picture as a view of the ground: pixel ↔ ground both ways."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ingest.drones.geodesic import offset_of
from ingest.drones.georeference import NoGroundInView, Pose, ground_offset, pixel_of, place
from ingest.drones.lens import Camera
from ingest.drones.placed import Located


@dataclass(frozen=True, slots=True)
class View:
    """Camera and pose of one picture over flat ground; ``uncertainty_m``: 95 % of a point anywhere in it."""

    camera: Camera
    pose: Pose
    uncertainty_m: float

    def ground(self, u: float, v: float) -> tuple[float, float] | None:
        """Longitude and latitude of a pixel; None at or above the horizon."""
        offset = ground_offset(self.camera, self.pose, u, v)
        return None if offset is None else place(self.pose, offset)

    def pixel(self, lon: float, lat: float) -> tuple[float, float] | None:
        """The pixel that shows a point of the ground; None behind the camera.  It may lie outside the picture."""
        try:
            return pixel_of(self.camera, self.pose, offset_of(self.pose.lon, self.pose.lat, lon, lat))
        except NoGroundInView:
            return None

    def metres_a_pixel(self, u: float, v: float) -> float | None:
        """Ground metres that one pixel covers across the line of sight."""
        offset = ground_offset(self.camera, self.pose, u, v)
        return None if offset is None else math.hypot(*offset, self.pose.height_m) / self.camera.focal_px


def view_of(located: Located) -> View | None:
    """The view of a located picture; None without position, angles or focal length."""
    facts, spot = located.facts, located.place
    if facts is None or spot is None or facts.camera is None or facts.attitude is None:
        return None
    if facts.lon is None or facts.lat is None:
        return None
    turn = facts.attitude
    pose = Pose(facts.lon, facts.lat, spot.height_m, turn.yaw, turn.pitch, turn.roll)
    return View(facts.camera, pose, spot.uncertainty_m)
