"""Survey lines cover the area with the overlaps asked for; airspace and buildings are told with their values."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Proj
from shapely.geometry import LineString, Polygon, box
from shapely.ops import transform, unary_union

from core.errors import InputInvalid
from ingest.drones.airspace import AirspaceZone, Obstacle, closed_shapes, route_warnings
from ingest.drones.cameras import survey_camera
from ingest.drones.grid_route import GridWish, flight_of, grid_route
from ingest.drones.wpml.check import faults
from ingest.drones.wpml.read import read
from ingest.drones.wpml.write import kmz

LON, LAT = 125.37, 43.87
PLANE = Proj(proj="aeqd", lon_0=LON, lat_0=LAT, ellps="WGS84")
CAMERA = survey_camera("m3e")


def degrees(spots: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [PLANE(x, y, inverse=True) for x, y in spots]


def rectangle(wide: float, high: float, turn: float = 0.0) -> list[tuple[float, float]]:
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    corners = [(-wide / 2, -high / 2), (wide / 2, -high / 2), (wide / 2, high / 2), (-wide / 2, high / 2)]
    return degrees([(x * c - y * s, x * s + y * c) for x, y in corners])


def test_the_vector_of_the_standard() -> None:
    """3 cm with the M3E: 112.5 m high, lines 47.5 m apart, a photo every 23.7 m (standards/10 §2.1)."""
    route = grid_route([rectangle(400, 190)], CAMERA, GridWish(3.0, 0.8, 0.7, 10.0))
    assert route.height_m == pytest.approx(112.53, abs=0.01)
    assert route.plan.line_spacing_m == pytest.approx(47.52) and route.plan.photo_base_m == pytest.approx(23.736)
    assert len(route.lines) == 5, "190 m in gaps of at most 47.5 m, lines on both edges"
    geod = Geod(ellps="WGS84")
    for start, end in route.lines:
        assert geod.inv(*start, *end)[2] == pytest.approx(400 + 2 * 23.736, rel=0.01)
    assert route.photos == 5 * (math.ceil(447.47 / 23.736) + 1)


@settings(max_examples=25, deadline=None)
@given(st.floats(60, 600), st.floats(60, 400), st.floats(0, 180), st.floats(1.5, 5), st.sampled_from([0.6, 0.7, 0.8]))
def test_every_spot_lies_within_reach_of_a_line(wide: float, high: float, turn: float, gsd: float, side: float) -> None:
    ring = rectangle(wide, high, turn)
    route = grid_route([ring], CAMERA, GridWish(gsd, 0.8, side))
    reach = route.plan.line_spacing_m / 2 + 0.5
    covered = unary_union([LineString([PLANE(*a), PLANE(*b)]).buffer(reach) for a, b in route.lines])
    area = Polygon([PLANE(*spot) for spot in ring])
    assert area.difference(covered).area < 0.5
    hops = [math.dist(PLANE(*a[1]), PLANE(*b[0])) for a, b in zip(route.lines, route.lines[1:], strict=False)]
    assert max(hops, default=0) < 2 * (route.plan.line_spacing_m + route.plan.photo_base_m), "to and fro, no way back"


def test_concave_areas_holes_and_closed_parts_are_not_flown_over() -> None:
    ring, hole = rectangle(400, 300), rectangle(120, 100)
    closed = Polygon(rectangle(80, 400))
    whole = grid_route([ring], CAMERA, GridWish())
    route = grid_route([ring, hole], CAMERA, GridWish(), [closed])
    assert len(route.lines) > len(whole.lines)
    flown = unary_union([LineString(line) for line in route.lines])
    assert flown.intersection(transform(lambda x, y: (x, y), closed.buffer(-1e-6))).length == pytest.approx(0, abs=1e-7)
    with pytest.raises(InputInvalid):
        grid_route([ring], CAMERA, GridWish(), [Polygon(rectangle(3000, 3000))])


@pytest.mark.parametrize("ring", [
    [], [(LON, LAT)], [(LON, LAT)] * 4, [(0, 91), (1, 91), (1, 92)], rectangle(5, 5), rectangle(9000, 9000),
    [(LON, LAT), (LON + 0.01, LAT + 0.01), (LON + 0.01, LAT), (LON, LAT + 0.01)],
])  # fmt: skip
def test_what_is_no_area_is_refused(ring: list[tuple[float, float]]) -> None:
    with pytest.raises(InputInvalid):
        grid_route([ring], CAMERA, GridWish())


def test_the_file_takes_photos_along_each_line() -> None:
    route = grid_route([rectangle(300, 150)], CAMERA, GridWish())
    data = kmz(flight_of(route, CAMERA, "survey"))
    read_back = read(data)
    assert faults(read_back) == [] and len(read_back.indexes) == 2 * len(route.lines)
    triggers = [group for group in read_back.action_groups if group[1] > group[0]]
    assert [list(g) for g in triggers] == [[2 * n, 2 * n + 1] for n in range(len(route.lines))]
    with pytest.raises(InputInvalid, match="photo_distance"):
        kmz(type(flight_of(route, CAMERA, "x"))(flight_of(route, CAMERA, "x").stops, legs=((0, 1),), every_m=0))


WAY = degrees([(-200, 0), (200, 0)])
ZONE = Polygon(rectangle(60, 60))


def codes(zones: list[AirspaceZone], obstacles: list[Obstacle] | None = None, **more: object) -> list[str]:
    return [w.code for w in route_warnings(WAY, 80, 0, zones, obstacles or [], **more)]  # type: ignore[arg-type]


def test_airspace_is_told_with_height_time_and_distance() -> None:
    assert codes([]) == ["no_airspace_data"]
    assert codes([AirspaceZone(ZONE, "suitable")]) == []
    assert codes([AirspaceZone(ZONE, "controlled")]) == ["crosses_controlled"]
    assert codes([AirspaceZone(ZONE, "restricted", lower_m=100)]) == []
    north = Polygon(degrees([(-30, 60), (30, 60), (30, 90), (-30, 90)]))
    assert codes([AirspaceZone(north, "prohibited")]) == []
    assert codes([AirspaceZone(north, "prohibited", buffer_m=70)]) == ["crosses_prohibited"]
    over = AirspaceZone(ZONE, "temporary", valid_to=datetime(2026, 1, 1, tzinfo=UTC))
    assert codes([over], since=datetime(2026, 2, 1, tzinfo=UTC)) == []
    assert codes([over], since=datetime(2025, 2, 1, tzinfo=UTC)) == ["crosses_temporary"]
    assert codes([AirspaceZone(ZONE, "own_geofence")]) == ["leaves_own_geofence"]
    assert codes([AirspaceZone(Polygon(rectangle(600, 600)), "own_geofence")]) == []


def test_a_permit_opens_a_prohibited_area_but_never_a_building() -> None:
    zone, tower = AirspaceZone(ZONE, "prohibited"), Obstacle(ZONE, 70, "tower")
    told = route_warnings(WAY, 80, 0, [zone], [tower])
    assert [(w.code, w.blocking) for w in told] == [("crosses_prohibited", True), ("obstacle_in_the_way", True)]
    assert told[1].values == {"count": 1, "height_m": 70, "name": "tower", "needed_m": 85}
    told = route_warnings(WAY, 80, 0, [zone], [tower], permit="P-1")
    assert [(w.code, w.blocking) for w in told] == [("crosses_prohibited", False), ("obstacle_in_the_way", True)]
    assert route_warnings(WAY, 90, 0, [AirspaceZone(ZONE, "suitable")], [tower]) == []
    assert closed_shapes([zone], 80, "P-1") == [] and closed_shapes([zone], 80, "")[0].contains(ZONE)


def test_height_is_above_the_ground_below() -> None:
    far = [AirspaceZone(box(0, 0, 1, 1), "suitable")]
    assert [w.code for w in route_warnings(WAY, 130, 0, far, [])] == ["above_120m_true_height"]
    assert route_warnings(WAY, 130, 20, far, []) == [], "the ground lies 20 m higher than the take-off point"
    assert [w.code for w in route_warnings(WAY, 60, 0, far, [], weight_class="micro")] == ["above_50m_micro"]
