"""Entities that a client creates: 201 with Location, deep insert, links by id, all or nothing, rights."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputInvalid
from dashboard.sensorthings.shapes import SHAPES, properties_of
from storage.session import read_scope, session_scope
from storage.tables.readings import ReadingRow
from storage.tables.registry import Device
from tests.unit.dashboard.sensorthings.kit import ROOT, STREAM, StoringBus, key
from tests.unit.dashboard.web import Office

MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
LOCATION = {"name": "桥下", "description": "立交桥最低点", "encodingType": "application/geo+json",
            "location": {"type": "Point", "coordinates": [125.41, 43.87]}}  # fmt: skip
SENSOR = {"name": "雷达水位计", "description": "26 GHz", "encodingType": "application/pdf",
          "metadata": "https://example.org/radar.pdf"}  # fmt: skip
PROPERTY = {"name": "Depth of water", "definition": "https://example.org/depth", "description": "above the road"}
STREAM_BODY = {"name": "水深", "description": "路面积水", "observationType": MEASUREMENT,
               "unitOfMeasurement": {"name": "metre", "symbol": "m", "definition": "ucum:m"}}  # fmt: skip
THING = {"name": "积水点 7", "description": "东盛大街下穿", "properties": {"pole": 7, "nested": {"a": [1]}}}


class SensorThingsPartner:
    """A client with a key that may create."""

    def __init__(self, office: Office, login: str = "boss") -> None:
        self.client = office.client()
        self.headers = key(office, "sensorthings_write", login)

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(f"{ROOT}/{path}", headers=self.headers, json=body)

    def made(self, path: str, body: Any) -> dict[str, Any]:
        answer = self.post(path, body)
        assert answer.status_code == 201, answer.text
        found = self.client.get(answer.headers["location"], headers=self.headers)
        assert found.status_code == 200 and found.json() == answer.json()
        assert found.json()["@iot.selfLink"] == answer.headers["location"]
        return dict(found.json())

    def get(self, url: str) -> Any:
        answer = self.client.get(url if url.startswith("http") else f"{ROOT}/{url}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def count(self, kind: str) -> int:
        return int(self.get(f"{kind}?$count=true&$top=0")["@iot.count"])


@pytest.fixture
def partner(office: Office, monkeypatch: pytest.MonkeyPatch) -> SensorThingsPartner:
    monkeypatch.setattr(office.app.state.services.hub, "bus", StoringBus(office.engine))
    return SensorThingsPartner(office)


def test_one_after_the_other_linked_by_id(partner: SensorThingsPartner) -> None:
    thing = partner.made("Things", THING)
    assert {n: thing[n] for n in THING} == THING
    place = partner.made(f"Things('{thing['@iot.id']}')/Locations", LOCATION)
    sensor, quantity = partner.made("Sensors", SENSOR), partner.made("ObservedProperties", PROPERTY)
    links = {n: {"@iot.id": e["@iot.id"]} for n, e in (("Thing", thing), ("Sensor", sensor),
                                                       ("ObservedProperty", quantity))}  # fmt: skip
    stream = partner.made("Datastreams", STREAM_BODY | links)
    for name, other in links.items():
        assert partner.get(stream[f"{name}@iot.navigationLink"])["@iot.id"] == other["@iot.id"]
    for end in (thing, sensor, quantity):
        listed = partner.get(end["Datastreams@iot.navigationLink"])["value"]
        assert [s["@iot.id"] for s in listed] == [stream["@iot.id"]]
    assert partner.get(place["Things@iot.navigationLink"])["value"][0]["@iot.id"] == thing["@iot.id"]
    value = partner.made("Observations", {"result": 0.3, "phenomenonTime": "2024-07-22T02:00:00Z",
                                          "Datastream": {"@iot.id": stream["@iot.id"]}})  # fmt: skip
    assert partner.get(value["Datastream@iot.navigationLink"])["@iot.id"] == stream["@iot.id"]
    feature = partner.get(value["FeatureOfInterest@iot.navigationLink"])
    assert feature["feature"]["coordinates"] == [125.41, 43.87], "the Thing's place, where none is named"
    assert partner.get(stream["Observations@iot.navigationLink"])["value"][0]["result"] == 0.3


def test_all_at_once_and_what_it_moves(partner: SensorThingsPartner, office: Office) -> None:
    body = THING | {"Locations": [LOCATION], "Datastreams": [
        STREAM_BODY | {"Sensor": SENSOR, "ObservedProperty": PROPERTY, "Observations": [
            {"phenomenonTime": f"2024-07-22T02:0{k}:00Z", "result": k / 10} for k in range(3)]}]}  # fmt: skip
    thing = partner.made("Things", body)
    below = "Sensor,ObservedProperty,Observations($orderby=phenomenonTime ASC)"
    expand = f"Locations,Datastreams($expand={below}),HistoricalLocations($expand=Locations)"
    whole = partner.get(f"Things('{thing['@iot.id']}')?$expand={expand}")
    assert whole["Locations"][0]["location"] == LOCATION["location"]
    assert [o["result"] for o in whole["Datastreams"][0]["Observations"]] == [0.0, 0.1, 0.2]
    assert whole["Datastreams"][0]["Sensor"]["metadata"] == SENSOR["metadata"]
    assert [h["Locations"][0]["name"] for h in whole["HistoricalLocations"]] == ["桥下"]
    moved = LOCATION | {"name": "桥上", "location": {"type": "Point", "coordinates": [125.42, 43.88]}}
    partner.made("Locations", moved | {"Things": [{"@iot.id": thing["@iot.id"]}]})
    now = partner.get(f"Things('{thing['@iot.id']}')?$expand=Locations,HistoricalLocations")
    assert [place["name"] for place in now["Locations"]] == ["桥上"] and len(now["HistoricalLocations"]) == 2
    with read_scope(office.engine) as session:
        device = session.get_one(Device, thing["@iot.id"])
        assert (device.lon, device.lat, device.status, device.source) == (125.42, 43.88, "accepted", "sensorthings")


def test_nothing_is_left_of_what_fails_in_the_middle(partner: SensorThingsPartner) -> None:
    before = {kind: partner.count(kind) for kind in SHAPES}
    bad = STREAM_BODY | {"Sensor": SENSOR, "ObservedProperty": {"name": "no definition"}}
    assert partner.post("Things", THING | {"Locations": [LOCATION], "Datastreams": [bad]}).status_code == 400
    late = STREAM_BODY | {"Sensor": SENSOR, "ObservedProperty": PROPERTY, "Observations": [{"result": "deep"}]}
    assert partner.post("Things", THING | {"Datastreams": [late]}).status_code == 400
    assert {kind: partner.count(kind) for kind in SHAPES} == before


WRONG: list[tuple[str, Any, int]] = [
    ("Things", {}, 400), ("Things", [], 400), ("Things", None, 400), ("Things", "x", 400),
    ("Things", {"name": "a"}, 400), ("Things", {"name": 7, "description": "x"}, 400),
    ("Things", THING | {"nmae": "x"}, 400), ("Things", THING | {"@iot.id": "mine"}, 400),
    ("Things", THING | {"properties": []}, 400), ("Things", THING | {"Locations": LOCATION}, 400),
    ("Things", THING | {"Locations": [{"@iot.id": "nowhere"}]}, 400),
    ("Things", THING | {"name": "a\0b"}, 400), ("Things", THING | {"description": "x" * 5000}, 400),
    ("Locations", {n: v for n, v in LOCATION.items() if n != "encodingType"}, 400),
    ("Locations", LOCATION | {"location": {"type": "Point", "coordinates": [43.87, 125.41]}}, 400),
    ("Locations", LOCATION | {"location": {"type": "Point", "coordinates": []}}, 400),
    ("Locations", LOCATION | {"location": "125,43"}, 400), ("Sensors", SENSOR | {"metadata": None}, 400),
    ("ObservedProperties", {"name": "x", "description": "y"}, 400),
    ("Datastreams", STREAM_BODY, 400), ("Datastreams", STREAM_BODY | {"unitOfMeasurement": "m"}, 400),
    ("Datastreams", STREAM_BODY | {"Thing": {"@iot.id": "x"}}, 400),
    ("Observations", {"result": 1}, 400), ("Observations", {"Datastream": {"@iot.id": STREAM}}, 400),
    ("Observations", {"result": "wet", "Datastream": {"@iot.id": STREAM}}, 400),
    ("Observations", {"result": 1, "phenomenonTime": "noon", "Datastream": {"@iot.id": STREAM}}, 400),
    ("Observations", {"result": 1, "phenomenonTime": "2024-07-22T02:00:00Z/2024-07-22T01:00:00Z",
                      "Datastream": {"@iot.id": STREAM}}, 400),
    ("HistoricalLocations", {"time": "2024-07-22T02:00:00Z", "Thing": {"@iot.id": "gb26875:889"}}, 400),
    ("MultiDatastreams", {}, 404), ("Tasks", {}, 404), ("Things('nothing')/Locations", LOCATION, 404),
    ("Things('gb26875:889')/Nothing", {}, 404), ("Datastreams('a|b|c')/Observations", {"result": 1}, 404),
    (f"Datastreams('{STREAM}')/Thing", THING, 404),
    ("Things('gb26875:889')", THING, 405), (f"Datastreams('{STREAM}')", STREAM_BODY, 405),
    ("CreateObservations", {}, 400), ("CreateObservations", [{"components": ["result"]}], 400),
]  # fmt: skip


def test_what_the_standard_does_not_allow(partner: SensorThingsPartner) -> None:
    before = {kind: partner.count(kind) for kind in SHAPES}
    for path, body, status in WRONG:
        answer = partner.post(path, body)
        assert answer.status_code == status, (path, body, answer.text)
        assert set(answer.json()) >= {"error", "message", "remedy"}
        if status == 405:
            assert "GET" in answer.headers["allow"]
    for content in (b"{", b"", b'{"result": NaN}', b"[" * 100_000, b"\xff"):
        answer = partner.client.post(f"{ROOT}/Things", headers=partner.headers, content=content)
        assert answer.status_code == 400, content[:20]
    assert {kind: partner.count(kind) for kind in SHAPES} == before


def test_kinds_of_results(partner: SensorThingsPartner) -> None:
    thing = partner.made("Things", THING)["@iot.id"]
    sensor, quantity = (
        partner.made("Sensors", SENSOR)["@iot.id"],
        partner.made("ObservedProperties", PROPERTY)["@iot.id"],
    )
    kinds: list[tuple[str, Any, Any]] = [
        ("OM_CountObservation", 7, 7.5), ("OM_TruthObservation", True, 1), ("OM_CategoryObservation", "浑浊", ["x"]),
        ("OM_Observation", "看不见", {"a": 1}), ("OM_Measurement", 2.5, "2.5"),
    ]  # fmt: skip
    unit = {"name": None, "symbol": None, "definition": None}
    for kind, good, bad in kinds:
        body = STREAM_BODY | {
            "name": kind, "observationType": MEASUREMENT.replace("OM_Measurement", kind), "unitOfMeasurement": unit,
            "Thing": {"@iot.id": thing}, "Sensor": {"@iot.id": sensor}, "ObservedProperty": {"@iot.id": quantity},
        }  # fmt: skip
        stream = partner.made("Datastreams", body)
        path = f"Datastreams('{stream['@iot.id']}')/Observations"
        assert partner.made(path, {"result": good})["result"] == good
        assert partner.post(path, {"result": bad}).status_code == 400
        assert [o["result"] for o in partner.get(path + "?$orderby=result desc")["value"]] == [good]
    assert partner.count("Observations") == 4 + len(kinds)


def test_an_observation_keeps_what_its_client_said(partner: SensorThingsPartner) -> None:
    body = {
        "result": 0.4, "phenomenonTime": "2024-07-22T01:00:00Z/2024-07-22T02:00:00Z",
        "resultTime": "2024-07-22T02:10:00Z", "parameters": {"by": "hand"}, "resultQuality": "checked",
        "validTime": "2024-07-22T02:00:00Z/2024-07-23T02:00:00Z",
        "FeatureOfInterest": {"name": "涵洞", "description": "", "encodingType": "application/geo+json",
                              "feature": {"type": "Point", "coordinates": [125.4, 43.8]}},
    }  # fmt: skip
    made = partner.made(f"Datastreams('{STREAM}')/Observations", body)
    assert {n: made[n] for n in body if n != "FeatureOfInterest"} == {
        n: v for n, v in body.items() if n != "FeatureOfInterest"
    }
    feature = partner.get(made["FeatureOfInterest@iot.navigationLink"])
    assert feature["name"] == "涵洞"
    assert [o["@iot.id"] for o in partner.get(feature["Observations@iot.navigationLink"])["value"]] == [made["@iot.id"]]
    listed = partner.get(f"Datastreams('{STREAM}')/Observations")["value"]
    assert next(o for o in listed if o["@iot.id"] == made["@iot.id"])["parameters"] == {"by": "hand"}
    other = partner.made(f"FeaturesOfInterest('{feature['@iot.id']}')/Observations",
                         {"result": 0.5, "Datastream": {"@iot.id": STREAM}})  # fmt: skip
    assert partner.get(other["FeatureOfInterest@iot.navigationLink"])["@iot.id"] == feature["@iot.id"]


def test_a_partner_without_the_right_to_register(partner: SensorThingsPartner, office: Office) -> None:
    fire, water = SensorThingsPartner(office, "fireman"), SensorThingsPartner(office, "drainer")
    stream_body = STREAM_BODY | {"Sensor": SENSOR, "ObservedProperty": PROPERTY, "Observations": [{"result": 0.9}]}
    thing = fire.made("Things", THING | {"Datastreams": [stream_body]})
    with read_scope(office.engine) as session:
        device = session.get_one(Device, thing["@iot.id"])
        assert (device.status, device.department_id) == ("quarantine", "dept-fire")
        reading = session.query(ReadingRow).filter_by(device_id=thing["@iot.id"]).one()
        assert reading.attributes["quarantine"] is True and reading.unit == "m"
    for kind in ("Things", "Sensors", "ObservedProperties", "Datastreams", "Observations"):
        assert water.count(kind) == 0, kind
    stream = fire.get(thing["Datastreams@iot.navigationLink"])["value"][0]["@iot.id"]
    assert water.post(f"Datastreams('{stream}')/Observations", {"result": 1}).status_code == 404
    taken = {"result": 1, "Datastream": {"@iot.id": stream}}
    assert water.post("Observations", taken).status_code == 400
    assert water.post("Locations", LOCATION | {"Things": [{"@iot.id": thing["@iot.id"]}]}).status_code == 400
    assert fire.post("Things('gb26875:889')/Locations", LOCATION).status_code == 403, "registered by an administrator"
    with session_scope(office.engine) as session:
        session.get_one(Device, thing["@iot.id"]).status = "disabled"
    assert fire.post("Observations", taken).status_code == 403
    read = key(office, "sensorthings")
    assert office.client().post(f"{ROOT}/Things", headers=read, json=THING).status_code == 403
    assert office.client().post(f"{ROOT}/Things", json=THING).status_code == 401
    assert partner.count("Things") == 3


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=6,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(kind=st.sampled_from(sorted(SHAPES)), data=st.data())
def test_no_body_breaks_the_shapes(kind: str, data: st.DataObject) -> None:
    shape = SHAPES[kind]
    names = [*shape.texts, *shape.values, *shape.optional, *shape.links, *shape.sets, "@iot.id", "x"]
    body = data.draw(st.dictionaries(st.sampled_from(names), PLAIN | st.just("application/geo+json")) | PLAIN)
    try:
        kept = properties_of(kind, body)
    except InputInvalid as error:
        assert str(error)
    else:
        assert set(kept) <= set(body) and set(shape.texts) <= set(kept)
