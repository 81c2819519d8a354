"""Layers over REST: by right, with legend and source; tiles as they are stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from layers.catalogue.kinds import LayerWish
from layers.catalogue.take import take_in
from layers.territory import of_code
from tests.unit.dashboard.web import Office, make_office

ROADS = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"name": "吉林大路", "fclass": "primary"},
         "geometry": {"type": "LineString", "coordinates": [[125.4, 43.88], [125.41, 43.885]]}},
    ],
}  # fmt: skip


@pytest.fixture
def office(settings: Settings, tmp_path: Path) -> Iterator[Office]:
    office = make_office(settings)
    file = tmp_path / "roads.geojson"
    file.write_text(json.dumps(ROADS), encoding="utf-8")
    take_in(
        settings, file, of_code("220105"), LayerWish(attribution="© OpenStreetMap contributors", licence="ODbL-1.0")
    )
    take_in(settings, file, of_code("220105"), LayerWish(name="secret", params={"roles": ["manager"]}))
    yield office
    office.engine.dispose()


def test_layers_are_listed_by_right_and_drawn(office: Office) -> None:
    client = office.client("fireman")
    (item,) = client.get("/api/layers").json()["items"]
    assert (item["name"], item["kind"], item["licence"], item["features"]) == ("roads", "roads", "ODbL-1.0", 1)
    assert item["kind_title"] == {"zh": "道路", "en": "Roads"} and item["legend"] and item["palette"]["day"]
    assert {s["source-layer"] for s in item["style"]} == {"roads"}
    assert [o["name"] for o in client.get("/api/map/style.json").json()["layers"]] == ["roads"]
    assert client.get("/tiles/layer/secret/10/868/372.pbf").status_code == 404


def test_tiles_are_given_out(office: Office) -> None:
    client = office.client("fireman")
    x, y = int((125.405 + 180) / 360 * 2**12), 1491
    answers = [client.get(f"/tiles/layer/roads/12/{x}/{row}.pbf") for row in range(y - 3, y + 4)]
    found = [a for a in answers if a.status_code == 200]
    assert found and found[0].headers["content-type"] == "application/x-protobuf"
    assert "吉林大路".encode() in b"".join(a.content for a in found)
    assert {a.status_code for a in answers} == {200, 204}
    assert client.get(f"/tiles/layer/roads/12/{x}/{y}.png").status_code == 404
    assert client.get("/tiles/layer/none/1/1/1.pbf").status_code == 404
