"""Changes beside the district's own layers: a river is no flood, a mapped building's change is a building's."""

from __future__ import annotations

from typing import Any

import pytest
import shapely

from core.settings import Settings
from dashboard.drones import mapped
from dashboard.drones.mapped import beside_the_map

LON, LAT, STEP = 125.37, 43.87, 0.0002


def region(place: int, guess: str) -> dict[str, Any]:
    west = LON + 3 * place * STEP
    ring = [[west, LAT], [west + STEP, LAT], [west + STEP, LAT + STEP], [west, LAT + STEP], [west, LAT]]
    return {"geometry": {"coordinates": [ring]}, "properties": {"guess": guess, "area_m2": 350.0}}


def over(place: int) -> Any:
    west = LON + 3 * place * STEP
    return shapely.box(west - STEP / 5, LAT - STEP / 5, west + STEP, LAT + STEP)


def test_water_and_buildings_of_the_map_tell_changes_apart(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"water": [over(0)], "buildings": [over(2), over(4)]}
    monkeypatch.setattr(mapped, "nearby", lambda _settings, kind, _box: [(shape, {}) for shape in known[kind]])
    some = [region(n, guess) for n, guess in enumerate(("water", "water", "unknown", "heap", "vehicle"))]
    told = beside_the_map(settings, {"features": some})
    assert [f["properties"]["guess"] for f in told["features"]] == ["water", "water", "building", "heap", "vehicle"]
    assert [f["properties"]["mapped"] for f in told["features"]] == [True, False, False, False, False]
    assert (told["water_m2"], told["mapped_water_m2"]) == (350.0, 350.0)


def test_without_layers_or_regions_everything_stays(settings: Settings) -> None:
    assert beside_the_map(settings, {"features": []})["water_m2"] == 0
    told = beside_the_map(settings, {"features": [region(0, "water")]})
    assert (told["water_m2"], told["features"][0]["properties"]["mapped"]) == (350.0, False)
