"""A case asks for a look from above: the team plans, flies, answers; the case gets pictures, the check its word."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import Any

import geopandas
import pymupdf
import pytest
from fastapi.testclient import TestClient
from shapely.geometry import box

from core.settings import Settings
from dashboard.accounts.users import add_user
from ingest.drones.wpml.check import faults
from ingest.drones.wpml.read import read
from layers.catalogue.take import LayerWish, take_in
from layers.territory import of_code
from storage.session import session_scope
from tests.unit.dashboard.drones.test_drone_files import features, send
from tests.unit.dashboard.web import _HASH, Office, make_office
from tests.unit.ingest.drones.cards import DJI, LAT, LON, photo, xmp

AREA = {
    "type": "Polygon",
    "coordinates": [[[LON, LAT], [LON + 0.003, LAT], [LON + 0.003, LAT + 0.002], [LON, LAT + 0.002], [LON, LAT]]],
}


@pytest.fixture
def office(settings: Settings) -> Office:
    made = make_office(settings)
    with session_scope(made.engine) as session:
        add_user(session, login="pilot", name="pilot", roles=["drone"], department_id="dept-command")\
            .password_hash = _HASH
    return made


def report_case(client: TestClient) -> dict[str, Any]:
    answer = client.post("/api/cases", json={"title": "积水", "location": {"lon": LON, "lat": LAT}})
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


def ask(client: TestClient, **wish: Any) -> dict[str, Any]:
    answer = client.post("/api/drone/missions", json=wish)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def import_layer(office: Office, folder: Any, layer: str, shape: Any, **values: Any) -> None:
    file = folder / f"{layer}.gpkg"
    geopandas.GeoDataFrame([values], geometry=[shape], crs="EPSG:4326").to_file(file)
    report = take_in(office.settings, file, of_code("220105"), LayerWish(kind=layer))
    assert report.features == 1, report


def test_a_case_asks_the_team_answers_and_the_case_has_it(office: Office) -> None:
    desk, team = office.client("operator"), office.client("pilot")
    case = report_case(desk)
    mission = ask(desk, case_id=case["case_id"], note="水有多深")
    assert (mission["state"], mission["area"]) == ("requested", {"type": "Point", "coordinates": [LON, LAT]})
    assert mission["title"].startswith(case["number"])
    assert [m["mission_id"] for m in team.get("/api/drone/missions?state=open").json()["items"]] == [
        mission["mission_id"]
    ]
    path = f"/api/drone/missions/{mission['mission_id']}"
    planned = team.post(f"{path}/plan", json={"kind": "look_again"}).json()
    assert planned["state"] == "planned" and planned["plan"]["photos"] == 7
    assert {w["code"] for w in planned["plan"]["warnings"]} == {"no_airspace_data", "no_building_data"}
    route = team.get(f"{path}/route.kmz")
    assert faults(read(route.content)) == [] and b"filesize" not in route.content
    text = zipfile.ZipFile(BytesIO(route.content)).read("wpmz/waylines.wpml").decode()
    assert case["number"] in text, "the case's number comes back in the pictures' names"
    assert send(team, photo(xmp(DJI)), "DJI_0001.JPG").status_code == 201
    picture = features(team)[0]["id"]
    wrong = team.post(f"{path}/answer", json={"verdict": "maybe"})
    assert wrong.status_code == 422
    done = team.post(f"{path}/answer", json={"verdict": "clear", "answer": "水已退", "pictures": [picture]}).json()
    assert (done["state"], done["verdict"], len(done["flights"])) == ("done", "clear", 1)
    detail = desk.get(f"/api/cases/{case['case_id']}").json()
    assert [e["purpose"] for e in detail["evidence"]] == ["check"]
    assert [t["command"] for t in detail["transitions"] if "drone" in t["command"] or t["command"] == "attach"] == [
        "ask_drone", "attach",
    ]  # fmt: skip
    assert desk.get(detail["evidence"][0]["url"]).status_code == 200
    assert team.post(f"{path}/answer", json={"verdict": "clear"}).json()["error"] == "mission_over"
    report = team.get(f"{path}/report.pdf")
    document = pymupdf.open("pdf", report.content)
    assert len(document) == 2 and "水已退" in document[0].get_text() and document[1].get_images()


def test_a_survey_is_planned_and_kept_out_of_closed_areas(office: Office, tmp_path: Any) -> None:
    team = office.client("pilot")
    mission = ask(team, purpose="survey", title="base", area=AREA)
    path = f"/api/drone/missions/{mission['mission_id']}"
    assert team.get(f"{path}/route.kmz").status_code == 422, "no plan yet"
    wide = team.post(f"{path}/plan", json={"kind": "survey", "gsd_cm": 3}).json()["plan"]
    assert wide["lines"] > 3 and wide["photos"] > 20 and 80 < wide["height_m"] < 120
    west = box(LON - 0.01, LAT - 0.01, LON + 0.001, LAT + 0.01)
    import_layer(office, tmp_path, "airspace", west, kind="prohibited", name="变电站", buffer_m=20.0)
    cut = team.post(f"{path}/plan", json={"kind": "survey", "gsd_cm": 3}).json()["plan"]
    assert cut["photos"] < wide["photos"] and min(stop[0] for stop in cut["stops"]) > LON + 0.001
    assert team.get(f"{path}/route.kmz").status_code == 200
    look = ask(team, purpose="look_again", area={"type": "Point", "coordinates": [LON, LAT]})
    path = f"/api/drone/missions/{look['mission_id']}"
    told = team.post(f"{path}/plan", json={"kind": "look_again"}).json()["plan"]["warnings"]
    assert ("crosses_prohibited", True) in [(w["code"], w["blocking"]) for w in told]
    refused = team.get(f"{path}/route.kmz")
    assert (refused.status_code, refused.json()["error"]) == (409, "route_blocked")
    assert team.patch(path, json={"permit": "CC-2026-7"}).status_code == 200
    assert team.get(f"{path}/route.kmz").status_code == 200, "with the permit's number"


def test_a_building_lifts_the_look_again(office: Office, tmp_path: Any) -> None:
    team = office.client("pilot")
    import_layer(office, tmp_path, "buildings", box(LON, LAT, LON + 0.0003, LAT + 0.0002), height_m=60.0)
    mission = ask(team, area={"type": "Point", "coordinates": [LON, LAT]})
    plan = team.post(f"/api/drone/missions/{mission['mission_id']}/plan", json={}).json()["plan"]
    assert plan["height_m"] == 75 and "obstacle_in_the_way" not in {w["code"] for w in plan["warnings"]}


def test_rights_and_wrong_input(office: Office) -> None:
    desk, team = office.client("operator"), office.client("pilot")
    fire, viewer = office.client("fireman"), office.client("inspector")
    case = report_case(desk)
    assert fire.post("/api/drone/missions", json={"case_id": case["case_id"]}).status_code == 404, "not his case"
    assert viewer.post("/api/drone/missions", json={"area": AREA}).status_code == 403
    assert fire.get("/api/drone/missions").json()["items"] == []
    mission = ask(desk, case_id=case["case_id"])
    path = f"/api/drone/missions/{mission['mission_id']}"
    assert fire.get(path).status_code == 403 and fire.post(f"{path}/plan", json={}).status_code == 403
    for wish in (
        {"purpose": "war", "area": AREA}, {"area": {"type": "Point", "coordinates": [500, 1]}}, {"area": {}},
        {"area": {"type": "Polygon", "coordinates": "x"}}, {"area": AREA, "starts_at": "2026-11-28T10:00:00"},
        {"area": AREA, "starts_at": "2026-11-28T10:00:00Z", "ends_at": "2026-11-28T09:00:00Z"},
        {"area": AREA, "title": "x" * 200},
    ):  # fmt: skip
        assert team.post("/api/drone/missions", json=wish).status_code == 422, wish
    for plan in (
        {"kind": "x"}, {"camera": "polaroid"}, {"gsd_cm": 0}, {"front": 1}, {"speed_ms": 99}, {"kind": "survey"},
    ):  # fmt: skip
        assert team.post(f"{path}/plan", json=plan).status_code == 422, plan
    changed = team.patch(path, json={"pilot": "A", "version": 1}).json()
    assert changed["version"] == 2
    assert team.patch(path, json={"pilot": "B", "version": 1}).json()["error"] == "mission_changed"
    assert team.patch(path, json={"state": "cancelled"}).json()["state"] == "cancelled"
    assert team.patch(path, json={"pilot": "C"}).json()["error"] == "mission_over"
    assert team.get("/api/drone/missions/none").status_code == 404
