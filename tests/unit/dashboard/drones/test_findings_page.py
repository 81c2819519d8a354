"""The page of findings: what was drawn or dragged becomes boxes; a matched flight becomes a layer and a file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rasterio

from core.settings import Settings
from dashboard.drones.flight_layers import compare, make_layer, mosaic_file
from dashboard.drones.mosaics import Laid
from dashboard.pages.desk.drone_findings import drawn_boxes, moved_box
from ingest.drones.overlap.adjust import adjust
from ingest.drones.overlap.matching import pairs
from layers.catalogue.record import layer, tiles_of
from storage.drones import FlightView
from tests.unit.dashboard.web import make_office
from tests.unit.ingest.drones.overlap.flights import flight
from tests.unit.layers.rasters.test_change import ground, written

KNOWN = "0123456789abcdefghjkmnpqrs"


def test_only_new_shapes_are_drawn_boxes_and_they_stay_in_the_picture() -> None:
    shapes = [
        {"name": KNOWN, "x0": 0.1, "y0": 0.1, "x1": 0.2, "y1": 0.2}, {"x0": -0.5, "y0": 0.4, "x1": 0.3, "y1": 1.7},
    ]  # fmt: skip
    assert drawn_boxes({"shapes": shapes}) == [[0.0, 0.4, 0.3, 1.0]]


@pytest.mark.parametrize("told", [None, {}, {"autosize": True}, {"shapes": []}, {"shapes[0].x0": 0.3}])
def test_other_changes_draw_nothing(told: Any) -> None:
    assert drawn_boxes(told) == []


def test_a_dragged_box_is_the_picked_findings() -> None:
    shown = {"layout": {"shapes": [{"name": "other"}, {"name": KNOWN}]}}
    dragged = {"shapes[1].x0": 0.2, "shapes[1].y0": -0.1, "shapes[1].x1": 0.4, "shapes[1].y1": 0.5}
    assert moved_box(dragged, shown, KNOWN) == [0.2, 0.0, 0.4, 0.5]
    assert moved_box(dragged, shown, "other") == []
    assert moved_box(None, None, KNOWN) == []


def view(flight_id: str) -> FlightView:
    """A flight's row, without a database."""
    return FlightView(
        flight_id=flight_id, name="drill", aircraft="", owner="u", created_at=None, files=6, placed=6, first_at=None,
        last_at=None,
    )  # type: ignore[arg-type]  # fmt: skip


def test_a_matched_flight_is_a_layer_and_a_file_by_right(settings: Settings, tmp_path: Path) -> None:
    made = flight(tmp_path)
    found, _, wanted = pairs(made.pictures)
    laid = Laid(made.plane, tuple(made.pictures), tuple(found), adjust(made.pictures, found), wanted, ())
    report = make_layer(settings, view("fl1"), laid)
    assert report is not None and report.features > 0 and not report.problems.errors
    record = layer(settings, report.layer)
    assert (record.kind, record.crs) == ("orthophoto", "EPSG:32651")
    assert "drone" in record.roles and tiles_of(settings, report.layer).is_file()
    with rasterio.open(mosaic_file(settings, "fl1")) as picture:
        assert picture.crs.to_epsg() == 32651
    office = make_office(settings)
    operator, fireman = office.client("operator"), office.client("fireman")
    part = operator.get("/api/drone/flights/fl1/mosaic", headers={"Range": "bytes=0-3"})
    assert part.status_code == 206 and part.content[:2] in (b"II", b"MM")
    assert operator.get("/api/drone/flights/none/mosaic").status_code == 404
    assert operator.get("/api/drone/flights/..%2fx/mosaic").status_code == 404
    assert fireman.get("/api/drone/flights/fl1/mosaic").status_code == 403
    assert report.layer in [entry["name"] for entry in operator.get("/api/layers").json()["items"]]
    assert report.layer not in [entry["name"] for entry in fireman.get("/api/layers").json()["items"]]


def test_change_since_the_flight_before_is_kept_and_answered(settings: Settings) -> None:
    first = msgspec.structs.replace(view("fl1"), first_at=datetime(2026, 11, 1, tzinfo=UTC))
    second = msgspec.structs.replace(view("fl2"), first_at=datetime(2026, 11, 20, tzinfo=UTC))
    for one in (first, second):
        mosaic_file(settings, one.flight_id).parent.mkdir(parents=True, exist_ok=True)
    written(mosaic_file(settings, "fl1"), ground())
    after = ground()
    after[100:112, 200:230] = (30, 30, 220)
    written(mosaic_file(settings, "fl2"), after)
    assert compare(settings, first, [first, second]) is None, "nothing flew before it"
    assert compare(settings, second, [first, second]) is not None
    office = make_office(settings)
    told = office.client("operator").get("/api/drone/flights/fl2/changes").json()
    assert [f["properties"]["guess"] for f in told["features"]] == ["vehicle"]
    assert told["since_flight"] == "fl1"
    assert office.client("operator").get("/api/drone/flights/fl1/changes").status_code == 404
    assert office.client("fireman").get("/api/drone/flights/fl2/changes").status_code == 403


def test_a_flight_elsewhere_says_why_it_cannot_be_compared(settings: Settings) -> None:
    first = msgspec.structs.replace(view("fl1"), first_at=datetime(2026, 11, 1, tzinfo=UTC))
    second = msgspec.structs.replace(view("fl2"), first_at=datetime(2026, 11, 20, tzinfo=UTC))
    mosaic_file(settings, "fl1").parent.mkdir(parents=True, exist_ok=True)
    written(mosaic_file(settings, "fl1"), ground())
    written(mosaic_file(settings, "fl2"), ground(), 379_000.0)
    file = compare(settings, second, [first, second])
    assert file is not None and "do not overlap" in json.loads(file.read_text(encoding="utf-8"))["problem"]


def test_pictures_that_do_not_match_are_no_layer(settings: Settings, tmp_path: Path) -> None:
    made = flight(tmp_path, rows=1, columns=2)
    laid = Laid(made.plane, tuple(made.pictures), (), adjust(made.pictures, []), 0, ())
    assert make_layer(settings, view("fl2"), laid) is None
    assert not mosaic_file(settings, "fl2").exists()
