"""OGC SensorThings out: what another department's client sees, and what it must not."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputInvalid
from dashboard.sensorthings.filters import parse_filter
from tests.unit.dashboard.sensorthings.kit import ROOT, STREAM, StoringBus, key
from tests.unit.dashboard.web import Office


def test_from_thing_to_observation(office: Office) -> None:
    client = office.client("boss")
    things = client.get(f"{ROOT}/Things?$count=true").json()
    assert things["@iot.count"] == 2 and things["value"][0]["@iot.id"] == "gb26875:889"
    streams = client.get(things["value"][0]["Datastreams@iot.navigationLink"]).json()["value"]
    assert [s["@iot.id"] for s in streams] == [STREAM]
    assert streams[0]["unitOfMeasurement"]["symbol"] == "MPa"
    assert client.get(streams[0]["@iot.selfLink"]).json()["@iot.id"] == STREAM
    found = client.get(streams[0]["Observations@iot.navigationLink"]).json()["value"]
    assert [round(o["result"], 2) for o in found] == [0.3, 0.31, 0.32, 0.34], "the newest first, only good ones"
    assert found[0]["phenomenonTime"] == "2024-07-22T02:30:00Z"


def test_pages_order_and_filter(office: Office) -> None:
    client = office.client("boss")
    path = f"{ROOT}/Datastreams('{STREAM}')/Observations"
    page = client.get(f"{path}?$top=3&$orderby=phenomenonTime asc").json()
    assert [round(o["result"], 2) for o in page["value"]] == [0.34, 0.32, 0.31]
    rest = client.get(page["@iot.nextLink"]).json()
    assert [round(o["result"], 2) for o in rest["value"]] == [0.3] and "@iot.nextLink" not in rest
    wanted = "phenomenonTime ge 2024-07-22T02:28:00Z and phenomenonTime lt 2024-07-22T02:30:00Z"
    found = client.get(path, params={"$filter": wanted}).json()["value"]
    assert [round(o["result"], 2) for o in found] == [0.31, 0.32]


@pytest.mark.parametrize(
    "query",
    ["$expand=Things", "$orderby=nothing", "$filter=result gt", "$filter=phenomenonTime ge never('x')",
     "$top=-1", "$top=x",
     "$nothing=1", "$count=perhaps", "$select=nothing", "$filter=(result gt 3", "$expand=Datastream($top=x)"],
)  # fmt: skip
def test_what_is_not_understood_is_said(office: Office, query: str) -> None:
    answer = office.client("boss").get(f"{ROOT}/Datastreams('{STREAM}')/Observations?{query}")
    assert answer.status_code in (400, 422) and answer.json()["error"] == "input_invalid"


def test_the_root_lists_only_what_exists_and_every_link_leads_somewhere(office: Office) -> None:
    client = office.client("boss")
    sets = client.get(ROOT).json()["value"]
    assert {s["name"] for s in sets} >= {"Things", "Locations", "Datastreams", "Sensors", "ObservedProperties"}
    for listed in sets:
        assert listed["url"].startswith("http")
        answer = client.get(listed["url"] + "?$count=true")
        assert answer.status_code == 200 and answer.json()["@iot.count"] == len(answer.json()["value"])
        assert client.get(listed["url"] + "?$top=0&$count=true").json()["value"] == []
        for entity in answer.json()["value"]:
            assert client.get(entity["@iot.selfLink"]).json()["@iot.id"] == entity["@iot.id"]
            for name, link in entity.items():
                if name.endswith("@iot.navigationLink"):
                    assert client.get(link).status_code == 200, link


def test_observations_of_every_datastream(office: Office) -> None:
    client = office.client("boss")
    path = f"{ROOT}/Observations"
    found = client.get(path, params={"$top": "2", "$count": "true", "$orderby": "phenomenonTime desc"}).json()
    own = client.get(f"{ROOT}/Datastreams('{STREAM}')/Observations?$count=true").json()
    assert found["@iot.count"] == own["@iot.count"]
    rest = client.get(found["@iot.nextLink"]).json()
    assert [*found["value"], *rest["value"]] == own["value"]
    bounded = client.get(path, params={"$filter": "phenomenonTime ge 2024-07-22T02:28:00Z and result gt 0.305"}).json()
    assert [round(o["result"], 2) for o in bounded["value"]] == [0.31, 0.32]
    recent = "phenomenonTime gt now() sub duration'P1D'"
    assert client.get(path, params={"$filter": recent}).json()["value"] == []
    assert client.get(path, params={"$filter": recent.replace("gt", "lt")}).json()["value"] == own["value"]
    feature = client.get(f"{ROOT}/FeaturesOfInterest('gb26875:889')/Observations")
    assert feature.status_code == 404 or feature.json()["value"] == own["value"]
    assert office.client("drainer").get(path).json()["value"] == []


@pytest.mark.parametrize(
    "query", ["$filter=nmae eq 'x'", "$orderby=nmae", "$filter=now( gt 1", "$filter=a gt duration'P'"]
)
def test_a_misspelt_property_is_not_an_empty_answer(office: Office, query: str) -> None:
    assert office.client("boss").get(f"{ROOT}/Things?{query}").status_code in (400, 422)


def test_qgis_query_forms(office: Office) -> None:
    client = office.client("boss")
    point = "location/type eq 'Point' or location/geometry/type eq 'Point'"
    box = "geo.intersects(location, geography'POLYGON ((125 43, 126 43, 126 44, 125 44, 125 43))')"
    away = "geo.intersects(location, geography'POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0))')"
    count = client.get(f"{ROOT}/Locations", params={"$top": "0", "$count": "true", "$filter": point}).json()
    assert count["value"] == [] and count["@iot.count"] >= 1
    assert client.get(f"{ROOT}/Locations", params={"$filter": f"({point}) and ({away})"}).json()["value"] == []
    assert len(client.get(f"{ROOT}/Locations", params={"$filter": box}).json()["value"]) == count["@iot.count"]
    expand = (
        "Things($orderby=id;$top=3;$expand=Datastreams($orderby=id;$top=3;$expand=Observations($orderby=id;$top=2)))"
    )
    found = client.get(f"{ROOT}/Locations", params={"$expand": expand, "$filter": box, "$top": "20"}).json()["value"]
    streams = [d for location in found for thing in location["Things"] for d in thing["Datastreams"]]
    assert [d["@iot.id"] for d in streams] == [STREAM] and len(streams[0]["Observations"]) == 2
    assert streams[0]["Observations@iot.nextLink"].startswith("http")
    things = client.get(f"{ROOT}/Things", params={"$expand": "Locations", "$count": "false"}).json()["value"]
    assert any(thing["Locations"] for thing in things)


def test_filters_paths_and_selection(office: Office) -> None:
    client = office.client("boss")

    def things(condition: str) -> list[str]:
        rows = client.get(f"{ROOT}/Things", params={"$filter": condition}).json()["value"]
        return [row["@iot.id"] for row in rows]

    assert things("@iot.id eq 'gb26875:889'") == things("id eq 'gb26875:889'") == ["gb26875:889"]
    assert things("startswith(name,'\u4e0d')") == [] and len(things("not startswith(name,'\u4e0d')")) == 2
    assert things("Datastreams/name eq 'pressure_mpa 11/1/91/1-1'") == ["gb26875:889"]
    assert things("properties/source eq 'gb26875' and length(name) gt 0") == ["gb26875:889"]
    path = f"{ROOT}/Datastreams('{STREAM}')"
    values = client.get(f"{path}/Observations", params={"$filter": "result gt 0.305 and result lt 0.335"}).json()
    assert [round(v["result"], 2) for v in values["value"]] == [0.31, 0.32]
    assert set(client.get(f"{path}?$select=name").json()) == {"@iot.id", "@iot.selfLink", "name"}
    assert client.get(f"{path}/name").json() == {"name": "pressure_mpa 11/1/91/1-1"}
    assert client.get(f"{path}/unitOfMeasurement/$value").json()["symbol"] == "MPa"
    assert client.get(f"{path}/Thing").json()["@iot.id"] == "gb26875:889"
    assert client.get(f"{path}/Thing/Locations/$ref").json()["value"]
    newest = client.get(f"{path}/Observations?$orderby=result desc&$top=1").json()["value"][0]
    assert round(newest["result"], 2) == 0.34
    assert client.get(newest["Datastream@iot.navigationLink"]).json()["@iot.id"] == STREAM
    for wrong in ("Nothing", "Things('x')", "Things('gb26875:889')/nothing", "Things('gb26875:889"):
        assert client.get(f"{ROOT}/{wrong}").status_code == 404, wrong


def test_keys_of_partners(office: Office) -> None:
    stranger = office.client()
    assert stranger.get(f"{ROOT}/Things").status_code == 401
    read, other = key(office, "sensorthings"), key(office, "open311")
    basic = base64.b64encode(f"x:{read['X-API-Key']}".encode()).decode()
    bearer = {"Authorization": f"Bearer {read['X-API-Key']}"}
    for headers in (read, bearer, {"Authorization": f"Basic {basic}"}):
        assert stranger.get(f"{ROOT}/Things", headers=headers).json()["value"]
    assert stranger.get(f"{ROOT}/Things", headers=other).status_code == 403
    assert stranger.get(f"{ROOT}/Things", headers={"X-API-Key": "wrong"}).status_code == 401
    assert stranger.post(f"{ROOT}/Observations", headers=read, json={}).status_code == 403
    assert office.client("boss").post(f"{ROOT}/Observations", json={}).status_code in {401, 403}


def test_an_observation_is_created_and_found_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = key(office, "sensorthings_write")
    monkeypatch.setattr(office.app.state.services.hub, "bus", StoringBus(office.engine))
    client = office.client()
    body = {"result": 0.5, "phenomenonTime": "2024-07-22T10:29:30+08:00"}
    answer = client.post(f"{ROOT}/Datastreams('{STREAM}')/Observations", headers=headers, json=body)
    assert answer.status_code == 201, answer.text
    found = client.get(answer.headers["location"], headers=headers).json()
    assert (found["result"], found["phenomenonTime"]) == (0.5, "2024-07-22T02:29:30Z")
    assert found["@iot.id"] == answer.json()["@iot.id"]
    again = client.post(f"{ROOT}/Observations", headers=headers, json=body | {"Datastream": {"@iot.id": STREAM}})
    assert again.headers["location"] == answer.headers["location"]
    many = [{"Datastream": {"@iot.id": STREAM}, "components": ["phenomenonTime", "result"],
             "dataArray": [["2024-07-22T02:00:00Z", 0.1], ["2024-07-22T02:01:00Z", "x"], [1]]}]  # fmt: skip
    links = client.post(f"{ROOT}/CreateObservations", headers=headers, json=many).json()
    assert links[1:] == ["error", "error"] and client.get(links[0], headers=headers).json()["result"] == 0.1
    for wrong, status in (
        ({"result": 1}, 422), ({"result": True, "Datastream": {"@iot.id": STREAM}}, 422),
        ({"result": 1, "Datastream": {"@iot.id": "a|b|c"}}, 404),
        ({"result": 1, "phenomenonTime": "2030-01-01T00:00:00Z", "Datastream": {"@iot.id": STREAM}}, 422),
    ):  # fmt: skip
        assert client.post(f"{ROOT}/Observations", headers=headers, json=wrong).status_code in (status, 400), wrong
    assert client.post(f"{ROOT}/Things", headers=headers, json={}).status_code == 400
    assert client.post(f"{ROOT}/Observations", headers=headers, content=b"{").status_code in (400, 422)


@given(st.text(max_size=80))
def test_no_filter_breaks_the_parser(text: str) -> None:
    for condition in (text, f"result gt {text}", f"({text}) and not {text}", f"contains(name,'{text}')"):
        try:
            node, _ = parse_filter(condition)
            node({"name": "x", "result": 1.0}, lambda e, n: None)
        except InputInvalid as error:
            assert str(error)


def test_another_departments_device_is_not_there(office: Office) -> None:
    client = office.client("drainer")
    assert client.get(f"{ROOT}/Things").json()["value"] == []
    for path in ("Things('gb26875:889')", f"Datastreams('{STREAM}')", f"Datastreams('{STREAM}')/Observations"):
        assert client.get(f"{ROOT}/{path}").status_code == 404
    assert office.client("boss").get(f"{ROOT}/Datastreams('gb26875:889|x|')").status_code == 404
    assert office.client("boss").get(f"{ROOT}/Datastreams('nonsense')").status_code == 404
