"""A camera's address cannot be used to reach inside."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.addresses import check_camera, read_networks
from core.errors import InputInvalid, SettingsError

NAMES = {"camera.lan": ["10.1.2.3"], "evil.example": ["127.0.0.1"], "both.example": ["8.8.8.8", "169.254.169.254"]}


def check(url: str, data: Path = Path("/data"), networks: str = "") -> None:
    check_camera("url", url, read_networks("N", networks), data, lambda host: NAMES.get(host, []))


@pytest.mark.parametrize(
    "url",
    ["", "rtsp://10.0.0.1/live", "rtsp://admin:p@ss@10.0.0.1:554/ch1?x=1", "rtsps://cam/1", "rtmp://h/a", "RTSP://h/x",
     "http://10.1.2.3/still.jpg", "https://camera.lan/video", "http://[2001:db8::5]:8080/x", "rtsp://127.0.0.1:8554/restream"],
)  # fmt: skip
def test_cameras_addresses_are_taken(url: str) -> None:
    check(url)


@pytest.mark.parametrize(
    "url",
    ["ftp://h/x", "javascript:alert(1)", "concat:/etc/passwd|x", "data:,x", "/etc/passwd", "file:///etc/passwd",
     "file:///data/../etc/passwd", "/data/secrets.json", "../x.mp4", "rtsp://", "rtsp:///x", "http://h:0/x", "http://h:99999/",
     "rtsp://h/" + "a" * 600, "rtsp://h/a b", "rtsp://h/\r\nHost: x", "rtsp://h/\0", "http://a\\@127.0.0.1/",
     "http://127.0.0.1:8222/varz", "http://localhost.:80/".replace("localhost.", "evil.example"), "http://127.1/", "http://0/",
     "http://2130706433/", "http://0x7f.0.0.1/", "http://017700000001/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
     "http://169.254.169.254/latest/meta-data", "http://[fe80::1%25eth0]/", "http://224.0.0.1/", "http://both.example/x",
     "http://[::]/", "https://0.0.0.0/", "http://[::ffff:a9fe:a9fe]/", "http://[bad/"],
)  # fmt: skip
def test_what_leads_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(InputInvalid):
        check(url)


def test_listed_networks_alone() -> None:
    check("http://10.1.2.3/x", networks="10.1.0.0/16")
    check("http://127.0.0.1:1984/x", networks="127.0.0.0/8")  # a restreamer of one's own, when it is listed
    check("rtsp://8.8.8.8/x", networks="10.1.0.0/16")
    for url in ("http://10.2.0.1/x", "http://8.8.8.8/", "http://unknown.example/"):
        with pytest.raises(InputInvalid):
            check(url, networks="10.1.0.0/16")
    with pytest.raises(SettingsError):
        read_networks("N", "10.0.0.0/99")


def test_a_film_in_the_data_folder_may_stand_for_a_camera(tmp_path: Path) -> None:
    check(f"{tmp_path}/clips/fire.mp4?loop=1", tmp_path)
    check(f"file://{tmp_path}/clips/fire.mp4?loop=1", tmp_path)
    (tmp_path / "link.mp4").symlink_to("/etc/passwd")
    with pytest.raises(InputInvalid):
        check(f"{tmp_path}/link.mp4", tmp_path)


@given(st.text(max_size=60))
def test_any_text_is_taken_or_refused(text: str) -> None:
    for prefix in ("", "http://", "rtsp://"):
        try:
            check(prefix + text)
        except InputInvalid as error:
            assert error.as_dict()["field"] == "url"
