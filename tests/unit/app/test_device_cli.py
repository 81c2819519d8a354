"""``python -m app device``: list, show, accept, import, and clear errors."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.cli import main
from core.records import Reading
from core.settings import load_settings
from storage.readings import store_readings
from storage.session import make_engine, session_scope
from storage.tables.registry import Device
from tests.databases import create_all


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIWANG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("YIWANG_DATABASE_URL", raising=False)
    engine = make_engine(load_settings().database_url)
    create_all(engine)
    now = datetime.now(UTC)
    with session_scope(engine) as session:
        session.add(Device(device_id="mqtt:g1", source="mqtt", address="g1", name="水位计"))
        store_readings(
            session,
            [
                Reading(
                    reading_id="r1",
                    source="mqtt",
                    device_id="mqtt:g1",
                    quantity="rain_mm",
                    value=2.5,
                    observed_at=now,
                    received_at=now,
                    unit="mm",
                )
            ],
        )
    engine.dispose()


def test_list_accept_show(city: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["device", "list", "--status", "quarantine"]) == 0
    assert "mqtt:g1" in capsys.readouterr().out
    assert main(["device", "accept", "mqtt:g1"]) == 0
    capsys.readouterr()
    assert main(["device", "show", "mqtt:g1", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["device"]["device"]["status"] == "accepted"
    assert shown["device"]["accepted_by"].startswith("cli:")
    assert shown["latest"][0]["value"] == 2.5
    assert shown["rain_mm_last_hours"]["24"] == 2.5
    assert main(["device", "show", "mqtt:g1"]) == 0
    assert "rain_mm" in capsys.readouterr().out


def test_import_reports_problems_and_its_status_says_so(
    city: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "devices.csv"
    table.write_text("device_id,name\nmqtt:g2,new\n,nobody\n", encoding="utf-8")
    assert main(["device", "import", str(table), "--dry-run"]) == 1
    assert "row 3: device_id" in capsys.readouterr().out
    assert main(["device", "import", str(table), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["new"] == ["mqtt:g2"]


def test_unknown_device_is_one_clear_line(city: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["device", "accept", "mqtt:nobody"]) == 2
    assert "'mqtt:nobody' does not exist" in capsys.readouterr().err
