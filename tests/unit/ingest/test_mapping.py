"""Mappings: JSON of any shape to readings and observations; what is wrong is refused alone and by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.geo.crs import wgs84_to_gcj02
from core.records import Quality
from ingest import mapping as m
from ingest.router import MappingsFolder

NOW = datetime(2024, 7, 22, 2, 30, 5, tzinfo=UTC)
PUMPS: dict[str, Any] = {
    "name": "pumps",
    "topic": "city/pumps/{station}/up",
    "device": "{station}",
    "items": "data[]",
    "id": "seq",
    "time": {"path": "ts", "format": "unix_ms"},
    "place": {"lon": "pos.lng", "lat": "pos.lat", "coord_sys": "gcj02"},
    "values": [
        {"path": "level_cm", "quantity": "water_level_m", "scale": 0.01, "unit": "m", "missing": [-999, "NA"]},
        {"path": "pump.state", "quantity": "pump_running", "words": {"ON": 1, "OFF": 0}},
        {"path": "flows[1]", "quantity": "flow_m3ps", "channel": "2"},
    ],
    "events": [
        {
            "kind_path": "alarm.code",
            "kinds": {"1": "device_fault"},
            "state_path": "alarm.on",
            "states": {"true": "open", "false": "clear"},
            "attributes": {"text": "alarm.text"},
        }
    ],
}


def mapped(body: Any, spec: dict[str, Any] = PUMPS, **captures: str) -> m.Mapped:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return m.map_payload(m.read_mapping(spec), raw, NOW, captures or {"station": "p7"})


def test_a_nested_payload() -> None:
    gcj = wgs84_to_gcj02(125.4, 43.88)
    item = {
        "seq": 5,
        "ts": 1721615400000,
        "pos": {"lng": gcj[0], "lat": gcj[1]},
        "level_cm": "27",
        "pump": {"state": "ON"},
        "flows": [1, 2.5],
        "alarm": {"code": 1, "on": True, "text": "过载"},
    }
    found = mapped({"data": [item]})
    assert found.devices == ["mqtt:p7"] and not found.refused
    level, pump, flow = found.readings["mqtt:p7"]
    assert (level.value, level.unit, level.observed_at) == (0.27, "m", datetime(2024, 7, 22, 2, 30, tzinfo=UTC))
    assert level.location is not None and level.location.lon == pytest.approx(125.4, abs=1e-7)
    assert (pump.value, flow.value, flow.channel) == (1.0, 2.5, "2")
    (alarm,) = found.observations["mqtt:p7"]
    assert (alarm.kind, alarm.state, alarm.attributes["text"]) == ("device_fault", "open", "过载")


def test_bad_items_are_refused_alone() -> None:
    found = mapped({"data": [{"level_cm": "high"}, {"level_cm": 5}, 7, {"alarm": {"code": 1, "on": "perhaps"}}]})
    assert [(r.value, r.quality) for r in found.readings["mqtt:p7"]] == [
        (None, Quality.MISSING),
        (0.05, Quality.GOOD),
    ]
    assert [(i, e.code) for i, e in found.refused] == [(0, "payload_field"), (2, "payload_field"), (3, "payload_field")]
    assert "level_cm" in str(found.refused[0][1])


@pytest.mark.parametrize("value", [-999, "NA", None, ""])
def test_missing_values(value: object) -> None:
    (reading,) = mapped({"data": [{"level_cm": value}]}).readings["mqtt:p7"]
    assert reading.value is None and reading.quality is Quality.MISSING


@pytest.mark.parametrize("ts", [0, 10, "yesterday", None, 1e30, 99999999999999999])
def test_a_clock_from_1970_is_flagged_and_the_receiving_time_stands_in(ts: object) -> None:
    (reading,) = mapped({"data": [{"ts": ts, "level_cm": 1}]}).readings["mqtt:p7"]
    assert reading.observed_at == NOW
    assert reading.quality is (Quality.GOOD if ts is None else Quality.CLOCK_BAD)


@pytest.mark.parametrize(
    ("time", "given"),
    [
        ({"path": "t"}, "2024-07-22T10:30:00"),
        ({"path": "t"}, "2024-07-22T02:30:00Z"),
        ({"path": "t", "zone": "UTC"}, "2024-07-22 02:30:00"),
        ({"path": "t", "format": "%Y/%m/%d %H:%M"}, "2024/07/22 10:30"),
        ({"path": "t", "format": "unix"}, 1721615400),
    ],
)
def test_times_of_every_format(time: dict[str, str], given: object) -> None:
    spec = PUMPS | {"time": time}
    (reading,) = mapped({"data": [{"t": given, "level_cm": 1}]}, spec).readings["mqtt:p7"]
    assert (reading.observed_at, reading.quality) == (datetime(2024, 7, 22, 2, 30, tzinfo=UTC), Quality.GOOD)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[" * 100_000, b"nonsense"])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(m.PayloadNotJson):
        mapped(body)


def test_what_is_huge() -> None:
    with pytest.raises(m.PayloadTooLarge):
        mapped(b" " * (m.MAX_PAYLOAD_BYTES + 1))
    with pytest.raises(m.PayloadTooLarge):
        mapped({"data": [{}] * (m.MAX_ITEMS + 1)})


def test_devices_from_the_payload_and_bad_names() -> None:
    spec = PUMPS | {"device": "dev.id", "prefix": "pump-", "source": "rest"}
    assert mapped({"data": [{"dev": {"id": 12}, "level_cm": 1}]}, spec).devices == ["rest:pump-12"]
    for name in ("", "a b", "a/b", "x" * 81, None, {}, True):
        assert len(mapped({"data": [{"dev": {"id": name}, "level_cm": 1}]}, spec).refused) == 1


def test_ids_depend_on_the_message_not_on_when_it_came() -> None:
    spec = m.read_mapping(PUMPS)
    body = json.dumps({"data": [{"seq": 5, "level_cm": 1}]}).encode()
    later = NOW.replace(hour=9)
    first, again = (m.map_payload(spec, body, t, {"station": "p7"}).readings["mqtt:p7"][0] for t in (NOW, later))
    other = mapped({"data": [{"seq": 6, "level_cm": 1}]}).readings["mqtt:p7"][0]
    assert first.reading_id == again.reading_id != other.reading_id


def test_events_of_the_citys_ai() -> None:
    spec = {
        "name": "city ai",
        "source": "cityai",
        "source_type": "platform",
        "device": "cameraCode",
        "id": "eventId",
        "time": {"path": "eventTime"},
        "events": [
            {
                "kind_path": "eventType",
                "kinds": {"FIRE": "flame_smoke", "CROWD": "crowding"},
                "confidence_path": "score",
                "zone_path": "area",
                "attributes": {"picture": "imageUrl"},
            }
        ],
    }
    events = [
        {
            "eventId": "e1",
            "eventType": "FIRE",
            "cameraCode": "22010500001320000001",
            "score": 87,
            "imageUrl": "http://x/1",
        },
        {"eventId": "e2", "eventType": "PARADE", "cameraCode": "22010500001320000001"},
    ]
    found = m.map_items(m.read_mapping(spec), events, NOW)
    (event,) = found.observations["cityai:22010500001320000001"]
    assert (event.kind, event.state, event.confidence, event.source_type) == ("flame_smoke", "open", 0.87, "platform")
    assert event.attributes == {"picture": "http://x/1"} and not found.refused


def test_sensorthings_over_mqtt_is_a_mapping() -> None:
    spec = {
        "name": "frost",
        "topic": "v1.1/Datastreams({ds})/Observations",
        "device": "{ds}",
        "prefix": "ds-",
        "time": {"path": "phenomenonTime"},
        "values": [{"path": "result", "quantity": "water_level_m"}],
    }
    mappings = m.MappingSet([m.read_mapping(spec), m.read_mapping(PUMPS)])
    assert mappings.topics == ("v1.1/+/Observations", "city/pumps/+/up")
    hit = mappings.match("v1.1/Datastreams(7)/Observations")
    assert hit is not None and hit[1] == {"ds": "7"}
    body = b'{"phenomenonTime": "2024-07-22T02:30:00Z", "result": 0.4, "@iot.id": 1}'
    (reading,) = m.map_payload(hit[0], body, NOW, hit[1]).readings["mqtt:ds-7"]
    assert (reading.value, reading.observed_at.minute) == (0.4, 30)
    assert mappings.match("city/pumps/a/b/up") is None and mappings.match("other") is None


@pytest.mark.parametrize(
    ("change", "needle"),
    [
        ({"values": [], "events": []}, "neither"),
        ({"valuse": []}, "valuse"),
        ({"time": {"path": "t", "zone": "Mars/Olympus"}}, "Mars"),
        ({"events": [{"state": "open"}]}, "kind"),
        ({"values": [{"path": "x"}]}, "quantity"),
        ({"place": {"lon": "a", "lat": "b", "coord_sys": "mars"}}, "coord_sys"),
    ],
)
def test_a_wrong_mapping_says_what_is_wrong(change: dict[str, Any], needle: str) -> None:
    with pytest.raises(m.MappingInvalid, match=needle):
        m.read_mapping(PUMPS | change)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "ts", "level_cm", "alarm", "pos", "seq", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_survived(body: Any) -> None:
    spec = m.read_mapping(PUMPS)
    try:
        found = m.map_items(spec, m.items_of(spec, body), NOW, {"station": "p7"})
    except m.ItemInvalid:
        return
    for readings in found.readings.values():
        assert all(r.observed_at.tzinfo is not None for r in readings)


@pytest.mark.parametrize(
    "topic", ["read/1/x/{a}", "$SYS/{a}", "#", "+/a", "{a}/b", "a/#/b", "a/b#", "a/b+", "a b/{a}", "a/>", "cmd/x"]
)
def test_a_topic_that_devices_may_not_use_is_refused_at_once(topic: str) -> None:
    with pytest.raises(m.MappingInvalid, match="topic"):
        m.read_mapping(PUMPS | {"topic": topic, "device": "station"})


def test_mapping_files_are_read_again_when_they_change(tmp_path: Path) -> None:
    folder = MappingsFolder(tmp_path)
    assert folder.look() == [] and folder.look() is None
    (tmp_path / "a.yaml").write_text(json.dumps(PUMPS))
    (tmp_path / "b.yaml").write_text(json.dumps([PUMPS | {"name": "b"}, PUMPS | {"name": "c"}]))
    found = folder.look()
    assert found is not None and [mapping.name for mapping in found] == ["pumps", "b", "c"]
    (tmp_path / "b.yaml").write_text("name: [")  # a slip while editing
    found = folder.look()
    assert found is not None and [mapping.name for mapping in found] == ["pumps", "b", "c"]
    assert [p.data["file"] for p in folder.problems] == ["b.yaml"] and folder.look() is None and folder.problems
    (tmp_path / "b.yaml").write_text(json.dumps(PUMPS | {"name": "b2"}))
    (tmp_path / "a.yaml").unlink()
    found = folder.look()
    assert found is not None and [mapping.name for mapping in found] == ["b2"] and folder.problems == []
