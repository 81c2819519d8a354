"""A light look at everything and a heavy one where something is suspected."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core import plugins
from core.records import ModelRef
from vision import weights
from vision.detections import Detections, Image
from vision.detectors.resting import RestingDetector
from vision.detectors.two_looks import NOTHING, TwoLooks, both
from vision.errors import ModelInvalid
from vision.evaluate.images import load_detector

NAMES = ("fire", "smoke")


def seen(*rows: tuple[float, float, float, float, int, float], model: str = "m") -> Detections:
    ordered = sorted(rows, key=lambda r: -r[5])
    table = np.asarray(ordered, np.float32).reshape(-1, 6)
    ref = ModelRef(name=model, sha256="", version="")
    return Detections(table[:, :4], table[:, 4].astype(np.int32), table[:, 5], NAMES, (ref,))


class Fake:
    """Gives what it was made with, whatever it is shown."""

    def __init__(self, *answers: Detections) -> None:
        self.answers, self.shown = list(answers), 0
        self.model, self.class_name = ModelRef(name="fake", sha256="", version=""), NAMES

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        self.shown += len(frames)
        return self.answers[: len(frames)]


PICTURE = np.zeros((10, 10, 3), np.uint8)


def test_only_what_is_suspected_is_looked_at_again() -> None:
    first = Fake(seen((0, 0, 4, 4, 0, 0.3)), seen((0, 0, 4, 4, 0, 0.08)), seen())
    second = Fake(seen((1, 1, 4, 4, 0, 0.9)))
    looks = TwoLooks(first, second, suspicion=0.1, confidence=0.01)
    found = looks.detect([PICTURE] * 3)
    assert (looks.pictures, looks.asked, second.shown) == (3, 1, 1)
    assert found[0].confidence.max() == pytest.approx((0.3 * 0.9) ** 0.5, abs=1e-3)
    assert found[1].confidence.tolist() == pytest.approx([0.04]), "not confirmed"
    assert len(found[2]) == 0


def test_what_one_look_alone_sees_loses_most_of_its_certainty() -> None:
    together = both(seen((0, 0, 4, 4, 0, 0.9)), seen((6, 6, 9, 9, 1, 0.8)))
    assert {together.name(i): round(float(together.confidence[i]), 3) for i in range(2)} == {
        "fire": round((0.9 * NOTHING) ** 0.5, 3),
        "smoke": round((0.8 * NOTHING) ** 0.5, 3),
    }
    assert len(both(seen(), seen())) == 0


def test_the_shipped_model_looks_twice_unless_told_otherwise() -> None:
    pair, one = load_detector("flame_smoke"), load_detector("flame_smoke", single=True)
    assert isinstance(pair, TwoLooks) and not isinstance(one, TwoLooks)
    assert pair.model.sha256 == one.model.sha256
    assert [len(f) for f in pair.detect([PICTURE])] == [0]


def test_a_card_that_names_no_such_second_look_is_told(tmp_path: Path) -> None:
    for suffix in (".onnx", ".json"):
        shutil.copy(weights.MODELS / f"flame_smoke{suffix}", tmp_path / f"flame_smoke{suffix}")
    with pytest.raises(ModelInvalid, match="flame_smoke_second"):
        plugins.build("detector", "yolo_onnx", {"file": str(tmp_path / "flame_smoke.onnx")})
    card = json.loads((tmp_path / "flame_smoke.json").read_text())
    (tmp_path / "flame_smoke.json").write_text(json.dumps(card | {"second_look": {"file": "x"}}))
    with pytest.raises(ModelInvalid, match="second_look"):
        plugins.build("detector", "yolo_onnx", {"file": str(tmp_path / "flame_smoke.onnx")})
    shutil.copy(weights.MODELS / "nanodet_coco_416.onnx", tmp_path / "other.onnx")
    (tmp_path / "flame_smoke.json").write_text(json.dumps(card | {"second_look": {"file": "other.onnx", "from": 0.1}}))
    with pytest.raises(ModelInvalid):
        plugins.build("detector", "yolo_onnx", {"file": str(tmp_path / "flame_smoke.onnx")})


def test_a_second_look_that_nobody_asks_for_leaves_the_memory_and_comes_back() -> None:
    now, built = [0.0], []

    def build() -> Fake:
        built.append(Fake(seen((1, 1, 4, 4, 0, 0.9))))
        return built[-1]

    second = RestingDetector(build, after_s=60, clock=lambda: now[0])
    first = Fake(seen((0, 0, 4, 4, 0, 0.3)))
    looks = TwoLooks(first, second, suspicion=0.1, confidence=0.01)
    suspected = looks.detect([PICTURE])[0].confidence.tolist()
    now[0] = 59.0
    first.answers = [seen()]
    looks.detect([PICTURE])
    assert not second.rests
    now[0] = 60.0
    looks.detect([PICTURE])
    assert second.rests and len(built) == 1
    first.answers = [seen((0, 0, 4, 4, 0, 0.3))]
    assert looks.detect([PICTURE])[0].confidence.tolist() == suspected
    assert not second.rests and len(built) == 2
    now[0] = 119.0
    first.answers = [seen()]
    looks.detect([PICTURE])
    assert not second.rests, "it was asked a minute ago"


def test_a_resting_second_look_whose_file_went_is_told() -> None:
    def build() -> Fake:
        if gone:
            raise ModelInvalid(path="second.onnx", detail="gone")
        return Fake(seen())

    gone = False
    second = RestingDetector(build, after_s=0)
    second.rest()
    gone = True
    with pytest.raises(ModelInvalid, match="gone"):
        second.detect([PICTURE])


def asked_again(then: Detections, now: Detections, seconds: float, second: Detections, side: int = 10) -> bool:
    """Whether a camera's second picture is looked at twice, after its first one was."""
    picture = np.zeros((side, side, 3), np.uint8)
    first, heavy = Fake(then), Fake(second)
    looks = TwoLooks(first, heavy, suspicion=0.1, confidence=0.01)
    looks.detect_of([PICTURE], ["c"], [5.0])
    first.answers = [now]
    (found,) = looks.detect_of([picture], ["c"], [5.0 + seconds])
    if heavy.shown == 1:
        assert found.confidence.tolist() == both(now, second).confidence.tolist(), "the second look of before counts"
    return heavy.shown == 2


def test_a_second_look_holds_for_a_moment_at_the_same_place() -> None:
    fire, elsewhere = seen((0, 0, 4, 4, 0, 0.4)), seen((6, 6, 9, 9, 0, 0.4))
    sure, likely, nothing = seen((0, 0, 4, 4, 0, 0.9)), seen((0, 0, 4, 4, 0, 0.5)), seen()
    assert not asked_again(fire, fire, 1.0, likely)
    assert asked_again(fire, fire, 2.5, likely)
    assert not asked_again(fire, fire, 4.0, sure) and asked_again(fire, fire, 5.0, sure)
    assert not asked_again(fire, fire, 2.5, nothing), "what was seen to be nothing is trusted a little longer"
    assert asked_again(fire, fire, 4.0, nothing)
    assert asked_again(fire, elsewhere, 1.0, sure)
    assert asked_again(fire, seen((0, 0, 4, 4, 1, 0.4)), 1.0, sure), "smoke is something else"
    assert asked_again(fire, seen((0, 0, 4, 4, 0, 0.7)), 1.0, nothing), "it grew"
    assert asked_again(fire, fire, -3.0, sure), "a clock that fell"
    assert asked_again(fire, fire, 1.0, sure, side=20), "another size"


def test_cameras_do_not_share_their_looks() -> None:
    fire = seen((0, 0, 4, 4, 0, 0.4))
    heavy = Fake(seen(), seen())
    looks = TwoLooks(Fake(fire, fire), heavy, suspicion=0.1, confidence=0.01)
    looks.detect_of([PICTURE] * 2, ["a", "b"], [1.0, 1.0])
    assert heavy.shown == 2
    looks.detect_of([PICTURE] * 2, ["", ""], [1.5, 1.5])
    looks.detect_of([PICTURE] * 2, ["", ""], [1.6, 1.6])
    assert heavy.shown == 6, "pictures of nobody are looked at each time"
