"""The web process and the importer on PostgreSQL: the same code path, its own locks and types."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from core.clock import SystemClock
from core.settings import Settings
from layers.demo.generate import SOURCES
from layers.importer import import_city
from storage.session import read_scope, session_scope
from storage.tables.cases import AuditEntry
from storage.tables.registry import Camera
from tests.unit.dashboard.api.test_api_plans import open_case
from tests.unit.dashboard.web import make_office

pytestmark = pytest.mark.postgres


def test_the_api_on_postgresql(settings: Settings, postgres_url: str, tmp_path: Path) -> None:
    office = make_office(settings.with_(database_url=postgres_url), SystemClock())
    try:
        case_id = open_case(office)
        operator, boss, fireman = (office.client(x) for x in ("operator", "boss", "fireman"))
        assert operator.get(f"/api/cases/{case_id}").json()["case"]["title"] == "fire"
        assert fireman.get("/api/tasks").json()["items"][0]["case_id"] == case_id
        assert operator.get("/api/map/cases.geojson").json()["features"]
        assert operator.get("/api/map/cameras.geojson").json()["features"]
        edit = {"zones": [{"zone_id": "z", "name": "z", "polygon": [[0, 0], [1, 0], [1, 1]]}], "expected_revision": 1}
        assert boss.patch("/api/cameras/c-fire", json=edit).json()["revision"] == 2
        assert boss.patch("/api/cameras/c-fire", json=edit).status_code == 422  # two editors, one winner
        assert operator.post("/api/devices/mqtt:unknown/accept", json={"name": "x"}).status_code == 200
        assert operator.get("/api/indicators?by=day").json()["total"]["counts"]["reported"] == 1
        assert operator.get("/api/vision/precision").json()["items"] == []
        assert "yiwang_cases_open" in operator.get("/metrics").text
        assert operator.get("/api/notices").status_code == 200
        with read_scope(office.engine) as session:
            seqs = list(session.scalars(select(AuditEntry.seq).where(AuditEntry.chain_id == "system")))
        assert sorted(seqs) == [1, 2]
    finally:
        office.engine.dispose()


def test_the_importer_on_postgresql(settings: Settings, postgres_url: str, tmp_path: Path) -> None:
    from storage.session import make_engine
    from tests.databases import create_all

    engine = make_engine(postgres_url)
    create_all(engine)
    folder = tmp_path / "city"
    folder.mkdir()
    for name in ("city.yaml", "divisions.csv", "departments.csv", "sites.csv", "cameras.csv", "devices.csv"):
        (folder / name).write_bytes((SOURCES / name).read_bytes())
    try:
        first = import_city(engine, settings, folder, progress=lambda text: None)
        assert list(first.problems) == [] and first.inserted["cameras"] == 148 and first.inserted["divisions"] == 103
        with session_scope(engine) as session:
            camera = session.get(Camera, "cam-fire-01")
            assert camera is not None
            camera.enabled = False
        again = import_city(engine, settings, folder, progress=lambda text: None)
        assert not any(again.inserted.values()) and not any(again.updated.values())
    finally:
        engine.dispose()
