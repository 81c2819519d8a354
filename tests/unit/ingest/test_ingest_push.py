"""What platforms push: plain JSON, CloudEvents, SensorThings; bad items beside good ones; the default MQTT payload."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import YiwangError
from core.records import Quality
from ingest import payload
from ingest.push import PushInvalid, parse_push

NOW = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
PLAIN = {"device": "g1", "time": "2026-07-01T15:59:00+08:00", "seq": 4, "water_level_m": 0.27}


def push(body: Any, path: str = "/readings", **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    known = {"7": ("mqtt:g7", "water_level_m")}
    return parse_push(path, {k.replace("_", "-"): v for k, v in headers.items()}, raw, NOW, known.get)


def test_plain_batch_keeps_the_good_beside_the_bad() -> None:
    pushed = push([PLAIN, {"time": "x"}, 5, {**PLAIN, "seq": 5, "deep": [1]}, {**PLAIN, "seq": 6}])
    assert [(r.device_id, r.value, r.observed_at) for r in pushed.readings] == [
        ("http:g1", 0.27, datetime(2026, 7, 1, 7, 59, tzinfo=UTC))
    ] * 3
    assert [(index, error.code) for index, error in pushed.refused] == [
        (1, "push_invalid"), (2, "push_invalid"), (3, "payload_invalid"),
    ]  # fmt: skip


def test_a_repeat_has_the_same_id_and_another_sequence_does_not() -> None:
    first, again, other = (push({**PLAIN, "seq": seq}).readings[0].reading_id for seq in (4, 4, 5))
    assert first == again != other


def test_cloudevents_in_all_three_modes_are_the_same_reading() -> None:
    event = {"specversion": "1.0", "id": "e1", "source": "/gas", "type": "gas", "subject": "g1"}
    data = {"gas_lel_pct": 12.5}
    when = {"time": "2026-07-01T07:59:00Z"}
    structured = push({**event, **when, "data": data}, content_type="application/cloudevents+json; charset=utf-8")
    batched = push([{**event, **when, "data": data}], content_type="application/cloudevents-batch+json")
    encoded = base64.b64encode(json.dumps(data).encode()).decode()
    coded = push({**event, **when, "data_base64": encoded}, content_type="application/cloudevents+json")
    binary = push(data, **{f"ce_{k}": v for k, v in (event | when).items()})
    assert structured == batched == coded == binary
    assert structured.readings[0].device_id == "http:g1"
    assert structured.readings[0].observed_at == datetime(2026, 7, 1, 7, 59, tzinfo=UTC)


@pytest.mark.parametrize("change", [{"id": ""}, {"specversion": "0.3"}, {"data": [1]}, {"subject": None}])
def test_a_cloudevent_that_breaks_the_rules_is_refused(change: dict[str, Any]) -> None:
    event = {"specversion": "1.0", "id": "e", "source": "/s", "type": "t", "subject": "g1", "data": {"a_m": 1}}
    pushed = push(event | change, content_type="application/cloudevents+json")
    assert not pushed.readings and len(pushed.refused) == 1


def test_sensorthings_single_nested_and_data_array() -> None:
    one = push(
        {"phenomenonTime": "2026-07-01T07:00:00Z/2026-07-01T07:30:00Z", "result": 1.5, "Datastream": {"@iot.id": 7}},
        path="/v1.1/Observations",
    ).readings[0]
    assert (one.device_id, one.quantity, one.observed_at.minute) == ("mqtt:g7", "water_level_m", 30)
    nested = push({"result": 2}, path="/v1.1/Datastreams(9)/Observations").readings[0]
    assert (nested.device_id, nested.quantity) == ("http:datastream-9", "result")
    rows = [["2026-07-01T07:00:00Z", 1], ["2026-07-01T07:01:00Z", 2]]
    group = {"Datastream": {"@iot.id": 7}, "components": ["phenomenonTime", "result"], "dataArray": rows}
    array = push([group, {**group, "dataArray": [[1]]}], path="/v1.1/CreateObservations")
    assert [r.value for r in array.readings] == [1, 2]
    assert len(array.refused) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, json.dumps([{}] * 1001).encode()])
def test_a_request_that_cannot_be_read_is_a_typed_error(body: bytes) -> None:
    with pytest.raises(PushInvalid):
        push(body)


def test_mqtt_clock_of_1970_keeps_the_value_with_our_time() -> None:
    _, said = payload.parse("sensors/g1", b'{"time": "1970-01-01T00:00:00Z", "a_m": 1}', NOW)
    readings = said.readings
    assert (readings[0].quality, readings[0].observed_at) == (Quality.CLOCK_BAD, NOW)
    _, said = payload.parse("sensors/g1", b'{"time": 1e300, "a_m": null}', NOW)
    readings = said.readings
    assert (readings[0].quality, readings[0].observed_at) == (Quality.MISSING, NOW)


def test_mqtt_single_value_forms() -> None:
    for raw, value in ((b"0.5", 0.5), (b"true", True), (b'"V2"', "V2"), (b'{"value": 3, "unit": "m"}', 3)):
        device, said = payload.parse("sensors/g1/level_m", raw, NOW)
        readings = said.readings
        assert (device, readings[0].value, readings[0].quantity) == ("mqtt:g1", value, "level_m")


@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=6),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    st.sampled_from(["sensors/g1", "sensors/g1/level_m", "sensors/", "other", "sensors/g 1"]),
)
def test_any_bytes_give_readings_or_a_typed_error(raw: bytes, topic: str) -> None:
    try:
        _, said = payload.parse(topic, raw, NOW)
        readings = said.readings
    except YiwangError:
        return
    assert all(r.observed_at.tzinfo is not None and r.device_id == "mqtt:g1" for r in readings)
