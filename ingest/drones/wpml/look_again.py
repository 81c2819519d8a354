""" "Look again at this case": an orbit around it and one photo from straight above (standards/10 §2.2)."""

from __future__ import annotations

from ingest.drones.survey import orbit
from ingest.drones.wpml.write import Flight, Stop

RADIUS_M, HEIGHT_M, POINTS = 40.0, 45.0, 6
UNKNOWN_HEIGHT_M = 80.0  # at least, where nobody knows how high the buildings around are
MARGIN_M = 15.0


def look_again(
    lon: float, lat: float, label: str, *, ground_above_takeoff_m: float = 0.0, highest_building_m: float | None = None
) -> Flight:
    """Waypoints clockwise around the point, nose and camera to it; ``highest_building_m`` within the radius."""
    high = UNKNOWN_HEIGHT_M if highest_building_m is None else highest_building_m + MARGIN_M
    height, radius = max(HEIGHT_M, high), max(RADIUS_M, RADIUS_M if highest_building_m is None else high)
    round_trip = orbit(lon, lat, radius, height, POINTS)
    up = height + ground_above_takeoff_m
    around = [Stop(p.lon, p.lat, up, p.aircraft_heading, round_trip.gimbal_pitch) for p in round_trip.waypoints]
    return Flight([*around, Stop(lon, lat, up, 0.0, -90.0)], takeoff_height_m=max(20.0, min(up, 100.0)), label=label)
