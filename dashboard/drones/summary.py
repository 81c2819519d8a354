"""One flight at a glance: how far the look at it is, what was found, how well it fits together, its dated mosaics."""

from __future__ import annotations

import json
from typing import Any

from core.errors import NotFound
from core.records import Record
from core.settings import Settings
from dashboard.drones import findings
from dashboard.drones.flight_layers import changes_file, layer_name, mosaic_file
from dashboard.drones.surveys import SurveyState, product_file, survey
from dashboard.drones.traffic import RoadCount, road_counts
from dashboard.services import Services
from layers.catalogue.record import layer
from storage.aerial import PICTURES, AerialStore
from storage.drones import DroneStore, FileView, FlightView


class MosaicView(Record, frozen=True, omit_defaults=False):
    """A dated mosaic as the map takes it; ``download``: its COG, "" where there is none to take away."""

    name: str
    title: dict[str, str]
    date: str
    tiles: str
    bbox: tuple[float, float, float, float]
    zooms: tuple[int, int]
    source: str
    download: str


class FlightSummary(Record, frozen=True, omit_defaults=False):
    """``looked`` of ``pictures`` were looked at; ``residual_m`` and ``residual_px``: how far matched points lie apart
    after refinement, None where nothing matched; ``before``: the earlier mosaic that ``changes`` count against."""

    flight: FlightView
    pictures: int
    looked: int
    seconds: float
    problems: list[str]
    counts: dict[str, int]
    matched: int
    residual_m: float | None
    residual_px: float | None
    mosaic: MosaicView | None
    survey: MosaicView | None
    survey_state: SurveyState | None
    before: MosaicView | None
    changes: int | None
    change_problem: str
    roads: list[RoadCount]


def summary(use: Services, flight_id: str) -> FlightSummary:
    """Of one flight; ``NotFound``."""
    drones, aerial = DroneStore(use.engine), AerialStore(use.engine)
    flight = drones.flight(flight_id)
    files = drones.files(flight_id)
    looks, found = aerial.looks(flight_id), aerial.findings(flight_id)
    changed = changes_of(use.settings, flight_id)
    return FlightSummary(
        flight=flight, pictures=sum(f.kind in PICTURES for f in files), looked=len(looks),
        seconds=round(sum(look.seconds for look in looks.values()), 1),
        problems=sorted({look.problem for look in looks.values() if look.problem}), counts=findings.counts(found),
        **_matched(files), mosaic=mosaic_view(use.settings, flight_id),
        survey=_survey_view(use.settings, flight_id), survey_state=survey(use.settings, flight_id),
        before=mosaic_view(use.settings, str(changed.get("since_flight", ""))),
        changes=len(changed["features"]) if changed and not changed.get("problem") else None,
        change_problem=str(changed.get("problem", "")), roads=road_counts(use.settings, files, found),
    )  # fmt: skip


def _matched(files: list[FileView]) -> dict[str, Any]:
    places = [file.place for file in files if file.place.get("method") == "matched"]
    best = places[0] if places else {}
    return {"matched": len(places), **{name: best.get(name) for name in ("residual_m", "residual_px")}}


def mosaic_view(settings: Settings, flight_id: str) -> MosaicView | None:
    """The quick mosaic of a flight; None where there is none."""
    there = flight_id.isalnum() and mosaic_file(settings, flight_id).is_file()
    return _layer_view(settings, layer_name(flight_id), f"/api/drone/flights/{flight_id}/mosaic" if there else "")


def _survey_view(settings: Settings, flight_id: str) -> MosaicView | None:
    there = product_file(settings, flight_id).is_file()
    return _layer_view(
        settings, layer_name(flight_id, "survey"), f"/api/drone/flights/{flight_id}/survey/orthophoto" if there else ""
    )


def _layer_view(settings: Settings, name: str, download: str) -> MosaicView | None:
    try:
        record = layer(settings, name)
    except NotFound:
        return None
    return MosaicView(
        name=record.name, title=record.title, date=record.date, source=record.source,
        tiles=f"/tiles/layer/{record.name}/{{z}}/{{x}}/{{y}}.webp", bbox=record.bbox, zooms=record.zooms,
        download=download,
    )  # fmt: skip


def changes_of(settings: Settings, flight_id: str) -> dict[str, Any]:
    """What changed since the flight before, as it was kept; {} where there was none."""
    try:
        told: dict[str, Any] = json.loads(changes_file(settings, flight_id).read_bytes())
    except (OSError, ValueError):
        return {}
    return told
