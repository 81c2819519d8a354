"""Registers on the map: buildings with what is inside by right, counts a cell, boxes; saved views and mappings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import shapely
from sqlalchemy.orm import Session

from core.clock import ManualClock
from core.sealing import Seal
from core.settings import load_settings
from dashboard.accounts.users import add_user
from records.registers.definition import shipped_registers
from records.registers.preparing import Preparer
from records.registers.storing import Origin, write_batch
from storage.session import session_scope
from storage.tables.people import User
from storage.tables.registry import Division, GridCell
from tests.unit.dashboard.web import _HASH, Office, make_office

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
HERE, THERE = "220105001001", "220105002001"
BUILDING = {"number": "B1", "name": "幸福里1号楼", "division": HERE, "grid": HERE + "001", "floors": 3, "below": 1,
            "lon": 125.3501, "lat": 43.8501}  # fmt: skip


def _cell(session: Session, code: str, lon: float) -> None:
    box = shapely.box(lon, 43.84, lon + 0.01, 43.86)
    session.add(GridCell(code=code, community_code=code[:12], lon=lon + 0.005, lat=43.85, min_lon=lon, min_lat=43.84,
                         max_lon=lon + 0.01, max_lat=43.86, geometry=shapely.to_wkb(box)))  # fmt: skip


def _write(session: Session, seal: Seal, register: str, rows: list[dict[str, Any]]) -> None:
    known = shipped_registers()[register]
    preparer = Preparer(known, seal, NOW.date())
    write_batch(session, [(preparer.natural_key(r), r) for r in rows], known, preparer, seal, Origin("t", NOW, "t"))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path_factory.mktemp("map"))})
    made = make_office(settings, ManualClock(NOW))
    with session_scope(made.engine) as session:
        for code in (HERE, THERE):
            session.add(Division(code=code, name=f"社区{code[-6:]}", level="community"))
        session.flush()
        _cell(session, HERE + "001", 125.345)
        _cell(session, THERE + "001", 125.445)
        for login, division in (("grid", HERE), ("other", THERE)):
            user = add_user(session, login=login, name=login, roles=["grid_worker"], division_code=division)
            session.flush()
            session.get_one(User, user.user_id).password_hash = _HASH
        seal = Seal(settings.records_key)
        _write(session, seal, "building", [BUILDING])
        homes = [(1, "101"), (3, "301"), (3, "302")]
        _write(session, seal, "household", [
            {"number": f"H{room}", "head": f"户主{room}", "members": 2, "floor": floor, "room": room, "building": "B1",
             "division": HERE, "grid": HERE + "001"} for floor, room in homes
        ])  # fmt: skip
        people = [{"name": f"居民{n}", "building": "B1", "division": HERE, "grid": HERE + "001"} for n in range(7)]
        people += [{"name": f"别处{n}", "division": THERE, "grid": THERE + "001"} for n in range(3)]
        _write(session, seal, "person", people)
        place = {"number": "S1", "name": "甲饭店", "kind": "restaurant", "building": "B1", "division": HERE}
        _write(session, seal, "special_place", [place])
    yield made
    made.engine.dispose()


def test_a_building_shows_its_floors_and_households_to_whoever_may_see_them(office: Office) -> None:
    found = office.client("grid").get("/api/building?number=B1").json()
    assert [one["floor"] for one in found["floors"]] == [3, 2, 1, -1]
    assert [home["room"] for home in found["floors"][0]["households"]] == ["301", "302"]
    assert found["floors"][1]["households"] == [] and found["held"]["person"] == 7
    assert [one["name"] for one in found["special_places"]] == ["甲饭店"]


def test_whoever_may_not_read_households_sees_floors_and_no_names(office: Office) -> None:
    answer = office.client("operator").get("/api/building?number=B1")
    found = answer.json()
    assert [one["households"] for one in found["floors"]] == [None] * 4 and found["people"] is None
    assert "household" not in found["held"] and "户主" not in answer.text and "居民" not in answer.text
    other = office.client("other").get("/api/building?number=B1").json()
    assert all(one["households"] == [] for one in other["floors"]) and other["people"] == []
    assert office.client().get("/api/building?number=B1").status_code == 401


def test_a_building_is_found_by_place_only_when_it_is_near(office: Office) -> None:
    client = office.client("boss")
    near = client.get("/api/building?number=way-17&lon=125.3502&lat=43.8501").json()
    assert near["matched"] == "place" and near["number"] == "B1" and 0 < near["distance_m"] < 20
    assert client.get("/api/building?lon=125.36&lat=43.85").status_code == 404
    assert client.get("/api/building?number=nothing").status_code == 404
    assert client.get("/api/building?lon=200&lat=43").status_code == 422


def test_counts_a_cell_are_never_small_numbers_and_never_people(office: Office) -> None:
    answer = office.client("operator").get("/api/registers/person/cells.geojson")
    by_cell = {f["properties"]["grid_code"]: f for f in answer.json()["features"]}
    here, there = by_cell[HERE + "001"], by_cell[THERE + "001"]
    assert here["properties"]["count"] == 7 and here["geometry"]["type"] == "Polygon"
    assert there["properties"] == {"grid_code": THERE + "001", "count": 0, "few": 1, "label": "<5"}
    own = office.client("other").get("/api/registers/person/cells.geojson").json()["features"]
    assert [f["properties"]["grid_code"] for f in own] == [THERE + "001"]
    assert office.client("fireman").get("/api/registers/person/cells.geojson").status_code == 404
    assert office.client("boss").get("/api/registers/policy/cells.geojson").status_code == 404


def test_the_counts_are_layers_that_are_not_shown_at_first(office: Office) -> None:
    items = {one["name"]: one for one in office.client("operator").get("/api/layers").json()["items"]}
    layer = items["register-person"]
    assert layer["shown"] is False and layer["tiles"] == "/api/registers/person/cells.geojson"
    fireman = {one["name"] for one in office.client("fireman").get("/api/layers").json()["items"]}
    assert "register-person" not in fireman


def test_a_box_filters_people_by_the_cells_in_it(office: Office) -> None:
    client = office.client("boss")
    inside = client.get("/api/registers/person/records?bbox=125.34,43.8,125.36,43.9").json()
    assert inside["total"] == 7 and {i["division_code"] for i in inside["items"]} == {HERE}
    assert client.get("/api/registers/person/records?bbox=1,1,2,2").json()["total"] == 0
    assert client.get("/api/registers/building/records?bbox=125.34,43.8,125.36,43.9").json()["total"] == 1


def test_views_are_ones_own_and_hold_known_filters(office: Office) -> None:
    boss = office.client("boss")
    path = "/api/registers/person/views"
    for q in ("王", "李"):
        body = {"name": " 独居  老人 ", "filters": {"q": q, "facet_b": "elderly_alone"}}
        assert boss.put(path, json=body).status_code == 200
    items = boss.get(path).json()["items"]
    assert [(i["name"], i["filters"]["q"]) for i in items] == [("独居 老人", "李")]
    assert office.client("grid").get(path).json()["items"] == []
    for wrong in ({"x": "1"}, {"q": 5}, {"q": "x" * 101}):
        assert boss.put(path, json={"name": "v", "filters": wrong}).status_code == 422
    assert boss.put(path, json={"name": "", "filters": {}}).status_code == 422
    assert boss.post(f"{path}/remove", json={"name": "独居 老人"}).status_code == 204
    assert boss.post(f"{path}/remove", json={"name": "独居 老人"}).status_code == 404


def test_mappings_belong_to_the_register_and_name_its_fields(office: Office) -> None:
    boss, path = office.client("boss"), "/api/registers/person/mappings"
    assert boss.put(path, json={"name": "派出所", "mapping": {"姓 名": "name", "证件": "id_number"}}).status_code == 200
    assert boss.get(path).json()["items"][0]["mapping"] == {"姓 名": "name", "证件": "id_number"}
    for wrong in ({"a": "nothing"}, {"a": "name", "b": "name"}, {}):
        assert boss.put(path, json={"name": "x", "mapping": wrong}).status_code == 422
    assert office.client("grid").get(path).status_code == 403


def test_headings_are_asked_mapped_and_taken_over_the_interface(office: Office) -> None:
    boss, path = office.client("boss"), "/api/registers/building"
    body = '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"编号": "B77", "楼栋": "新楼", "社区": "%s"}, "geometry": {"type": "Point", "coordinates": [125.36, 43.86]}}]}' % HERE  # noqa: E501, UP031
    found = boss.post(f"{path}/headings?name=b.geojson", content=body.encode()).json()
    assert found["geodata"] and found["suggested"]["楼栋"] == "name" and found["suggested"]["社区"] == "division"
    answer = boss.post(f"{path}/import?dry_run=false&name=b.geojson&map=编号=number", content=body.encode()).json()
    assert answer["created"] == 1, answer
    item = boss.get(f"{path}/records?q=新楼").json()["items"][0]
    assert (item["lon"], item["lat"]) == (125.36, 43.86)
    assert office.client("grid").post(f"{path}/headings?name=b.csv", content=b"a").status_code == 403
    rubbish = boss.post(f"{path}/headings?name=b.gpkg", content=b"SQLite format 3\0x").json()
    assert rubbish["headings"] == [] and rubbish["problems"]
    content = "姓名,联系电话\n张三,12012345678\n".encode()
    secret = boss.post("/api/registers/person/headings?name=p.csv", content=content)
    assert "12012345678" not in secret.text
