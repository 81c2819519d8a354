"""One value that is bad, missing or unlisted costs itself alone: near-JSON, names, states, times."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import BEIJING
from core.records import Quality
from ingest import mapping as m
from ingest import payload
from ingest.jsontext import NotJson, read_json
from ingest.router import mappings_of
from ingest.times import compact_time, read_time, read_zone

NOW = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)
WHEN = datetime(2026, 11, 27, 10, 38, 17, tzinfo=UTC)
LEAK = """
name: leak
topic: "sensors/zigbee2mqtt/{dev}/state"
device: "{dev}"
values:
  - {path: battery, quantity: battery_pct, unit: "%"}
  - {path: temperature, quantity: temperature_c, unit: ℃}
  - {path: SR04.Distance, quantity: distance_cm}
events:
  - {kind: water_leak, state_path: water_leak, states: {true: open, false: clear, on: open, off: clear, 1: open}}
  - {kind: tamper, state_path: lid.open, states: {OPEN: open, Closed: clear}}
"""


def leak(body: str) -> m.Mapped:
    (spec,) = mappings_of(LEAK, "leak")
    return m.map_payload(spec, body.encode(), NOW, {"dev": "leak1"})


def said(found: m.Mapped) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    readings = {r.quantity: r.value for r in found.readings.get("mqtt:leak1", [])}
    states = {o.kind: o.state for o in found.observations.get("mqtt:leak1", [])}
    return readings, states, [e.data["field"] for _, e in found.refused]


@pytest.mark.parametrize(
    ("body", "readings", "states", "refused"),
    [
        ('{"battery":"unknown","temperature":21.5,"water_leak":true}', {"battery_pct": None, "temperature_c": 21.5},
         {"water_leak": "open"}, ["battery"]),
        ('{"battery":97,"water_leak":"ON"}', {"battery_pct": 97}, {"water_leak": "open"}, []),
        ('{"Battery":97,"Water_Leak":"Off"}', {"battery_pct": 97}, {"water_leak": "clear"}, []),
        ('{"battery":nan,"temperature":-inf,"water_leak":true}', {"battery_pct": None, "temperature_c": None},
         {"water_leak": "open"}, []),
        ('{"temperature":1e999,"water_leak":1}', {"temperature_c": None}, {"water_leak": "open"}, []),
        ('{"temperature":{"v":1},"water_leak":1.0}', {"temperature_c": None}, {"water_leak": "open"}, ["temperature"]),
        ('{"water_leak":"Yes"}', {}, {"water_leak": "open"}, []),
        ('{"battery":5}', {"battery_pct": 5}, {}, []),
        ('{"water_leak":"perhaps","lid":{"open":"open"}}', {}, {"tamper": "open"}, ["water_leak"]),
        ('{"water_leak":null,"LID":{"Open":" CLOSED "}}', {}, {"tamper": "clear"}, []),
        ('{"SR04":{"Distance":88.3},"water_leak":false}', {"distance_cm": 88.3}, {"water_leak": "clear"}, []),
        ('{"SR04.Distance":88.3}', {"distance_cm": 88.3}, {}, []),
        ('{"sr04":{"distance":"88.3"}}', {"distance_cm": 88.3}, {}, []),
    ],
)  # fmt: skip
def test_the_rest_comes_through(body: str, readings: object, states: object, refused: list[str]) -> None:
    assert said(leak(body)) == (readings, states, refused)


def test_a_refusal_names_device_and_field_and_missing_values_say_so() -> None:
    found = leak('{"battery":"unknown"}')
    (reading,) = found.readings["mqtt:leak1"]
    assert reading.quality is Quality.MISSING
    assert found.refused[0][1].data["device"] == "mqtt:leak1" and "unknown" in str(found.refused[0][1])
    with pytest.raises(m.PayloadNotJson) as broken:
        leak('{"battery":')
    assert broken.value.data["device"] == "mqtt:leak1"


def test_a_required_value_that_is_missing_costs_nothing_else() -> None:
    spec = m.read_mapping({"name": "x", "device": "d", "values": [
        {"path": "a", "quantity": "a", "required": True}, {"path": "b", "quantity": "b"}]})  # fmt: skip
    found = m.map_items(spec, [{"d": "g", "b": 2}], NOW)
    assert [r.quantity for r in found.readings["mqtt:g"]] == ["b"] and len(found.refused) == 1


@pytest.mark.parametrize(
    ("body", "values", "refused"),
    [
        (b'{"water_level_m":nan,"fire_alarm":true}', {"water_level_m": None, "fire_alarm": True}, 0),
        (b'{"Fire Alarm":true,"waterLevel_m":0.2}', {"fire_alarm": True, "water_level_m": 0.2}, 0),
        ('{"水位":1,"fire_alarm":true}'.encode(), {"fire_alarm": True}, 1),
        ('{"水位":1,"fire_alarm":true}'.encode("gbk"), {"fire_alarm": True}, 1),
        (b'{"a":[1],"fire_alarm":true}', {"fire_alarm": True}, 1),
        (b'{"SR04":{"Distance":88.3},"DS18B20":{"Temperature":nan}}',
         {"sr04_distance": 88.3, "ds18b20_temperature": None}, 0),
        (b'{"time":"yesterday","fire_alarm":true}', {"fire_alarm": True}, 1),
        (b'{"lon":"east","lat":1,"fire_alarm":true}', {"fire_alarm": True}, 1),
        (b'{"a":1,"A":2,"fire_alarm":true}', {"a": 1, "fire_alarm": True}, 1),
        (b'{"n":99999999999999999999999}\x00', {"n": 1e23}, 0),
    ],
)  # fmt: skip
def test_the_default_payload_too(body: bytes, values: dict[str, Any], refused: int) -> None:
    device, found = payload.parse("sensors/g1", body, NOW)
    assert device == "mqtt:g1"
    assert {r.quantity: r.value for r in found.readings} == values
    assert len(found.refused) == refused


def test_of_too_many_fields_the_alarms_are_kept() -> None:
    body = {f"v{n}": n for n in range(100)} | {"fire_alarm": True}
    _, found = payload.parse("sensors/g1", json.dumps(body).encode(), NOW)
    assert len(found.readings) == 64 and "fire_alarm" in {r.quantity for r in found.readings}
    assert len(found.refused) == 1


@pytest.mark.parametrize(("word", "value"), [(b"ON", "ON"), (b"nan", None), (b"0.27", 0.27), (b"true", True)])
def test_a_bare_word_on_a_topic_of_one_quantity(word: bytes, value: object) -> None:
    _, found = payload.parse("sensors/g1/state", word, NOW)
    assert [r.value for r in found.readings] == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":1.#QNAN,"b":[1,,2,],"c":}', {"a": None, "b": [1, None, 2], "c": None}),
        ("{'a':1,'b':None,'c':True}", {"a": 1, "b": None, "c": True}),
        ('{"a":1.2.3,"b":021.5,"c":007,"d":OPEN}', {"a": "1.2.3", "b": 21.5, "c": "007", "d": "OPEN"}),
        ('{"a":"x\ny"}', {"a": "x\ny"}),
        ('{"a":"nan, inf","b":nan}', {"a": "nan, inf", "b": None}),
    ],
)
def test_nearly_json(text: str, value: object) -> None:
    assert read_json(text.encode()) == value


@pytest.mark.parametrize("text", ["", "{", '{"a" 1}', '{"a":1}{"b":2}', "nonsense", '{"a":"b" "c"}', "[" * 300])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        read_json(text.encode())


@given(st.binary(max_size=300) | st.text(max_size=80).map(lambda t: ("{" + t).encode()))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        found = read_json(raw)
    except NotJson:
        return
    json.dumps(found).encode()


@given(st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.text(max_size=9) | st.integers(-9, 9)))
def test_json_with_one_nan_keeps_all_the_rest(body: dict[str, Any]) -> None:
    text = json.dumps({**body, "broken": math.nan})
    assert read_json(text.encode()) == {**body, "broken": None}


@pytest.mark.parametrize(
    "given_time",
    [
        1795775897, 1795775897.0, 1795775897000, 1795775897000000, 1795775897000000000, "1795775897", "1795775897000",
        20261127183817, "20261127183817", "20261127183817000", "20261127183817000000", 20261127183817000,
        "2026-11-27T10:38:17Z", "2026-11-27 18:38:17", "2026-11-27T18:38:17.000+0800", "2026/11/27 18:38:17",
        "2026年11月27日 18时38分17秒", "2026-11-27 18:38:17 +0800 CST", "2026-11-27T05:38:17-05",
        "Fri, 27 Nov 2026 10:38:17 GMT", "Fri Nov 27 18:38:17 2026", "2026-11-27T18:38:17+08:00[Asia/Shanghai]",
        "20261127T103817Z", "2026-11-27T10:38:17.000000000Z", " 2026-11-27 10:38:17 UTC ",
    ],
)  # fmt: skip
def test_times_of_every_kind_are_one_moment(given_time: object) -> None:
    assert read_time(given_time) == WHEN


@pytest.mark.parametrize("given_time", ["", "soon", True, None, 1e300, math.nan, "2026-13-01 00:00:00", [1], "-", "99"])
def test_what_is_no_time_is_none_or_impossible(given_time: object) -> None:
    found = read_time(given_time)
    assert found is None or found.year < 2010


def test_fractions_ends_of_days_and_leap_seconds() -> None:
    assert read_time(1795775897123456789) == WHEN + timedelta(microseconds=123457)
    assert compact_time("20261127183817123") == WHEN + timedelta(milliseconds=123)
    assert read_time("2026-11-27 24:00:00") == datetime(2026, 11, 28, tzinfo=BEIJING)
    assert read_time("2026-11-27T10:38:60Z") == datetime(2026, 11, 27, 10, 39, tzinfo=UTC)
    assert read_time("2026-11-27 10:38:17", read_zone("UTC")) == WHEN


@given(st.datetimes(datetime(2011, 1, 1), datetime(2090, 1, 1)).map(lambda d: d.replace(microsecond=0, tzinfo=UTC)))
def test_a_moment_survives_every_spelling(moment: datetime) -> None:
    seconds = int(moment.timestamp())
    local = moment.astimezone(BEIJING)
    spellings = [seconds * 10**power for power in (0, 3, 6, 9)]
    assert {read_time(s) for s in spellings} == {moment}
    assert read_time(f"{local:%Y%m%d%H%M%S}") == moment == read_time(local.isoformat())


@given(st.text(max_size=40) | st.floats() | st.integers())
def test_any_given_is_a_time_or_none(given_time: object) -> None:
    found = read_time(given_time)
    assert found is None or found.tzinfo is not None


def test_a_body_of_another_form_is_told_and_an_empty_list_is_none() -> None:
    spec = m.read_mapping(
        {"name": "ai", "device": "cam", "items": "data.list[]",
         "events": [{"kind_path": "type", "kinds": {"fire": "flame_smoke", "1": "water"}}]}
    )  # fmt: skip
    for empty in (b'{"data":{"list":[]}}', b'{"data":{"list":null}}', b'{"data":null}'):
        assert m.map_payload(spec, empty, NOW).refused == []
    for other in (b'{"code":401,"msg":"expired"}', b'[{"cam":"c1"}]', b'{"data":{"rows":[]}}', b"[]"):
        with pytest.raises(m.ItemInvalid, match="is missing"):
            m.map_payload(spec, other, NOW)
