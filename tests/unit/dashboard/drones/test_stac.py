"""STAC: pystac validates what we answer; search by box, time and shape; download by right, written down."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pystac.validation import validate_dict

from core.settings import Settings
from storage.drone_retention import expire
from storage.session import read_scope
from storage.tables.cases import AuditEntry
from tests.unit.dashboard.drones.test_drone_files import send
from tests.unit.dashboard.web import Office, make_office
from tests.unit.ingest.drones.cards import DJI, LAT, LON, photo, xmp

PHOTO = photo(xmp(DJI))


@pytest.fixture
def office(settings: Settings) -> Office:
    made = make_office(settings)
    crew = made.client("operator")
    assert send(crew, PHOTO, "DJI_0001.JPG", "drill").status_code == 201
    assert send(crew, photo(None, gps=None), "IMG_0002.jpg", "drill").status_code == 201
    return made


def search(client: TestClient, **query: Any) -> list[str]:
    answer = client.get("/stac/search", params=query)
    assert answer.status_code == 200, answer.text
    return sorted(f["properties"]["title"] for f in answer.json()["features"])


def test_pystac_validates_catalogue_collections_and_items(office: Office) -> None:
    client = office.client("operator")
    catalogue = client.get("/stac").json()
    validate_dict(catalogue)
    collections = client.get("/stac/collections").json()["collections"]
    assert len(collections) == 1, "one aircraft, one folder, one day"
    titles = []
    for one in collections:
        validate_dict(one)
        assert client.get(f"/stac/collections/{one['id']}").json() == one
        for found in client.get(f"/stac/collections/{one['id']}/items").json()["features"]:
            validate_dict(found)
            assert client.get(f"/stac/collections/{one['id']}/items/{found['id']}").json() == found
            titles.append((found["properties"]["title"], (found["geometry"] or {}).get("type"), "bbox" in found))
    assert sorted(titles) == [("DJI_0001.JPG", "Polygon", True), ("IMG_0002.jpg", None, False)]


def test_search_by_box_time_shape_and_page(office: Office) -> None:
    client = office.client("operator")
    assert search(client) == ["DJI_0001.JPG", "IMG_0002.jpg"]
    near = f"{LON - 0.01},{LAT - 0.01},{LON + 0.01},{LAT + 0.01}"
    assert search(client, bbox=near) == ["DJI_0001.JPG"] and search(client, bbox="0,0,1,1") == []
    item = next(f for f in client.get("/stac/search").json()["features"] if f["geometry"])
    at = item["properties"]["datetime"]
    assert search(client, datetime=at) == ["DJI_0001.JPG"] and search(client, datetime="../1990-01-01T00:00:00Z") == []
    assert search(client, ids=item["id"]) == ["DJI_0001.JPG"] and search(client, collections="none") == []
    ring = [[LON - 1, LAT - 1], [LON + 1, LAT - 1], [LON, LAT + 1], [LON - 1, LAT - 1]]
    body = {"intersects": {"type": "Polygon", "coordinates": [ring]}}
    assert len(client.post("/stac/search", json=body).json()["features"]) == 1
    first = client.get("/stac/search", params={"limit": 1}).json()
    after = next(one["href"] for one in first["links"] if one["rel"] == "next")
    second = client.get(after.removeprefix("http://testserver")).json()
    assert first["features"][0]["id"] != second["features"][0]["id"] and first["numberMatched"] == 2
    assert not [one for one in second["links"] if one["rel"] == "next"]
    for wrong in ({"bbox": "1,2"}, {"datetime": "yesterday"}, {"limit": 0}):
        assert client.get("/stac/search", params=wrong).status_code in (400, 422), wrong
    for sent in ({"bbox": [1, 2]}, {"intersects": {"type": "Blob"}}, {"limit": 0}, {"bbox": [0, 0, 1, 1], **body}):
        assert client.post("/stac/search", json=sent).status_code == 422, sent


def test_download_by_right_and_written_down(office: Office) -> None:
    client = office.client("operator")
    item = next(f for f in client.get("/stac/search").json()["features"] if f["geometry"])
    path = item["assets"]["data"]["href"].removeprefix("http://testserver")
    got = client.get(path)
    assert hashlib.sha256(got.content).hexdigest() == item["properties"]["yw:sha256"]
    with read_scope(office.engine) as session:
        assert [e.action for e in session.query(AuditEntry).filter_by(action="drone_download")] == ["drone_download"]
    for other in (office.client("fireman"), office.client()):
        assert other.get(path).status_code in (401, 403) and other.get("/stac/search").status_code in (401, 403)
    assert client.get(path.replace(item["collection"], "other")).status_code == 404


def test_what_nothing_rests_on_goes_after_its_days(office: Office) -> None:
    crew, now = office.client("operator"), office.app.state.services.clock.now()
    kept = next(f["id"] for f in crew.get("/stac/search").json()["features"] if f["geometry"])
    area = {"type": "Point", "coordinates": [LON, LAT]}
    mission = crew.post("/api/drone/missions", json={"area": area}).json()["mission_id"]
    crew.post(f"/api/drone/missions/{mission}/answer", json={"pictures": [kept]})
    assert expire(office.engine, now - timedelta(days=1)) == 0
    assert expire(office.engine, now + timedelta(days=1)) == 1
    assert search(crew) == ["DJI_0001.JPG"], "a mission's answer stays"
