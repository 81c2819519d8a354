"""The examples for detectors, algorithms, channels, map layers and boards work as they stand on their pages."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core import plugins
from core.clock import ManualClock
from events.notify.channel import NoticeMessage, NotifierFailed
from layers.catalogue.kinds import surest
from layers.contract import Likeness
from measures.library import examine
from storage.session import make_engine, read_scope
from tests.databases import create_all
from tests.unit.house.test_howtos import HOWTO, put
from vision.capture.frames import make_frame
from vision.detections import Detections

NOW = datetime(2026, 11, 28, 3, tzinfo=UTC)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Path]:
    plugins.use_city_folder(tmp_path)
    yield tmp_path
    plugins.use_city_folder(None)


def test_a_detector_is_one_file(city: Path) -> None:
    put(city, "detector.md", "detectors", "orange")
    assert plugins.problems("detector") == []
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[20:60, 30:50] = (0, 120, 255)
    found, none = plugins.build("detector", "orange", {}).detect([picture, np.zeros((9, 9, 3), np.uint8)])
    assert found.box(0) == (30, 20, 50, 60) and len(found) == 1 and len(none) == 0
    assert len(found.models[0].sha256) == 64


def test_an_algorithm_is_one_file(city: Path) -> None:
    put(city, "algorithm.md", "algorithms", "left_bag")
    assert plugins.problems("algorithm") == []
    algorithm = plugins.build("algorithm", "left_bag", {"after_s": 2, "clear_after_s": 2}, zones=())
    names = ("suitcase", "backpack", "person")

    def states(ids: list[int], since: int) -> list[str]:
        xyxy = np.array([[10, 10, 40, 60]] * len(ids), np.float32)
        seen = Detections(xyxy, np.array(ids, np.int32), np.full(len(ids), 0.9, np.float32), names)
        told: list[str] = []
        for second in range(since, since + 6):
            frame = make_frame("c", np.full((120, 160, 3), 100, np.uint8), NOW, float(second), second)
            told += [f.state for f in algorithm.update(seen, frame, frame.clock_s)]
        return told

    assert [states([0, 2], 0), states([0], 6), states([0, 2], 12)] == [[], ["open"], ["clear"]]


def test_a_channel_is_one_file(city: Path) -> None:
    put(city, "channel.md", "channels", "siren")
    assert plugins.problems("channel") == []
    notice = NoticeMessage(
        notice_id="n1", kind="case", title="火", body="", severity=4, case_id=None, user_id=None, department_id=None,
        role="operator", created_at=NOW,
    )  # fmt: skip
    siren = plugins.build("channel", "siren", {"folder": str(city)}, settings=None, bus=None)
    asyncio.run(siren.send(notice))
    assert json.loads((city / "n1.json").read_text()) == {"title": "火", "severity": 4}
    gone = plugins.build("channel", "siren", {"folder": str(city / "none")}, settings=None, bus=None)
    with pytest.raises(NotifierFailed):
        asyncio.run(gone.send(notice))


def test_a_kind_of_layer_is_one_file(city: Path) -> None:
    put(city, "layer.md", "kinds", "hydrants")
    assert plugins.problems("layer") == []
    assert plugins.build("layer", "hydrants", {"min_zoom": 11}).zooms == (11, 15)
    assert surest(Likeness("消火栓", frozenset(), "point")) == "hydrants"


def test_a_board_is_one_file() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (HOWTO / "board.md").read_text(encoding="utf-8"), re.DOTALL)
    engine = make_engine("sqlite://")
    create_all(engine)
    with read_scope(engine) as session:
        board = examine(session, None, text, ManualClock(NOW))
    engine.dispose()
    assert board.id == "night" and len(board.tiles) == 4
