"""Camera passwords at rest: sealed, bound to the camera, the same address the same text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.camera_secrets import MARK, CameraSeal, has_secret

SEAL = CameraSeal("a-key-of-more-than-sixteen")


@given(st.text(max_size=300))
def test_whatever_is_kept_opens_as_it_was(url: str) -> None:
    assert SEAL.open("cam-1", SEAL.seal("cam-1", url)) == url or url.startswith(MARK)


@pytest.mark.parametrize(
    "url",
    ["rtsp://admin:p%40ss@10.0.0.8/ch1", "http://10.0.0.8/snap.jpg?usr=admin&pwd=geheim", "rtsps://x:y@[fe80::1]:322/"],
)
def test_a_secret_is_nowhere_in_what_is_kept(url: str) -> None:
    kept = SEAL.seal("cam-1", url)
    assert kept.startswith(MARK) and len(kept) <= 800
    assert not any(word in kept for word in ("p%40ss", "geheim", "admin", "10.0.0.8"))
    assert SEAL.seal("cam-1", url) == kept == SEAL.seal("cam-1", kept)
    assert SEAL.seal("cam-2", url) != kept


@pytest.mark.parametrize("url", ["", "rtsp://10.0.0.8/ch1", "rtsp://admin@10.0.0.8/ch1", "/data/film.mp4?loop=1"])
def test_what_holds_no_secret_stays_readable(url: str) -> None:
    assert not has_secret(url)
    assert SEAL.seal("cam-1", url) == url == SEAL.open("cam-1", url)


def test_the_longest_address_fits_its_column() -> None:
    assert len(SEAL.seal("c", "rtsp://a:" + "b" * 480 + "@10.0.0.8/")) <= 800


@pytest.mark.parametrize("kept", ["sealed:", "sealed:xx", "sealed:é", "sealed:" + "A" * 80])
def test_another_key_or_rubbish_opens_nothing_and_breaks_nothing(kept: str) -> None:
    assert SEAL.open("cam-1", kept) == kept
    other = CameraSeal("another-key-of-some-length").seal("cam-1", "rtsp://a:b@10.0.0.8/")
    assert SEAL.open("cam-1", other) == other
    stolen = SEAL.seal("cam-2", "rtsp://a:b@10.0.0.8/")
    assert SEAL.open("cam-1", stolen) == stolen  # moved to another camera
