"""Log-in answers and pictures out of a stream of bytes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.footage import street
from vision.capture.jpeg_stream import JpegSplitter, picture_size
from vision.capture.login import StreamLogin, best, challenges, methods

# RFC 7616, section 3.9.1
RFC = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("offered", "response"),
    [
        (RFC, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        (RFC[1:], "8ca523f5e9506fed4657c9700eebdbec"),
        ((", ".join(RFC),), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_answers_of_the_standard(offered: tuple[str, ...], response: str) -> None:
    chosen = best(challenges(offered))
    assert chosen is not None
    login = StreamLogin("Mufasa", "Circle of Life", chosen, make_cnonce=lambda: CNONCE)
    answer = login.authorization("GET", "/dir/index.html")
    assert f'response="{response}"' in answer and "nc=00000001" in answer


def test_basic_is_the_last_resort_and_what_is_unknown_is_named() -> None:
    offered = challenges(['Basic realm="x"', 'Digest realm="x", nonce="n", algorithm=SHA-512'])
    chosen = best(offered)
    assert chosen is not None and chosen.scheme == "basic"
    assert StreamLogin("a", "b", chosen).authorization("GET", "/") == "Basic YTpi"
    assert best(offered[1:]) is None and methods(offered) == "Basic, Digest SHA-512"
    plain = best(challenges(['Digest realm="x", nonce="n"', 'Basic realm="x"']))
    assert plain is not None and plain.algorithm == "MD5"


PICTURES = [bytes(cv2.imencode(".jpg", street(seed=i), [cv2.IMWRITE_JPEG_PROGRESSIVE, i % 2])[1]) for i in range(4)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 9000), min_size=1, max_size=60),
    st.sampled_from([b"", b"\r\n--x\r\n\r\n", b"\xff\xff garbage"]),
)
def test_pictures_arrive_whole_however_the_bytes_are_cut(cuts: list[int], between: bytes) -> None:
    data = between + between.join(PICTURES) + between
    splitter, out, at, turn = JpegSplitter(), [], 0, 0
    while at < len(data):
        step = cuts[turn % len(cuts)]
        out += splitter.feed(data[at : at + step])
        at, turn = at + step, turn + 1
    assert out == PICTURES and splitter.damaged == 0


def test_a_picture_cut_short_is_counted_and_the_next_is_read() -> None:
    splitter = JpegSplitter()
    assert splitter.feed(PICTURES[0][:3000] + PICTURES[1]) == [PICTURES[1]]
    assert splitter.damaged == 1
    endless = JpegSplitter()
    for _ in range(40):
        endless.feed(PICTURES[0][:700] + b"\0" * (1 << 20) if not endless.damaged else b"\0")
    assert endless.damaged == 1


def test_size_of_pictures() -> None:
    assert picture_size(PICTURES[0]) == picture_size(PICTURES[1]) == (320, 240)
    assert picture_size(bytes(cv2.imencode(".png", np.zeros((5, 7, 3), np.uint8))[1])) == (7, 5)
    assert picture_size(b"GIF89a") is None and picture_size(b"\xff\xd8\xff") is None
