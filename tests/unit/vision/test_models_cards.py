"""Every committed model is held to its card, and every card to its model."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest

from core.errors import InputInvalid
from vision.evaluate.cards import MODELS, Card, as_markdown, file_sha256, read_card, write_card

FILES = sorted(MODELS.glob("*.onnx"))
OURS = {"flame_smoke": ["fire", "smoke"], "flame_smoke_second": ["fire", "smoke"]}


def card_of(path: Path) -> Card:
    card = read_card(path)
    assert card is not None, f"{path.name} has no card"
    return card


def test_the_models_the_algorithms_need_are_there() -> None:
    assert {"nanodet_coco_416", "movenet_lightning", "flame_smoke"} <= {f.stem for f in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_model_is_what_its_card_says(path: Path) -> None:
    card = card_of(path)
    assert card.sha256 == file_sha256(path)
    assert path.stat().st_size < 24_000_000
    assert card.licence
    assert card.sources
    assert card.limits
    assert path.name in (MODELS / "NOTICE").read_text()
    assert (MODELS / f"{card.name}.md").read_text(encoding="utf-8") == as_markdown(card)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_model_loads_and_runs(path: Path) -> None:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    size = card_of(path).input_size
    shape = [1, size, size, 3] if given.shape[-1] == 3 else [1, 3, size, size]
    kind = np.int32 if given.type == "tensor(int32)" else np.float32
    out = session.run(None, {given.name: np.zeros(shape, kind)})
    assert all(np.isfinite(o).all() for o in out)


@pytest.mark.parametrize("path", [p for p in FILES if p.stem not in {"nanodet_coco_416", "movenet_lightning"}])
def test_our_models_name_their_classes_and_tell_nothing_of_the_machine(path: Path) -> None:
    card = card_of(path)
    model = onnx.load(str(path))
    meta = {p.key: p.value for p in model.metadata_props}
    names = ast.literal_eval(meta["names"])
    assert [names[i] for i in range(len(names))] == card.classes == OURS.get(path.stem, card.classes)
    assert set(card.thresholds) <= set(card.classes)
    assert all(0 < t < 1 for t in card.thresholds.values())
    assert card.made["seed"]
    assert card.made["data_manifest_sha256"]
    content = path.read_bytes()
    for trace in (b"/home/", b"/work/", b"/tmp/", b"site-packages"):
        assert trace not in content
    assert model.opset_import[0].version == 17


def test_flame_and_smoke_name_their_second_look_and_tell_how_sure_their_figures_are() -> None:
    card = card_of(MODELS / "flame_smoke.onnx")
    second = card_of(MODELS / card.second_look["file"])
    assert 0 < card.second_look["from"] < min(card.thresholds.values())
    assert set(card.classes) <= set(second.classes)
    assert card.measured["looks"] == "both" and second.measured["looks"] == "one graph"
    assert "other half" in card.measured["set"]
    for figures in card.measured["classes"].values():
        low, high = figures["recall_at_5_interval"]
        assert low <= figures["recall_at_5"] <= high and high - low > 0.02, "no interval is that narrow here"
    assert card.second_look["file"] in as_markdown(card)


def test_a_card_of_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"one")
    card = Card(
        name="m", file="m.onnx", sha256=file_sha256(tmp_path / "m.onnx"), classes=["a"], input_size=32,
        thresholds={"a": 0.5}, licence="x", origin="x", sources=["x"],
    )  # fmt: skip
    write_card(card, tmp_path)
    assert read_card(tmp_path / "m.onnx") == card
    (tmp_path / "m.onnx").write_bytes(b"two")
    with pytest.raises(InputInvalid, match="not the card"):
        read_card(tmp_path / "m.onnx")
    (tmp_path / "m.json").write_bytes(msgspec.json.encode({"name": "m"}))
    with pytest.raises(InputInvalid):
        read_card(tmp_path / "m.onnx")
