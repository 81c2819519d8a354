"""HJ 212: the notes' vectors, the wrong ones too, answers, packets, flags and units."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PluginParamsInvalid
from core.plugins import parse_params
from core.records import DeviceCommand, Quality
from ingest.contract import Frame, Refused
from ingest.crc import crc16_hj212, crc16_modbus
from ingest.errors import CommandUnsupported
from ingest.sources import hj212
from ingest.sources._hj212_frame import Hj212Packet

NOW = datetime(2024, 7, 22, 2, 30, 5, tzinfo=UTC)
OFFICIAL = (
    "##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&1C80"
)
AIR = (
    "##0317QN=20191012133710130;ST=22;CN=2011;PW=123456;MN=Y80110010000010;Flag=4;CP=&&DataTime=20191012133710;"
    "a21005-Rtd=0.00,a21005-Flag=N;a21004-Rtd=0.00,a21004-Flag=N;a21007-Rtd=0.033,a21007-Flag=N;a21006-Rtd=0.036,"
    "a21006-Flag=N;a21001-Rtd=25.40,a21001-Flag=N;a21003-Rtd=101.94,a21003-Flag=N;a21002-Rtd=49.20,a21002-Flag=N&&cc01"
)
EMPTY = "##0077QN=20120416225111069;ST=91;CN=9021;PW=122333;MN=88888880000006;Flag=1;CP=&&&&4100"
DATA_ANSWER = "##0087QN=20160801085857223;ST=91;CN=9014;PW=100000;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&71C0"
REQUEST_ANSWER = (
    "##0094QN=20160801085857223;ST=91;CN=9011;PW=100000;MN=010000A8900016F000169DC0;Flag=4;CP=&&QnRtn=1&&E101"
)
ERDAO = (
    "##0200QN=20240722103000000;ST=22;CN=2011;PW=123456;MN=220105000000000000000001;Flag=5;CP=&&DataTime=20240722103000;"
    "a34004-Rtd=35.0,a34004-Flag=N;a01001-Rtd=24.6,a01001-Flag=N;a01002-Rtd=61.0,a01002-Flag=N&&0A00"
)
WRONG_2005 = (
    "##0136ST=32;CN=2011;PW=123456;MN=LD130133000015;CP=&&DataTime=20160824003817;B01-Rtd=36.91;011-Rtd=231.0,"
    "011-Flag=N;060-Rtd=1.803,060-Flag=N&&4980"
)
WRONG_PART = (
    "##0204QN=20191112091100598;ST=31;CN=2051;PW=123456;MN=14513567846884;PNO=0002;PNUM=0002;CP=&&"
    "DataTime=20230327090000;a01006-Avg=101.85,a01006-Min=101.84,a01006-Max=101.87,a01006-ValidNum=10,"
    "a01006-TotalNum=10&&2800"
)
GOOD = [OFFICIAL, AIR, EMPTY, DATA_ANSWER, REQUEST_ANSWER, ERDAO]
STREAM = "".join(t + "\r\n" for t in GOOD).encode()


def one(text: str | bytes) -> Hj212Packet:
    decoded = hj212.decode(text.encode() if isinstance(text, str) else text)
    assert decoded.rest == b""
    (packet,) = decoded.frames
    assert isinstance(packet, Hj212Packet), packet
    return packet


def session(**params: object) -> hj212.Hj212Session:
    return hj212.build(hj212.Params(**params)).session()  # type: ignore[arg-type]


def frames_of(data: str | bytes, **params: object) -> list[Frame | Refused]:
    raw = data.encode() if isinstance(data, str) else data
    return session(**params).decode(raw, received_at=NOW)[0]


def frame_of(data: str | bytes, **params: object) -> Frame:
    (frame,) = frames_of(data, **params)
    assert isinstance(frame, Frame), frame
    return frame


def data(cp: str, cn: str = "2011", flag: int = 5, qn: str = "20240722103000000", **more: object) -> bytes:
    header = {"QN": qn, "ST": "22", "CN": cn, "PW": "123456", "MN": "M1", "Flag": flag, **more}
    return hj212.compose({k: v for k, v in header.items() if v != ""}, cp)


def test_check_values_of_the_crc() -> None:
    assert crc16_hj212(b"123456789") == 0x2F80
    segment = OFFICIAL[6:-4].encode()
    assert (crc16_hj212(segment), crc16_modbus(segment)) == (0x1C80, 0x0759)


@pytest.mark.parametrize("text", GOOD)
def test_every_vector_decodes_and_encodes_to_the_same_text(text: str) -> None:
    encoded = hj212.encode_packet(one(text)).decode()
    assert encoded == text[:-4] + text[-4:].upper() + "\r\n"
    assert one(text + "\r\n").as_json() == one(text).as_json()


def test_official_example() -> None:
    shown = one(OFFICIAL).as_json()
    assert (shown["qn"], shown["st"], shown["cn"], shown["mn"]) == (
        "20160801085857223",
        "32",
        "1062",
        "010000A8900016F000169DC0",
    )
    assert shown["parameters"] == {"RtdInterval": 30} and shown["answer_wanted"] is True
    assert shown["version"] == "2017"


def test_air_station() -> None:
    shown = one(AIR).as_json()
    assert shown["data_time"] == "2019-10-12T13:37:10+08:00" and len(shown["factors"]) == 7
    assert shown["factors"]["a21001"]["value"] == 25.4 and shown["factors"]["a21001"]["flag"] == "N"
    assert shown["nh3_mgpm3"] == 25.4 and shown["factors"]["a21007"]["value"] == 0.033
    frame = frame_of(AIR)
    assert frame.reply is None and len(frame.readings) == 7
    assert {r.quality for r in frame.readings} == {Quality.GOOD}


def test_empty_cp_and_unknown_command() -> None:
    shown = one(EMPTY).as_json()
    assert shown["version"] == "2005" and shown["parameters"] == {} and shown["cn_name"] == "unknown"


def test_erdao_air_point_and_its_answer() -> None:
    shown = one(ERDAO).as_json()
    assert (shown["pm2_5_ugpm3"], shown["temperature_c"], shown["humidity_pct"]) == (35.0, 24.6, 61.0)
    assert shown["factors"]["a34004"]["unit"] == "µg/m³" and shown["factors"]["a34004"]["flag_name"] == "normal"
    frame = frame_of(ERDAO)
    assert frame.readings[0].observed_at == datetime(2024, 7, 22, 2, 30, tzinfo=UTC)
    assert frame.reply is not None
    assert one(frame.reply).header == {
        "QN": "20240722103000000",
        "ST": "91",
        "CN": "9014",
        "PW": "123456",
        "MN": "220105000000000000000001",
        "Flag": "4",
    }


def test_answers_are_worded_as_in_the_notes() -> None:
    header = {"QN": "20160801085857223", "ST": "32", "CN": "2011", "PW": "100000"}
    uplink = hj212.compose({**header, "MN": "010000A8900016F000169DC0", "Flag": 5}, "DataTime=20160801085857")
    assert frame_of(uplink).reply == DATA_ANSWER.encode() + b"\r\n"
    assert one(REQUEST_ANSWER).as_json()["parameters"] == {"QnRtn": 1}
    assert one(frame_of(data("", cn="1013")).reply or b"").cn == "9013"
    assert frame_of(data("", cn="9014")).reply is None


# wrong CRCs --------------------------------------------------------------------------------------
@pytest.mark.parametrize(("text", "computed"), [(WRONG_2005, "3C00"), (WRONG_PART, "D801")])
def test_wrong_crc_is_refused_when_strict_and_marked_when_lenient(text: str, computed: str) -> None:
    (entry,) = frames_of(text)
    assert isinstance(entry, Refused) and entry.code == "frame_checksum" and computed in entry.detail
    frame = frame_of(text, lenient=True)
    assert frame.fields["crc_bad"] is True and frame.readings[0].attributes["crc_bad"] is True


def test_codes_of_2005() -> None:
    frame = frame_of(WRONG_2005, lenient=True)
    assert {r.quantity: r.value for r in frame.readings} == {
        "sewage_flow_lps": 36.91,
        "cod_mgpl": 231.0,
        "ammonia_nitrogen_mgpl": 1.803,
    }
    assert frame.fields["factors"]["011"]["code_2017"] == "w01018" and frame.fields["qn"] is None


def test_wrong_length_noise_and_good_neighbours() -> None:
    long = ERDAO.replace("##0200", "##0210")
    entries = frames_of(f"??{long}\r\n{AIR}\r\n##12x4{ERDAO}\r\n")
    assert [e.code if isinstance(e, Refused) else e.kind for e in entries] == [
        "frame_noise",
        "frame_end",
        "data",
        "frame_length",
        "data",
    ]


def test_a_segment_without_mn_is_refused() -> None:
    (entry,) = frames_of(hj212.encode("QN=20240722103000000;ST=22;CN=2011;CP=&&&&"))
    assert isinstance(entry, Refused) and entry.code == "frame_field"


# values ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("flag", "quality"),
    [
        ("N", Quality.GOOD),
        ("n", Quality.GOOD),
        ("D", Quality.MAINTENANCE),
        ("C", Quality.MAINTENANCE),
        ("T", Quality.OUT_OF_RANGE),
        ("B", Quality.SIGNAL_BAD),
        ("?", Quality.MAINTENANCE),
    ],
)
def test_only_n_feeds_rules(flag: str, quality: Quality) -> None:
    frame = frame_of(data(f"DataTime=20240722103000;a34004-Rtd=35.0,a34004-Flag={flag}"))
    assert frame.readings[0].quality is quality


def test_units_of_the_gear() -> None:
    frame = frame_of(data("DataTime=20240722103000;a34004-Rtd=0.035,a34004-Flag=N"), units={"a34004": "mg/m³"})
    assert frame.readings[0].value == pytest.approx(35.0) and frame.readings[0].unit == "µg/m³"
    with pytest.raises(PluginParamsInvalid):
        parse_params("source", "hj212", {"units": {"a34004": "%"}})


def test_means_stand_in_a_channel_of_their_own() -> None:
    cp = "DataTime=20240722100000;a34004-Min=1,a34004-Avg=2,a34004-Max=3,a34004-Flag=N,a34004-ValidNum=10"
    (reading,) = frame_of(data(cp, cn="2061")).readings
    assert (reading.value, reading.channel, reading.attributes["max"]) == (2.0, "hour", 3.0)


def test_bad_numbers_clocks_and_device_states() -> None:
    frame = frame_of(data("DataTime=20249999999999;a34004-Rtd=--,a34004-Flag=N;LA-Rtd=nan;SB1-RS=1;a01001-Rtd=1e3"))
    by = {r.quantity: r for r in frame.readings}
    assert by["pm2_5_ugpm3"].value is None and by["pm2_5_ugpm3"].quality is Quality.MISSING
    assert by["noise_dba"].value is None
    assert by["temperature_c"].quality is Quality.CLOCK_BAD and by["temperature_c"].observed_at == NOW
    assert (by["equipment_state"].channel, by["equipment_state"].value) == ("SB1", 1.0)
    assert frame.fields["clock_bad"] is True


def test_several_data_times_in_one_packet() -> None:
    cp = "DataTime=20240722100000;LA-Rtd=50.1;DataTime=20240722100100;LA-Rtd=50.2"
    frame = frame_of(data(cp))
    assert [(r.observed_at.minute, r.value) for r in frame.readings] == [(0, 50.1), (1, 50.2)]
    assert len(frame.fields["records"]) == 2


# packets -----------------------------------------------------------------------------------------
def test_packets_with_their_own_time_are_taken_at_once() -> None:
    frame = frame_of(data("DataTime=20240722100000;LA-Rtd=50.1", flag=7, PNUM=2, PNO=2))
    assert len(frame.readings) == 1 and frame.reply is not None and frame.fields["packets_total"] == 2


def test_packets_without_a_time_wait_for_the_first() -> None:
    talk = session()
    second = data("LA-Rtd=50.1", flag=7, PNO=2, PNUM=3)
    third = data("a01001-Rtd=20.5", flag=7, PNUM=3, PNO=3)
    first = data("SampleMode=1", flag=7, PNUM=3, PNO=1)
    frames, _ = talk.decode(second + third, received_at=NOW)
    assert [(f.kind, f.reply) for f in frames if isinstance(f, Frame)] == [("part", None)] * 2
    (frame,), _ = talk.decode(first, received_at=NOW)
    assert isinstance(frame, Frame) and frame.reply is not None
    assert [r.quantity for r in frame.readings] == ["noise_dba", "temperature_c"]


def test_parts_that_stop_coming_are_dropped_after_a_minute() -> None:
    talk = session()
    talk.decode(data("LA-Rtd=50.1", flag=7, PNO=2, PNUM=3), received_at=NOW)
    assert talk.expire(NOW + timedelta(seconds=59)) == []
    assert [r.code for r in talk.expire(NOW + timedelta(seconds=61))] == ["frame_parts"]
    (entry,) = frames_of(data("LA-Rtd=1", flag=7, PNO=9, PNUM=3))
    assert isinstance(entry, Refused) and entry.code == "frame_parts"


# dialogue and ids --------------------------------------------------------------------------------
def command(name: str, **params: object) -> DeviceCommand:
    return DeviceCommand(
        command_id="c",
        device_id="hj212:M1",
        name=name,
        requested_by="u",
        requested_at=NOW,
        params=params,  # type: ignore[arg-type]
    )


def test_commands_and_their_answers() -> None:
    talk = session()
    talk.decode(ERDAO.encode(), received_at=NOW)
    request = talk.request(command("query_now"), NOW)
    sent = one(request.data)
    assert (sent.cn, sent.mn, sent.header["Flag"], sent.header["PW"]) == ("2011", "M1", "5", "123456")
    replies = data("QnRtn=1", cn="9011", qn=request.key) + data("ExeRtn=5", cn="9012", qn=request.key)
    (first, second), _ = talk.decode(replies, received_at=NOW)
    assert isinstance(first, Frame) and isinstance(second, Frame)
    assert [(a.key, a.ok) for a in first.answers] == [(request.key, True)]
    assert [(a.ok, a.detail) for a in second.answers] == [(False, "busy")]
    clock = one(talk.request(command("clock_sync"), NOW).data)
    assert clock.cn == "1012" and clock.parameters == {"SystemTime": "20240722103005"}
    for name, params in (("duty_check", {}), ("query_now", {"cn": "1072"})):
        with pytest.raises(CommandUnsupported):
            talk.request(command(name, **params), NOW)


def test_a_resent_frame_has_the_same_ids_even_with_a_new_qn() -> None:
    cp = "DataTime=20240722103000;a34004-Rtd=35.0,a34004-Flag=N"
    first, again = (frame_of(data(cp, qn=q)).readings[0].reading_id for q in ("20240722103000000", "20240722103010000"))
    other = frame_of(data(cp.replace("35.0", "35.1"))).readings[0].reading_id
    assert first == again != other


# streams -----------------------------------------------------------------------------------------
def kept(chunks: list[bytes]) -> list[object]:
    talk, buffer, out = session(), b"", []
    for chunk in chunks:
        frames, buffer = talk.decode(buffer + chunk, received_at=NOW)
        assert len(buffer) <= hj212.Hj212.max_frame_bytes
        out += [(f.kind, f.readings, f.reply) for f in frames if isinstance(f, Frame)]
    return out


def test_a_stream_cut_at_every_byte_gives_the_same() -> None:
    text = b"#noise" + STREAM + STREAM
    whole = kept([text])
    assert len(whole) == 2 * len(GOOD)
    assert kept([text[i : i + 1] for i in range(len(text))]) == whole
    for cut in range(0, len(text), 17):
        assert kept([text[:cut], text[cut:]]) == whole


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(STREAM) - 1), st.booleans())
def test_any_bytes_are_survived(noise: bytes, at: int, lenient: bool) -> None:
    text = STREAM[:at] + noise + STREAM[at:]
    _, rest = session(lenient=lenient).decode(text, received_at=NOW)
    assert text.endswith(rest)


@pytest.mark.parametrize(
    "text",
    ["20240722102900", "20240722102900000", "20240722102900123", "20240722102900123456", "2024-07-22 10:29:00",
     "2024/07/22 10:29:00", "2024-07-22T02:29:00Z", "202407221029", "1721615340", "1721615340000",
     "20240722102900+0800"],
)  # fmt: skip
def test_data_times_as_gear_writes_them(text: str) -> None:
    (reading,) = frame_of(data(f"DataTime={text};LA-Rtd=50.0,LA-Flag=N")).readings
    assert reading.observed_at.replace(microsecond=0) == datetime(2024, 7, 22, 2, 29, tzinfo=UTC)
    assert reading.quality is Quality.GOOD


def test_what_tells_of_an_instrument_measures_nothing() -> None:
    for cn in ("1061", "1011", "3019", "3020", "3021", "9012", "9013", "1072"):
        assert not frame_of(data("DataTime=20240722102900;i13001-Info=7;a01001-Rtd=5.0", cn=cn)).readings, cn
    frame = frame_of(data("DataTime=20240722102900;i13001-Info=7;a01001-SampleTime=20240722102800;LA-Rtd=5.0"))
    assert [r.quantity for r in frame.readings] == ["noise_dba"]


def test_parts_whose_count_is_wrong_lose_nothing_that_came() -> None:
    talk = session()

    def part(number: int, cp: str) -> list[float | str | bool | None]:
        raw = data(cp, flag=7, PNUM=9, PNO=number)
        (entry,), _ = talk.decode(raw, received_at=NOW)
        assert isinstance(entry, Frame)
        return [r.value for r in entry.readings if r.quality is Quality.GOOD]

    assert part(2, "a01002-Rtd=61.0,a01002-Flag=N") == []  # no time yet: it waits for the packet that brings one
    assert part(1, "DataTime=20240722102900;a01001-Rtd=24.0,a01001-Flag=N") == [24.0, 61.0]
    assert part(3, "a01006-Rtd=101.0,a01006-Flag=N") == [101.0]  # of nine that were announced no more come
