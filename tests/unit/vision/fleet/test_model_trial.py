"""A new model against the one in use, on alarms that people judged."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from core.clock import ManualClock
from core.media import MediaStore
from core.sight.field_set import FieldPicture, FieldSet
from vision import weights
from vision.fleet.engine import Engine
from vision.fleet.evidence import jpeg
from vision.fleet.field_sets import FieldSets
from vision.fleet.model_trial import LEAST_EACH, ModelTrial, TrialFigures
from vision.fleet.models_watch import ModelsWatch
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Need

NOW = datetime(2026, 11, 28, tzinfo=UTC)
NEED = Need("yolo_onnx", ("fire", "smoke"), {"file": "own.onnx"})


def bright(path: Path, gain: float) -> str:
    """A model that is so sure of fire in the middle as the picture is bright; its SHA-256."""
    place = np.array([32, 32, 40, 40, 0, 0], np.float32).reshape(1, 6, 1)
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["gain", "mean"], ["sure"]),
        helper.make_node("Add", ["place", "sure"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 6, 1])],
        [
            numpy_helper.from_array(place, "place"),
            numpy_helper.from_array(np.array([0, 0, 0, 0, gain, 0], np.float32).reshape(1, 6, 1), "gain"),
        ],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.metadata_props.add(key="names", value="{0: 'fire', 1: 'smoke'}")
    onnx.save(model, str(path))
    return weights.sha256(path)


def judged(media: MediaStore, confirmed: int, false: int) -> FieldSet:
    """Bright pictures that were fires, and duller ones that were none."""
    found = []
    for n in range(confirmed + false):
        fire = n < confirmed
        image = np.full((64, 64, 3), 205 if fire else 128, np.uint8)
        image[:8, : 4 * n + 4] = 0  # no two are the same file
        ref = media.put(jpeg(image), kind="snapshot", media_type="image/jpeg", taken_at=NOW)
        found.append(
            FieldPicture(kind="flame_smoke", case_id=f"k{n}", camera_id=f"c{n % 4}", confirmed=fire, uri=ref.uri,
                         sha256=ref.sha256, taken_at=NOW, box=(0.3, 0.3, 0.7, 0.7), classes=("fire",))
        )  # fmt: skip
    return FieldSet(kind="flame_smoke", pictures=tuple(found))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("YIWANG_MODELS_DIR", str(folder))
    return folder


class Watched:
    """A pool with a model in use, and the watch over its file."""

    def __init__(self, folder: Path, media: MediaStore, found: FieldSet) -> None:
        self.file = folder / "own.onnx"
        self.first = bright(self.file, 1.0)  # reports both kinds
        self.pool = DetectorPool()
        self.pool.get(NEED, "flame_smoke")
        algorithm = SimpleNamespace(kind="flame_smoke", needs=(NEED,), refresh=lambda: None)
        station = SimpleNamespace(analysis=SimpleNamespace(needs=(NEED,), algorithms=[algorithm]), changed=False)
        engine = SimpleNamespace(held=lambda: [station])
        sets = FieldSets(media)
        sets.take(found)
        self.watch = ModelsWatch(self.pool, cast(Engine, engine), ManualClock(NOW), cast(Any, None), sets)
        self.look()

    def look(self) -> dict[str, Any]:
        """Two looks: a file must keep still; what the page shows of the model."""
        self.watch.check()
        self.watch.check()
        (model,) = self.watch.state()["models"]
        return cast(dict[str, Any], model)


def test_a_better_model_is_used_and_both_figures_are_told(models: Path, tmp_path: Path) -> None:
    media = MediaStore(str(tmp_path / "media"))
    watched = Watched(models, media, judged(media, 6, 8))
    better = bright(watched.file, 0.4)  # 0.32 and 0.2: above and below what counts as reported
    told = watched.look()
    assert told["sha256"] == better and told["problem"] == "" and watched.watch.swaps == 1
    trial = told["trial"]
    assert trial["verdict"] == "better"
    assert (trial["before"]["kept"], trial["before"]["dropped"]) == (6, 0)
    assert (trial["after"]["kept"], trial["after"]["dropped"], trial["after"]["false"]) == (6, 8, 8)


@pytest.mark.parametrize("gain", [0.1, 1.1])  # sees nothing any more; as wrong as before
def test_a_model_that_is_not_better_is_not_used_now_nor_after_a_start(
    gain: float, models: Path, tmp_path: Path
) -> None:
    media = MediaStore(str(tmp_path / "media"))
    watched = Watched(models, media, judged(media, 6, 8))
    worse = bright(watched.file, gain)
    told = watched.look()
    assert told["sha256"] == watched.first and watched.watch.swaps == 0
    assert "ModelNotBetter" in told["problem"] and told["trial"]["verdict"] == "not_better"
    assert "(the old one 6)" in told["problem"]
    assert worse in json.loads((models / weights.REFUSED).read_text())
    with pytest.raises(Exception, match=r"own\.onnx"):  # nothing of that name ships: better none than this one
        DetectorPool().get(NEED)
    watched.look()
    assert watched.watch.errors == 1, "said once"


def test_the_trial_can_be_switched_off(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media = MediaStore(str(tmp_path / "media"))
    watched = Watched(models, media, judged(media, 6, 8))
    monkeypatch.setenv("YIWANG_MODEL_TRIAL", "off")
    worse = bright(watched.file, 0.1)
    assert watched.look()["sha256"] == worse


def test_few_judged_alarms_and_pictures_that_are_gone_decide_nothing(models: Path, tmp_path: Path) -> None:
    media = MediaStore(str(tmp_path / "media"))
    found = judged(media, 6, 8)
    for picture in found.pictures[2:6]:
        media.remove(picture.uri)
    watched = Watched(models, media, found)
    other = bright(watched.file, 0.1)
    told = watched.look()
    assert told["sha256"] == other, "too few say nothing against it"
    assert told["trial"]["verdict"] == "too_few" and told["trial"]["gone"] == 4


def test_what_a_model_learnt_from_does_not_judge_it(models: Path, tmp_path: Path) -> None:
    media = MediaStore(str(tmp_path / "media"))
    found = judged(media, 6, 8)
    sets = FieldSets(media)
    sets.take(found)
    learnt = [p.sha256[:16] for p in found.pictures[:3]]
    assert len(sets.of(["flame_smoke"])) == 14 and len(sets.of(["flame_smoke"], learnt)) == 11
    assert sets.of(["absence"]) == []


def test_a_set_from_the_bus_that_is_none_changes_nothing(tmp_path: Path) -> None:
    sets = FieldSets(MediaStore(str(tmp_path / "media")))
    sets._entry(b"no set")
    assert sets.of(["flame_smoke"]) == []


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_no_model_wins_by_losing_confirmed_alarms(kept: int, dropped: int, then_kept: int, then_dropped: int) -> None:
    before, after = TrialFigures(kept, 40, dropped, 40), TrialFigures(then_kept, 40, then_dropped, 40)
    trial = ModelTrial(before, after)
    if trial.verdict == "better":
        assert after.balanced > before.balanced and after.kept >= before.kept * 0.95
    assert ModelTrial(before, before).verdict == "not_better"
    few = LEAST_EACH - 1
    assert ModelTrial(TrialFigures(few, few, 0, 40), TrialFigures(few, few, 40, 40)).verdict == "too_few"
