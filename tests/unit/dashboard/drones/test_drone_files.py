"""A folder of photos arrives: placed when the last byte is there, kept once, seen by right, placed by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.settings import Settings
from dashboard.drones.features import layer
from dashboard.uploads.routes import metadata_header
from dashboard.uploads.targets import TARGETS
from tests.unit.dashboard.web import Office, make_office
from tests.unit.ingest.drones.cards import DJI, LAT, LON, photo, xmp

TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def office(settings: Settings) -> Office:
    return make_office(settings)


def send(client: TestClient, data: bytes, name: str, folder: str = "drill") -> Any:
    facts = {"target": "aerial", "filename": name, "folder": folder, "key": hashlib.sha256(data).hexdigest()}
    head = {**TUS, "Upload-Length": str(len(data)), "Upload-Metadata": metadata_header(facts)}
    return client.post("/api/uploads", headers=head, content=data)


def features(client: TestClient, **query: Any) -> list[Any]:
    found: list[Any] = client.get("/api/drone/files", params=query).json()["features"]
    return found


def test_a_folder_becomes_flights_with_places(office: Office) -> None:
    client = office.client("operator")
    good = photo(xmp(DJI))
    blind = photo(None, gps=None, make="HUAWEI")
    for data, name in ((good, "DJI_0001.JPG"), (good, "copy of DJI_0001.JPG"), (blind, "IMG_2.jpg")):
        assert send(client, data, name).status_code == 201
    shown = {f["properties"]["file"]: f for f in features(client)}
    assert set(shown) == {"DJI_0001.JPG", "IMG_2.jpg"}, "the same bytes are kept once"
    assert shown["DJI_0001.JPG"]["geometry"]["type"] == "Polygon" and shown["IMG_2.jpg"]["geometry"] is None
    assert shown["IMG_2.jpg"]["properties"]["problems"][0]["code"] == "no_position"
    flights = client.get("/api/drone/flights").json()["items"]
    assert sorted((f["aircraft"], f["placed"], f["files"]) for f in flights) == [
        ("DJI M3E", 1, 1),
        ("HUAWEI M3E", 0, 1),
    ]
    assert client.post(
        "/api/drone/known", json={"sha256": [hashlib.sha256(good).hexdigest(), "0" * 64, "x"]}
    ).json() == {"known": [hashlib.sha256(good).hexdigest()]}
    assert len(features(client, bbox=f"{LON - 0.01},{LAT - 0.01},{LON + 0.01},{LAT + 0.01}")) == 1
    assert features(client, bbox="0,0,1,1") == [] and len(features(client, flight=flights[0]["flight_id"])) == 1


def test_a_broken_connection_goes_on_and_the_server_finishes_alone(office: Office) -> None:
    client, data = office.client("operator"), photo(xmp(DJI))
    facts = {"target": "aerial", "filename": "a.JPG", "key": "k1"}
    head = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data)), "Upload-Metadata": metadata_header(facts)}
    path = client.post("/api/uploads", headers=head).headers["Location"]
    half = len(data) // 2
    client.patch(path, headers={**TUS, "Upload-Offset": "0"}, content=data[:half])
    assert features(client) == []
    again = client.post("/api/uploads", headers=head)
    assert (again.headers["Location"], again.headers["Upload-Offset"]) == (path, str(half))
    client.patch(path, headers={**TUS, "Upload-Offset": str(half)}, content=data[half:])
    assert len(features(client)) == 1


def test_a_place_by_hand_is_kept_with_who_gave_it(office: Office) -> None:
    client = office.client("operator")
    send(client, photo(None, gps=None), "a.jpg")
    file_id = features(client)[0]["id"]
    path = f"/api/drone/files/{file_id}/place"
    for wrong in ({"lon": 0, "lat": 0}, {"lon": 200, "lat": 1}, {"lon": 1, "lat": 1, "radius_m": 0}):
        assert client.post(path, json=wrong).status_code == 422
    assert client.post(path, json={"lon": LON, "lat": LAT, "radius_m": 15}).json()["placed_by"].startswith("user:")
    found = features(client)[0]
    assert found["geometry"] == {"type": "Point", "coordinates": [LON, LAT]}
    assert found["properties"]["uncertainty_m"] == 15 and found["properties"]["problems"]
    assert client.post("/api/drone/files/nothing/place", json={"lon": 1, "lat": 1}).status_code == 404


def test_small_pictures_and_rights(office: Office) -> None:
    client = office.client("operator")
    send(client, photo(xmp(DJI), (1600, 1200)), "a.JPG")
    file_id = features(client)[0]["id"]
    small = client.get(f"/api/drone/files/{file_id}/picture")
    assert small.headers["content-type"] == "image/jpeg" and len(small.content) < 400_000
    names = [entry["name"] for entry in client.get("/api/layers").json()["items"]]
    assert "drone-photos" in names
    other = office.client("fireman")
    assert other.get("/api/drone/files").status_code == other.get("/api/drone/flights").status_code == 403
    assert other.get(f"/api/drone/files/{file_id}/picture").status_code == 403
    assert "drone-photos" not in [entry["name"] for entry in other.get("/api/layers").json()["items"]]
    assert send(other, photo(xmp(DJI)), "b.JPG").status_code == 403


def test_files_that_cannot_be_read_do_not_stop_the_others(office: Office) -> None:
    client = office.client("operator")
    srt = b"1\n00:00:00,000 --> 00:00:01,000\n[latitude: 43.87] [longitude: 125.37] [rel_alt: 61.2 abs_alt: 274.3]\n\n"
    assert send(client, b"\xff\xd8\xff" + bytes(500), "broken.JPG").status_code == 422
    assert send(client, srt, "DJI_0001.SRT").status_code == 201
    assert send(client, photo(xmp(DJI)), "good.JPG").status_code == 201
    assert [f["properties"]["file"] for f in features(client)] != []
    assert {f["properties"]["kind"] for f in features(client)} == {"jpeg", "text"}


def test_there_is_no_layer_without_photos() -> None:
    assert layer(0) is None
    made = layer(3)
    assert made is not None and made["features"] == 3 and made["form"] == "geojson"
    assert "text/csv" in TARGETS["aerial"].limits


def test_the_page_s_sender_is_tested_in_node() -> None:
    assert (Path(__file__).parents[3] / "js" / "drone_sending.test.mjs").is_file()
