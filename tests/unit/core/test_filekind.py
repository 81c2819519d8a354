"""What a file is, by its content alone."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import YiwangError
from core.filekind import FileKind, FileRefused, recognise


def box(name: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I4s", 8 + len(body), name) + body


def media(major: bytes, *compatible: bytes, tracks: tuple[bytes, ...] = (b"vide",), moov_last: bool = False) -> bytes:
    handlers = [
        box(b"trak", box(b"mdia", box(b"mdhd", bytes(24)), box(b"hdlr", bytes(8), kind, bytes(13)))) for kind in tracks
    ]
    moov, mdat = box(b"moov", box(b"mvhd", bytes(100)), *handlers), box(b"mdat", bytes(4000))
    return box(b"ftyp", major, bytes(4), *compatible) + (mdat + moov if moov_last else moov + mdat)


def picture(suffix: str, width: int = 40, height: int = 30) -> bytes:
    return bytes(cv2.imencode(suffix, np.full((height, width, 3), 90, np.uint8))[1])


def kind(data: bytes) -> FileKind:
    return recognise(io.BytesIO(data))


@pytest.mark.parametrize(
    ("suffix", "media_type"), [(".jpg", "image/jpeg"), (".png", "image/png"), (".webp", "image/webp")]
)
def test_pictures_with_their_size(suffix: str, media_type: str) -> None:
    found = kind(picture(suffix))
    assert (found.media_type, found.kind, found.width, found.height) == (media_type, "photo", 40, 30)


def test_a_picture_with_a_thumbnail_and_a_film_behind_it_keeps_its_own_size() -> None:
    plain, thumbnail = picture(".jpg", 400, 300), picture(".jpg", 16, 12)
    exif = b"Exif\0\0" + thumbnail
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:] + media(b"mp42")
    assert (kind(data).width, kind(data).height) == (400, 300)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (media(b"heic", b"mif1", b"heic", tracks=()), "image/heic"),
        (media(b"mif1", b"mif1", b"heic", tracks=()), "image/heic"),
        (media(b"heix", tracks=()), "image/heic"),
        (media(b"hevc", b"msf1", tracks=(b"pict",)), "image/heic"),
        (media(b"avif", b"mif1", b"miaf", tracks=()), "image/avif"),
        (media(b"mif1", b"avif", tracks=()), "image/avif"),
        (media(b"avis", b"avif", b"msf1", tracks=(b"pict",)), "image/avif"),
        (media(b"M4A ", b"isom", b"mp42", tracks=(b"soun",)), "audio/mp4"),
        (media(b"M4B ", b"isom"), "audio/mp4"),
        (media(b"isom", b"mp42", tracks=(b"soun",)), "audio/mp4"),
        (media(b"3gp4", b"3gp4", tracks=(b"soun",), moov_last=True), "audio/mp4"),
        (media(b"isom", tracks=(b"pict",)), "image/heic"),
        (media(b"crx ", b"isom"), "image/x-raw"),
        (b"GIF89a" + bytes(40), "image/gif"),
        (b"\n <svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image/svg+xml"),
        (b"<?xml version='1.0'?><svg/>", "image/svg+xml"),
        (b"<html><body>", "text/html"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "image/jxl"),
        (media(b"wxyz", b"wxyz"), ""),
        (b"", ""),
        (bytes(100), ""),
    ],
)
def test_what_is_not_taken_says_what_it_is_and_what_to_do(data: bytes, media_type: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        kind(data)
    said = refusal.value.as_dict()
    assert said["media_type"] == media_type and said["error"] == "file_refused" and said["remedy"]


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (media(b"isom", b"iso2", b"avc1", b"mp41"), "video/mp4"),
        (media(b"mp42", b"isom", tracks=(b"soun", b"vide"), moov_last=True), "video/mp4"),
        (media(b"M4V ", b"mp42"), "video/mp4"),
        (media(b"3gp5", b"isom"), "video/mp4"),
        (media(b"qt  ", b"qt  ", tracks=(b"soun", b"vide")), "video/quicktime"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webm" + bytes(99), "video/webm"),
    ],
)
def test_films(data: bytes, media_type: str) -> None:
    assert (kind(data).media_type, kind(data).kind) == (media_type, "clip")


def test_a_film_as_a_real_encoder_writes_it_and_the_same_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(12):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), shade * 10, np.uint8), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    data = path.read_bytes()
    assert kind(data).media_type == "video/mp4"
    with pytest.raises(FileRefused) as refusal:
        kind(data[: len(data) // 2])
    assert refusal.value.data["reason"] == "broken"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_picture_that_would_unfold_too_far_is_refused_by_its_header(suffix: str) -> None:
    data = bytearray(picture(suffix))
    if suffix == ".png":
        data[16:24] = struct.pack(">II", 60_000, 60_000)
    elif suffix == ".jpg":
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    else:
        data = bytearray(b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + (59_999).to_bytes(3, "little") * 2 + bytes(20))
    with pytest.raises(FileRefused) as refusal:
        kind(bytes(data))
    assert refusal.value.data["reason"] == "too_many_pixels"


@pytest.mark.parametrize("text", ["单位,数量\n环卫,3\n", "a,b\n1,2\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_tables_as_text(text: str, encoding: str) -> None:
    assert kind(text.encode(encoding)).kind == "table"


@given(st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff", b"\0\0\0\x18ftypisom", b"\0\0\0\x18ftypheic",
       b"RIFF\0\0\0\0WEBPVP8L", b"\x89PNG\r\n\x1a\n", b"%PDF-", media(b"isom")[:-4100]]))  # fmt: skip
def test_whatever_comes_is_named_or_refused(tail: bytes, head: bytes) -> None:
    try:
        kind(head + tail)
    except YiwangError as error:
        assert isinstance(error, FileRefused)
