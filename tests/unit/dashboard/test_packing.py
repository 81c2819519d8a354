"""What browsers load goes out compressed once: own files, words, and the libraries of Dash."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import brotli
import plotly
import pytest
from fastapi.testclient import TestClient

from core.settings import load_settings
from dashboard.pages.files import suites
from dashboard.pages.files.packing import coding_for, packed, put_by
from dashboard.pages.files.suites import ADDRESS, CARTESIAN, PLOTLY, Suites, pack
from tests.fake_api import FakeCity, create_fake_app

DASHBOARD = Path(__file__).parents[3] / "dashboard"
# Traces of plotly.js' partial bundle for Cartesian axes (its README).
TRACES = {"Bar", "Box", "Contour", "Heatmap", "Histogram", "Histogram2d", "Image", "Pie", "Scatter", "Violin"}


@pytest.mark.parametrize(
    ("header", "coding"),
    [("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("BR;q=1.0", "br"), ("br;q=0, gzip;q=0.5", "gzip"),
     ("br; q=0", None), ("", None), ("identity", None), ("x-gzip", None)],
)  # fmt: skip
def test_the_smallest_coding_that_is_taken(header: str, coding: str | None) -> None:
    assert coding_for(header) == coding


def test_a_body_is_itself_in_every_coding(tmp_path: Path) -> None:
    body = "一网统管 ".encode() * 500
    name = put_by(body, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {f"{name}.br", f"{name}.gzip"}
    for made in (packed(body), packed(body, tmp_path), packed(body, tmp_path / "nothing")):
        assert brotli.decompress(made.br) == gzip.decompress(made.gzip) == made.plain == body
        content, headers = made.answer({"accept-encoding": "br"})
        assert content == made.br and headers == {"Vary": "Accept-Encoding", "Content-Encoding": "br"}
        assert made.answer({})[0] == body


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(suites, "PACKAGES", {"dash": ("deps/react@18*.min.js",)})
    (tmp_path / CARTESIAN).parent.mkdir()
    (tmp_path / CARTESIAN).write_text("part of plotly")
    assert pack(tmp_path) >= 2
    return tmp_path


def test_a_library_is_found_by_the_address_that_dash_gives_it(vendor: Path) -> None:
    table = Suites(vendor)
    found = table.find(f"{ADDRESS}dash/deps/react@18.v4_4_1m1795829718.3.1.min.js", "gzip, br")
    assert found is not None
    file, headers = found
    assert b"React" in brotli.decompress(file.read_bytes())
    assert headers["Content-Encoding"] == "br" and "immutable" in headers["Cache-Control"]
    part = table.find(f"{ADDRESS}{PLOTLY}", "gzip")
    assert part is not None and gzip.decompress(part[0].read_bytes()) == b"part of plotly"
    assert table.find(f"{ADDRESS}dash/deps/react@18.3.1.min.js", "identity") is None
    assert table.find(f"{ADDRESS}dash/../../secret", "br") is None


def test_what_was_packed_for_other_versions_is_not_sent(vendor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "versions", lambda: "dash==0")
    assert Suites(vendor).find(f"{ADDRESS}{PLOTLY}", "br") is None


def test_no_page_draws_what_the_part_of_plotly_cannot() -> None:
    drawn = {
        name for file in (DASHBOARD).rglob("*.py") if "node_modules" not in file.parts
        for name in re.findall(r"\bgo\.([A-Z]\w+)\(", file.read_text(encoding="utf-8"))
    }  # fmt: skip
    assert "Bar" in drawn and drawn - {"Figure", "Layout"} <= TRACES


def test_the_part_of_plotly_is_of_the_version_that_draws() -> None:
    lock = (DASHBOARD / "package.json").read_text(encoding="utf-8")
    part = re.search(r'"plotly.js-cartesian-dist-min": "([\d.]+)"', lock)
    whole = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").open(encoding="utf-8").read(100)
    assert part is not None and f"plotly.js v{part[1]}\n" in whole


def test_words_and_modules_go_out_compressed(tmp_path: Path) -> None:
    settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path)})
    with TestClient(create_fake_app(settings, FakeCity(cases=1, cameras=1))) as client:
        for address in ("/static/i18n/zh.json", "/static/v/any/ui/loader.js"):
            answer = client.get(address, headers={"accept-encoding": "gzip"})
            assert answer.headers["content-encoding"] == "gzip", address
            assert int(answer.headers["content-length"]) < len(answer.content) / 1.5
