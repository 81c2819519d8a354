"""What pictures and videos say about themselves, in every spelling met, and in none that breaks us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.drones.metadata import (
    MetadataInvalid,
    dji_tags,
    number,
    photo_position,
    position_source,
    taken_at,
)
from ingest.drones.subtitles import first_subtitle

XMP = (
    '<x xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:d="http://www.dji.com/drone-dji/1.0/" '
    'xmlns:c="http://ns.adobe.com/camera-raw-settings/1.0/"><r:Description d:GpsLatitude="+43.87" '
    'd:GimbalYawDegree="-160.30" c:Version="9"><d:GpsLongtitude>125.37</d:GpsLongtitude><d:RtkFlag>50</d:RtkFlag>'
    "</r:Description></x>"
)


def test_attributes_and_elements_are_read_by_name_space() -> None:
    tags = dji_tags(XMP)
    assert "Version" not in tags
    found = photo_position(tags)
    assert (found["lat"], found["lon"], found["gimbal"]["yaw"]) == (43.87, 125.37, -160.3)
    assert found["position_source"] == "rtk_fixed" and found["rel_alt_m"] is None


@pytest.mark.parametrize("xmp", ["", "<x", "not xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_what_is_no_xmp_is_a_typed_error(xmp: str) -> None:
    with pytest.raises(MetadataInvalid):
        dji_tags(xmp)


@pytest.mark.parametrize(
    ("flag", "name"), [(50, "rtk_fixed"), (34, "rtk_float"), (16, "single"), (0, "gnss"), (None, "gnss")]
)
def test_how_a_position_was_found(flag: float | None, name: str) -> None:
    assert position_source(flag) == name


@pytest.mark.parametrize("text", ["", "nan", "inf", "1.2.3", "x", None])
def test_what_is_no_number_is_none(text: str | None) -> None:
    assert number(text) is None


@pytest.mark.parametrize(
    ("exif", "expected"),
    [
        ({"DateTimeOriginal": "2026:11:27 10:15:30", "OffsetTimeOriginal": "+09:00"},
         ("2026-11-27T01:15:30Z", "+09:00", None)),
        ({"DateTimeOriginal": "2026:11:27 10:15:30"}, ("2026-11-27T02:15:30Z", "+08:00", None)),
        ({"UTCAtExposure": "2026-11-27T02:15:30.421000"}, ("2026-11-27T02:15:30.421Z", None, None)),
        ({"DateTimeOriginal": "2026:11:27 10:22:30", "UTCAtExposure": "2026-11-27T02:15:30"},
         ("2026-11-27T02:15:30Z", "+08:00", "camera_clock_wrong")),
        ({"DateTimeOriginal": "0000:00:00 00:00:00"}, (None, None, None)),
        ({}, (None, None, None)),
    ],
)  # fmt: skip
def test_when_a_picture_was_taken(exif: dict[str, str | None], expected: tuple[str | None, ...]) -> None:
    found = taken_at(exif)
    assert (found.utc, found.zone, found.warning) == expected


def test_the_longitude_is_the_number_beyond_ninety() -> None:
    assert first_subtitle("GPS(43.87,125.37,17)") | {"utc": None} == {
        "rel_alt_m": None, "abs_alt_m": None, "utc": None, "lon": 125.37, "lat": 43.87, "satellites": 17,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["GPS(1..2,3)", "H ..", "F/..", "HOME(.,.)", "F.PRY (.°, .°, .°)"])
def test_numbers_that_are_none_are_left_out(text: str) -> None:
    assert first_subtitle(text)["utc"] is None


@given(st.text("GPS(),.0123456789HOMEF/[]: \n-+°rel_alt", max_size=200))
def test_any_subtitle_is_answered(text: str) -> None:
    try:
        first_subtitle(text)
    except ValueError:
        pytest.fail("a broken subtitle must not raise")
