"""Patrol: order of risk, what a visit finds, clears and cannot reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli import main
from core.records import AlgorithmConfig, CameraConfig
from tests.footage import film, write_film
from tests.unit.vision.test_vision_detectors import photo
from vision.fleet.patrol import PatrolMemory, order, risk, visit
from vision.judging.detector_pool import DetectorPool

NOW = 1_800_000_000.0


def camera(camera_id: str, url: str = "x", **more: Any) -> CameraConfig:
    return CameraConfig(camera_id=camera_id, name=camera_id, url=url, **more)


def test_risk_grows_with_place_time_and_past() -> None:
    road, station = camera("r", category="traffic"), camera("s", category="fuel_station")
    hour = PatrolMemory(visited=NOW - 3600)
    assert risk(station, hour, NOW) > risk(road, hour, NOW)
    assert risk(road, PatrolMemory(visited=NOW - 7200), NOW) > risk(road, hour, NOW)
    assert risk(road, PatrolMemory(visited=NOW - 3600, found=3), NOW) > risk(road, hour, NOW)
    assert risk(road, PatrolMemory(visited=NOW - 3600, standing=("x",)), NOW) > risk(road, hour, NOW)


def test_everybody_is_visited_once_disabled_ones_never() -> None:
    cameras = [camera(f"c{i}", category=("traffic", "fuel_station")[i % 2]) for i in range(20)]
    cameras.append(camera("off", enabled=False))
    row = [c.camera_id for c in order(cameras, {"c1": PatrolMemory(visited=NOW - 60)}, NOW)]
    assert sorted(row) == sorted(f"c{i}" for i in range(20))
    assert row[0] == "c11" and row[-1] == "c1"


def test_a_visit_opens_what_it_sees_and_the_next_clears_it(tmp_path: Path) -> None:
    pool, wish = DetectorPool(), (AlgorithmConfig(kind="intrusion"),)
    busy = write_film(tmp_path / "busy.mp4", [photo(320, 426)] * 20)
    quiet = film(tmp_path / "quiet.mp4", 2)
    first = visit(camera("c", str(busy), algorithms=wish), PatrolMemory(), pool)
    assert [(o.finding.kind, o.finding.state) for o in first.outcomes] == [("intrusion", "open")]
    assert first.memory.standing == ("intrusion",) and first.memory.found == 1
    again = visit(camera("c", str(busy), algorithms=wish), first.memory, pool)
    assert again.outcomes == []
    last = visit(camera("c", str(quiet), algorithms=wish), again.memory, pool)
    assert [(o.finding.kind, o.finding.state) for o in last.outcomes] == [("intrusion", "clear")]
    assert last.memory.standing == ()


def test_a_camera_that_cannot_be_reached_is_told_once_and_keeps_what_stood(tmp_path: Path) -> None:
    pool, memory = DetectorPool(), PatrolMemory(standing=("intrusion",))
    lost = visit(camera("c", str(tmp_path / "none.mp4")), memory, pool)
    assert [(o.finding.kind, o.finding.state) for o in lost.outcomes] == [("camera_health", "open")]
    assert lost.memory.standing == ("camera_health", "intrusion")
    assert visit(camera("c", str(tmp_path / "none.mp4")), lost.memory, pool).outcomes == []


def test_the_command_prints_visits_and_a_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_film(tmp_path / "a.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 30)
    cameras = [{"camera_id": f"c{i}", "name": "c", "url": str(clip)} for i in range(3)]
    cameras.append({"camera_id": "bad", "name": "bad", "url": "rtsp://127.0.0.1:9/x"})
    listed = tmp_path / "cameras.json"
    listed.write_text(json.dumps(cameras))
    assert main(["patrol", "--file", str(listed), "--algorithm", "intrusion", "--json", "--parallel", "2"]) == 0
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert {line["camera_id"] for line in lines[:-1]} == {"c0", "c1", "c2", "bad"}
    assert lines[-1]["summary"]["reached"] == 3
    listed.write_text("{}")
    assert main(["patrol", "--file", str(listed)]) == 2
    assert "JSON list" in capsys.readouterr().err
