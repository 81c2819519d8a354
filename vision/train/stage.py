"""Laying out the pictures a recipe trains on: splits by scene, repeats, negatives and composed pictures.

Everything lands below one work folder, so that the source sets stay untouched, and every source file's SHA-256
goes into the data manifest.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import yaml

from core.errors import InputInvalid
from vision.evaluate.dataset import IMAGE_SUFFIXES, LabelledImage, LabelledSet, read_set
from vision.train.compose import Box, degrade, flame_light, place_flame, place_plume
from vision.train.lures import Picture, add_lures
from vision.train.recipes import Recipe
from vision.train.scenes import group_scenes, split_scenes

HELD_SHARE = 0.18


@dataclass(frozen=True)
class Staged:
    """Where the staged set lies and the hash of its manifest."""

    data_yaml: Path
    manifest: Path
    manifest_sha256: str
    train_images: int
    held_images: int


def restage(recipe: Recipe, data: Path, out: Path, seed: int) -> Staged:
    """The set as staged before with the same seed, or staged now."""
    manifest = out / "manifest.json"
    if manifest.is_file():
        text = manifest.read_text()
        if json.loads(text)["seed"] == seed:
            counts = [len((out / f"{split}.txt").read_text().split()) for split in ("train", "val")]
            return Staged(out / "data.yaml", manifest, hashlib.sha256(text.encode()).hexdigest(), *counts)
    return Stager(recipe, data, out, seed).stage()


def held_out(recipe: Recipe, data: Path, seed: int) -> dict[str, LabelledSet]:
    """The held-out images of each of the recipe's sets, and of its backgrounds (as ``negatives``), unchanged on disc.

    The same split as in training with this ``seed``; sets that are not below ``data`` are left out.
    """
    found: dict[str, LabelledSet] = {}
    for name in recipe.sets:
        if (data / name / "data.yaml").is_file():
            whole = read_set(data / name / "data.yaml", "train")
            held = split_scenes(group_scenes([i.path for i in whole.images]), HELD_SHARE, seed)
            kept = tuple(i for i, h in zip(whole.images, held, strict=True) if h)
            found[name] = LabelledSet(whole.names, kept, "held out")
    negatives: list[LabelledImage] = []
    for name in recipe.backgrounds:
        paths = _pictures(data / name)
        held = split_scenes(group_scenes(paths), HELD_SHARE, seed)
        nothing = np.zeros((0, 5), np.float32)
        negatives += [LabelledImage(p, nothing) for p, h in zip(paths, held, strict=True) if h]
    if negatives:
        found["negatives"] = LabelledSet(dict(enumerate(recipe.classes)), tuple(negatives), "held out")
    return found


def _pictures(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)


class Stager:
    """Stages one recipe; ``seed`` decides the split and every composed picture."""

    def __init__(self, recipe: Recipe, data: Path, out: Path, seed: int, *, held_share: float = HELD_SHARE) -> None:
        self.recipe = recipe
        self.data = data
        self.out = out
        self.held_share = held_share
        self.rng = np.random.default_rng(seed)
        self.seed = seed
        self.train: list[Path] = []
        self.held: list[Path] = []
        self.sources: list[dict[str, object]] = []
        self.scenes: list[Path] = []  # pictures without any of the classes
        self.fires: list[Picture] = []
        (out / "images").mkdir(parents=True, exist_ok=True)
        (out / "labels").mkdir(exist_ok=True)

    def stage(self) -> Staged:
        """Write images, labels, lists, ``data.yaml`` and ``manifest.json``.

        Raises:
            InputInvalid: a set that the recipe names is not below ``data``.
        """
        for name, repeats in self.recipe.sets.items():
            self._stage_set(name, repeats)
        for name in self.recipe.backgrounds:
            self._stage_background(name)
        self._compose("flame", self.recipe.flames)
        self._compose("plume", self.recipe.plumes)
        self._compose("lure", self.recipe.lures)
        self._cut(self.recipe.crops)
        return self._write()

    def _stage_set(self, name: str, repeats: int) -> None:
        found = read_set(self.data / name / "data.yaml", "train")
        to_number = {k: self.recipe.classes.index(v) for k, v in found.names.items() if v in self.recipe.classes}
        scenes = group_scenes([i.path for i in found.images])
        held = split_scenes(scenes, self.held_share, self.seed)
        prefix = name.split("/")[-1]
        for image, out_of_training in zip(found.images, held, strict=True):
            picture = self._read(image.path, "held" if out_of_training else "train")
            boxes = [(to_number[int(b[0])], _box(b)) for b in image.boxes if int(b[0]) in to_number]
            stem = f"{prefix}-{image.path.stem}"
            if out_of_training:
                self.held.append(self._save(stem, picture, boxes))
                continue
            for number, (tile, kept) in enumerate(_tiles(picture, boxes, self.recipe.tile)):
                self.train.append(self._save(f"{stem}-{number}", tile, kept))
                for repeat in range(1, repeats):
                    self.train.append(self._save(f"{stem}-{number}-r{repeat}", degrade(tile, self.rng), kept))
            self._keep(picture, image, boxes)

    def _keep(self, picture: Picture, image: LabelledImage, boxes: list[tuple[int, Box]]) -> None:
        """Remember training negatives as scenes and large clear flames for composing."""
        if not boxes:
            self.scenes.append(image.path)
        h, w = picture.shape[:2]
        for number, (cx, cy, bw, bh) in boxes:
            if self.recipe.classes[number] != "fire" or len(self.fires) > 900:
                continue
            x0, x1 = int(max(0, (cx - bw / 2) * w)), int(min(w, (cx + bw / 2) * w))
            y0, y1 = int(max(0, (cy - bh / 2) * h)), int(min(h, (cy + bh / 2) * h))
            crop = picture[y0:y1, x0:x1]
            if min(crop.shape[:2]) >= 20 and 0.15 < flame_light(crop)[1] < 0.75:
                self.fires.append(np.ascontiguousarray(crop))

    def _stage_background(self, name: str) -> None:
        root = self.data / name
        paths = _pictures(root)
        if not paths:
            raise InputInvalid(
                field=name, detail=f"no pictures below {root}", how="give the folder that holds the sets"
            )
        held = split_scenes(group_scenes(paths), self.held_share, self.seed)
        for path, out_of_training in zip(paths, held, strict=True):
            picture = self._read(path, "held" if out_of_training else "train")
            target = self.held if out_of_training else self.train
            target.append(self._save(f"bg-{path.stem}", picture, []))
            if not out_of_training:
                self.scenes.append(path)

    def _compose(self, kind: str, count: int) -> None:
        for number in range(count):
            path = self.scenes[int(self.rng.integers(0, len(self.scenes)))]
            scene = cv2.imread(str(path), cv2.IMREAD_COLOR)
            scene = np.asarray(cv2.resize(scene, (640, 640 * 9 // 16 if self.rng.random() < 0.6 else 640)), np.uint8)
            boxes: list[tuple[int, Box]] = []
            if kind == "lure" or self.rng.random() < 0.3:
                add_lures(scene, self.rng)
            smoking = kind == "plume" or (kind == "flame" and self.rng.random() < 0.2)
            if smoking:  # first, for flames stand before their smoke
                self._add(boxes, "smoke", place_plume(scene, self.rng))
            if kind == "flame":
                for _ in range(int(self.rng.integers(1, 4))):
                    crop = self.fires[int(self.rng.integers(0, len(self.fires)))]
                    size = float(np.exp(self.rng.uniform(np.log(0.02), np.log(0.3))))
                    self._add(boxes, "fire", place_flame(scene, crop, self.rng, size))
            if boxes and self.rng.random() < 0.2:
                scene, boxes = _close_up(scene, boxes, self.rng)
            if kind == "lure" or boxes:
                self.train.append(self._save(f"{kind}-{number}", degrade(scene, self.rng), boxes))

    def _cut(self, count: int) -> None:
        """Magnified cut-outs without any of the classes: the second look at a lively place sees such."""
        for number in range(count):
            path = self.scenes[int(self.rng.integers(0, len(self.scenes)))]
            scene = np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), np.uint8)
            h, w = scene.shape[:2]
            side = int(min(h, w) * self.rng.uniform(0.12, 0.5))
            x, y = int(self.rng.integers(0, w - side + 1)), int(self.rng.integers(0, h - side + 1))
            cut = cv2.resize(scene[y : y + side, x : x + side], (320, 320), interpolation=cv2.INTER_LINEAR)
            self.train.append(self._save(f"crop-{number}", degrade(np.asarray(cut, np.uint8), self.rng), []))

    def _add(self, boxes: list[tuple[int, Box]], name: str, box: Box | None) -> None:
        if box is not None:
            boxes.append((self.recipe.classes.index(name), box))

    def _read(self, path: Path, use: str) -> Picture:
        content = path.read_bytes()
        self.sources.append(
            {"file": str(path.relative_to(self.data)), "sha256": hashlib.sha256(content).hexdigest(), "use": use}
        )
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise InputInvalid(field=str(path), detail="not a readable picture", how="remove it from the set")
        return np.asarray(picture, np.uint8)

    def _save(self, stem: str, picture: Picture, boxes: list[tuple[int, Box]]) -> Path:
        long_side, largest = max(picture.shape[:2]), max(640, self.recipe.input_size)
        if long_side > largest:
            scale = largest / long_side
            picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        path = self.out / "images" / f"{stem}.jpg"
        cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
        lines = [f"{n} " + " ".join(f"{v:.5f}" for v in box) for n, box in boxes]
        (self.out / "labels" / f"{stem}.txt").write_text("\n".join(lines))
        return path

    def _write(self) -> Staged:
        for name, paths in (("train", self.train), ("val", self.held)):
            (self.out / f"{name}.txt").write_text("".join(f"./images/{p.name}\n" for p in paths))
        data_yaml = self.out / "data.yaml"
        spec = {
            "path": str(self.out.resolve()),
            "train": "train.txt",
            "val": "val.txt",
            "names": dict(enumerate(self.recipe.classes)),
        }
        data_yaml.write_text(yaml.safe_dump(spec, allow_unicode=True))
        manifest = self.out / "manifest.json"
        text = json.dumps({"seed": self.seed, "held_share": self.held_share, "files": self.sources}, indent=0)
        manifest.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Staged(data_yaml, manifest, digest, len(self.train), len(self.held))


def _box(row: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Box:
    return (float(row[1]), float(row[2]), float(row[3]), float(row[4]))


def _tiles(picture: Picture, boxes: list[tuple[int, Box]], side: int) -> list[tuple[Picture, list[tuple[int, Box]]]]:
    """The whole picture, or with ``side`` > 0 overlapping tiles; a box stays where ≥ 60 % of it is inside."""
    h, w = picture.shape[:2]
    if side <= 0 or max(h, w) <= side:
        return [(picture, boxes)]
    out: list[tuple[Picture, list[tuple[int, Box]]]] = []
    for y in _starts(h, side):
        for x in _starts(w, side):
            tile = np.ascontiguousarray(picture[y : y + side, x : x + side])
            out.append((tile, [b for b in (_inside(n, box, x, y, tile, w, h) for n, box in boxes) if b]))
    return out


def _close_up(
    scene: Picture, boxes: list[tuple[int, Box]], rng: np.random.Generator
) -> tuple[Picture, list[tuple[int, Box]]]:
    """A square cut-out around one of the boxes, with the boxes that are mostly inside it."""
    h, w = scene.shape[:2]
    _, (cx, cy, bw, bh) = boxes[int(rng.integers(0, len(boxes)))]
    side = int(min(max(max(bw * w, bh * h) * rng.uniform(1.3, 4), 64), h, w))
    x = int(min(max(cx * w - side * rng.uniform(0.3, 0.7), 0), w - side))
    y = int(min(max(cy * h - side * rng.uniform(0.3, 0.7), 0), h - side))
    cut = np.ascontiguousarray(scene[y : y + side, x : x + side])
    inside = [b for b in (_inside(n, box, x, y, cut, w, h) for n, box in boxes) if b]
    if not inside:
        return scene, boxes
    return np.asarray(cv2.resize(cut, (400, 400), interpolation=cv2.INTER_LINEAR), np.uint8), inside


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = -(-(length - side) // (side * 3 // 4)) + 1
    return [round(i * (length - side) / (count - 1)) for i in range(count)]


def _inside(number: int, box: Box, x: int, y: int, tile: Picture, w: int, h: int) -> tuple[int, Box] | None:
    th, tw = tile.shape[:2]
    x0, x1 = (box[0] - box[2] / 2) * w - x, (box[0] + box[2] / 2) * w - x
    y0, y1 = (box[1] - box[3] / 2) * h - y, (box[1] + box[3] / 2) * h - y
    cx0, cx1, cy0, cy1 = max(0.0, x0), min(float(tw), x1), max(0.0, y0), min(float(th), y1)
    if cx1 <= cx0 or cy1 <= cy0 or (cx1 - cx0) * (cy1 - cy0) < 0.6 * (x1 - x0) * (y1 - y0):
        return None
    return number, ((cx0 + cx1) / 2 / tw, (cy0 + cy1) / 2 / th, (cx1 - cx0) / tw, (cy1 - cy0) / th)
