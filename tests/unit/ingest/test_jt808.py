"""JT/T 808: the notes' vectors, editions, escapes, sub-packages, sessions, batches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PluginParamsInvalid
from core.plugins import parse_params
from core.records import DeviceCommand, Quality
from ingest.contract import Frame, Refused
from ingest.errors import CommandUnsupported
from ingest.sources import jt808
from ingest.sources._jt808_frame import Jt808Packet, escape, unescape

NOW = datetime(2024, 7, 22, 2, 30, 5, tzinfo=UTC)
POSITION_ESCAPED = (
    "7E02000026123456789012007D02000000010000000200BA7F0E07E4F11C0028003C00001810151010100104000000640202007D01137E"
)
POSITION = "7E0200002611223344556622B8000000010000000200BA7F0E07E4F11C0028003C000018071510101001040000006402020037577E"
HEARTBEAT = "7E00020000012345678900000A817E"
HEARTBEAT_ESCAPED_SUM = "7E00020000040021679287002B7D027E"
TERMINAL_ANSWER = "7E0001000501234567890004B303E8000200D37E"
UNREGISTER = "7E0003000001234567890000018B7E"
REGISTER_2013 = (
    "7E0100002D000123456789000A002800323132333400736D616C6C6368693132330000000000000000004348493132330001"
    "D4C14131323334358A7E"
)
REGISTER_2019 = (
    "7E010040540100000000000123456789000A002800323132333400000000000000736D616C6C63686931323300000000000000000000"
    "00000000000000000043484931323300000000000000000000000000000000000000000000000001D4C1413132333435B27E"
)
REGISTER_2011 = "7E01000021000123456789000A002800323132333400746B3132333435004348493132330001D4C1413132333435857E"
AUTH_2013 = "7E010200090123456789003039343536313231313131BE7E"
BAD_SUM = (
    "7E0200003F011111111111047D0100000000000C00C30161A2AA06BE84A000070000008C21082422494401040056AF730202000003"
    "0200002504000000002B040000000030011B310110FB0200657E"
)
ALL = [
    v
    for k, v in list(globals().items())
    if k.isupper() and k != "BAD_SUM" and isinstance(v, str) and v.startswith("7E0")
]
STREAM = bytes.fromhex("".join(ALL))


def one(data: bytes | str) -> Jt808Packet:
    decoded = jt808.decode(bytes.fromhex(data) if isinstance(data, str) else data)
    assert decoded.rest == b""
    (packet,) = decoded.frames
    assert isinstance(packet, Jt808Packet), packet
    return packet


def session(**params: object) -> jt808.Jt808Session:
    return jt808.build(jt808.Params(**params)).session()  # type: ignore[arg-type]


def frame_of(data: bytes | str, talk: jt808.Jt808Session | None = None, **params: object) -> Frame:
    raw = bytes.fromhex(data) if isinstance(data, str) else data
    (frame,), _ = (talk or session(**params)).decode(raw, received_at=NOW)
    assert isinstance(frame, Frame), frame
    return frame


def body(**more: object) -> bytes:
    return jt808.encode_position(latitude=43.88, longitude=125.4, time=NOW, **more)  # type: ignore[arg-type]


def uplink(message: int, content: bytes = b"", serial: int = 7, phone: str = "000000000501", **more: object) -> bytes:
    return jt808.encode(message=message, phone=phone, serial=serial, body=content, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ALL)
def test_every_vector_decodes_and_encodes_to_the_same_bytes(text: str) -> None:
    assert jt808.encode_packet(one(text)) == bytes.fromhex(text)


def test_there_are_ten_good_vectors() -> None:
    assert len(ALL) == 10


def test_position_with_escapes() -> None:
    shown = one(POSITION_ESCAPED).as_json()
    wanted = {
        "message_id": "0x0200",
        "phone": "123456789012",
        "serial": 126,
        "alarm": 1,
        "alarms": ["sos"],
        "sos": True,
        "status": 2,
        "positioned": True,
        "acc_on": False,
        "latitude": 12.222222,
        "longitude": 132.444444,
        "altitude_m": 40,
        "speed_kmph": 6.0,
        "direction_deg": 0,
        "time": "2018-10-15T10:10:10+08:00",
        "mileage_km": 10.0,
        "fuel_l": 12.5,
    }
    assert {k: shown[k] for k in wanted} == wanted


def test_position_without_escapes() -> None:
    shown = one(POSITION).as_json()
    assert (shown["phone"], shown["serial"], shown["fuel_l"]) == ("112233445566", 8888, 5.5)
    frame = frame_of(POSITION)
    assert {r.quantity: r.value for r in frame.readings} == {"speed_kmph": 6.0, "mileage_km": 10.0, "fuel_l": 5.5}
    reading = frame.readings[0]
    assert reading.location is not None and (reading.location.lat, reading.location.lon) == (12.222222, 132.444444)
    assert reading.observed_at == datetime(2018, 7, 15, 2, 10, 10, tzinfo=UTC)
    assert {o.kind: o.state for o in frame.observations} == {
        "sos": "open",
        "vehicle_accident": "clear",
        "vehicle_alarm": "clear",
        "device_fault": "clear",
    }
    assert frame.reply is not None
    answer = one(frame.reply).as_json()
    assert (answer["message_id"], answer["phone"]) == ("0x8001", "112233445566")
    assert (answer["answered_serial"], answer["answered_message_id"], answer["result_name"]) == (8888, "0x0200", "ok")


def test_heartbeats_and_unregister_are_answered() -> None:
    assert (one(HEARTBEAT).serial, one(HEARTBEAT).phone) == (10, "012345678900")
    assert one(HEARTBEAT_ESCAPED_SUM).as_json()["message_name"] == "heartbeat"
    for text, kind in ((HEARTBEAT, "heartbeat"), (UNREGISTER, "unregister")):
        frame = frame_of(text)
        assert frame.kind == kind and frame.reply is not None and one(frame.reply).message == 0x8001


def test_terminal_answer() -> None:
    frame = frame_of(TERMINAL_ANSWER)
    assert frame.fields["answered_serial"] == 1000 and frame.fields["answered_message_id"] == "0x0002"
    assert frame.fields["result_name"] == "ok" and frame.reply is None
    assert [(a.key, a.ok) for a in frame.answers] == [("1000", True)]


@pytest.mark.parametrize(
    ("text", "edition", "model"),
    [
        (REGISTER_2011, "2011", "tk12345"),
        (REGISTER_2013, "2013", "smallchi123"),
        (REGISTER_2019, "2019", "smallchi123"),
    ],
)
def test_registration_in_every_edition(text: str, edition: str, model: str) -> None:
    shown = one(text).as_json()
    assert (shown["province"], shown["city"], shown["maker"], shown["model"]) == (40, 50, "1234", model)
    assert (shown["terminal_id"], shown["plate_colour_name"], shown["plate"]) == ("CHI123", "blue", "粤A12345")
    assert shown["edition"] == edition
    if edition == "2019":
        assert (shown["version"], shown["phone"]) == (1, "00000000000123456789")


def test_auth_code() -> None:
    assert one(AUTH_2013).as_json()["auth_code"] == "456121111"
    content = b"\x03abc" + b"123456789012345" + b"v1.2".ljust(20, b"\0")
    shown = one(uplink(0x0102, content, phone="00000000000123456789")).as_json()
    assert (shown["auth_code"], shown["imei"], shown["software_version"]) == ("abc", "123456789012345", "v1.2")


def test_bad_checksum_is_refused_without_answer() -> None:
    (entry,), _ = session().decode(bytes.fromhex(BAD_SUM), received_at=NOW)
    assert isinstance(entry, Refused) and entry.code == "frame_checksum" and entry.reply is None
    assert "65" in entry.detail and "B5" in entry.detail
    content = unescape(bytes.fromhex(BAD_SUM)[1:-1])
    good = b"\x7e" + escape(content[:-1] + b"\xb5") + b"\x7e"
    shown = one(good).as_json()
    assert (shown["latitude"], shown["longitude"], shown["satellites"]) == (23.17585, 113.149088, 16)
    assert shown["rest_hex"] == "FB0200"


def test_the_flag_of_2019_on_a_header_of_2013() -> None:
    data = uplink(0x0002, phone="000000000501", long_header=False, props=0x4000)
    packet = one(data)
    assert packet.props & 0x4000 and not packet.long_header and packet.phone == "000000000501"
    assert jt808.encode_packet(packet) == data


def test_both_editions_are_one_device() -> None:
    assert one(uplink(0x0002, phone="00000000000000000501")).address == one(uplink(0x0002)).address == "000000000501"


# bodies ------------------------------------------------------------------------------------------
def test_additional_items() -> None:
    items = (
        (0x01, (123456).to_bytes(4, "big")),
        (0x03, (421).to_bytes(2, "big")),
        (0x06, (-18 & 0xFFFF).to_bytes(2, "big")),
        (0x11, b"\x01\x00\x00\x00\x07"),
        (0x12, b"\x03\x00\x00\x00\x09\x01"),
        (0x13, b"\x00\x00\x00\x02\x00\x3c\x01"),
        (0x25, (1 << 4 | 1).to_bytes(4, "big")),
        (0x2A, b"\x00\x02"),
        (0x2B, b"\x00\x05\x00\x03"),
        (0x30, b"\x1b"),
        (0x31, b"\x10"),
        (0xE1, b"\xab\xcd"),
        (0x02, b"\x01"),  # wrong length: kept raw
    )
    shown = one(uplink(0x0200, body(items=items, speed_kmph=42.1, altitude_m=-5))).as_json()
    assert (shown["mileage_km"], shown["recorder_speed_kmph"], shown["cargo_temperature_c"]) == (12345.6, 42.1, -18)
    assert shown["overspeed_area"] == {"type": "circle", "area_id": 7}
    assert shown["area_crossing"] == {"type": "polygon", "area_id": 9, "direction": "out"}
    assert shown["section_time"] == {"section_id": 2, "duration_s": 60, "result": "too_long"}
    assert shown["signals"] == ["low_beam", "brake"] and shown["io_flags"] == ["sleep"]
    assert (shown["analogue_0"], shown["analogue_1"]) == (3, 5)
    assert (shown["network_rssi"], shown["satellites"], shown["altitude_m"]) == (27, 16, -5)
    assert shown["item_e1_hex"] == "ABCD" and shown["item_02_hex"] == "01"


def test_south_and_west_no_fix_and_bad_clock() -> None:
    south = jt808.encode_position(latitude=-33.5, longitude=-70.6, time=NOW)
    location = frame_of(uplink(0x0200, south)).readings[0].location
    assert location is not None and (location.lat, location.lon) == (-33.5, -70.6)
    (reading,) = frame_of(uplink(0x0200, body(status=1))).readings
    assert reading.location is None and reading.quality is Quality.SIGNAL_BAD
    broken = body()[:22] + bytes.fromhex("249999999999")
    frame = frame_of(uplink(0x0200, broken))
    assert frame.readings[0].quality is Quality.CLOCK_BAD and frame.readings[0].observed_at == NOW
    assert frame.fields["clock_bad"] is True and frame.device_time is None


def test_truncated_positions_and_items() -> None:
    (entry,), _ = session().decode(uplink(0x0200, body()[:20]), received_at=NOW)
    assert isinstance(entry, Refused) and entry.code == "frame_field"
    assert one(uplink(0x0200, body() + b"\x01\x04\x00")).as_json()["rest_hex"] == "010400"


def batch(kind: int, *positions: bytes) -> bytes:
    items = b"".join(len(p).to_bytes(2, "big") + p for p in positions)
    return len(positions).to_bytes(2, "big") + bytes((kind,)) + items


def test_batches() -> None:
    late = jt808.encode_position(latitude=43.0, longitude=125.0, time=NOW - timedelta(minutes=9), alarm=1)
    frame = frame_of(uplink(0x0704, batch(1, late, body())))
    assert frame.fields["batch_type"] == "catch_up" and frame.fields["count"] == 2
    assert [r.observed_at for r in frame.readings] == [NOW.replace(microsecond=0) - timedelta(minutes=9), NOW]
    assert [(o.kind, o.state, o.attributes["late"]) for o in frame.observations] == [("sos", "open", True)]
    assert frame.reply is not None
    normal = frame_of(uplink(0x0704, batch(0, late, body())))
    assert {o.kind: o.state for o in normal.observations}["sos"] == "clear", "the newest position counts"
    (entry,), _ = session().decode(uplink(0x0704, b"\x00\x03" + batch(0, body())[2:]), received_at=NOW)
    assert isinstance(entry, Frame) and len(entry.readings) == 1 and "3 positions announced" in entry.problem
    broken = b"\x00\x03\x00" + b"".join(len(p).to_bytes(2, "big") + p for p in (late, b"short", body()))
    (entry,), _ = session().decode(uplink(0x0704, broken), received_at=NOW)
    assert isinstance(entry, Frame) and len(entry.readings) == 2 and "2 can be read" in entry.problem
    (entry,), _ = session().decode(uplink(0x0704, b"\x00\x01\x00\xff\xff"), received_at=NOW)
    assert isinstance(entry, Refused) and entry.code == "frame_field"


def test_a_position_repeated_in_a_batch_collapses() -> None:
    live = frame_of(uplink(0x0200, body(), serial=5))
    again = frame_of(uplink(0x0704, batch(1, body()), serial=9))
    assert live.readings[0].reading_id == again.readings[0].reading_id


def test_signals_of_the_equipment_by_vehicle() -> None:
    content = body(items=((0x2A, b"\x00\x10"),))
    params = {"signals": {"sweeping": "2a.4"}, "vehicles": {"000000000502": {"pump": "2a.3"}}}
    values = {r.quantity: r.value for r in frame_of(uplink(0x0200, content), **params).readings}
    assert values["sweeping"] == 1
    other = frame_of(uplink(0x0200, content, phone="000000000502"), **params)
    assert {r.quantity: r.value for r in other.readings} == {"speed_kmph": 0.0, "pump": 0}
    with pytest.raises(PluginParamsInvalid):
        parse_params("source", "jt808", {"signals": {"sweeping": "2a"}})


def test_encrypted_and_unknown_bodies_stay_raw() -> None:
    shown = one(uplink(0x0200, b"\x01\x02", props=0x0400)).as_json()
    assert shown["encryption"] == 1 and shown["body_hex"] == "0102"
    frame = frame_of(uplink(0x0F01, b"\xff"))
    assert frame.fields["body_hex"] == "FF" and frame.reply is not None
    assert one(frame.reply).as_json()["result_name"] == "unsupported"


# sub-packages ------------------------------------------------------------------------------------
def test_sub_packages_are_put_together_and_answered_once() -> None:
    jpeg = b"\xff\xd8" + bytes(range(256)) * 6 + b"\xff\xd9"
    content = (5).to_bytes(4, "big") + bytes((0, 0, 1, 2)) + body() + jpeg
    pieces = [content[i : i + 800] for i in range(0, len(content), 800)]
    packets = [uplink(0x0801, p, serial=20 + n, part=(len(pieces), n)) for n, p in enumerate(pieces, 1)]
    talk = session()
    frames, _ = talk.decode(b"".join(reversed(packets)), received_at=NOW)
    assert [f.kind for f in frames if isinstance(f, Frame)] == ["part"] * (len(pieces) - 1) + ["picture"]
    whole = frames[-1]
    assert isinstance(whole, Frame) and whole.attachment == jpeg and whole.fields["channel"] == 2
    assert whole.reply is not None and one(whole.reply).message == 0x8800
    assert one(packets[0]).as_json()["packets_total"] == len(pieces)
    assert jt808.encode_packet(one(packets[0])) == packets[0]


def test_stale_sub_packages_are_dropped() -> None:
    talk = session()
    talk.decode(uplink(0x0801, bytes(50), part=(2, 1)), received_at=NOW)
    assert talk.expire(NOW + timedelta(seconds=100)) == []
    assert [r.code for r in talk.expire(NOW + timedelta(seconds=121))] == ["frame_parts"]


# sessions ----------------------------------------------------------------------------------------
def test_registration_gives_a_code_that_authentication_must_show() -> None:
    talk = session(auth_key="secret")
    answer = one(frame_of(REGISTER_2013, talk).reply or b"").as_json()
    assert (answer["message_id"], answer["answered_serial"], answer["result_name"]) == ("0x8100", 10, "ok")
    phone = "000123456789"
    assert frame_of(uplink(0x0200, body(), phone=phone), talk).readings == ()
    wrong = frame_of(uplink(0x0102, "密码".encode("gbk"), phone=phone), talk)
    assert one(wrong.reply or b"").as_json()["result_name"] == "failed"
    right = frame_of(uplink(0x0102, answer["auth_code"].encode(), phone=phone), talk)
    assert one(right.reply or b"").as_json()["result_name"] == "ok"
    assert len(frame_of(uplink(0x0200, body(), phone=phone), talk).readings) == 1
    assert frame_of(uplink(0x0200, body(), phone="000000000999"), talk).readings == ()


def test_alarms_are_acknowledged_where_that_is_wanted() -> None:
    reply = frame_of(uplink(0x0200, body(alarm=1)), acknowledge_alarms=True).reply
    assert one(reply or b"").as_json()["result_name"] == "alarm_acknowledged"
    assert one(frame_of(uplink(0x0200, body(alarm=1))).reply or b"").as_json()["result_name"] == "ok"


def command(name: str) -> DeviceCommand:
    return DeviceCommand(
        command_id="c",
        device_id="jt808:000123456789",
        name=name,
        requested_by="u",
        requested_at=NOW,  # type: ignore[arg-type]
    )


def test_commands_use_the_header_that_the_terminal_speaks() -> None:
    talk = session()
    talk.decode(bytes.fromhex(REGISTER_2019), received_at=NOW)
    request = talk.request(command("query_now"), NOW)
    sent = one(request.data)
    assert (sent.message, sent.long_header, sent.phone) == (0x8201, True, "00000000000123456789")
    answer = uplink(0x0201, int(request.key).to_bytes(2, "big") + body(), phone="00000000000123456789")
    frame = frame_of(answer, talk)
    assert [a.key for a in frame.answers] == [request.key] and len(frame.readings) == 1 and frame.reply is None
    assert one(talk.request(command("restart"), NOW).data).body == b"\x04"
    with pytest.raises(CommandUnsupported):
        talk.request(command("clock_sync"), NOW)


# streams -----------------------------------------------------------------------------------------
def kept(chunks: list[bytes]) -> list[object]:
    talk, buffer, out = session(), b"", []
    for chunk in chunks:
        frames, buffer = talk.decode(buffer + chunk, received_at=NOW)
        assert len(buffer) <= jt808.Jt808.max_frame_bytes
        out += [(f.kind, f.readings, f.observations, f.reply) for f in frames if isinstance(f, Frame)]
    return out


def test_a_stream_cut_at_every_byte_gives_the_same() -> None:
    data = b"noise" + STREAM + bytes.fromhex(BAD_SUM) + STREAM
    whole = kept([data])
    assert len(whole) == 2 * len(ALL)
    assert kept([data[i : i + 1] for i in range(len(data))]) == whole
    for cut in range(0, len(data), 7):
        assert kept([data[:cut], data[cut:]]) == whole


def test_resynchronises_after_a_lost_mark() -> None:
    first, second = bytes.fromhex(POSITION), bytes.fromhex(HEARTBEAT)
    for data in (first[:-1] + second + second, first[1:] + second + second, b"\x7e\x7e" + first + b"\x7e" + second):
        frames, _ = session().decode(data, received_at=NOW)
        assert sum(isinstance(f, Frame) for f in frames) == 2


def test_a_frame_without_end_is_bounded() -> None:
    decoded = jt808.decode(b"\x7e" + b"\x00" * 5000)
    assert decoded.rest == b"" and len(decoded.frames) == 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(STREAM) - 1))
def test_any_bytes_are_survived(noise: bytes, at: int) -> None:
    data = STREAM[:at] + noise + STREAM[at:]
    _, rest = session().decode(data, received_at=NOW)
    assert data.endswith(rest)


@given(st.binary(max_size=300))
def test_escape_comes_back(data: bytes) -> None:
    assert unescape(escape(data)) == data and b"\x7e" not in escape(data)


def test_an_encrypted_answer_is_survived() -> None:
    """Found by the fuzzer."""
    frame = frame_of(uplink(0x0001, bytes(5), props=0x0400))
    assert frame.answers == () and frame.reply is None


@pytest.mark.parametrize("message", [1, 2, 3, 0x0100, 0x0102, 0x0104, 0x0107, 0x0800, 0x0801, 0x0900, 0xE000])
def test_messages_that_are_no_positions_measure_nothing(message: int) -> None:
    for content in (body(), b"\x00\x07\x01" + body(), b"\x00" * 8 + body()):
        (entry,), _ = session().decode(uplink(message, content), received_at=NOW)
        assert isinstance(entry, Refused) or not (entry.readings or entry.observations)
