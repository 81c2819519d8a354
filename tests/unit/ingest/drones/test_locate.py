"""A card's files become places; whatever is wrong with one is told, and the others go on."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from pyproj import Geod

from app.cli import main
from ingest.drones.locate import locate, locate_all
from ingest.drones.placed import Located
from tests.unit.ingest.drones.cards import DJI, LAT, LON, photo, write, xmp

GEOD = Geod(ellps="WGS84")
KLV = bytes.fromhex(
    "060E2B34020B01010E0103010100000039020800066138A25E610805028E020D043E64E00C0E04592721940F020F1B100263F411024F511204FF"
    "8091A21304D69D036A410113010202D1"
)


def codes(located: Located) -> set[str]:
    return {note.code for note in located.notes}


def test_a_nadir_photo_lies_where_it_looked(tmp_path: Path) -> None:
    path = write(tmp_path, "DJI_0001_W.JPG", photo(xmp(DJI | {"GimbalYawDegree": "0", "GimbalPitchDegree": "-90"})))
    found = locate(path)
    assert found.place is not None and not found.notes
    place = found.place
    assert place.height_m == pytest.approx(61.2)
    assert place.gsd_cm == pytest.approx(100 * 61.2 / (12.29 / 17.3 * 528), rel=0.005)
    (left, top), (right, _), (_, bottom), _ = place.corners
    assert left < LON < right and bottom < LAT < top
    width = GEOD.inv(left, top, right, top)[2]
    assert width == pytest.approx(61.2 * 17.3 / 12.29, abs=0.1)
    assert place.centre == pytest.approx((LON, LAT), abs=1e-9)
    assert found.facts is not None and found.facts.taken.utc == "2026-11-27T02:15:30.421Z"


@pytest.mark.parametrize(
    ("make", "prefix", "tags"),
    [
        ("DJI", "drone-dji", {"GimbalYawDegree": "30", "GimbalPitchDegree": "-60", "GimbalRollDegree": "0"}),
        ("Autel Robotics", "drone", {"GimbalYawDegree": "30", "GimbalPitchDegree": "-60", "GimbalRollDegree": "0"}),
        ("Autel Robotics", "drone", {"Camera:Yaw": "30", "Camera:Pitch": "-60", "Camera:Roll": "0"}),
        ("Parrot", "drone-parrot", {"CameraYawDegree": "30", "CameraPitchDegree": "-60", "CameraRollDegree": "0"}),
        ("senseFly", "drone-parrot", {"Camera:Yaw": "30", "Camera:Pitch": "30", "Camera:Roll": "0"}),
    ],
)
def test_every_maker_s_angles_are_one_attitude(make: str, prefix: str, tags: dict[str, str], tmp_path: Path) -> None:
    packet = xmp(tags | {"RelativeAltitude": "50"}, prefix)
    found = locate(write(tmp_path, "a.jpg", photo(packet, make=make, model="M3E")))
    assert found.facts is not None and found.facts.attitude is not None and found.place is not None
    assert (found.facts.attitude.yaw, found.facts.attitude.pitch, found.facts.attitude.roll) == (30, -60, 0)


def test_skydio_s_structure_is_read_in_both_spellings(tmp_path: Path) -> None:
    head = xmp({"RelativeAltitude": "50"}, "drone-skydio").replace("/></rdf:RDF>", ">{}</rdf:Description></rdf:RDF>")
    flat = '<drone-skydio:CameraOrientationNED drone-skydio:Yaw="30" drone-skydio:Pitch="-60" drone-skydio:Roll="1"/>'
    nested = (
        '<drone-skydio:CameraOrientationNED rdf:parseType="Resource"><drone-skydio:Yaw>30</drone-skydio:Yaw>'
        "<drone-skydio:Pitch>-60</drone-skydio:Pitch><drone-skydio:Roll>1</drone-skydio:Roll>"
        "</drone-skydio:CameraOrientationNED>"
    )
    for number, body in enumerate((flat, nested)):
        found = locate(write(tmp_path, f"{number}.jpg", photo(head.format(body), make="Skydio")))
        assert found.facts is not None and found.facts.attitude is not None
        assert (found.facts.attitude.yaw, found.facts.attitude.pitch, found.facts.attitude.roll) == (30, -60, 1)


def test_a_phone_says_no_pitch_and_gets_no_footprint(tmp_path: Path) -> None:
    found = locate(write(tmp_path, "IMG_1.jpg", photo(None, make="HUAWEI", model="P60", focal35=27)))
    assert found.place is None and codes(found) == {"no_attitude"}
    assert found.facts is not None and found.facts.lon == pytest.approx(LON, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"GpsLatitude": "0", "GpsLongitude": "0"}, "no_position"),
        ({"GpsLatitude": "125.37", "GpsLongitude": "43.87"}, "position_out_of_range"),
        ({"GimbalPitchDegree": ""}, "no_attitude"),
        ({"GimbalYawDegree": "0", "GimbalPitchDegree": "0", "GimbalRollDegree": "0"}, "attitude_all_zero"),
        ({"RelativeAltitude": ""}, "no_height"),
        ({"RelativeAltitude": "-3"}, "height_not_positive"),
        ({"GimbalPitchDegree": "+40"}, "no_ground_in_view"),
        ({"RelativeAltitude": "nan"}, "no_height"),
    ],
)
def test_tags_without_a_place_say_why(change: dict[str, str], code: str, tmp_path: Path) -> None:
    found = locate(write(tmp_path, "a.JPG", photo(xmp(DJI | change), gps=None)))
    assert found.place is None and code in codes(found)


def test_the_camera_must_be_known(tmp_path: Path) -> None:
    found = locate(write(tmp_path, "a.JPG", photo(xmp(DJI), model="XX1")))
    assert found.place is None and "no_focal_length" in codes(found)


def test_files_that_are_broken_are_told_apart(tmp_path: Path) -> None:
    whole = photo(xmp(DJI))
    cases = {
        "empty.jpg": (b"", "file_empty"),
        "text.jpg": (b"this is no picture at all", "kind_unknown"),
        "head.jpg": (whole[:600], "file_broken"),
        "half.jpg": (whole[: len(whole) // 2], "truncated"),
        "noise.jpg": (b"\xff\xd8\xff" + bytes(range(256)) * 8, "file_broken"),
        "bomb.zip": (b"PK\x03\x04" + bytes(2000), "kind_unknown"),
        "film.mp4": (b"\0\0\0\x20ftypisom" + bytes(100), "file_broken"),
        "a.klv": (b"\x06\x0e\x2b\x34" + bytes(60), "no_position"),
        "a.dng": (b"II*\0\xff\xff\xff\x7f" + bytes(20), "file_broken"),
    }
    for name, (data, code) in cases.items():
        assert code in codes(locate(write(tmp_path, name, data))), name
    assert "file_unreadable" in codes(locate(tmp_path / "missing.jpg"))
    assert "file_unreadable" in codes(locate(tmp_path))
    assert "wrong_extension" in codes(locate(write(tmp_path, "a.png", whole)))
    big = whole.replace(struct.pack(">HH", 396, 528), struct.pack(">HH", 12000, 17000), 1)
    assert "too_many_pixels" in codes(locate(write(tmp_path, "big.jpg", big)))


def test_malformed_xmp_is_read_by_its_names(tmp_path: Path) -> None:
    found = locate(write(tmp_path, "a.JPG", photo(xmp(DJI).replace("</rdf:RDF>", "<"))))
    assert found.place is not None and codes(found) == {"xmp_damaged"}


def test_a_camera_s_clock_is_checked(tmp_path: Path) -> None:
    without = {k: v for k, v in DJI.items() if k != "UTCAtExposure"}
    receiver = ("2026:11:27", (2.0, 15.0, 31.0))
    good = locate(write(tmp_path, "a.jpg", photo(xmp(without), receiver=receiver)))
    wrong = locate(write(tmp_path, "b.jpg", photo(xmp(without), receiver=receiver, taken="2026:11:27 09:08:30")))
    zone = locate(write(tmp_path, "c.jpg", photo(xmp(without), receiver=receiver, taken="2026:11:27 02:15:30")))
    assert good.facts is not None and good.facts.taken.utc == "2026-11-27T02:15:30Z" and not good.notes
    assert codes(wrong) == codes(zone) == {"camera_clock_wrong"}
    assert zone.facts is not None and zone.facts.taken.utc == "2026-11-27T02:15:30Z"


def test_the_ground_s_height_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path, "a.JPG", photo(xmp(DJI)))
    heights = {ground: locate(path, ground).place for ground in (220.0, 7.0, -4.0)}
    assert [round(p.height_m, 3) for p in heights.values() if p] == [54.318, 54.2, 65.2]
    assert "height_not_positive" in codes(locate(path, 300.0))


def test_the_horizon_clips_the_footprint(tmp_path: Path) -> None:
    level = DJI | {"GimbalPitchDegree": "-20", "GimbalYawDegree": "0"}
    found = locate(write(tmp_path, "a.JPG", photo(xmp(level))))
    assert found.place is not None and codes(found) == {"horizon_in_view"}
    far = max(GEOD.inv(LON, LAT, *corner)[2] for corner in found.place.corners)
    assert far < 8 * 61.2


def test_calibrated_pixels_shrink_with_the_file(tmp_path: Path) -> None:
    full = {"CalibratedFocalLength": "3725.15", "CalibratedOpticalCenterX": "2640", "CalibratedOpticalCenterY": "1978"}
    found = locate(write(tmp_path, "a.JPG", photo(xmp(DJI | full))))
    assert found.facts is not None and found.facts.camera is not None
    assert found.facts.camera.focal_px == pytest.approx(372.515)


def test_lens_distortion_is_taken_out(tmp_path: Path) -> None:
    dewarp = "2022-06-08;371,371,0,0,-0.11,0.02,0.0001,-0.0001,-0.01"
    bent = locate(write(tmp_path, "a.JPG", photo(xmp(DJI | {"DewarpData": dewarp, "DewarpFlag": "0"}))))
    done = locate(write(tmp_path, "b.JPG", photo(xmp(DJI | {"DewarpData": dewarp, "DewarpFlag": "1"}))))
    assert bent.facts and bent.facts.camera and bent.facts.camera.distortion is not None
    assert done.facts and done.facts.camera and done.facts.camera.distortion is None
    u, v = bent.facts.camera.pixel(0.5, -0.3)
    assert bent.facts.camera.ray(u, v)[1:] == pytest.approx((0.5, -0.3), abs=1e-8)


def test_telemetry_of_films(tmp_path: Path) -> None:
    text = "[focal_len: 24.00] [latitude: 43.870812] [longitude: 125.371204] [rel_alt: 61.2 abs_alt: 274.3]"
    pose = " [gb_yaw: 10.0 gb_pitch: -60.0 gb_roll: 0.0]"
    block = "1\n00:00:00,000 --> 00:00:01,000\n2026-11-27 10:15:30.421\n{}\n\n"
    bare = locate(write(tmp_path, "a.srt", block.format(text).encode()))
    posed = locate(write(tmp_path, "b.SRT", block.format(text + pose).encode()))
    klv = locate(write(tmp_path, "c.klv", KLV), 200.0)
    assert codes(bare) == {"no_attitude"} and posed.place is not None and posed.facts is not None
    assert posed.facts.taken.utc == "2026-11-27T02:15:30.421Z"
    assert klv.place is not None and klv.place.height_m == pytest.approx(74.3, abs=0.2)


def test_the_command_prints_one_feature_a_file_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write(tmp_path, "DJI_0001.JPG", photo(xmp(DJI)))
    bad = write(tmp_path, "DJI_0002.JPG", b"\xff\xd8\xff\xe0")
    assert main(["drone", "locate", str(bad), str(good), "--json"]) == 1
    features = json.loads(capsys.readouterr().out)["features"]
    assert [f["properties"]["file"] for f in features] == ["DJI_0002.JPG", "DJI_0001.JPG"]
    assert features[0]["geometry"] is None and features[0]["properties"]["problems"][0]["code"] == "file_broken"
    ring = features[1]["geometry"]["coordinates"][0]
    assert len(ring) == 5 and ring[0] == ring[-1] and features[1]["properties"]["problems"] == []
    wanted = {"file", "taken_at", "camera", "centre", "height_m", "gsd_cm", "uncertainty_m", "problems"}
    assert wanted <= features[1]["properties"].keys() and wanted <= features[0]["properties"].keys()
    assert main(["drone", "locate", str(good)]) == 0 and main(["drone", "locate", str(bad)]) == 2
    assert "DJI_0001.JPG: 43.8708" in capsys.readouterr().out


def test_copies_of_the_camera_s_own_size_are_not_compared(tmp_path: Path) -> None:
    paths = [write(tmp_path, f"{n}.JPG", photo(xmp(DJI | {"GpsLatitude": str(LAT + n * 1e-4)}))) for n in range(3)]
    assert all("turned_copy" not in codes(found) for found in locate_all(paths))
