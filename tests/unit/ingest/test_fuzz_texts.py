"""Mutated messages against every text and JSON reader of ingest: no crash but a typed refusal, no hang, no growth.

``long`` runs a million for each.
"""

from __future__ import annotations

import copy
import gc
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import YiwangError
from core.exchange import ConnectionConfig
from core.licences import verdict
from core.records import encode
from ingest import cloudevents, payload
from ingest.connections.licence import Params, read_answer
from ingest.connections.mapped import mapping_of
from ingest.connections.starter import starters
from ingest.gateways import onvif, zlm_hooks
from ingest.mapping import map_payload, read_mapping
from ingest.push import parse_push
from ingest.router import mappings_of
from ingest.simulate.platforms import senders
from ingest.times import read_time
from ingest.transports import mqtt_wire
from ingest.yamltext import read_yaml
from tests.unit.ingest.test_docs_examples import MAPPINGS
from tests.unit.ingest.test_fuzz_codecs import memory_kib, mutate
from tests.unit.ingest.test_mqtt_wire import publish

NOW = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)
Target = Callable[[random.Random], int]
"""One mutant: how many records came of it; 0 where it was refused."""

MAPPED = [(mappings_of(yaml, name)[0], body.encode()) for _, name, yaml, _, body, _ in MAPPINGS]
PLAIN = [
    b'{"time":"2026-11-27T18:38:17+08:00","seq":4,"water_level_m":0.27,"fire_alarm":true,"lon":125.4,"lat":43.9}',
    b'{"SR04":{"Distance":88.3},"DS18B20":{"Temperature":nan},"time":1795775897000}',
    b'{"value": -1.5e3, "unit": "m", "seq": 9}',
    b"0.27",
    b"true",
]
EVENT = (
    b'{"specversion":"1.0","id":"e","source":"/gas/1","type":"t","subject":"g1","time":"2026-11-27T10:00:00Z",'
    b'"data":{"a_m":1}}'
)
DATA_ARRAY = (
    b'[{"Datastream":{"@iot.id":7},"components":["phenomenonTime","result"],'
    b'"dataArray":[["2026-11-27T10:00:00Z",1],["2026-11-27T10:01:00Z",2]]}]'
)
HEADERS = {"ce-specversion": "1.0", "ce-id": "e", "ce-source": "/gas", "ce-type": "t", "ce-subject": "%E6%B0%B4g1"}
TIMES = ["2026-11-27T18:38:17+08:00", "2026/11/27 18:38", "Fri, 27 Nov 2026 10:38:17 GMT", "20261127183817000",
         "1795775897123", "2026年11月27日 18时38分17秒", "2026-11-27 18:38:17 +0800 CST"]  # fmt: skip
WORDS = [b"nan", b"-inf", b"1e999", b"null", b"{", b"[", b'"', b"\\ud800", b"\xff", b"\x00", b"9" * 40, b"true", b":",
         b","]  # fmt: skip


SPECS = [spec for _, _, text, *_ in MAPPINGS for spec in [read_yaml(text)] if isinstance(spec, dict)]
SPECS += [{"device": "id", **s["mapping"], "name": name} for name, s in starters().items() if s["mapping"]]
BODIES = [body for _, body in MAPPED]
ODD: list[Any] = [None, "", "a..b", "[]", "x[9999999]", -1, 1e308, True, [], {}, [[]], {"path": {}}, "=", "%Q",
                  "open", "9" * 300]  # fmt: skip
ROWS = {
    "gas-stations": senders.gas()["GET /gas/v1/stations"], "emergency-command": senders.emergency()["GET /events"],
    "sanitation-vehicles": senders.sanitation()["GET /api/vehicles"],
}  # fmt: skip
STARTERS = [
    (mapping_of(ConnectionConfig(connection_id=name, kind="rest", mapping=starters()[name]["mapping"])),
     json.dumps(route({}, {"authorization": f"Bearer {senders.TOKEN}"}, b"")[1]).encode())
    for name, route in ROWS.items()
]  # fmt: skip
LICENCES = Params(url="https://x.example/", app_id="a")
LICENCE = json.dumps({"licenceId": "x", "holderName": "甲", "state": "有效", "issueDate": "2019-02-01",
                      "validUntil": "2099-12-31", "fileUrl": "/f.ofd", "issuer": "局"})  # fmt: skip


def json_mutant(data: bytes, dice: random.Random) -> bytes:
    """A mutant that often is JSON still: values exchanged and words put in, beside flipped bits."""
    if dice.random() < 0.4:
        return mutate(data, dice)
    out = data
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(out) + 1)
        end = min(len(out), at + dice.choice((0, 0, 1, 4)))
        out = out[:at] + dice.choice(WORDS) + out[end:]
    return out


def counted(records: list[Any]) -> int:
    for record in records[:8]:
        encode(record)
        assert record.observed_at.tzinfo is not None
    return len(records)


def mapping(dice: random.Random) -> int:
    spec, body = dice.choice(MAPPED)
    names = {"station": "ps01", "dev": "d1"}
    found = map_payload(spec, json_mutant(body, dice), NOW, names)
    records: list[Any] = [r for some in found.readings.values() for r in some]
    return counted([*records, *(o for some in found.observations.values() for o in some)])


def default_payload(dice: random.Random) -> int:
    topic = dice.choice(("sensors/g1", "sensors/g1/level_m", "sensors/g1/Fire Alarm"))
    _, body = payload.parse(topic, json_mutant(dice.choice(PLAIN), dice), NOW)
    return counted(body.readings)


def pushed(dice: random.Random) -> int:
    path, kind, body = dice.choice((
        ("/readings", "application/json", b'{"device":"g1",' + PLAIN[0][1:]),
        ("/readings", cloudevents.STRUCTURED, EVENT),
        ("/readings", cloudevents.BATCH, b"[" + EVENT + b"," + EVENT + b"]"),
        ("/v1.1/Observations", "application/json", b'{"result":1,"phenomenonTime":"2026","Datastream":{"@iot.id":7}}'),
        ("/v1.1/Datastreams(9)/Observations", "application/json", b'{"result":2}'),
        ("/v1.1/CreateObservations", "application/json", DATA_ARRAY),
    ))  # fmt: skip
    found = parse_push(path, {"content-type": kind}, json_mutant(body, dice), NOW, {"7": ("mqtt:g7", "a_m")}.get)
    return counted(found.readings)


def event_headers(dice: random.Random) -> int:
    headers = {n: mutate(v.encode(), dice).decode("latin-1") if dice.random() < 0.3 else v for n, v in HEADERS.items()}
    found = parse_push("/readings", headers, b'{"a_m": 1}', NOW, lambda _name: None)
    return counted(found.readings)


def times(dice: random.Random) -> int:
    text = mutate(dice.choice(TIMES).encode(), dice).decode("utf-8", "replace")
    number = dice.choice((dice.random() * 10 ** dice.randrange(40), dice.getrandbits(80)))
    given: Any = text if dice.random() < 0.9 else number
    moment = read_time(given)
    assert moment is None or moment.tzinfo is not None
    return moment is not None


def mqtt_packets(dice: random.Random) -> int:
    stream = b"\x20\x02\x01\x00" + publish("sensors/g1", b"{}", dice.randrange(3)) * 3 + b"\x90\x04\x00\x05\x01\x80"
    try:
        packets, rest = mqtt_wire.decode(mutate(stream, dice))
    except mqtt_wire.WireError:
        return 0
    assert len(rest) <= len(stream) + 64
    return len(packets)


def mapping_specs(dice: random.Random) -> int:
    """A mapping whose parts were exchanged, left out or spoilt: refused as such, or used without a crash."""
    spec = json.loads(json.dumps(dice.choice(SPECS)))
    spoil(spec, dice)
    found = map_payload(read_mapping(spec, "fuzz"), dice.choice(BODIES), NOW, {"station": "ps01", "dev": "d1"})
    records: list[Any] = [r for some in found.readings.values() for r in some]
    return 1 + counted([*records, *(o for some in found.observations.values() for o in some)])


def spoil(holder: Any, dice: random.Random) -> None:
    """Change one or a few values somewhere in plain data."""
    for _ in range(dice.randint(1, 3)):
        at = holder
        while isinstance(at, dict | list) and at:
            key = dice.choice(list(at) if isinstance(at, dict) else range(len(at)))
            if not isinstance(at[key], dict | list) or dice.random() < 0.2:
                at[key] = copy.deepcopy(dice.choice(ODD))
                break
            at = at[key]


def starter_answers(dice: random.Random) -> int:
    """What a feeder's platform answers, spoilt, through the mapping that ships for it."""
    spec, body = dice.choice(STARTERS)
    found = map_payload(spec, json_mutant(body, dice), NOW, {})
    return counted([r for some in found.readings.values() for r in some]) + len(found.orders)


def licence_answers(dice: random.Random) -> int:
    answer = json.loads(LICENCE)
    spoil(answer, dice)
    found = read_answer(answer, LICENCES)
    verdict("x", "甲", found, NOW.date())
    return len(encode(found))


def web_hooks(dice: random.Random) -> int:
    body = b'{"app":"live","stream":"a","schema":"rtsp","regist":true}'
    zlm_hooks.read_hook(dice.choice(("on_stream_changed", "on_stream_none_reader", "on_x")), json_mutant(body, dice))
    return 1


def discovery(dice: random.Random) -> int:
    text = (
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
        b'<d:ProbeMatches xmlns:d="x"><d:ProbeMatch>'
        b"<d:Scopes>onvif://www.onvif.org/name/Gate</d:Scopes><d:XAddrs>http://10.0.0.8/onvif/device_service</d:XAddrs>"
        b"</d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
    )
    return len(onvif.parse_matches(mutate(text, dice)))


TARGETS: dict[str, Target] = {
    "mapping": mapping, "default_payload": default_payload, "pushed": pushed, "event_headers": event_headers,
    "mapping_specs": mapping_specs, "starter_answers": starter_answers, "licence_answers": licence_answers,
    "times": times, "mqtt_packets": mqtt_packets, "web_hooks": web_hooks, "discovery": discovery,
}  # fmt: skip


def attack(target: Target, count: int, seed: int) -> dict[str, float]:
    """Feed ``count`` mutants; whatever is not taken must be a typed refusal."""
    dice = random.Random(seed)
    taken = refused = first = 0
    slowest = 0.0
    for n in range(count):
        if n % 5000 == 0:
            gc.collect()
            first = memory_kib() if n == count // 10 // 5000 * 5000 else first
        began = time.perf_counter()
        try:
            taken += bool(target(dice))
        except YiwangError as error:
            refused += 1
            json.dumps(error.as_dict())
        slowest = max(slowest, time.perf_counter() - began)
    gc.collect()
    return {"taken": taken, "refused": refused, "slowest_s": slowest, "grown_kib": memory_kib() - first}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(TARGETS))
def test_mutated_texts(name: str) -> None:
    result = attack(TARGETS[name], 3_000, seed=20261128)
    assert result["taken"] > 100 and result["slowest_s"] < 1.0


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", list(TARGETS))
def test_a_million_mutated_texts(name: str) -> None:
    began = time.perf_counter()
    result = attack(TARGETS[name], 1_000_000, seed=651)
    print(f"{name}: {result} in {time.perf_counter() - began:.0f} s")
    assert result["taken"] > 10_000 and result["slowest_s"] < 5.0, "a hang"
    assert result["grown_kib"] < 16 * 1024, "memory grew"
