"""A flight at a glance: films with their subtitles, vehicles by road, which flight the page shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from dash import no_update

from core.settings import Settings
from dashboard.drones.findings import counts
from dashboard.drones.traffic import road_counts
from dashboard.pages.desk.drone import shown_flight
from dashboard.pages.flight_card import flight_card, focus_of
from layers.catalogue.kinds import LayerWish
from layers.catalogue.take import take_in
from layers.territory import Territory
from storage.aerial import AerialStore
from storage.drones import DroneStore
from storage.tables.drones import AerialFinding, AerialLook
from tests.unit.dashboard.drones.test_drone_files import features, send
from tests.unit.dashboard.web import Office, make_office
from tests.unit.ingest.drones.cards import DJI, LAT, LON, photo, xmp

BLOCK = (
    "{n}\n00:00:{n:02d},000 --> 00:00:{m:02d},000\n2026-11-27 10:15:30.421\n[focal_len: 24.00] [latitude: 43.870812] "
    "[longitude: 125.371204] [rel_alt: 61.2 abs_alt: 274.3] [gb_yaw: 10.0 gb_pitch: -60.0 gb_roll: 0.0]\n\n"
)


@pytest.fixture
def office(settings: Settings) -> Office:
    return make_office(settings)


def film(folder: Path, seconds: int = 2) -> bytes:
    """A grey film of so many seconds."""
    path = folder / "made.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(5 * seconds):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((240, 320, 3), 90, np.uint8), format="rgb24")))
        out.mux(stream.encode())
    return path.read_bytes()


def subtitles(seconds: int) -> bytes:
    return "".join(BLOCK.format(n=n, m=n + 1) for n in range(seconds)).encode()


@pytest.mark.parametrize("film_first", [True, False])
def test_a_film_is_placed_by_the_subtitles_beside_it(film_first: bool, office: Office, tmp_path: Path) -> None:
    client = office.client("operator")
    came = [("DJI_0007.MP4", film(tmp_path)), ("DJI_0007.srt", subtitles(2))]
    for name, data in came if film_first else reversed(came):
        assert send(client, data, name).status_code == 201
    found = {f["properties"]["kind"]: f for f in features(client)}
    assert found["film"]["geometry"]["type"] == "Polygon" and found["film"]["properties"]["problems"] == []
    assert found["film"]["properties"]["taken_at"].startswith("2026-11-27T02:15:30")


def test_subtitles_of_another_film_are_told_and_not_taken(office: Office, tmp_path: Path) -> None:
    client = office.client("operator")
    send(client, film(tmp_path), "DJI_0008.MP4")
    send(client, subtitles(40), "DJI_0008.SRT")
    send(client, subtitles(2), "DJI_0009.SRT")
    found = next(f for f in features(client) if f["properties"]["kind"] == "film")
    assert found["geometry"] is None
    assert "srt_of_another_film" in [p["code"] for p in found["properties"]["problems"]]


def test_streams_of_a_sensor_are_taken_and_archives_are_refused_by_name(office: Office) -> None:
    client = office.client("operator")
    klv = b"\x06\x0e\x2b\x34\x02\x0b\x01\x01\x0e\x01\x03\x01\x01\x00\x00\x00" + b"\x00" * 600
    assert send(client, klv, "a.klv").status_code == 201
    stream = b"".join(b"\x47" + bytes([0x1F, 0xFF, 0x10]) + bytes(184) for _ in range(10))
    assert send(client, stream, "a.ts").status_code == 201
    assert {f["properties"]["kind"] for f in features(client)} == {"klv", "stream"}
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("DJI_0001.JPG", photo(xmp(DJI)))
    answer = send(client, packed.getvalue(), "card.zip")
    assert answer.status_code == 422 and "application/zip" in answer.json()["message"]


def road(settings: Settings, folder: Path) -> None:
    """One road to the north, straight through the photograph's middle."""
    line = {"type": "LineString", "coordinates": [[LON, LAT - 0.01], [LON, LAT + 0.01]]}
    properties = {"name": "东盛大街", "name_en": "Dongsheng St", "highway": "primary"}
    file = folder / "roads.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": line, "properties": properties}]}), encoding="utf-8")  # fmt: skip
    import shapely

    territory = Territory(shapely.box(LON - 0.1, LAT - 0.1, LON + 0.1, LAT + 0.1), "here")
    take_in(settings, file, territory, LayerWish(name="roads", kind="roads"))


def test_a_flight_tells_its_vehicles_by_road(office: Office, settings: Settings, tmp_path: Path) -> None:
    settings = office.app.state.services.settings
    road(settings, tmp_path)
    client = office.client("operator")
    send(client, photo(xmp(DJI)), "DJI_0001.JPG")
    file = DroneStore(office.engine).files()[0]
    now = datetime(2026, 11, 27, tzinfo=UTC)
    metre = 1 / 111_320
    rows: list[Any] = [
        AerialFinding(
            finding_id=f"{n:026d}", flight_id=file.flight_id, file_id=file.file_id, thing_id=f"{n:026d}",
            name="large_vehicle" if n == 0 else "car", box=[0.1, 0.1, 0.2, 0.2], confidence=0.8, model="m",
            model_sha256="0" * 64, lon=LON, lat=LAT + (n - 2) * 7 * metre, uncertainty_m=2.0, state="found",
            judged_by="", created_at=now,
        )
        for n in range(6)
    ]  # fmt: skip
    look = AerialLook(file_id=file.file_id, looked_at=now, problem="", reviewed_by="", width=528, height=396, seconds=1)
    AerialStore(office.engine).keep(look, rows)
    told = client.get(f"/api/drone/flights/{file.flight_id}").json()
    assert (told["pictures"], told["looked"], told["counts"]) == (1, 1, {"car": 5, "large_vehicle": 1})
    assert [(r["name"], r["name_en"], r["vehicles"], r["large"]) for r in told["roads"]] == [
        ("东盛大街", "Dongsheng St", 6, 1)
    ]
    assert told["roads"][0]["dense"] is (told["roads"][0]["per_km"] >= 70)
    assert told["mosaic"] is None and told["changes"] is None and told["residual_m"] is None
    assert client.get("/api/drone/flights/nothing").status_code == 404
    assert office.client("fireman").get(f"/api/drone/flights/{file.flight_id}").status_code == 403
    found = AerialStore(office.engine).findings(file.flight_id)
    assert road_counts(settings, [], found) == [] and counts(found)["car"] == 5


def test_the_page_shows_what_has_just_arrived() -> None:
    assert shown_flight([], None, None) is None
    assert shown_flight(["b", "a"], None, None) == "b"
    assert shown_flight(["b", "a"], "a", ["b", "a"]) is no_update
    assert shown_flight(["c", "b", "a"], "a", ["b", "a"]) == "c"
    assert shown_flight(["b"], "gone", ["b"]) == "b"


def test_the_card_names_changes_by_rank_and_what_nobody_looks_for(office: Office) -> None:
    from dashboard.drones.summary import FlightSummary
    from dashboard.pages.frame import Visit
    from tests.unit.dashboard.drones.test_findings_page import view

    told = FlightSummary(
        flight=view("a"), pictures=2, looked=2, seconds=1.0, problems=[], counts={"fire": 1}, matched=2,
        residual_m=0.21, residual_px=5.0, mosaic=None, survey=None, survey_state=None, before=None, changes=1,
        change_problem="", roads=[],
    )  # fmt: skip
    ring = [[125.0, 43.0], [125.1, 43.0], [125.1, 43.1], [125.0, 43.0]]
    about = {"rank": 1, "area_m2": 40.2, "contrast": 0.5, "guess": "water"}
    changed = {"features": [{"geometry": {"coordinates": [ring]}, "properties": about}], "since": "2026-11-20",
               "since_name": "before", "residual_px": 0.4}  # fmt: skip
    shown = {"zh": ("火焰 1", "0.21", "积水", "建筑垃圾"), "en": ("Flame 1", "Water", "construction")}
    for language, words in shown.items():
        visit = Visit(principal=None, services=office.app.state.services, language=language)  # type: ignore[arg-type]
        said = json.dumps(flight_card(visit, told, changed).to_plotly_json(), default=_plain, ensure_ascii=False)
        assert all(word in said for word in words)
    assert focus_of("125.1000000,43.5000000,3") == {"lon": 125.1, "lat": 43.5}


def _plain(thing: Any) -> Any:
    return thing.to_plotly_json()
