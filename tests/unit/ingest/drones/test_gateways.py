"""Messages of remote controls and docks, telemetry sets and routes: read right, refused with a code, never a crash."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import YiwangError
from core.records import DeviceConfig
from core.settings import Settings
from ingest.drones import geodesic, misb
from ingest.drones.dji import osd, topology
from ingest.drones.dji.envelope import BadJson, NotAuthorised, TopicUnknown, parse
from ingest.drones.dji.events import event
from ingest.drones.live.fleet import Fleet
from ingest.drones.live.requests import stored
from ingest.drones.wpml.check import faults, route_of
from tests.unit.ingest.drones.test_locate import GEOD, KLV

OSD = "thing/product/UAV1/osd"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-400, 400) | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["latitude", "longitude", "mode_code", "battery", "66-0-0", "sub_device"]), inner
        )
    ),
    max_leaves=12,
)


def message(**data: Any) -> dict[str, Any]:
    return {"tid": "t", "bid": "b", "timestamp": 1795745730421, "gateway": "RC1", "data": data}


def test_a_gateway_speaks_for_itself_and_its_aircraft_alone() -> None:
    text = json.dumps(message(latitude=43.8, longitude=125.3, mode_code=5))
    assert osd.read(OSD, text, "RC1")["lat"] == 43.8
    assert osd.read(OSD, text, "UAV1")["lon"] == 125.3
    for user, announced in (("RC2", None), ("RC1", frozenset({"UAV2"}))):
        with pytest.raises(NotAuthorised):
            osd.read(OSD, text, user, announced)
    with pytest.raises(BadJson):
        osd.read(OSD, "[1]")
    with pytest.raises(TopicUnknown):
        osd.read("thing/other/UAV1/osd", text)


@pytest.mark.parametrize(
    ("data", "airborne"),
    [
        ({"mode_code": 0, "elevation": 0}, False), ({"mode_code": 5, "elevation": 60}, True),
        ({"mode_code": 3, "elevation": 0.2}, False), ({"mode_code": 3, "elevation": 20}, True),
        ({"mode_code": 77, "horizontal_speed": 6}, True), ({}, None),
    ],
)  # fmt: skip
def test_flying_is_told_by_mode_then_by_height(data: dict[str, Any], airborne: bool | None) -> None:
    assert osd.of_message("UAV1", message(**data))["airborne"] is airborne


def test_the_laser_counts_only_with_an_echo() -> None:
    echo = {"measure_target_error_state": 0, "measure_target_latitude": 43.8, "measure_target_longitude": 125.3}
    assert osd.of_message("U", message(**{"66-0-0": echo}))["laser"] == {"lon": 125.3, "lat": 43.8}
    assert osd.of_message("U", message(**{"66-0-0": echo | {"measure_target_error_state": 3}}))["laser"] is None


@given(JSON)
def test_any_telemetry_is_answered_or_refused(data: Any) -> None:
    try:
        osd.of_message("U", message() | {"data": data})
    except YiwangError as error:
        assert error.code == "position_out_of_range"


def test_an_aircraft_that_left_is_told_once() -> None:
    topic = "sys/product/RC1/status"
    gone = {"tid": "1", "bid": "2", "method": "update_topo", "data": {"type": 144, "sub_type": 0, "sub_devices": []}}
    found = topology.update(topic, gone, ["UAV1"])
    assert found["offline"] == ["UAV1"] and found["online"] == [] and found["gateway"]["model_key"] == "2-144-0"
    back = gone | {"data": {"domain": "3", "type": 144, "sub_devices": [{"sn": "UAV1", "type": 555, "sub_type": 9}]}}
    again = topology.update(topic, back, ["UAV1"])
    assert again["new"] == [] and again["offline"] == [] and again["gateway"]["name"] == "DJI RC Pro Enterprise"
    assert again["online"] == [{"sn": "UAV1", "model_key": "0-555-9", "name": "0-555-9"}]


def test_events_are_answered_when_asked_for() -> None:
    topic, body = "thing/product/D1/events", {"tid": "t", "bid": "b", "gateway": "D1", "method": "hms"}
    alarm = {"code": "0x16100001", "level": 2, "in_the_sky": 1, "module": 3}
    assert event(topic, body | {"data": {"list": [alarm]}})["reply"] is None
    found = event(topic, body | {"need_reply": 1, "data": {"list": [alarm, "x"]}})
    assert found["alarms"] == [{"code": "0x16100001", "level": "warn", "in_the_sky": True, "module": 3}]
    assert found["reply"]["topic"] == "thing/product/D1/events_reply"
    pilot = {"method": "file_upload_callback", "data": {"object_key": "k", "metadata": {
        "created_time": "2021-05-10 16:04:20", "shoot_position": {"lat": "43.8", "lng": "125.3"}}}}  # fmt: skip
    photo = event(topic, body | pilot)["photo"]
    assert (photo["lat"], photo["lon"], photo["utc"]) == (43.8, 125.3, "2021-05-10T08:04:20Z")


def test_a_damaged_set_is_refused_and_the_next_is_read() -> None:
    damaged = bytearray(KLV)
    damaged[30] ^= 1
    with pytest.raises(misb.ChecksumInvalid):
        misb.decode(bytes(damaged))
    assert [s["hfov"] for s in misb.sets(bytes(damaged) + b"--" + KLV + KLV[:20])] == [misb.decode(KLV)["hfov"]]


@given(st.binary(max_size=80))
def test_any_bytes_after_the_key_are_answered(body: bytes) -> None:
    try:
        misb.decode(misb.KEY + body)
    except YiwangError as error:
        assert error.code in ("klv_invalid", "checksum")


def test_routes_of_unknown_aircraft_are_not_refused_for_their_payload() -> None:
    files = ["wpmz/template.kml", "wpmz/waylines.wpml"]
    good = {"files": files, "gateway": "dock", "takeOffSecurityHeight": 20, "droneEnumValue": 777,
            "payloadEnumValue": 5, "executeHeightMode": "WGS84", "indexes": [0, 1]}  # fmt: skip
    assert faults(route_of(good)) == []
    assert faults(route_of(good | {"indexes": [0], "takeOffSecurityHeight": 1600})) == [
        "takeoff_height_above_1500", "fewer_than_two_waypoints",
    ]  # fmt: skip
    assert faults(route_of(good | {"gateway": "rc", "takeOffSecurityHeight": 1})) == ["takeoff_height_below_1_2"]


@given(st.floats(-179, 179), st.floats(-85, 85), st.floats(-180, 180), st.floats(0.01, 50_000))
def test_the_geodesic_is_proj_s(lon: float, lat: float, azimuth: float, distance: float) -> None:
    there = GEOD.fwd(lon, lat, azimuth, distance)
    found = geodesic.forward(lon, lat, azimuth, distance)
    assert GEOD.inv(*found, *there[:2])[2] < 1e-3


@given(st.floats(-170, 170), st.floats(-80, 80), st.floats(-180, 180), st.floats(1, 2000))
def test_an_offset_leads_back(lon: float, lat: float, azimuth: float, distance: float) -> None:
    there = geodesic.forward(lon, lat, azimuth, distance)
    east, north = geodesic.offset_of(lon, lat, *there)
    assert (east**2 + north**2) ** 0.5 == pytest.approx(distance, rel=2e-3)


def test_what_is_no_message_is_refused() -> None:
    for text in ("", "null", "[" * 100_000, b"\xff"):
        with pytest.raises(BadJson):
            parse(OSD, text)


def test_a_dock_that_starts_is_answered_whatever_it_asks(settings: Settings) -> None:
    dock = DeviceConfig(
        device_id="dji:DOCK1", source="dji", address="DOCK1", device_type="drone_dock", status="accepted", name="D"
    )
    told = settings.with_(dji_app_id="7", drone_ntp="10.0.0.1")
    fleet = Fleet({"dji:DOCK1": dock}.get, told)

    def asked(method: str, **data: Any) -> dict[str, Any]:
        body = {"tid": "t", "bid": "b", "timestamp": 1, "gateway": "DOCK1", "method": method, "data": data}
        heard = fleet.take("thing/product/DOCK1/requests", json.dumps(body))
        assert not heard.refused
        [(topic, reply)] = heard.replies
        assert (topic, reply["tid"], reply["bid"]) == ("thing/product/DOCK1/requests_reply", "t", "b")
        return dict(reply["data"])

    assert asked("config", config_type="json")["output"] == {
        "app_id": "7", "app_key": "", "app_license": "", "ntp_server_host": "10.0.0.1", "ntp_server_port": 123
    }  # fmt: skip
    bound = asked("airport_bind_status", devices=[{"sn": "DOCK1"}, {"sn": "STRANGER"}, "x"])["output"]["bind_status"]
    assert [(row["sn"], row["is_device_bind_organization"]) for row in bound] == [("DOCK1", True), ("STRANGER", False)]
    done = asked("airport_organization_bind", bind_devices=[{"sn": "DOCK1"}, {"sn": "STRANGER"}])["output"]["err_infos"]
    assert [row["err_code"] for row in done] == [0, 1]
    assert asked("airport_organization_get")["output"]["organization_name"]
    assert asked("flight_areas_get") == {"result": 0, "output": {"files": []}}
    assert asked("offline_map_get") == asked("of_a_newer_firmware") == {"result": 0}
    assert asked("flighttask_resource_get", flight_id="f")["result"] != 0, "there is no such task: no empty route"
    body = {"tid": "t", "bid": "b", "method": "storage_config_get", "data": {"module": 0}}
    heard = fleet.take("thing/product/DOCK1/requests", json.dumps(body))
    assert heard.storage is not None and heard.storage[:2] == ("DOCK1", "thing/product/DOCK1/requests_reply")
    assert stored(told, "DOCK1") == {"result": 1}, "without a bucket"
