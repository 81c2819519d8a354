"""Scenes, drawn pictures, tiles and the gate before a pickle."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputInvalid
from vision.evaluate.cards import MODELS
from vision.evaluate.dataset import read_set
from vision.train.average import average
from vision.train.compose import degrade, flame_light, place_flame, place_plume
from vision.train.field_pictures import read_field
from vision.train.fit import check_device
from vision.train.fused import read_onnx, unfold
from vision.train.lures import LURES, add_lures
from vision.train.recipes import RECIPES, Recipe
from vision.train.scenes import divide, group_scenes, split_scenes
from vision.train.stage import Stager, restage
from vision.train.tiles import tiles
from vision.train.weights import read_yolov5, transfer


def picture(seed: int, shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.uint8)


def save(folder: Path, name: str, image: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / name), image)
    return folder / name


def test_copies_mirrors_and_frames_of_a_video_are_one_scene(tmp_path: Path) -> None:
    a = picture(1)
    paths = [
        save(tmp_path, "a.png", a),
        save(tmp_path, "bright.png", np.clip(a.astype(int) + 12, 0, 255).astype(np.uint8)),
        save(tmp_path, "mirror.png", np.ascontiguousarray(a[:, ::-1])),
        save(tmp_path, "x_mp4-1.png", picture(2)),
        save(tmp_path, "x_mp4-99.png", picture(3)),
        save(tmp_path, "other.png", picture(4)),
    ]
    scenes = group_scenes(paths)
    assert scenes[0] == scenes[1] == scenes[2]
    assert scenes[3] == scenes[4]
    assert len({scenes[0], scenes[3], scenes[5]}) == 3


@given(st.lists(st.integers(0, 30), min_size=20, max_size=120), st.integers(0, 5))
def test_no_scene_is_on_both_sides(scenes: list[int], seed: int) -> None:
    held = split_scenes(scenes, 0.2, seed)
    assert {s for s, h in zip(scenes, held, strict=True) if h}.isdisjoint(
        s for s, h in zip(scenes, held, strict=True) if not h
    )
    assert sum(held) <= 0.2 * len(scenes) + 1


@pytest.mark.parametrize("draw", LURES, ids=lambda d: d.__name__)
def test_each_lure_changes_the_picture_and_is_reproducible(draw: object) -> None:
    first, second = picture(1), picture(1)
    draw(first, np.random.default_rng(5))  # type: ignore[operator]
    draw(second, np.random.default_rng(5))  # type: ignore[operator]
    assert (first != picture(1)).any()
    assert (first == second).all()


def flame() -> np.ndarray:
    image = np.full((60, 40, 3), 20, np.uint8)
    cv2.ellipse(image, (20, 34), (13, 22), 0, 0, 360, (30, 130, 255), -1)
    cv2.ellipse(image, (20, 42), (6, 10), 0, 0, 360, (160, 240, 255), -1)
    return image


def test_flame_is_light_and_its_box_is_where_it_was_added() -> None:
    mask, share = flame_light(flame())
    assert 0.3 < share < 0.8
    assert mask[34, 20] > 0.8 > 0.1 > mask[1, 1]
    scene = np.full((180, 320, 3), 60, np.uint8)
    box = place_flame(scene, flame(), np.random.default_rng(3), 0.1)
    assert box is not None
    x, y = int(box[0] * 320), int(box[1] * 180)
    assert scene[y, x].max() > 200
    assert 0.01 < box[2] < 0.15


def test_a_grey_crop_gives_no_flame() -> None:
    scene = np.full((180, 320, 3), 60, np.uint8)
    assert place_flame(scene, np.full((40, 40, 3), 200, np.uint8), np.random.default_rng(3), 0.1) is None


def test_plume_covers_its_box() -> None:
    scene = np.full((180, 320, 3), 20, np.uint8)
    boxes = [place_plume(scene.copy(), np.random.default_rng(s)) for s in range(10)]
    found = [b for b in boxes if b]
    assert len(found) >= 5
    assert all(b[0] - b[2] / 2 >= 0 and b[0] + b[2] / 2 <= 1.001 and b[3] > 0.05 for b in found)


def test_degraded_pictures_stay_pictures() -> None:
    for seed in range(8):
        out = degrade(picture(seed), np.random.default_rng(seed))
        assert out.dtype == np.uint8
        assert out.ndim == 3
        add_lures(out, np.random.default_rng(seed))


def test_tiles_keep_boxes_that_are_mostly_inside() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    cut = tiles(image, [(0, (0.25, 0.5, 0.1, 0.2)), (1, (0.5, 0.5, 0.2, 0.2))], 100)
    assert tiles(image, [], 0)[0][0].shape == (100, 200, 3)
    assert [t[0].shape for t in cut] == [(100, 100, 3)] * 3
    assert cut[0][1] == [(0, (0.5, 0.5, 0.2, 0.2))]  # class 1 is cut in half here
    assert [n for n, _ in cut[1][1]] == [1]


def small_set(root: Path) -> None:
    for number in range(14):
        image = picture(number)
        image[30:90, 50:90] = flame()
        save(root / "set" / "images", f"scene{number}.jpg", image)
        label = root / "set" / "labels" / f"scene{number}.txt"
        label.parent.mkdir(exist_ok=True)
        label.write_text("0 0.4375 0.5 0.25 0.5\n" if number % 3 else "")
        save(root / "plain", f"{number}.jpg", picture(100 + number))
    (root / "set" / "data.yaml").write_text("path: .\ntrain: images\nnames: {0: fire, 1: smoke}\n")


def test_staging_keeps_held_scenes_out_of_everything_composed(tmp_path: Path) -> None:
    small_set(tmp_path)
    recipe = Recipe(
        classes=("fire", "smoke"), sets={"set": 2}, licence="x", sources=("x",), backgrounds=("plain",),
        flames=4, plumes=3, lures=3,
    )  # fmt: skip
    staged = restage(recipe, tmp_path, tmp_path / "work", 3)
    train, held = read_set(staged.data_yaml, "train"), read_set(staged.data_yaml, "val")
    assert staged.train_images == len(train.images)
    assert staged.held_images == len(held.images) > 0
    assert not {i.path for i in train.images} & {i.path for i in held.images}
    manifest = json.loads(staged.manifest.read_text())
    one = next(f for f in manifest["files"] if f["file"] == "set/images/scene0.jpg")
    assert one["sha256"] == hashlib.sha256((tmp_path / "set/images/scene0.jpg").read_bytes()).hexdigest()
    for image in held.images:
        assert not image.path.name.startswith(("flame", "plume", "lure"))
    assert restage(recipe, tmp_path, tmp_path / "work", 3) == staged
    assert yaml.safe_load(staged.data_yaml.read_text())["names"] == {0: "fire", 1: "smoke"}


def test_choosing_and_reporting_scenes_are_apart(tmp_path: Path) -> None:
    paths = [save(tmp_path, f"v{n // 3}_mp4-{n}.png", picture(n)) for n in range(90)]
    uses = divide(paths, 0.3, 0.5, 3)
    where: dict[int, set[str]] = {}
    for number, use in enumerate(uses):
        where.setdefault(number // 3, set()).add(use)
    assert all(len(parts) == 1 for parts in where.values())
    assert uses.count("choose") >= 9 <= uses.count("report")
    assert {u == "train" for u in divide(paths, 0.3, 0.0, 3)} == {True, False}
    assert [u == "train" for u in uses] == [u == "train" for u in divide(paths, 0.3, 0.0, 3)]


def test_false_alarms_from_the_field_are_trained_on(tmp_path: Path) -> None:
    small_set(tmp_path)
    recipe = Recipe(
        classes=("fire", "smoke"), sets={"set": 1}, licence="x", sources=("x",), choose_share=0.5,
        false_alarms={"flame_smoke": ("fire", "smoke")},
    )  # fmt: skip
    kept = tmp_path / "kept"
    before = restage(recipe, tmp_path, tmp_path / "work", 3, kept)
    save(kept / "flame_smoke" / "images", "lamp.jpg", picture(7))
    save(kept / "ebike" / "images", "other.jpg", picture(8))
    (kept / "flame_smoke" / "images" / "torn.jpg").write_bytes(b"\xff\xd8 torn")
    after = restage(recipe, tmp_path, tmp_path / "work", 3, kept)
    assert after.manifest_sha256 != before.manifest_sha256
    assert (after.train_images, after.held_images) == (before.train_images + 4, before.held_images)
    added = [i for i in read_set(after.data_yaml, "train").images if i.path.name.startswith("hard-")]
    assert len(added) == 4 and not any(len(i.boxes) for i in added)
    manifest = json.loads(after.manifest.read_text())
    (entry,) = [f for f in manifest["files"] if f["use"] == "hard negative"]
    assert entry["file"] == "hard_negatives/flame_smoke/images/lamp.jpg"
    assert manifest["unreadable"] == ["torn.jpg"]
    assert restage(recipe, tmp_path, tmp_path / "work", 3, kept) == after


def test_a_person_without_a_cigarette_keeps_his_head(tmp_path: Path) -> None:
    stager = Stager(RECIPES["cigarette"], tmp_path, tmp_path / "work", 3)
    assert stager._others(picture(1), ("head", "cigarette")) == []
    assert all(number == 0 for number, _ in stager._others(picture(1), ("cigarette",)))


def test_recipes_name_a_licence_and_their_limits() -> None:
    for recipe in RECIPES.values():
        assert "AGPL" in recipe.licence
        assert recipe.sources
        assert recipe.limits


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("echo run > /dev/null",)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    torch.save({"model": _Evil()}, tmp_path / "yolov5n.pt")
    with pytest.raises(InputInvalid, match="not part of a YOLOv5 checkpoint"):
        read_yolov5(tmp_path / "yolov5n.pt")
    (tmp_path / "junk.pt").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(InputInvalid):
        read_yolov5(tmp_path / "junk.pt")
    with pytest.raises(InputInvalid):
        read_yolov5(tmp_path / "gone.pt")


def test_transfer_takes_only_what_fits() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    state = {"0.weight": torch.ones(3, 2), "1.weight": torch.ones(9, 9), "x": torch.ones(1)}
    assert transfer(model, state) == 1
    assert float(model[0].weight.sum()) == 6


def test_the_mean_of_two_runs(tmp_path: Path) -> None:
    for name, value in (("a.pt", 1.0), ("b.pt", 3.0)):
        layer = torch.nn.Linear(2, 1)
        layer.weight.data[:] = value
        torch.save({"model": layer, "ema": None, "epoch": 7}, tmp_path / name)
    torch.save({"model": torch.nn.Linear(3, 1), "ema": None}, tmp_path / "other.pt")
    mean = average([tmp_path / "a.pt", tmp_path / "b.pt"], tmp_path / "out" / "best.pt")
    found = torch.load(mean, weights_only=False)
    assert found["epoch"] == 7 and float(found["model"].weight.sum()) == 4
    with pytest.raises(InputInvalid, match="shapes"):
        average([tmp_path / "a.pt", tmp_path / "other.pt"], tmp_path / "out" / "best.pt")


def test_judged_alarms_are_learnt_from_and_held_out_by_camera(tmp_path: Path) -> None:
    field = tmp_path / "field"
    for n in range(6):
        save(field / "images", f"{n}.jpg", picture(n))
        (field / "labels").mkdir(exist_ok=True)
        (field / "labels" / f"{n}.txt").write_text("0 0.5 0.5 0.2 0.2\n" if n % 2 else "")
    (field / "train.txt").write_text("".join(f"./images/{n}.jpg\n" for n in range(4)))
    (field / "val.txt").write_text("./images/4.jpg\n./images/5.jpg\n")
    (field / "data.yaml").write_text("path: .\ntrain: train.txt\nval: val.txt\nnames: {0: fire, 1: smoke}\n")
    recipe = Recipe(classes=("smoke", "fire"), sets={}, licence="x", sources=("x",))
    staged = restage(recipe, tmp_path, tmp_path / "work", 3, None, field)
    assert (staged.train_images, staged.held_images) == (4 * 4, 2)
    learnt = read_set(staged.data_yaml, "train").images
    assert {i.path.name[6] for i in learnt} == {"0", "1", "2", "3"}
    boxes = [i.boxes for i in learnt if len(i.boxes)]
    assert len(boxes) == 8 and all(b[0, 0] == 1 for b in boxes), "the recipe's own number of the class"
    assert read_field(field).learnt == ["0", "1", "2", "3"] and read_field(None).names == []
    (field / "train.txt").write_text("")
    with pytest.raises(InputInvalid):
        read_field(field)


class Block(torch.nn.Module):
    """A convolution with its normalisation, as ultralytics names them."""

    def __init__(self, given: int, out: int) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(given, out, 3, padding=1, bias=False)
        self.bn = torch.nn.BatchNorm2d(out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.silu(self.bn(self.conv(x)))


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = torch.nn.Sequential(Block(3, 4), Block(4, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)


def test_training_goes_on_from_an_export_as_the_network_was(tmp_path: Path) -> None:
    torch.manual_seed(1)
    pictures = torch.rand(6, 3, 16, 16)
    state = {"model.0.conv.weight": torch.randn(4, 3, 3, 3), "model.0.conv.bias": torch.randn(4),
             "model.1.conv.weight": torch.randn(2, 4, 3, 3), "model.1.conv.bias": torch.randn(2)}  # fmt: skip

    def folded(x: torch.Tensor) -> torch.Tensor:
        for n in (0, 1):
            x = torch.nn.functional.conv2d(x, state[f"model.{n}.conv.weight"], state[f"model.{n}.conv.bias"], padding=1)
            x = torch.nn.functional.silu(x)
        return x

    net = Net().train()
    assert unfold(net, state, pictures) == 4 and net.training
    with torch.no_grad():
        assert torch.allclose(net.eval()(pictures), folded(pictures), atol=1e-4)
        assert torch.allclose(net.train()(pictures), folded(pictures), atol=0.05), "in training, too"
    (tmp_path / "junk.onnx").write_bytes(b"\x08\x07 junk")
    with pytest.raises(InputInvalid):
        read_onnx(tmp_path / "junk.onnx")
    assert "model.0.conv.bias" in read_onnx(MODELS / "flame_smoke.onnx")


def test_a_device_that_is_not_there_is_told() -> None:
    check_device("cpu")
    for device in ("cuda:9", "gpu", "tpu:0"):
        with pytest.raises(InputInvalid, match="--device"):
            check_device(device)
