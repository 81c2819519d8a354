"""The self-test's small district: the demo's divisions and departments, its own sites, camera, devices and people."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layers.demo.generate import SOURCES

PANELS = ("1001", "1002", "1003")  # addresses of the GB/T 26875.3 devices
GAUGES = ("selftest-gauge-1", "selftest-gauge-2", "selftest-gauge-3")
CAMERA = "selftest-camera"
STAFF = {"dept-fire": "st-fire", "dept-drainage": "st-drainage"}
INSPECTOR = "st-inspector"
DISPATCHER = "st-dispatcher"
COMMUNITY = "220105001002"  # every site's, so that the district's inspector may go there


@dataclass(frozen=True)
class StagedHappening:
    """One thing that will happen, and where its case must appear."""

    name: str
    kind: str  # the observation kind of its case
    site_id: str


def happenings() -> list[StagedHappening]:
    """All of them: one case each, not more, not fewer."""
    found = [StagedHappening(f"fire at panel {a}", "fire_alarm", f"st-fire-{a}") for a in PANELS]
    found += [StagedHappening(f"water at {g}", "water_level_m", f"st-water-{i}") for i, g in enumerate(GAUGES)]
    return [*found, StagedHappening("control room left", "absence", "st-room")]


def write(folder: Path, clip: Path) -> Path:
    """Write the city folder that the importer reads; sites stand kilometres apart so that none may merge."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("city.yaml", "divisions.csv", "departments.csv"):
        shutil.copy(SOURCES / name, folder / name)
    places = [h.site_id for h in happenings()]
    spots = {site: (125.36 + 0.03 * (i % 4), 43.86 + 0.03 * (i // 4)) for i, site in enumerate(places)}
    _table(folder / "sites.csv", [_site(h, *spots[h.site_id]) for h in happenings()])
    _table(folder / "cameras.csv", [_camera(clip, *spots["st-room"])])
    devices = [_device("gb26875", a, "fire_panel", f"st-fire-{a}", spots, "dept-fire") for a in PANELS]
    devices += [
        _device("mqtt", g, "water_gauge", f"st-water-{i}", spots, "dept-drainage") for i, g in enumerate(GAUGES)
    ]
    _table(folder / "devices.csv", devices)
    people = [(login, "staff", department) for department, login in STAFF.items()]
    people += [(INSPECTOR, "inspector", "dept-command"), (DISPATCHER, "dispatcher;operator", "dept-command")]
    _table(
        folder / "users.csv",
        [
            {"user_id": login, "login": login, "name": login, "roles": roles, "department_id": department,
             "division_code": "220105" if roles == "inspector" else ""}
            for login, roles, department in people
        ],
    )  # fmt: skip
    return folder


def _site(happening: StagedHappening, lon: float, lat: float) -> dict[str, Any]:
    kind = {"fire_alarm": "key_fire_site", "absence": "key_fire_site"}.get(happening.kind, "waterlogging_point")
    department = "dept-drainage" if happening.kind == "water_level_m" else "dept-fire"
    return {
        "site_id": happening.site_id, "name": happening.name, "kind": kind, "lon": lon, "lat": lat,
        "department_id": department, "division_code": COMMUNITY,
    }  # fmt: skip


def _camera(clip: Path, lon: float, lat: float) -> dict[str, Any]:
    zone = {"zone_id": "duty", "name": "duty", "purpose": "duty", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}
    params = {"min_staff": 1, "after_s": 3, "clear_after_s": 2}
    return {
        "camera_id": CAMERA, "name": CAMERA, "category": "fire_control_room", "site_id": "st-room",
        "url": f"file://{clip}?loop=1", "lon": lon, "lat": lat, "department_id": "dept-fire", "analysis_fps": 2,
        "algorithms": json.dumps([{"kind": "absence", "zones": ["duty"], "params": params}]),
        "zones": json.dumps([zone]), "enabled": "yes",
    }  # fmt: skip


def _device(
    source: str, address: str, kind: str, site: str, spots: dict[str, tuple[float, float]], department: str
) -> dict[str, Any]:
    lon, lat = spots[site]
    return {
        "device_id": f"{source}:{address}", "source": source, "address": address, "name": address,
        "device_type": kind, "status": "accepted", "site_id": site, "lon": lon, "lat": lat,
        "department_id": department, "expected_interval_s": 600,
    }  # fmt: skip


def _table(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
