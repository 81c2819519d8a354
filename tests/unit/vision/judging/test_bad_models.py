"""Model files that are no good: told by what is wrong with them, never used in silence."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from core import plugins
from core.errors import YiwangError
from core.memory import give_back
from vision.errors import ModelInvalid
from vision.evaluate.cards import MODELS
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Need
from vision.judging.pose import MoveNet


def spoilt(name: str, where: Path) -> Path:
    """A copy of a shipped model with one weight that is no number."""
    model = onnx.load(str(MODELS / name))
    weights = next(w for w in model.graph.initializer if len(w.dims) == 4)
    values = numpy_helper.to_array(weights).copy()
    values.flat[0] = np.nan
    weights.CopyFrom(numpy_helper.from_array(values, weights.name))
    onnx.save(model, str(where / name))
    return where / name


def tiny(path: Path, given: list[int], answer: list[int], names: str = "{0: 'fire', 1: 'smoke'}") -> Path:
    """A graph that answers zeros of a shape."""
    zeros = numpy_helper.from_array(np.zeros(answer, np.float32), "zeros")
    keep = helper.make_node("Mul", ["nought", "mean"], ["pad"])
    mean = helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0)
    add = helper.make_node("Add", ["zeros", "pad"], ["out"])
    graph = helper.make_graph(
        [mean, keep, add], "g",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, given)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, answer)],
        [zeros, numpy_helper.from_array(np.float32(0), "nought")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.metadata_props.add(key="names", value=names)
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize(
    ("detector", "file"), [("yolo_onnx", "flame_smoke.onnx"), ("nanodet", "nanodet_coco_416.onnx")]
)
def test_damaged_weights_are_refused(detector: str, file: str, tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match="not finite"):
        plugins.build("detector", detector, {"file": str(spoilt(file, tmp_path))})


def test_a_pose_model_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match="not 17 finite"):
        MoveNet(str(spoilt("movenet_lightning.onnx", tmp_path)))
    with pytest.raises(ModelInvalid):
        MoveNet(str(tiny(tmp_path / "m.onnx", [1, 3, 64, 64], [1, 6, 84])))


@pytest.mark.parametrize(
    ("given", "answer", "names", "what"),
    [
        ([1, 3, 64, 64], [1, 7, 84], "{0: 'fire', 1: 'smoke'}", "shape"),  # three classes, two names
        ([1, 3, 64, 64], [1, 6, 84], "nonsense", "names"),
        ([1, 3, 64, 64], [1, 6, 84], "__import__('os')", "names"),
        ([1, 4096], [1, 6, 84], "{0: 'fire', 1: 'smoke'}", "input"),
        ([1, 3, 64, 64], [6, 84], "{0: 'fire', 1: 'smoke'}", "shape"),
    ],
)
def test_a_model_of_another_kind_says_what_is_wrong(
    given: list[int], answer: list[int], names: str, what: str, tmp_path: Path
) -> None:
    file = tiny(tmp_path / "m.onnx", given, answer, names)
    with pytest.raises(ModelInvalid, match=what):
        plugins.build("detector", "yolo_onnx", {"file": str(file)})
    with pytest.raises(ModelInvalid):
        plugins.build("detector", "nanodet", {"file": str(file)})


def test_a_swap_to_a_bad_file_leaves_the_old_one_running(tmp_path: Path) -> None:
    good = tiny(tmp_path / "m.onnx", [1, 3, 64, 64], [1, 6, 84])
    need = Need("yolo_onnx", ("fire",), {"file": str(good)})
    pool = DetectorPool()
    before = pool.get(need)
    for bad in (b"", b"\x80\x04cos\nsystem\n", tiny(tmp_path / "n.onnx", [1, 3, 64, 64], [1, 7, 84]).read_bytes()):
        good.write_bytes(bad)
        with pytest.raises(YiwangError):
            pool.swap(need)
        assert pool.get(need) is before
        assert len(pool.detect(need, [np.zeros((90, 160, 3), np.uint8)])) == 1
    tiny(good, [1, 3, 64, 64], [1, 5, 84], "{0: 'cat'}")
    with pytest.raises(YiwangError, match="fire"):
        pool.swap(need)
    assert pool.get(need) is before


def test_what_a_load_left_over_goes_back_to_the_system() -> None:
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "malloc_trim"):
        pytest.skip("this C library has no malloc_trim")
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    process, size = psutil.Process(), 64 * 1024
    blocks = [libc.malloc(size) for _ in range(800)]
    for block in blocks:
        ctypes.memset(block, 1, size)
    for block in blocks[:-1]:  # the last one keeps the heap from shrinking by itself
        libc.free(block)
    held = process.memory_info().rss
    give_back()
    assert held - process.memory_info().rss > 30_000_000
    libc.free(blocks[-1])
    give_back("no-such-library.so")  # nothing to give back there, and nothing breaks
