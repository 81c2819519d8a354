"""Detectors agree with each other, take mixed batches, and say what is wrong with a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from core import plugins
from core.errors import PluginLibraryMissing
from core.records import AlgorithmConfig, CameraConfig, ModelRef
from vision.capture.frames import make_frame
from vision.detections import Detections, Image
from vision.detectors._base import YoloHead
from vision.detectors.offline_torch import prepare_ultralytics
from vision.errors import ClassMissing, ModelInvalid, ModelMissing
from vision.judging.analyzer import Analyzer, CameraAnalysis
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Need
from vision.judging.offline import EPOCH
from vision.weights import MODELS


def photo(width: int = 486, height: int = 648) -> Image:
    import ultralytics

    image = cv2.imread(str(Path(ultralytics.__file__).parent / "assets" / "bus.jpg"))
    return np.asarray(cv2.resize(image, (width, height)), np.uint8)


def test_nanodet_sees_the_bus_and_its_people_at_any_size() -> None:
    detector = plugins.build("detector", "nanodet", {})
    small, large, grey = detector.detect([photo(), photo(810, 1080), np.full((90, 160, 3), 90, np.uint8)])
    for found, scale in ((small, 1.0), (large, 810 / 486)):
        bus = found.of("bus", confidence=0.6)
        assert len(bus) == 1
        assert np.allclose(np.array(bus.box(0)) / scale, [18, 134, 485, 447], atol=20)
        assert len(found.of("person", confidence=0.45)) >= 2
    assert len(grey) == 0


@pytest.mark.parametrize("kind", ["openvino", "ultralytics"])
def test_the_same_export_gives_the_same_boxes_on_every_engine(kind: str) -> None:
    params = {"file": "flame_smoke.onnx", "confidence": 0.02, "size": 320}
    try:
        other = plugins.build("detector", kind, params)
    except PluginLibraryMissing as missing:
        pytest.skip(str(missing))
    ours = plugins.build("detector", "yolo_onnx", params)
    assert other.class_name == ours.class_name == ("fire", "smoke")
    rng = np.random.default_rng(2)
    flame = photo(320, 320)
    cv2.circle(flame, (150, 200), 50, (20, 120, 255), -1)
    cv2.circle(flame, (150, 190), 25, (120, 230, 255), -1)
    for image in (flame, rng.integers(0, 255, (320, 320, 3), np.uint8)):
        a, b = ours.detect([image])[0], other.detect([image])[0]
        n = min(len(a), len(b), 5)
        assert abs(len(a) - len(b)) <= max(2, 0.2 * len(a))
        assert np.allclose(a.confidence[:n], b.confidence[:n], atol=0.03)
        assert np.allclose(a.xyxy[:1], b.xyxy[:1], atol=6.0) if n else True


def test_a_file_that_is_no_model_and_a_file_that_is_missing(tmp_path: Path) -> None:
    text = tmp_path / "x.onnx"
    text.write_text("no model")
    with pytest.raises(ModelInvalid):
        plugins.build("detector", "yolo_onnx", {"file": str(text)})
    with pytest.raises(ModelMissing):
        plugins.build("detector", "yolo_onnx", {"file": str(tmp_path / "none.onnx")})
    with pytest.raises(ModelInvalid):  # a model, but without the names of classes
        plugins.build("detector", "yolo_onnx", {"file": str(MODELS / "nanodet_coco_416.onnx")})


def test_a_model_that_does_not_know_the_class_is_refused_by_name() -> None:
    pool = DetectorPool()
    with pytest.raises(ClassMissing) as caught:
        pool.get(Need("nanodet", ("unicorn",)), "absence")
    assert "unicorn" in str(caught.value)


def test_one_wrong_algorithm_leaves_the_others_working() -> None:
    wishes = (
        AlgorithmConfig(kind="absence", params={"min_staf": 1}),
        AlgorithmConfig(kind="absence", zones=("nowhere",)),
        AlgorithmConfig(kind="intrusion", params={"after_s": 0}),
    )
    camera = CameraAnalysis(CameraConfig(camera_id="c", name="c", url="x", algorithms=wishes), DetectorPool())
    assert [a.kind for a in camera.algorithms] == ["intrusion"]
    assert len(camera.problems) == 2 and "min_staf" in camera.problems[0] and "nowhere" in camera.problems[1]


class Counting:
    """A detector that sees nothing and counts its calls."""

    def __init__(self, inner: Any) -> None:
        self.model, self.class_name, self.batches = inner.model, inner.class_name, []
        self.inner = inner

    def detect(self, frames: list[Image]) -> list[Detections]:
        self.batches.append(len(frames))
        found: list[Detections] = self.inner.detect(frames)
        return found


def test_cameras_share_a_batch_and_the_gate_saves_work() -> None:
    pool = DetectorPool()
    need = Need("nanodet", ("person",))
    counting = Counting(pool.get(need))
    pool._detectors[need.key] = counting
    wish = (AlgorithmConfig(kind="intrusion"), AlgorithmConfig(kind="absence"))
    cameras = [
        CameraAnalysis(CameraConfig(camera_id=f"c{i}", name="c", url="x", algorithms=wish), pool) for i in range(3)
    ]
    analyzer, image = Analyzer(pool), photo(320, 240)
    for second in range(5):
        analyzer.step([(c, make_frame("c", image, EPOCH, float(second))) for c in cameras])
    assert counting.batches == [3], "both algorithms of three cameras: one batch; a still scene: no second one"
    analyzer.step([(c, make_frame("c", np.ascontiguousarray(image[:, ::-1]), EPOCH, 6.0)) for c in cameras[:2]])
    assert counting.batches == [3, 2]


def test_a_warm_swap_keeps_the_cameras() -> None:
    pool = DetectorPool()
    need = Need("nanodet", ("person",))
    before = pool.get(need)
    pool.swap(need)
    assert pool.get(need) is not before
    assert len(pool.detect(need, [photo()])[0].of("bus", confidence=0.5)) == 1


def test_ultralytics_leaves_pillow_as_it_is(tmp_path: Path) -> None:
    prepare_ultralytics(tmp_path / "settings")
    with pytest.raises(PIL.UnidentifiedImageError):
        PIL.Image.open(io.BytesIO(b"no picture"))


@pytest.mark.parametrize(("pixels", "runs"), [(0, [5]), (250_000, [1] * 5), (2 * 192 * 320, [2, 2, 1]), (1, [1] * 5)])
def test_a_run_takes_no_more_pixels_than_it_may(pixels: int, runs: list[int]) -> None:
    taken: list[int] = []
    size = (384, 640) if pixels == 250_000 else (192, 320)

    def run(blob: NDArray[np.float32]) -> NDArray[np.float32]:
        taken.append(len(blob))
        return np.zeros((len(blob), 5, 4), np.float32)

    head = YoloHead(run, ("x",), ModelRef(name="m", sha256="", version=""), size, batch=16, confidence=0.5, iou=0.5,
                    pixels=pixels)  # fmt: skip
    found = head.detect([np.zeros((90, 160, 3), np.uint8)] * 5)
    assert taken == runs and [len(each) for each in found] == [0] * 5


def test_what_ultralytics_runs_keeps_the_contract_of_a_detector(tmp_path: Path) -> None:
    """The plug-in for those with a GPU, on the processor: a checkpoint of ultralytics' own, pictures of every size."""
    prepare_ultralytics(tmp_path / "settings")
    from ultralytics import YOLO

    file = tmp_path / "own.pt"
    network = YOLO("yolo11n.yaml")
    network.model.names = {n: f"thing {n}" for n in range(80)} | {0: "person"}
    network.save(str(file))
    params = {"file": str(file), "confidence": 0.0001, "size": 160, "device": "cpu"}
    detector = plugins.build("detector", "ultralytics", params)
    assert detector.class_name[0] == "person" and len(detector.class_name) == 80
    assert detector.model == ModelRef(name="own.pt", sha256=detector.model.sha256) and len(detector.model.sha256) == 64
    pictures = [photo(160, 120), photo(90, 200), photo(32, 32)]
    found = detector.detect(pictures)
    assert len(found) == 3 and detector.detect([]) == []
    for seen, picture in zip(found, pictures, strict=True):
        assert seen.xyxy.dtype == seen.confidence.dtype == np.float32 and seen.class_id.dtype == np.int32
        assert seen.xyxy.shape == (len(seen), 4) and seen.class_name == detector.class_name
        assert (np.diff(seen.confidence) <= 0).all() and seen.models == (detector.model,)
        height, width = picture.shape[:2]
        assert (seen.xyxy >= -1).all() and (seen.xyxy <= [width + 1, height + 1] * 2).all()
    with pytest.raises(ModelInvalid):  # not an open vocabulary: it cannot be asked for anything
        plugins.build("detector", "ultralytics", params | {"classes": ["fire engine"]})
    pool = DetectorPool()
    with pytest.raises(ClassMissing):
        pool.get(Need("ultralytics", ("fire",), params), "flame_smoke")
