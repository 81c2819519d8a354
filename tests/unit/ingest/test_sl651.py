"""SL 651-2014: the notes' vectors, series, long messages, clocks, confirms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.records import DeviceCommand, Quality
from ingest.contract import Frame, Refused
from ingest.crc import crc16_modbus
from ingest.errors import CommandUnsupported, FrameField
from ingest.sources import _sl651_tables as tables
from ingest.sources import sl651
from ingest.sources._sl651_body import bcd_of, number
from ingest.sources._sl651_frame import Sl651Packet

NOW = datetime(2024, 7, 22, 2, 30, 5, tzinfo=UTC)
KEEP_ALIVE = "7E7E01001234567812342F0008020003591011155111036BCA"
KEEP_ALIVE_2 = "7E7E00987654321012342F0008027E0822101110074703C3AE"
TEST = (
    "7E7E010012345678123430002B020003591011154947F1F1001234567848F0F0591011154920190000052619"
    "000005392300000127381211150320FA"
)
TEST_CONFIRM = "7E7E00123456780112343080080200035910111549471B75D4"
TIMED = (
    "7E7E05001122334403E832002B020034170718110016F1F1001122334448F0F01707181100201900004026190000403923"
    "000104903812109903A421"
)
TIMED_CONFIRM = "7E7E00112233440503E83280080200341707181100161BE5D4"
HOURLY_CONFIRM = "7E7E001234567810123434800802000114061314385304696E"
MANUAL = "7E7E0100123456781234350011020004591011155145F2F25120312E323334034602"
MANUAL_CONFIRM = "7E7E00123456780112343580080200045910111551451BF118"
QUERY_NOW = "7E7E001234567801123437800802000017071809540405ABC8"
QUERY_MANUAL = "7E7E0012345678011234398008020000170718100720056832"
QUERY_PICTURE = "7E7E001234567801123436800802000017071809525505BB17"
ADD_REPORT = (
    "7E7E0122010500011234330026020001240722103000F1F1220105000148F0F02407221030392300000270201900012538121210033A11"
)
ALL = [v for k, v in list(globals().items()) if k.isupper() and isinstance(v, str) and v.startswith("7E7E")]
STREAM = bytes.fromhex("".join(ALL))


def one(data: bytes | str) -> Sl651Packet:
    decoded = sl651.decode(bytes.fromhex(data) if isinstance(data, str) else data)
    assert decoded.rest == b""
    (packet,) = decoded.frames
    assert isinstance(packet, Sl651Packet), packet
    return packet


def frames_of(data: bytes) -> list[Frame | Refused]:
    return sl651.build(sl651.Params()).session().decode(data, received_at=NOW)[0]


def frame_of(data: bytes | str) -> Frame:
    (frame,) = frames_of(bytes.fromhex(data) if isinstance(data, str) else data)
    assert isinstance(frame, Frame), frame
    return frame


def report(function: int, body: str, serial: int = 1, station: str = "2201050001", **more: object) -> bytes:
    payload = bytes.fromhex(f"{serial:04X}240722103000" + body)
    return sl651.encode(station=station, centre=1, password="1234", function=function, payload=payload, **more)  # type: ignore[arg-type]


HEAD = "F1F1220105000148F0F02407221030"


def test_check_value_of_the_crc() -> None:
    assert crc16_modbus(b"123456789") == 0x4B37


@pytest.mark.parametrize("text", ALL)
def test_every_vector_decodes_and_encodes_to_the_same_bytes(text: str) -> None:
    assert sl651.encode_packet(one(text)) == bytes.fromhex(text)


def test_keep_alives_get_no_answer() -> None:
    shown = one(KEEP_ALIVE_2).as_json()
    assert (shown["centre_address"], shown["station"], shown["serial"]) == (0, "9876543210", 0x7E08)
    assert shown["sent_at"] == "2022-10-11T10:07:47+08:00"
    frame = frame_of(KEEP_ALIVE)
    assert frame.kind == "heartbeat" and frame.reply is None and frame.serial == 3
    assert frame.device_time is None and frame.fields["clock_bad"] is True


def test_test_report_with_a_clock_that_was_never_set() -> None:
    shown = one(TEST).as_json()
    assert shown["rain_today_mm"] == 0.5 and shown["rain_accumulated_mm"] == 0.5
    assert shown["water_level_m"] == 0.127 and shown["voltage_v"] == 11.15
    assert shown["station_class"] == "H" and shown["clock_bad"] is True
    assert shown["observed_at_raw"] == "5910111549"
    frame = frame_of(TEST)
    assert {r.observed_at for r in frame.readings} == {NOW}
    assert {r.quality for r in frame.readings} == {Quality.MAINTENANCE}, "a test must not open a case"


def test_timed_report() -> None:
    shown = one(TIMED).as_json()
    assert (shown["station"], shown["serial"], shown["function_code"]) == ("0011223344", 0x34, "32")
    assert shown["observed_at"] == "2017-07-18T11:00:00+08:00"
    wanted = {"rain_today_mm": 4.0, "rain_accumulated_mm": 4.0, "water_level_m": 10.49, "voltage_v": 10.99}
    assert {k: shown[k] for k in wanted} == wanted
    frame = frame_of(TIMED)
    assert {r.quantity: r.value for r in frame.readings} == wanted
    assert {r.observed_at for r in frame.readings} == {datetime(2017, 7, 18, 3, 0, tzinfo=UTC)}
    assert {r.quality for r in frame.readings} == {Quality.GOOD}


PAIRS = [(TEST, TEST_CONFIRM), (TIMED, TIMED_CONFIRM), (MANUAL, MANUAL_CONFIRM)]


@pytest.mark.parametrize(("uplink", "confirm"), PAIRS)
def test_confirms_are_worded_as_in_the_notes(uplink: str, confirm: str) -> None:
    """Same bytes but for the centre's own clock."""
    reply, wanted = frame_of(uplink).reply, one(confirm)
    assert reply is not None
    packet = one(reply)
    assert (packet.station, packet.centre, packet.password) == (wanted.station, wanted.centre, wanted.password)
    assert (packet.down, packet.function, packet.end) == (True, wanted.function, wanted.end)
    assert packet.body is not None and wanted.body is not None
    assert packet.body.serial == wanted.body.serial and packet.payload[2:] == bcd_of(NOW)


def test_confirms_by_eot_where_the_station_shall_hang_up() -> None:
    session = sl651.build(sl651.Params(stay_online=False)).session()
    (frame,), _ = session.decode(bytes.fromhex(TIMED), received_at=NOW)
    assert isinstance(frame, Frame) and frame.reply is not None and one(frame.reply).end == one(HOURLY_CONFIRM).end


def test_manual_report_and_downlinks() -> None:
    assert one(MANUAL).as_json()["text"] == "Q 1.234"
    shown = one(QUERY_NOW).as_json()
    assert (shown["direction"], shown["function_name"], shown["end"]) == ("down", "query_real_time", "ENQ")
    assert one(QUERY_MANUAL).as_json()["function_code"] == "39"
    assert one(QUERY_PICTURE).as_json()["sent_at"] == "2017-07-18T09:52:55+08:00"
    assert frame_of(QUERY_NOW).reply is None


def test_add_report_of_a_road_sensor() -> None:
    shown = one(ADD_REPORT).as_json()
    assert shown["station"] == "2201050001" and shown["observed_at"] == "2024-07-22T10:30:00+08:00"
    assert (shown["water_level_m"], shown["rain_today_mm"], shown["voltage_v"]) == (0.27, 12.5, 12.1)
    level = frame_of(ADD_REPORT).readings[0]
    assert (level.quantity, level.unit, level.attributes["add_report"]) == ("water_level_m", "m", True)
    assert level.observed_at == datetime(2024, 7, 22, 2, 30, tzinfo=UTC)


# elements ----------------------------------------------------------------------------------------
def test_negative_missing_and_broken_numbers() -> None:
    assert number(bytes.fromhex("FF000270"), 3) == -0.27
    assert number(bytes.fromhex("FFFFFFFF"), 3) is None
    assert number(bytes.fromhex("000A0270"), 3) is None
    assert number(bytes.fromhex("00000270"), 3) == 0.27
    frame = frame_of(report(0x32, HEAD + "3923FFFFFFFF"))
    assert frame.readings[0].value is None and frame.readings[0].quality is Quality.MISSING
    frame = frame_of(report(0x32, HEAD + "3923FF000150"))
    assert frame.fields["water_level_m"] == -0.15


@given(st.sampled_from([(3, 1), (4, 3), (2, 2)]), st.integers(-9999, 9999))
def test_numbers_come_back(shape: tuple[int, int], raw: int) -> None:
    size, decimals = shape
    value = raw / 10**decimals
    if raw < 0 and abs(raw) >= 100 ** (size - 1):
        with pytest.raises(FrameField):
            sl651.element(0x39, value, size, decimals)
        return
    encoded = sl651.element(0x39, value, size, decimals)
    assert encoded[1] == size << 3 | decimals
    assert number(encoded[2:], decimals) == pytest.approx(value)


def test_unknown_elements_are_skipped_by_their_length() -> None:
    frame = frame_of(report(0x32, HEAD + "9A1A112233" + "FF0310112233"[:6] + "1122" + "392300000270"))
    assert frame.fields["water_level_m"] == 0.27 and "problems" not in frame.fields
    assert [e["id"] for e in frame.fields["elements"]] == ["9A", "FF03", "39"]
    assert [r.quantity for r in frame.readings] == ["water_level_m"]


def test_a_body_that_is_understood_in_part_is_kept_in_part_and_confirmed() -> None:
    frame = frame_of(report(0x32, HEAD + "392300000270" + "3923"))
    assert frame.fields["water_level_m"] == 0.27 and frame.fields["problems"] and frame.reply is not None


def test_several_stations_in_one_frame() -> None:
    second = "F1F1220105000248F0F02407221035392300000500"
    frame = frame_of(report(0x32, HEAD + "392300000270" + second))
    assert [(r.device_id, r.value) for r in frame.readings] == [
        ("sl651:2201050001", 0.27),
        ("sl651:2201050002", 0.5),
    ]
    assert [s["water_level_m"] for s in frame.fields["stations"]] == [0.27, 0.5]


def test_a_later_time_holds_for_what_follows() -> None:
    frame = frame_of(report(0x32, HEAD + "392300000270" + "F0F02407221040" + "38121210"))
    assert [r.observed_at.minute for r in frame.readings] == [30, 40]


def test_hourly_report() -> None:
    rains = "00010203FF050607080900FF"
    levels = "".join(f"{n:04X}" for n in range(10, 22))
    begin = HEAD.replace("1030", "1005")
    frame = frame_of(report(0x34, begin + "F460" + rains + "2619000125" + "F5C0" + levels + "38121210"))
    rain = [r for r in frame.readings if r.quantity == "rain_mm"]
    assert [r.value for r in rain] == [0, 0.1, 0.2, 0.3, None, 0.5, 0.6, 0.7, 0.8, 0.9, 0, None]
    assert rain[0].observed_at == datetime(2024, 7, 22, 2, 5, tzinfo=UTC)
    assert rain[11].observed_at - rain[0].observed_at == timedelta(minutes=55)
    assert rain[4].quality is Quality.MISSING and rain[0].attributes["interval_s"] == 300
    assert frame.fields["relative_level_1_m"] == [n / 100 for n in range(10, 22)]
    assert len(frame.fields["rain_5min_mm"]) == 12


def test_uniform_report() -> None:
    frame = frame_of(report(0x31, HEAD + "0418000010" + "3923" + "00000100" + "FFFFFFFF" + "00000300"))
    assert [r.value for r in frame.readings] == [0.1, None, 0.3]
    assert [r.observed_at.minute for r in frame.readings] == [30, 40, 50]
    assert frame.reply is not None and frame.fields["water_level_m"] == [0.1, None, 0.3]


def test_status_word() -> None:
    frame = frame_of(report(0x32, HEAD + "452000000085"))
    assert frame.fields["mains_lost"] is True and frame.fields["level_over_limit"] is True
    assert frame.fields["status"]["battery_low"] is False and frame.fields["cabinet_closed"] is True
    assert {o.kind: o.state for o in frame.observations} == {"device_fault": "open", "station_limit_alarm": "open"}


def test_version_and_event_log_answers() -> None:
    version = frame_of(report(0x45, "F1F12201050001" + "0A" + b"YW-RTU 2.1".hex()))
    assert version.fields["version"] == "YW-RTU 2.1" and version.answers[0].key == "45"
    log = frame_of(report(0x50, "F1F12201050001" + "".join(f"{n:04X}" for n in range(32))))
    assert log.fields["events"]["mains_lost"] == 6


# long messages -----------------------------------------------------------------------------------
def picture_packets(total: int = 3) -> tuple[bytes, list[bytes]]:
    jpeg = b"\xff\xd8" + bytes(range(256)) * 4 + b"\xff\xd9"
    first = bytes.fromhex("0005240722103000" + HEAD + "F3F3")
    content = first + jpeg
    size = -(-len(content) // total)
    pieces = [content[i : i + size] for i in range(0, len(content), size)]
    out = []
    for n, piece in enumerate(pieces, 1):
        end = 0x03 if n == total else 0x17
        out.append(
            sl651.encode(
                station="2201050001", centre=1, password="1234", function=0x36, payload=piece, part=(total, n), end=end
            )
        )
    return jpeg, out


def test_a_picture_in_packets_is_put_together_and_confirmed_once() -> None:
    jpeg, packets = picture_packets()
    frames = frames_of(b"".join(packets))
    assert [f.kind for f in frames if isinstance(f, Frame)] == ["part", "part", "data"]
    last = frames[-1]
    assert isinstance(last, Frame) and last.attachment == jpeg and last.fields["picture_bytes"] == len(jpeg)
    assert [f.reply is not None for f in frames] == [False, False, True]
    assert one(packets[0]).as_json()["packets_total"] == 3


def test_a_missing_packet_is_asked_for_by_its_number() -> None:
    jpeg, packets = picture_packets()
    session = sl651.build(sl651.Params()).session()
    frames, _ = session.decode(packets[0] + packets[2], received_at=NOW)
    assert isinstance(frames[-1], Frame) and frames[-1].reply is not None
    nak = one(frames[-1].reply)
    assert (nak.end, nak.part) == (0x15, (3, 2))
    (frame,), _ = session.decode(packets[1], received_at=NOW)
    assert isinstance(frame, Frame) and frame.attachment == jpeg


def test_stale_parts_are_dropped_and_a_message_cannot_grow_without_end() -> None:
    session = sl651.build(sl651.Params()).session()
    _, packets = picture_packets()
    session.decode(packets[0], received_at=NOW)
    assert session.expire(NOW + timedelta(seconds=60)) == []
    assert [r.code for r in session.expire(NOW + timedelta(seconds=130))] == ["frame_parts"]
    payload = report(0x36, "")[14:-3] + bytes(4000)
    codes = []
    for n in range(1, 1200):
        data = sl651.encode(
            station="2201050001", centre=1, password="1234", function=0x36, payload=payload, part=(4000, n), end=0x17
        )
        (entry,), _ = session.decode(data, received_at=NOW)
        codes += [entry.code] if isinstance(entry, Refused) else []
    assert codes and set(codes) == {"frame_parts"}


# refusals ----------------------------------------------------------------------------------------
def test_wrong_crc_gets_no_answer() -> None:
    data = bytearray.fromhex(TIMED)
    data[-1] ^= 1
    (entry,) = frames_of(bytes(data))
    assert isinstance(entry, Refused) and entry.code == "frame_checksum" and entry.reply is None


def test_glued_half_and_noisy_frames() -> None:
    assert len(frames_of(bytes.fromhex(TIMED + ADD_REPORT))) == 2
    decoded = sl651.decode(bytes.fromhex(TIMED)[:30])
    assert decoded.frames == [] and len(decoded.rest) == 30
    entries = frames_of(b"\x01\x7e\x00" + bytes.fromhex(TIMED) + b"\x7e")
    assert [type(e) for e in entries] == [Refused, Frame]


def test_wrong_end_mark_and_short_body() -> None:
    data = bytearray.fromhex(TIMED)
    data[-3] = 0x09
    assert [e.code for e in frames_of(bytes(data)) if isinstance(e, Refused)] == ["frame_end"]
    short = sl651.encode(station="2201050001", centre=1, password="1234", function=0x32, payload=b"\0\1")
    (entry,) = frames_of(short)
    assert isinstance(entry, Refused) and entry.code == "frame_field"


# ASCII -------------------------------------------------------------------------------------------
ASCII_BODY = b"0034170718110016 ST 0011223344 H TT 1707181100 PJ 4.0 PT 4.0 Z -10.490 VT 10.99 PD M XX 3 "


def ascii_frame(body: bytes, function: int = 0x32, **more: object) -> bytes:
    return sl651.encode(
        station="0011223344",
        centre=5,
        password="03E8",
        function=function,
        payload=body,
        ascii_form=True,
        **more,  # type: ignore[arg-type]
    )


def test_ascii_report_and_its_confirm() -> None:
    data = ascii_frame(ASCII_BODY)
    assert data[:1] == b"\x01" and sl651.encode_packet(one(data)) == data
    frame = frame_of(data)
    assert frame.fields["encoding"] == "ascii" and frame.fields["water_level_m"] == -10.49
    assert {r.quantity: r.value for r in frame.readings} == {
        "rain_today_mm": 4.0,
        "rain_accumulated_mm": 4.0,
        "water_level_m": -10.49,
        "voltage_v": 10.99,
        "rain_daily_mm": None,
    }
    assert frame.readings[0].observed_at == datetime(2017, 7, 18, 3, 0, tzinfo=UTC)
    assert frame.reply is not None and one(frame.reply).ascii and one(frame.reply).payload == b"0034240722103005"


def test_ascii_uniform_report_with_two_elements_and_five_minute_rains() -> None:
    body = b"0001240722103000 ST 2201050001 H TT 2407221030 DRN05 Z PJ 0.100 1.0 M 2.0 0.300 3.0 "
    frame = frame_of(ascii_frame(body, 0x31))
    assert frame.fields["water_level_m"] == [0.1, None, 0.3] and frame.fields["rain_today_mm"] == [1.0, 2.0, 3.0]
    assert [r.observed_at.minute for r in frame.readings if r.quantity == "water_level_m"] == [30, 35, 40]
    body = b"0001240722103000 ST 2201050001 H TT 2407221030 DRP 00010203FF0506070809000A "
    hourly = frame_of(ascii_frame(body, 0x34))
    assert [r.value for r in hourly.readings][:5] == [0, 0.1, 0.2, 0.3, None]
    assert frame_of(ascii_frame(b"0004240722103000 RGZS Q 1.234", 0x35)).fields["text"] == "Q 1.234"


# dialogue and ids --------------------------------------------------------------------------------
def command(name: str, **params: object) -> DeviceCommand:
    return DeviceCommand(
        command_id="c",
        device_id="sl651:2201050001",
        name=name,
        requested_by="u",
        requested_at=NOW,
        params=params,  # type: ignore[arg-type]
    )


def test_query_now_is_worded_with_what_the_station_taught_us() -> None:
    session = sl651.build(sl651.Params()).session()
    session.decode(bytes.fromhex(ADD_REPORT), received_at=NOW)
    request = session.request(command("query_now"), NOW)
    packet = one(request.data)
    assert (packet.down, packet.function, packet.end, packet.password) == (True, 0x37, 0x05, "1234")
    answer = report(0x37, HEAD + "392300000270")
    (frame,), _ = session.decode(answer, received_at=NOW)
    assert isinstance(frame, Frame) and frame.answers[0].key == request.key and frame.answers[0].ok
    assert frame.readings[0].value == 0.27 and frame.reply is None
    assert one(session.request(command("clock_sync"), NOW).data).payload[2:] == bcd_of(NOW)
    for name, params in (("duty_check", {}), ("query_now", {"function": "48"})):
        with pytest.raises(CommandUnsupported):
            session.request(command(name, **params), NOW)


def test_a_resent_report_has_the_same_ids_and_the_next_report_others() -> None:
    first = {r.reading_id for r in frame_of(report(0x32, HEAD + "392300000270", serial=7)).readings}
    again = {r.reading_id for r in frame_of(report(0x32, HEAD + "392300000270", serial=7)).readings}
    other = {r.reading_id for r in frame_of(report(0x32, HEAD + "392300000270", serial=8)).readings}
    assert first == again and first.isdisjoint(other)


# streams -----------------------------------------------------------------------------------------
def kept(chunks: list[bytes]) -> list[object]:
    session, buffer, out = sl651.build(sl651.Params()).session(), b"", []
    for chunk in chunks:
        frames, buffer = session.decode(buffer + chunk, received_at=NOW)
        assert len(buffer) <= sl651.Sl651.max_frame_bytes
        out += [(f.kind, f.readings, f.reply) for f in frames if isinstance(f, Frame)]
    return out


def test_a_stream_cut_at_every_byte_gives_the_same() -> None:
    data = b"\x01no\x7eise" + STREAM + ascii_frame(ASCII_BODY) + b"".join(picture_packets()[1])
    whole = kept([data])
    assert len(whole) == len(ALL) + 1 + 3
    assert kept([data[i : i + 1] for i in range(len(data))]) == whole
    for cut in range(0, len(data), 13):
        assert kept([data[:cut], data[cut:]]) == whole


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(STREAM) - 1))
def test_any_bytes_are_survived(noise: bytes, at: int) -> None:
    data = STREAM[:at] + noise + STREAM[at:]
    session = sl651.build(sl651.Params()).session()
    _, rest = session.decode(data, received_at=NOW)
    assert data.endswith(rest)


def test_an_element_that_comes_alone_and_as_a_series() -> None:
    """Found by the fuzzer: both stand under their own names."""
    frame = frame_of(report(0x31, HEAD + "392300000270" + "0418000010" + "3923" + "00000100" + "00000300"))
    assert frame.fields["water_level_m"] == 0.27 and frame.fields["water_level_m_series"] == [0.1, 0.3]


STATION = "F1F12201050001"
BASIC = "02282201050001" + "0310ABCD" + "0C0802" + "0F4031383630303030303030"
RUN = "200806" + "2108" + "05" + "282300123000" + "381200" + "15" + "401200" + "45" + "4520" + "00000001"


@pytest.mark.parametrize("function", [0x40, 0x41])
def test_configuration_replies_are_parameters_and_never_measurements(function: int) -> None:
    frame = frame_of(report(function, STATION + BASIC))
    assert not frame.readings and not frame.observations
    shown = frame.fields["parameters"]
    assert shown["station_address"] == "2201050001" and shown["working_mode"] == 2 and shown["password"] == "ABCD"
    assert shown["communication_device_id"] == "18600000"
    assert frame.answers[0].data["parameters"] == shown


@pytest.mark.parametrize("function", [0x42, 0x43])
def test_run_parameters_that_look_like_levels_rains_and_alarms(function: int) -> None:
    frame = frame_of(report(function, STATION + RUN))
    assert not frame.readings and not frame.observations
    shown = frame.fields["parameters"]
    assert (shown["report_interval_h"], shown["add_report_interval_min"]) == (6, 5)
    assert shown["level_1_base_m"] == 123.0 and shown["add_report_level_1_m"] == 0.15
    assert shown["add_report_step_above_m"] == 0.45 and shown["power_add_report_threshold"] == 1


@pytest.mark.parametrize("function", sorted({*range(0x2F, 0x52), 0xE0, 0xFF} - set(tables.MEASURING)))
def test_no_other_message_measures_anything(function: int) -> None:
    for body in (BASIC, RUN, "0319123456", "4520000000FF", "392300001234", "", "FF", "0449"):
        frame = frame_of(report(function, STATION + body))
        assert not frame.readings and not frame.observations
        text = b"0034170718110016 ST 0011223344 Z 10.490 AI 11223344 02 11223344 ZT 000000FF "
        assert not frame_of(ascii_frame(text, function=function)).readings


def test_ascii_parameters() -> None:
    frame = frame_of(ascii_frame(b"0034170718110016 ST 0011223344 20 6 02 0011223344 ", function=0x43))
    assert frame.fields["parameters"]["report_interval_h"] == 6 and not frame.readings


@given(st.sampled_from([0x40, 0x41, 0x42, 0x43, 0x47, 0x48, 0x49, 0x4C, 0x4F]), st.binary(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_parameters_are_survived_and_measure_nothing(function: int, body: bytes) -> None:
    (entry,) = frames_of(report(function, body.hex()))
    assert isinstance(entry, Refused) or not (entry.readings or entry.observations)
