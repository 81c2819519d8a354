"""The command that lays a survey together: on real photos, and with files that cannot be used."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import rasterio

from app.cli import main
from ingest.drones.locate import locate

FOLDER = Path(os.environ.get("YIWANG_REAL_DATA", "/nowhere")) / "drone" / "nadir_survey"


@pytest.mark.real_data
@pytest.mark.skipif(not FOLDER.is_dir(), reason="YIWANG_REAL_DATA names no folder with drone/nadir_survey")
def test_real_photos_are_laid_together_better_than_by_their_tags(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = sorted(FOLDER.glob("*.JPG"))[6:11]
    card = tmp_path / "card.jpg"
    card.write_bytes(b"no picture at all")
    made = tmp_path / "m.tif"
    assert main(["mosaic", *map(str, photos), str(card), "-o", str(made), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["left_out"] == [{"file": "card.jpg", "reason": "no_place"}]
    assert told["pictures"] == 5
    assert told["residual_m"] < 0.4 < told["before_m"]
    assert told["within_stated"] >= 0.95
    with rasterio.open(made) as picture:
        assert picture.crs.to_epsg() == told["epsg"] == 32615
        assert json.loads(picture.tags()["YIWANG_residual_m"]) == told["residual_m"]
        spot = locate(photos[2]).place
        assert spot is not None
        from rasterio.warp import transform

        (x,), (y,) = transform("EPSG:4326", picture.crs, [spot.centre[0]], [spot.centre[1]])
        row, column = picture.index(x, y)
        assert picture.read(4)[row, column] == 255


def test_pictures_without_a_place_make_no_mosaic(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff\xd9")
    out = tmp_path / "m.tif"
    assert main(["mosaic", str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg"), "-o", str(out)]) == 2
    assert "nothing_to_lay" in capsys.readouterr().err or not out.exists()
    assert not out.exists()


def test_a_resolution_out_of_range_is_refused(tmp_path: Path) -> None:
    assert main(["mosaic", str(tmp_path / "a.jpg"), "-o", str(tmp_path / "m.tif"), "--gsd-cm", "0"]) == 2
