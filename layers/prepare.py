"""Rows of a city folder made ready for the tables: outlines, parents, file paths, one's own camera."""

from __future__ import annotations

from pathlib import Path

import shapely

from core.records import AlgorithmConfig, CameraConfig
from core.settings import Settings
from core.tables.columns import Place
from layers.cityfiles import CityFolder
from layers.cityrows import PLACE, Row


def prepare(city: CityFolder, settings: Settings) -> None:
    """Outlines to WKB, parents and levels from codes, relative clip paths made absolute, one's own camera added."""
    for row in city.tables["divisions"]:
        shape = row.get("geometry")
        if shape is not None:
            centre = shape.representative_point()
            row.setdefault("lon", centre.x)
            row.setdefault("lat", centre.y)
            row["geometry"] = shapely.to_wkb(shape)
        code = row["code"]
        row.setdefault("level", {6: "district", 9: "street", 12: "community"}[len(code)])
        row.setdefault("parent_code", code[:9] if len(code) == 12 else code[:6] if len(code) == 9 else "")
    for row in city.tables["grid"]:
        _prepare_cell(row)
    city.tables["grid"] = [r for r in city.tables["grid"] if _has_area(r, city)]
    for row in city.tables["cameras"]:
        for name in ("url", "sub_url"):
            row[name] = _absolute(city.path, row.get(name, ""))
    if settings.camera:
        city.tables["cameras"].append(own_camera(settings.camera))


def _has_area(row: Row, city: CityFolder) -> bool:
    """Whether a grid cell has a shape; a code alone is no cell on a map."""
    if row.get("geometry"):
        return True
    place: Place = row[PLACE]
    city.problems.tell(place.file, "geometry_missing", sheet=place.sheet, row=place.row, field="geometry")
    return False


def _absolute(folder: Path, url: str) -> str:
    """A relative path is meant from the city folder; ``?loop=1`` behind it stays."""
    if not url or "://" in url or url.startswith("/"):
        return url
    path, mark, query = url.partition("?")
    return str((folder / path).resolve()) + mark + query


def own_camera(url: str) -> Row:
    """The camera of ``YIWANG_CAMERA``: absence and flame on the whole picture."""
    config = CameraConfig(
        camera_id="cam-own",
        name="自有摄像机 My camera",
        url=url,
        priority=1,
        algorithms=(AlgorithmConfig(kind="absence", params={"min_staff": 1}), AlgorithmConfig(kind="flame_smoke")),
    )
    return {
        "camera_id": config.camera_id,
        "name": config.name,
        "category": config.category,
        "url": url if "://" in url or "?" in url else f"{Path(url).expanduser().resolve()}?loop=1",
        "priority": config.priority,
        "enabled": True,
        "algorithms": [{"kind": a.kind, "zones": [], "params": a.params} for a in config.algorithms],
        "source": "YIWANG_CAMERA",
        PLACE: Place("YIWANG_CAMERA", "", 0),
    }


def _prepare_cell(row: Row) -> None:
    shape = row.pop("geometry", None)
    if shape is None or shape.is_empty:
        return
    row["community_code"] = row["code"][:12]
    centre = shape.representative_point()
    row["lon"], row["lat"] = centre.x, centre.y
    row["min_lon"], row["min_lat"], row["max_lon"], row["max_lat"] = (float(v) for v in shape.bounds)
    row["geometry"] = shapely.to_wkb(shape)
