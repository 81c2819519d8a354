"""GB/T 26875.3: the notes' vectors, their negatives, the dialogue, and what a frame says about the world."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ids import derived_id
from core.records import DeviceCommand, Quality
from ingest.contract import Frame, Refused
from ingest.errors import CommandUnsupported, FrameField
from ingest.normalise import StandingAlarm, cleared_by
from ingest.sources import gb26875
from ingest.sources._gb26875_adu import encode_unit
from ingest.sources._gb26875_frame import Gb26875Packet, answer

TEXT = "3层办公区烟感"
NOW = datetime(2024, 7, 22, 2, 30, 5, tzinfo=UTC)
_UP = "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 "
_DOWN = "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 "
FIRE = _UP + "30 00 02 02 01 01 01 28 0A 00 02 00 02 00" + " 20" * 30 + " 00 02 3A 09 1A 09 0C 46 23 23"
CONFIRM = "40 40 01 00 01 01 23 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 00 00 03 AB 23 23"
DENY = "40 40 01 00 01 01 23 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 00 00 06 AE 23 23"
MAINS = _UP + "09 00 02 15 01 08 02 3A 09 1A 09 0C 42 23 23"
VERSION = _UP + "04 00 02 19 01 01 01 C7 23 23"
TIME = _UP + "08 00 02 1C 01 02 3A 09 1A 09 0C 40 23 23"
READ_STATUS = _DOWN + "03 00 04 51 01 00 FE 23 23"
STATUS_RESPONSE = _UP + "09 00 05 15 01 08 02 3A 09 1A 09 0C 45 23 23"
READ_VERSION = _DOWN + "03 00 04 55 01 00 02 23 23"
VERSION_RESPONSE = _UP + "04 00 05 19 01 01 01 CA 23 23"
READ_TIME = _DOWN + "03 00 04 58 01 00 05 23 23"
TIME_RESPONSE = _UP + "08 00 05 1C 01 02 3A 09 1A 09 0C 43 23 23"
INITIALISE = _DOWN + "03 00 01 59 01 00 03 23 23"
SET_CLOCK = _DOWN + "08 00 01 5A 01 02 3A 09 1A 09 0C 7D 23 23"
DUTY_CHECK = _DOWN + "03 00 01 5B 01 0A 0F 23 23"
DEVICE_CONFIRM = "40 40 01 00 01 01 23 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 00 00 03 AB 23 23"
PRESSURE = (
    "40 40 02 00 01 01 00 1E 0A 16 07 18 79 03 00 00 00 00 38 5B 01 00 00 00 12 00 02 "
    "03 01 0B 01 5B 01 00 01 00 05 4E 0C 00 1E 0A 16 07 18 AE 23 23"
)
TWO_SYSTEMS = (
    "40 40 03 00 01 01 00 1E 0A 16 07 18 79 03 00 00 00 00 38 5B 01 00 00 00 16 00 02 "
    "01 02 01 01 07 00 00 1E 0A 16 07 18 0D 01 05 00 00 1E 0A 16 07 18 63 23 23"
)
ALL = [v for k, v in list(globals().items()) if k.isupper() and isinstance(v, str) and v.endswith("23 23")]
STREAM = bytes.fromhex("".join(ALL))


def one(text: str) -> Gb26875Packet:
    decoded = gb26875.decode(bytes.fromhex(text))
    assert decoded.rest == b""
    (packet,) = decoded.frames
    assert isinstance(packet, Gb26875Packet), packet
    return packet


def frames_of(data: bytes) -> list[Frame | Refused]:
    frames, _ = gb26875.build(gb26875.Params()).session().decode(data, received_at=NOW)
    return frames


def uplink(adu: bytes, serial: int = 7, time: datetime | bytes = NOW, command: int = 2) -> bytes:
    return gb26875.encode(command=command, serial=serial, source=889, destination=88888, time=time, adu=adu)


@pytest.mark.parametrize("text", ALL)
def test_every_vector_decodes_and_encodes_to_the_same_bytes(text: str) -> None:
    packet = one(text)
    assert gb26875.encode_packet(packet) == bytes.fromhex(text)
    assert {packet.source, packet.destination} == {889, 88888}


def test_fire_vector() -> None:
    shown = one(FIRE).as_json()
    assert shown["serial"] == 1
    assert (shown["source_address"], shown["destination_address"], shown["command"]) == (889, 88888, 2)
    assert shown["time"] == "2012-09-26T09:58:32+08:00"
    assert (shown["adu_type"], shown["object_count"]) == (2, 1)
    (item,) = shown["objects"]
    assert (item["system_type"], item["component_type"], item["zone"], item["position"]) == (1, 0x28, 10, 2)
    assert item["component_type_name"] == "smoke_detector"
    assert item["fire_alarm"] is True and item["status"]["fire_alarm"] is True
    assert item["status"]["normal_running"] is False and item["status_raw"] == 2
    assert item["description"] == "" and item["time"] == "2012-09-26T09:58:02+08:00"


def test_fire_counts_although_bit_0_is_clear() -> None:
    (frame,) = frames_of(bytes.fromhex(FIRE))
    assert isinstance(frame, Frame)
    fire = next(o for o in frame.observations if o.kind == "fire_alarm")
    assert fire.state == "open" and fire.source_id == "gb26875:889"
    assert fire.observed_at == datetime(2012, 9, 26, 1, 58, 2, tzinfo=UTC)
    assert fire.attributes["channel"] == "1/1/40/10-2" and fire.attributes["test_mode"] is True
    states = {o.kind: o.state for o in frame.observations}
    assert states == {
        "fire_alarm": "open",
        "device_fault": "clear",
        "device_shielded": "clear",
        "supervisory_alarm": "clear",
    }


@pytest.mark.parametrize("text", [MAINS, STATUS_RESPONSE])
def test_mains_fault(text: str) -> None:
    (item,) = one(text).as_json()["objects"]
    assert item["flags"] == ["mains_fault"] and item["mains_fault"] is True
    (frame,) = frames_of(bytes.fromhex(text))
    assert isinstance(frame, Frame)
    assert {o.kind: o.state for o in frame.observations} == {"fire_alarm": "clear", "device_fault": "open"}


def test_version_and_device_time() -> None:
    assert one(VERSION).as_json()["objects"][0]["version"] == "1.1"
    assert one(VERSION_RESPONSE).as_json()["command_name"] == "response"
    assert one(TIME).as_json()["objects"] == [{"time": "2012-09-26T09:58:02+08:00"}]


@pytest.mark.parametrize(
    ("text", "command", "name"),
    [
        (READ_STATUS, 4, "read_device_status"),
        (READ_VERSION, 4, "read_device_version"),
        (READ_TIME, 4, "read_device_time"),
        (INITIALISE, 1, "initialise_device"),
        (SET_CLOCK, 1, "synchronise_clock"),
        (DUTY_CHECK, 1, "duty_check"),
    ],
)
def test_downlink_commands(text: str, command: int, name: str) -> None:
    shown = one(text).as_json()
    assert (shown["command"], shown["adu_type_name"]) == (command, name)
    if text == DUTY_CHECK:
        assert shown["objects"][0]["window_min"] == 10
    if text == SET_CLOCK:
        assert shown["objects"][0]["time"] == "2012-09-26T09:58:02+08:00"


def test_pressure_is_315_kpa() -> None:
    (item,) = one(PRESSURE).as_json()["objects"]
    assert item["pressure_kpa"] == 315.0 and item["component_type_name"] == "fire_pump"
    (frame,) = frames_of(bytes.fromhex(PRESSURE))
    assert isinstance(frame, Frame)
    (reading,) = frame.readings
    assert (reading.quantity, reading.value, reading.unit) == ("pressure_mpa", 0.315, "MPa")
    assert reading.observed_at == datetime(2024, 7, 22, 2, 30, tzinfo=UTC) and reading.quality is Quality.GOOD


def test_two_systems_in_one_frame() -> None:
    first, second = one(TWO_SYSTEMS).as_json()["objects"]
    assert first["flags"] == ["normal_running", "fire_alarm", "fault"]
    assert second["flags"] == ["normal_running", "fault"] and second["system_type"] == 13
    (frame,) = frames_of(bytes.fromhex(TWO_SYSTEMS))
    assert isinstance(frame, Frame)
    fire = {o.attributes["channel"]: o.state for o in frame.observations if o.kind == "fire_alarm"}
    assert fire == {"1/1": "open", "13/1": "clear"}


def test_confirm_and_deny_are_worded_as_in_the_notes() -> None:
    packet, at = one(FIRE), datetime(2012, 9, 26, 1, 58, 35, tzinfo=UTC)
    assert answer(packet, at) == bytes.fromhex(CONFIRM)
    assert answer(packet, at, command=6) == bytes.fromhex(DENY)


def test_uplink_is_confirmed_after_it_is_durable_and_answers_are_not() -> None:
    replies = {t: frames_of(bytes.fromhex(t))[0].reply for t in (FIRE, STATUS_RESPONSE, DEVICE_CONFIRM)}
    assert replies[FIRE] is not None and one(replies[FIRE].hex()).command == 3
    assert replies[STATUS_RESPONSE] is None and replies[DEVICE_CONFIRM] is None


def test_heartbeat_is_confirmed() -> None:
    (frame,) = frames_of(uplink(b""))
    assert isinstance(frame, Frame) and frame.kind == "heartbeat" and frame.fields["heartbeat"] is True
    assert frame.reply is not None and one(frame.reply.hex()).command == 3


# refusals ----------------------------------------------------------------------------------------
def refusal(data: bytes) -> Refused:
    (entry,) = frames_of(data)
    assert isinstance(entry, Refused), entry
    return entry


def test_wrong_checksum_is_denied() -> None:
    data = bytearray.fromhex(FIRE)
    data[-3] ^= 1
    entry = refusal(bytes(data))
    assert entry.code == "frame_checksum" and entry.device_id == "gb26875:889"
    assert entry.reply is not None and one(entry.reply.hex()).command == 6


def test_wrong_tail() -> None:
    entry = refusal(bytes.fromhex(FIRE)[:-2] + b"\x23\x13")
    assert entry.code == "frame_end" and entry.reply is not None


def test_ten_bytes_wait_for_more() -> None:
    decoded = gb26875.decode(bytes.fromhex(FIRE)[:10])
    assert decoded.frames == [] and decoded.rest == bytes.fromhex(FIRE)[:10]


def test_wrong_head_resynchronises() -> None:
    broken = b"\x31" + bytes.fromhex(FIRE)[1:]
    assert [type(e).__name__ for e in gb26875.decode(broken).frames] == ["FrameNoise"]
    noise, fire = frames_of(b"\x31" + bytes.fromhex(FIRE))
    assert isinstance(noise, Refused) and noise.code == "frame_noise" and noise.raw == b"\x31"
    assert isinstance(fire, Frame)


def test_reserved_command_and_excess_length_are_denied() -> None:
    entry = refusal(uplink(b"", command=9))
    assert entry.code == "frame_field" and entry.reply is not None
    data = bytearray.fromhex(FIRE)
    data[24:26] = (1025).to_bytes(2, "little")
    assert frames_of(bytes(data))[0].code == "frame_length"  # type: ignore[union-attr]


def test_a_broken_answer_is_never_denied() -> None:
    data = bytearray.fromhex(DEVICE_CONFIRM)
    data[-3] ^= 1
    assert refusal(bytes(data)).reply is None


FAULT = {"system_type": 1, "system_address": 1, "status": 6, "time": NOW}
COMPONENT = {"system_type": 1, "system_address": 1, "component_type": 40, "status": 2, "time": NOW}


@pytest.mark.parametrize("announced", [0, 1, 2, 3, 4, 102, 255])
def test_a_count_that_disagrees_with_the_length_loses_no_alarm(announced: int) -> None:
    for adu_type, item in ((1, FAULT), (2, COMPONENT)):
        adu = bytearray(encode_unit(adu_type, item, item))
        adu[1] = announced
        (frame,) = frames_of(uplink(bytes(adu)))
        assert isinstance(frame, Frame)
        assert sum(o.kind == "fire_alarm" and o.state == "open" for o in frame.observations) == 2
        assert bool(frame.problem) is (announced != 2) and frame.reply is not None


def test_whole_objects_before_a_cut_are_taken_and_nothing_whole_is_refused() -> None:
    adu = encode_unit(1, FAULT, FAULT)[:-3]
    (frame,) = frames_of(uplink(adu))
    assert isinstance(frame, Frame) and "1 came" in frame.problem
    assert refusal(uplink(adu[:8])).code == "frame_field"


def test_operations_read_from_the_panels_log_raise_and_end_nothing() -> None:
    record = encode_unit(24, {"operation": 0b1101, "operator": 1, "time": NOW - timedelta(days=3)})
    (now,), (then,) = frames_of(uplink(record)), frames_of(uplink(record, command=5))
    assert isinstance(now, Frame) and isinstance(then, Frame)
    assert {o.kind for o in now.observations} == {"panel_operation", "manual_alarm"}
    assert [(o.kind, o.attributes["record"]) for o in then.observations] == [("panel_operation", True)]
    standing = StandingAlarm()
    standing.hint("gb26875:889", {"fire_alarm:1/1": ("open", NOW)})
    assert cleared_by(now.observations[0], standing) and not cleared_by(then.observations[0], standing)


def test_good_frames_beside_bad_ones_are_kept() -> None:
    bad = bytearray.fromhex(FIRE)
    bad[30] ^= 0xFF
    long = bytearray.fromhex(MAINS)
    long[24] = 0x20  # swallows what follows
    entries = frames_of(bytes(bad) + bytes.fromhex(MAINS) + bytes(long) + bytes.fromhex(TIME) + bytes.fromhex(PRESSURE))
    assert [e.kind for e in entries if isinstance(e, Frame)] == ["data"] * 3
    assert [e.code for e in entries if isinstance(e, Refused)] == ["frame_checksum", "frame_end"]


def test_a_false_start_does_not_delay_an_alarm() -> None:
    false_start = bytes.fromhex(FIRE)[:24] + b"\x00\x04\x02"  # says 1,024 bytes will follow
    entries = frames_of(false_start + bytes.fromhex(FIRE))
    assert isinstance(entries[-1], Frame)
    assert isinstance(entries[0], Refused) and entries[0].code == "frame_incomplete"


def test_a_flood_of_starts_makes_few_refusals() -> None:
    assert len(gb26875.decode(b"@" * 65536).frames) < 65536 / 20


# clocks, texts, vendor units ---------------------------------------------------------------------
def test_impossible_clocks_are_flagged() -> None:
    adu = bytes((2, 1, 1, 1, 40)) + bytes(4) + b"\x02\x00" + bytes(31) + bytes((99, 99, 99, 0, 0, 0))
    (frame,) = frames_of(uplink(adu))
    assert isinstance(frame, Frame)
    fire = frame.observations[0]
    assert fire.observed_at == NOW and fire.attributes["quality"] == "clock_bad"
    assert frame.fields["objects"][0]["clock_bad"] is True


def test_clock_of_1970s_fashion_and_of_the_future() -> None:
    for moment in (datetime(2000, 1, 1, tzinfo=UTC), NOW + timedelta(days=2)):
        (frame,) = frames_of(uplink(encode_unit(21, {"status": 2, "time": moment})))
        assert isinstance(frame, Frame) and frame.observations[0].observed_at == NOW


def test_description_in_gb18030() -> None:
    adu = encode_unit(
        2,
        {"system_type": 1, "system_address": 1, "component_type": 40, "status": 3, "text": TEXT, "time": NOW},
    )
    (item,) = one(uplink(adu).hex()).as_json()["objects"]
    assert item["description"] == TEXT
    with pytest.raises(FrameField):
        encode_unit(2, {"text": "长" * 16})


def test_vendor_type_is_kept_raw_and_confirmed() -> None:
    (frame,) = frames_of(uplink(bytes((0x96, 1, 2, 3))))
    assert isinstance(frame, Frame) and frame.reply is not None
    assert frame.fields["adu_hex"] == "96010203" and frame.fields["adu_type_name"] == "user_defined"


def test_configuration_texts() -> None:
    texts = ({"system_type": 1, "system_address": n, "text": t} for n, t in ((2, "二层"), (3, "")))
    adu = encode_unit(6, *texts)
    shown = one(uplink(adu).hex()).as_json()
    assert [i["configuration"] for i in shown["objects"]] == ["二层", ""]
    assert refusal(uplink(adu[:-1])).code == "frame_field"


def test_host_loop_point_addresses() -> None:
    source = gb26875.build(gb26875.Params(component_address="host_loop_point"))
    (frame,), _ = source.session().decode(bytes.fromhex(FIRE), received_at=NOW)
    assert isinstance(frame, Frame)
    assert (frame.fields["objects"][0]["host"], frame.fields["objects"][0]["point"]) == (10, 2)


# dialogue ----------------------------------------------------------------------------------------
def command(name: str, **params: object) -> DeviceCommand:
    return DeviceCommand(
        command_id="c",
        device_id="gb26875:889",
        name=name,
        requested_by="u",
        requested_at=NOW,
        params=params,  # type: ignore[arg-type]
    )


def test_duty_check_and_its_answer() -> None:
    session = gb26875.build(gb26875.Params()).session()
    session.decode(uplink(b""), received_at=NOW)
    request = session.request(command("duty_check"), NOW)
    sent = one(request.data.hex())
    assert (sent.command, sent.source, sent.destination) == (1, 88888, 889)
    assert sent.as_json()["objects"] == [{"window_min": 10}] and request.window_s == 600
    confirm = gb26875.encode(command=3, serial=sent.serial, source=889, destination=88888, time=NOW)
    pressed = uplink(encode_unit(24, {"operation": 1 << 5, "operator": 3, "time": NOW}))
    (first, second), _ = session.decode(confirm + pressed, received_at=NOW)
    assert isinstance(first, Frame) and isinstance(second, Frame)
    assert [(a.key, a.ok) for a in first.answers] == [(request.key, True)]
    assert [(a.key, a.data["operator"]) for a in second.answers] == [(request.window_key, 3)]
    assert second.fields["objects"][0]["duty_check_answered"] is True
    assert [(o.kind, o.state) for o in second.observations] == [
        ("panel_operation", "measure"),
        ("duty_check_unanswered", "clear"),
    ]


def test_clock_sync_restart_query_and_deny() -> None:
    session = gb26875.build(gb26875.Params()).session()
    clock = one(session.request(command("clock_sync"), NOW).data.hex()).as_json()
    assert clock["objects"][0]["time"] == "2024-07-22T10:30:05+08:00"
    restart = session.request(command("restart"), NOW)
    assert one(restart.data.hex()).as_json()["adu_type_name"] == "initialise_device"
    query = one(session.request(command("query_now"), NOW).data.hex()).as_json()
    assert (query["command"], query["adu_type_name"]) == (4, "read_device_status")
    with pytest.raises(CommandUnsupported):
        session.request(command("query_now", what="weather"), NOW)
    deny = gb26875.encode(command=6, serial=int(restart.key), source=889, destination=88888, time=NOW)
    (frame,), _ = session.decode(deny, received_at=NOW)
    assert isinstance(frame, Frame) and frame.answers[0].key == restart.key and not frame.answers[0].ok


def test_a_reset_at_the_panel_clears_what_stood_open() -> None:
    session = gb26875.build(gb26875.Params()).session()
    session.decode(bytes.fromhex(FIRE), received_at=NOW)
    reset = uplink(encode_unit(4, {"system_type": 1, "system_address": 1, "operation": 1, "operator": 9, "time": NOW}))
    (frame,), _ = session.decode(reset, received_at=NOW)
    assert isinstance(frame, Frame)
    cleared = [(o.kind, o.state, o.attributes["channel"]) for o in frame.observations if o.kind == "fire_alarm"]
    assert cleared == [("fire_alarm", "clear", "1/1/40/10-2")]
    (again,), _ = session.decode(reset, received_at=NOW)
    assert isinstance(again, Frame) and all(o.kind != "fire_alarm" for o in again.observations)


# ids ---------------------------------------------------------------------------------------------
def test_a_frame_sent_again_has_the_same_ids_and_another_event_has_others() -> None:
    first, again = frames_of(bytes.fromhex(FIRE)), frames_of(bytes.fromhex(FIRE))
    resent = bytearray.fromhex(FIRE)
    resent[6] = 0x25  # sent 5 s later: the sending label changed, the sum with it
    resent[-3] = sum(resent[2:-3]) & 0xFF
    ids = [{o.observation_id for o in f[0].observations} for f in (first, again, frames_of(bytes(resent)))]  # type: ignore[union-attr]
    assert ids[0] == ids[1] == ids[2] and len(ids[0]) == 4
    other = bytearray.fromhex(FIRE)
    other[2] = 2
    other[-3] = sum(other[2:-3]) & 0xFF
    assert ids[0].isdisjoint(o.observation_id for o in frames_of(bytes(other))[0].observations)  # type: ignore[union-attr]
    assert derived_id("x") != derived_id("y")


# streams -----------------------------------------------------------------------------------------
def kept(chunks: list[bytes]) -> list[object]:
    session, buffer, out = gb26875.build(gb26875.Params()).session(), b"", []
    for chunk in chunks:
        frames, buffer = session.decode(buffer + chunk, received_at=NOW)
        assert len(buffer) <= gb26875.Gb26875.max_frame_bytes
        out += [(f.readings, f.observations, f.reply) for f in frames if isinstance(f, Frame)]
    return out


def test_a_stream_cut_at_every_byte_gives_the_same() -> None:
    data = b"\x40noise" + STREAM + b"\x23\x40" + STREAM
    whole = kept([data])
    assert len(whole) == 2 * len(ALL)
    assert kept([data[i : i + 1] for i in range(len(data))]) == whole
    for cut in range(0, len(data), 7):
        assert kept([data[:cut], data[cut:]]) == whole


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(STREAM) - 1), st.binary(max_size=40))
def test_any_bytes_are_survived_and_accounted_for(noise: bytes, at: int, more: bytes) -> None:
    data = STREAM[:at] + noise + STREAM[at:] + more
    decoded = gb26875.decode(data)
    assert data.endswith(decoded.rest)
    again = [gb26875.encode_packet(p) for p in decoded.frames if isinstance(p, Gb26875Packet)]
    assert all(raw in data for raw in again)
