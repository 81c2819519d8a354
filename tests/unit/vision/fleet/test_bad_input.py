"""Model files and pictures that are no good, one table each: told, counted, and the rest goes on."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from core import plugins
from core.clock import ManualClock
from core.records import AlgorithmConfig, CameraConfig
from tests.footage import Picture, street
from tests.unit.vision.fleet.test_model_trial import NEED, NOW, bright
from tests.unit.vision.test_vision_logic import frame
from vision import weights
from vision.errors import ModelInvalid
from vision.evaluate.cards import MODELS
from vision.fleet.engine import Engine
from vision.fleet.models_watch import ModelsWatch
from vision.judging.analyzer import Analyzer, CameraAnalysis
from vision.judging.detector_pool import DetectorPool


class CallsOut:
    """What a hostile pickle does: it names a function of another module."""

    def __init__(self, module: str, name: str) -> None:
        self.named = (module, name)

    def __reduce__(self) -> Any:
        return getattr(__import__(self.named[0]), self.named[1]), ("echo",)


def other_classes(file: Path) -> None:
    model = onnx.load(str(file))
    next(entry for entry in model.metadata_props if entry.key == "names").value = "{0: 'cat', 1: 'dog'}"
    onnx.save(model, str(file))


def not_a_number(file: Path) -> None:
    model = onnx.load(str(file))
    gain = next(w for w in model.graph.initializer if w.name == "gain")
    gain.CopyFrom(numpy_helper.from_array(np.full((1, 6, 1), np.nan, np.float32), "gain"))
    onnx.save(model, str(file))


def with_card(**told: Any) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        bright(file, 0.7)
        card = {
            "name": "own", "file": "own.onnx", "sha256": weights.sha256(file), "classes": ["fire", "smoke"],
            "input_size": 64, "thresholds": {"fire": 0.4, "smoke": 0.4}, "licence": "x", "origin": "x", "sources": [],
        }  # fmt: skip
        file.with_suffix(".json").write_text(json.dumps(card | told))

    return write


def bytes_of(content: bytes) -> Callable[[Path], None]:
    return lambda file: file.write_bytes(content) and None


BAD_MODELS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "empty": (bytes_of(b""), "ModelInvalid"),
    "half a file": (lambda file: file.write_bytes(file.read_bytes()[:200]), "ModelInvalid"),
    "a picture": (bytes_of(b"\xff\xd8\xff\xe0" + bytes(500)), "ModelInvalid"),
    "a pickle": (bytes_of(pickle.dumps({"a": 1})), "ModelInvalid"),
    "other classes": (other_classes, "fire"),
    "weights that are no number": (not_a_number, "not finite"),
    "another file's card": (with_card(sha256="0" * 64), "not the card"),
    "a card without thresholds": (with_card(thresholds="high"), "card"),
    "a threshold beyond 1": (with_card(thresholds={"fire": 25.0}), "0…1"),
    "a threshold below 0": (with_card(thresholds={"fire": -0.5}), "0…1"),
    "a second look that is not there": (with_card(second_look={"file": "gone.onnx", "from": 0.1}), "gone.onnx"),
}


@pytest.mark.parametrize("name", BAD_MODELS)
def test_a_bad_model_is_told_and_counted_and_the_one_in_use_goes_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIWANG_MODELS_DIR", str(tmp_path))
    file = tmp_path / "own.onnx"
    first = bright(file, 1.0)
    pool = DetectorPool()
    pool.get(NEED, "flame_smoke")
    engine = cast(Engine, SimpleNamespace(held=list))
    watch = ModelsWatch(pool, engine, ManualClock(NOW), cast(Any, None))
    watch.check()
    spoil, told = BAD_MODELS[name]
    spoil(file)
    for _ in range(3):
        watch.check()
    (model,) = watch.state()["models"]
    assert told in model["problem"] and model["sha256"] == first
    assert watch.state()["model_errors"] == 1, "once, not at every look"
    white = np.full((64, 64, 3), 255, np.uint8)
    assert pool.detect(NEED, [white])[0].confidence[0] > 0.9
    file.with_suffix(".json").unlink(missing_ok=True)
    better = bright(file, 0.8)
    watch.check()
    watch.check()
    (model,) = watch.state()["models"]
    assert model["sha256"] == better and model["problem"] == ""


def archived(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("model/data.pkl", content)
    return out.getvalue()


HOSTILE = {
    "os.system": pickle.dumps({"model": CallsOut("os", "system")}),
    "builtins.eval": pickle.dumps([CallsOut("builtins", "eval")], protocol=0),
    "shutil.rmtree": archived(pickle.dumps({"ema": CallsOut("shutil", "rmtree")}, protocol=2)),
    "torch.hub load": b"\x80\x04\x8c\x09torch.hub\x94\x8c\x04load\x94\x93\x94\x8c\x01a\x85R.",
    "through a layer": b"\x80\x04\x8c\x17torch.nn.modules.module\x94\x8c\x0fTorch.os.system\x94\x93\x94)R.",
    "__main__": b"c__main__\nOwnBlock\n)R.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_checkpoint_that_names_foreign_things_is_refused_unread(name: str, tmp_path: Path) -> None:
    file = tmp_path / "m.pt"
    file.write_bytes(HOSTILE[name])
    with pytest.raises(ModelInvalid, match="asks for"):
        plugins.build("detector", "ultralytics", {"file": str(file)})


@pytest.mark.parametrize("content", [b"", b"no pickle", archived(b"\x80\x02K"), bytes(100)])
def test_a_checkpoint_that_is_none_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "m.pt"
    file.write_bytes(content)
    with pytest.raises(ModelInvalid, match="cannot be read"):
        plugins.build("detector", "ultralytics", {"file": str(file)})


def thermal(width: int, height: int) -> Picture:
    """A 16-bit sensor squeezed into few grey levels, warm things bright."""
    grey = street(width, height)[..., :1] // 8 + 100
    return np.ascontiguousarray(np.repeat(grey, 3, axis=2))


PICTURES: dict[str, Picture] = {
    "8-bit grey": np.ascontiguousarray(np.repeat(street(640, 360)[..., :1], 3, axis=2)),
    "thermal": thermal(384, 288),
    "portrait": street(360, 640),
    "1920 wide, as 8K is after converting": street(1920, 1080),
    "a strip": street(1200, 40)[:16],
    "a dot": street(40, 40)[:1, :1],
}


def test_odd_pictures_go_through_the_shipped_model_beside_a_camera_that_changes_its_size() -> None:
    """One batch of all of them through both looks; another camera changes its size with every picture."""
    pool = DetectorPool()
    wanted = (AlgorithmConfig(kind="flame_smoke"), AlgorithmConfig(kind="camera_health"))
    cameras = {
        name: CameraAnalysis(CameraConfig(camera_id=name, name=name, url="x", algorithms=wanted), pool)
        for name in (*PICTURES, "changing")
    }
    analyzer = Analyzer(pool)
    sizes = list(PICTURES.values())
    for second in range(3):
        work = [(cameras[name], frame(float(second), picture)) for name, picture in PICTURES.items()]
        work.append((cameras["changing"], frame(float(second), sizes[second])))
        found = analyzer.step(work)
        assert [o.finding.kind for o in found if o.finding.kind == "flame_smoke"] == []
    assert {name: camera.trouble for name, camera in cameras.items() if camera.failures} == {}


def test_the_shipped_cards_pass_their_own_check() -> None:
    for card in MODELS.glob("*.json"):
        told = json.loads(card.read_bytes())
        assert all(0 <= value <= 1 for value in told["thresholds"].values())
