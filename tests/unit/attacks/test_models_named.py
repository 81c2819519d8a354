"""A camera's settings come over the network: they may not make us load a file that somebody uploaded."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from core import plugins
from core.errors import InputInvalid
from vision import weights
from vision.errors import ModelMissing
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Need


class Payload:
    """A pickle that runs code when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._mark,))


@pytest.fixture
def uploaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("YIWANG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("YIWANG_MODELS_DIR", raising=False)
    folder = tmp_path / "data" / "media" / "ab"
    folder.mkdir(parents=True)
    (tmp_path / "data" / "models").mkdir()
    file = folder / "evil.pt"
    file.write_bytes(pickle.dumps(Payload(tmp_path / "run")))
    return file


@pytest.mark.parametrize("detector", ["ultralytics", "yolo_onnx", "openvino", "nanodet"])
@pytest.mark.parametrize("way", ["absolute", "relative", "dotted"])
def test_an_uploaded_file_is_no_model(uploaded: Path, tmp_path: Path, detector: str, way: str) -> None:
    name = {
        "absolute": str(uploaded),
        "relative": "../media/ab/evil.pt",
        "dotted": str(tmp_path / "data" / "models" / ".." / "media" / "ab" / "evil.pt"),
    }[way]
    with pytest.raises(ModelMissing):
        DetectorPool(named_only=True).get(Need(detector, ("person",), {"file": name}))
    assert not (tmp_path / "run").exists()


def test_nothing_is_downloaded_on_a_cameras_word(uploaded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YIWANG_MODEL_DOWNLOADS", raising=False)
    wish = {"file": "yolo11n.pt", "download": True}
    with pytest.raises(ModelMissing, match="YIWANG_MODEL_DOWNLOADS"):
        DetectorPool(named_only=True).get(Need("ultralytics", ("person",), wish))


def test_models_in_their_folders_are_named_freely(uploaded: Path) -> None:
    own = weights.own_folder() / "mine.onnx"
    own.write_bytes(b"x")
    weights.check_named({"file": "mine.onnx", "confidence": 0.4})
    weights.check_named({"file": str(own)})
    assert weights.find("mine.onnx") == own
    assert plugins.titles("detector", "en")


def test_starting_weights_run_nothing(uploaded: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from vision.train.weights import read_yolov5

    packed = tmp_path / "packed.pt"
    torch.save(Payload(tmp_path / "run"), packed)
    for file in (uploaded, packed):  # a bare pickle, and torch's own archive
        with pytest.raises(InputInvalid):
            read_yolov5(file)
        assert not (tmp_path / "run").exists()
