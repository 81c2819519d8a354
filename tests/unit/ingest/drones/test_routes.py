"""Route files: what we write passes our own check, what comes from outside is bounded."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import defusedxml.ElementTree as SafeXml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli import main
from core.errors import InputInvalid
from ingest.drones.wpml.check import faults
from ingest.drones.wpml.look_again import look_again
from ingest.drones.wpml.read import read
from ingest.drones.wpml.write import Flight, Stop, kmz
from tests.unit.ingest.drones.cards import LAT, LON
from tests.unit.ingest.drones.test_locate import GEOD


def archive(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in files.items():
            made.writestr(name, body)
    return out.getvalue()


def test_look_again_flies_around_the_case_and_above_it() -> None:
    flight = look_again(LON, LAT, "案件 2026/0007", highest_building_m=20)
    assert len(flight.stops) == 7 and flight.stops[-1].pitch == -90
    for stop in flight.stops[:-1]:
        assert GEOD.inv(LON, LAT, stop.lon, stop.lat)[2] == pytest.approx(40, abs=0.01)
        assert stop.pitch == pytest.approx(-48.366, abs=0.01) and stop.height_m == 45
    data = kmz(flight)
    assert kmz(flight) == data, "the same flight is the same file"
    assert faults(read(data)) == [] and faults(read(data, "dock")) == []
    with zipfile.ZipFile(BytesIO(data)) as made:
        assert sorted(made.namelist()) == ["wpmz/template.kml", "wpmz/waylines.wpml"]
        root = SafeXml.fromstring(made.read("wpmz/waylines.wpml"))
    first = next(e.text for e in root.iter() if e.tag.endswith("}coordinates"))
    assert first.startswith("125.37"), "longitude first"
    suffixes = {e.text for e in root.iter() if e.tag.endswith("}fileSuffix")}
    assert suffixes == {"---2026-0007"}


def test_nobody_knows_the_buildings_then_it_flies_high() -> None:
    assert {stop.height_m for stop in look_again(LON, LAT, "x").stops} == {80}
    assert {stop.height_m for stop in look_again(LON, LAT, "x", highest_building_m=60).stops} == {75}


def test_a_route_that_would_be_refused_is_not_written() -> None:
    stop = Stop(LON, LAT, 50, 0)
    with pytest.raises(InputInvalid) as told:
        kmz(Flight([stop], payload=53, speed_ms=30, takeoff_height_m=1))
    for code in ("fewer_than_two_waypoints", "payload_not_for_drone", "takeoff_height_below_1_2", "speed_out_of_range"):
        assert code in str(told.value)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"PK\x03\x04", archive({"../evil": b"x"}), archive({"wpmz/waylines.wpml": bytes(3 << 20)}),
        archive({"wpmz/waylines.wpml": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}),
        archive({"wpmz/waylines.wpml": b"<kml"}), archive({"wpmz/waylines.wpml": b"<kml><index>x</index></kml>"}),
    ],
)  # fmt: skip
def test_what_is_no_route_is_refused(data: bytes) -> None:
    with pytest.raises(InputInvalid):
        read(data)


def test_a_route_without_its_folder_is_told() -> None:
    assert "folder_wpmz_missing" in faults(read(archive({"template.kml": b"<kml/>"})))


def test_the_commands_write_and_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "again.kmz"
    assert main(["drone", "look-again", str(LON), str(LAT), str(out), "--label", "C-7"]) == 0
    assert main(["drone", "check-route", str(out), "--gateway", "dock"]) == 0
    out.write_bytes(archive({"template.kml": b"<kml/>"}))
    assert main(["drone", "check-route", str(out)]) == 1 and "folder_wpmz_missing" in capsys.readouterr().out
    assert main(["drone", "look-again", "200", "1", str(out)]) == 2


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(data: bytes) -> None:
    with pytest.raises(InputInvalid):
        read(data)
