"""A card as nobody wants it: one clear message a file, the rest goes on; geometry that is easily got wrong."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from pyproj import Geod

from app.cli import main
from ingest.drones.facts import of_picture
from ingest.drones.locate import locate
from ingest.drones.picture_file import PictureFile
from tests.unit.ingest.drones.cards import DJI, LAT, LON, photo, write, xmp

GEOD = Geod(ellps="WGS84")
Made = Callable[[], bytes]


def tags(**change: str) -> bytes:
    return photo(xmp(DJI | change), gps=None)


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("DJI_0001.JPG", bytes(4_000_000))
    return out.getvalue()


def of_200_megapixels() -> bytes:
    return photo(xmp(DJI)).replace(struct.pack(">HH", 396, 528), struct.pack(">HH", 12_000, 17_000), 1)


def png_named_jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    return out.getvalue()


def test_card() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((640, 480), 90).convert("RGB").save(out, "JPEG")
    return out.getvalue()


test_card.__test__ = False  # type: ignore[attr-defined]  # the field's word, no test

CLOCK: dict[str, Any] = {"receiver": ("2026:11:27", (2.0, 15.0, 31.0)), "taken": "2026:11:27 02:15:30"}
NO_UTC = {name: value for name, value in DJI.items() if name != "UTCAtExposure"}
# name, bytes, the code that tells it, whether the file still has a place
CARD: list[tuple[str, Made, str, bool]] = [
    ("corrupt.JPG", lambda: b"\xff\xd8\xff\xe1" + bytes(range(256)) * 30, "file_broken", False),
    ("head.JPG", lambda: photo(xmp(DJI))[:700], "file_broken", False),
    ("cut.JPG", lambda: photo(xmp(DJI))[:-4000], "truncated", True),
    ("empty.JPG", lambda: b"", "file_empty", False),
    ("huge.JPG", of_200_megapixels, "too_many_pixels", True),
    ("really_a_jpeg.mp4", lambda: photo(xmp(DJI)), "wrong_extension", True),
    ("really_a_png.JPG", png_named_jpeg, "kind_unknown", False),
    ("nowhere.JPG", lambda: tags(GpsLatitude="0.0", GpsLongitude="0.0"), "no_position", False),
    ("swapped.JPG", lambda: tags(GpsLatitude="125.37", GpsLongitude="43.87"), "position_out_of_range", False),
    ("no_gimbal.JPG", lambda: tags(GimbalPitchDegree="", GimbalYawDegree=""), "no_attitude", False),
    ("sky.JPG", lambda: tags(GimbalPitchDegree="+30"), "no_ground_in_view", False),
    ("below.JPG", lambda: tags(RelativeAltitude="-12.5"), "height_not_positive", False),
    ("zone.JPG", lambda: photo(xmp(NO_UTC), **CLOCK), "camera_clock_wrong", True),
    ("card.jpg", test_card, "no_position", False),
    ("bomb.zip", zip_bomb, "kind_unknown", False),
    ("foreign.srt", lambda: b"1\n00:00:01,000 --> 00:00:02,000\nHello, my dear.\n\n", "no_position", False),
    ("noise.mp4", lambda: b"\0\0\0\x20ftypisom" + bytes(500), "file_broken", False),
    ("laugh.xmp.JPG", lambda: photo(xmp(DJI).replace("</rdf:RDF>", "&lol;<")), "xmp_damaged", True),
]


@pytest.mark.parametrize(("name", "made", "code", "place"), CARD, ids=[entry[0] for entry in CARD])
def test_each_file_has_one_clear_message(name: str, made: Made, code: str, place: bool, tmp_path: Path) -> None:
    found = locate(write(tmp_path, name, made()))
    told = [note for note in found.notes if note.code == code]
    assert len(told) == 1 and len(told[0].message) > 15
    assert (found.place is not None) is place


def test_a_whole_card_is_told_file_by_file_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [write(tmp_path, name, made()) for name, made, _, _ in CARD]
    paths.insert(3, write(tmp_path, "GOOD.JPG", photo(xmp(DJI))))
    paths.append(tmp_path / "missing.JPG")
    assert main(["drone", "locate", *map(str, paths), "--json"]) == 1
    features = json.loads(capsys.readouterr().out)["features"]
    assert [f["properties"]["file"] for f in features] == [path.name for path in paths]
    codes = [{p["code"] for p in f["properties"]["problems"]} for f in features]
    expected = [code for _, _, code, _ in CARD]
    assert codes.pop(3) == set() and codes.pop() == {"file_unreadable"}
    assert all(code in found for code, found in zip(expected, codes, strict=True))
    for feature in features:
        ring = (feature["geometry"] or {}).get("coordinates", [[[0, 0]] * 5])[0]
        assert len(ring) == 5 and ring[0] == ring[-1]


def gps_photo(latitude: Any, longitude: Any, **refs: Any) -> bytes:
    """DJI's angles and heights, the position from EXIF alone."""
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model] = "DJI", "M3E"
    exif.get_ifd(IFD.Exif)[Base.FocalLength] = 12.29
    place = exif.get_ifd(IFD.GPSInfo)
    place[GPS.GPSLatitude], place[GPS.GPSLongitude] = latitude, longitude
    place[GPS.GPSLatitudeRef], place[GPS.GPSLongitudeRef] = refs.get("lat", "N"), refs.get("lon", "E")
    out = io.BytesIO()
    bare = {name: value for name, value in DJI.items() if not name.startswith("Gps")}
    Image.new("RGB", (528, 396)).save(out, "JPEG", exif=exif, xmp=xmp(bare).encode())
    return out.getvalue()


@pytest.mark.parametrize(
    ("latitude", "longitude", "refs", "place"),
    [
        ((43.0, 52.24872, 0.0), (125.0, 22.27224, 0.0), {}, (125.371204, 43.870812)),
        ((43.0, 52.24872, None), (125.0, 22.27224, None), {}, (125.371204, 43.870812)),
        ((43.870812, None, None), (125.371204, None, None), {}, (125.371204, 43.870812)),
        ((43.0, 52.0, 14.9232), (125.0, 22.0, 16.3344), {"lat": "S", "lon": "W"}, (-125.371204, -43.870812)),
        ((43.0, 52.0, None), (125.0, 22.0, None), {}, None),
        ((None, None, None), (None, None, None), {}, None),
        ((43.0, None, 14.0), (125.0, 22.0, 16.0), {}, None),
    ],
)
def test_rationals_over_nought(
    latitude: Any, longitude: Any, refs: dict[str, str], place: tuple[float, float] | None
) -> None:
    exif = {"GPSLatitude": latitude, "GPSLongitude": longitude, "GPSLatitudeRef": refs.get("lat", "N"),
            "GPSLongitudeRef": refs.get("lon", "E")}  # fmt: skip
    facts = of_picture(PictureFile(528, 396, exif, ()))
    if place is None:
        assert facts.lon is None and facts.lat is None
    else:
        assert (facts.lon, facts.lat) == pytest.approx(place, abs=1e-8)


def test_a_denominator_of_nought_in_a_real_file(tmp_path: Path) -> None:
    data = gps_photo((43.0, 52.24872, 1.0), (125.0, 22.27224, 1.0))
    one = struct.pack("<II", 1, 1)
    other = struct.pack(">II", 1, 1)
    for pair in (one, other):
        data = data.replace(pair, pair[:4] + bytes(4))
    found = locate(write(tmp_path, "a.JPG", data))
    assert found.place is not None and found.place.centre == pytest.approx((LON, LAT), abs=1e-4)


@pytest.mark.parametrize(("below", "height"), [(0, 274.3), (1, -274.3), (b"\x01", -274.3), (b"\x00", 274.3)])
def test_heights_below_the_sea(below: Any, height: float) -> None:
    facts = of_picture(PictureFile(528, 396, {"GPSAltitude": 274.3, "GPSAltitudeRef": below}, ()))
    assert facts.abs_alt_m == height


@pytest.mark.parametrize("stated", ["+61.200", "61.2", " 61.20 ", "+0061.2"])
def test_relative_altitude_in_any_dress(stated: str, tmp_path: Path) -> None:
    found = locate(write(tmp_path, "a.JPG", photo(xmp(DJI | {"RelativeAltitude": stated}))))
    assert found.place is not None and found.place.height_m == pytest.approx(61.2)


def test_below_the_take_off_point_with_the_ground_s_height(tmp_path: Path) -> None:
    """Over a valley: 12 m below the take-off point, the ground 70 m below it."""
    path = write(tmp_path, "a.JPG", photo(xmp(DJI | {"RelativeAltitude": "-12.0", "AbsoluteAltitude": "+188.0"})))
    for ground in (-70.0, 130.0):
        found = locate(path, ground).place
        assert found is not None and found.height_m == pytest.approx(58.0)


def test_a_picture_on_its_side_keeps_its_focal_length(tmp_path: Path) -> None:
    flat = locate(write(tmp_path, "a.JPG", photo(xmp(DJI), (528, 396)))).place
    tall = locate(write(tmp_path, "b.JPG", photo(xmp(DJI), (396, 528)))).place
    assert flat is not None and tall is not None and tall.gsd_cm == pytest.approx(flat.gsd_cm, rel=1e-3)
    full = {"CalibratedFocalLength": "3725.15", "CalibratedOpticalCenterX": "2640", "CalibratedOpticalCenterY": "1978"}
    turned = locate(write(tmp_path, "c.JPG", photo(xmp(DJI | full), (396, 528)))).facts
    assert turned is not None and turned.camera is not None
    assert turned.camera.focal_px == pytest.approx(372.515)
    assert (turned.camera.cx, turned.camera.cy) == pytest.approx((197.8, 264.0))


def test_orientation_turns_what_is_shown_and_not_the_ground(tmp_path: Path) -> None:
    data = photo(xmp(DJI | {"GimbalYawDegree": "0", "GimbalPitchDegree": "-90"}))
    plain = locate(write(tmp_path, "a.JPG", data)).place
    for order in ("<", ">"):
        head = struct.pack(order + "HHI", 0x0112, 3, 1)
        data = data.replace(head + struct.pack(order + "H", 1), head + struct.pack(order + "H", 6))
    assert b"\x12\x01" in data or b"\x01\x12" in data
    turned = locate(write(tmp_path, "b.JPG", data)).place
    assert plain is not None and turned is not None and turned.corners == plain.corners


def test_digital_zoom_is_not_in_a_calibration() -> None:
    packet = xmp(DJI | {"CalibratedFocalLength": "372.5", "CalibratedOpticalCenterX": "264"})
    exif = {"Make": "DJI", "Model": "M3E", "FocalLength": 12.29, "DigitalZoomRatio": 2.0}
    zoomed = of_picture(PictureFile(528, 396, exif, (packet,))).camera
    inside = of_picture(PictureFile(528, 396, exif, (packet.replace("372.5", "745.0"),))).camera
    assert zoomed is not None and zoomed.focal_px == pytest.approx(745.0)
    assert inside is not None and inside.focal_px == pytest.approx(745.0)


def test_roll_180_at_nadir_is_yaw_turned(tmp_path: Path) -> None:
    nadir = {"GimbalPitchDegree": "-90", "GimbalYawDegree": "10"}
    one = locate(write(tmp_path, "a.JPG", photo(xmp(DJI | nadir | {"GimbalRollDegree": "180"})))).place
    two = locate(write(tmp_path, "b.JPG", photo(xmp(DJI | nadir | {"GimbalYawDegree": "-170"})))).place
    assert one is not None and two is not None
    for a, b in zip(one.corners, two.corners, strict=True):
        assert GEOD.inv(*a, *b)[2] < 0.01
