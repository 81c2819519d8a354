"""Laying out the pictures a recipe trains on: splits by scene, repeats, negatives and composed pictures.

Everything lands below one work folder, so that the source sets stay untouched, and every source file's SHA-256
goes into the data manifest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import yaml

from core.errors import InputInvalid
from vision.evaluate.cards import read_card
from vision.evaluate.dataset import LabelledImage, read_set
from vision.evaluate.images import load_detector
from vision.train.compose import Box, degrade, flame_light, place_flame, place_plume
from vision.train.field_pictures import hard_negatives, read_field
from vision.train.lures import Picture, add_lures
from vision.train.recipes import RECIPES, Recipe
from vision.train.scenes import HELD_SHARE, divide, pictures_below
from vision.train.tiles import close_up, tiles

HARD_REPEATS = 4  # how often a false alarm from the field is shown in an epoch
HARD = "hard negative"
SPLITS = (("train",), ("val", "test"))


@dataclass(frozen=True)
class Staged:
    """Where the staged set lies and the hash of its manifest."""

    data_yaml: Path
    manifest: Path
    manifest_sha256: str
    train_images: int
    held_images: int


def restage(
    recipe: Recipe, data: Path, out: Path, seed: int, negatives: Path | None = None, field: Path | None = None
) -> Staged:
    """The set as staged before with the same seed, recipe, hard ``negatives`` and ``field`` set, or staged now."""
    stager = Stager(recipe, data, out, seed, negatives=negatives, field=field)
    manifest = out / "manifest.json"
    if manifest.is_file():
        text = manifest.read_text()
        if json.loads(text).get("plan") == stager.plan():
            counts = [sum(_lines(out / f"{name}.txt") for name in names) for names in SPLITS]
            return Staged(out / "data.yaml", manifest, hashlib.sha256(text.encode()).hexdigest(), *counts)
    return stager.stage()


def _lines(path: Path) -> int:
    return len(path.read_text().split()) if path.is_file() else 0


class Stager:
    """Stages one recipe; ``seed`` decides the split and every composed picture."""

    def __init__(
        self,
        recipe: Recipe,
        data: Path,
        out: Path,
        seed: int,
        *,
        held_share: float = HELD_SHARE,
        negatives: Path | None = None,
        field: Path | None = None,
    ) -> None:
        self.field = read_field(field)
        self.recipe = recipe
        self.name = next((name for name, known in RECIPES.items() if known is recipe), "")
        self.negatives = hard_negatives(negatives, recipe)
        self.data = data
        self.out = out
        self.held_share = held_share
        self.rng = np.random.default_rng(seed)
        self.seed = seed
        self.train: list[Path] = []
        self.held: dict[str, list[Path]] = {"choose": [], "report": []}
        self.sources: list[dict[str, object]] = []
        self.unreadable: list[str] = []  # hard negatives that are no pictures
        self.scenes: list[Path] = []  # pictures without any of the classes
        self.fires: list[Picture] = []

    def plan(self) -> str:
        """What decides the staged pictures besides the sets themselves, as one hash."""
        told = [repr(self.recipe), self.seed, self.held_share, [p.name for p, _ in self.negatives]]
        told += [self.field.names] if self.field.names else []
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def stage(self) -> Staged:
        """Write images, labels, lists, ``data.yaml`` and ``manifest.json``.

        Raises:
            InputInvalid: a set that the recipe names is not below ``data``.
        """
        for name in ("images", "labels"):
            (self.out / name).mkdir(parents=True, exist_ok=True)
        for name, repeats in self.recipe.sets.items():
            self._stage_set(name, repeats)
        for name in self.recipe.backgrounds:
            self._stage_background(name)
        self._stage_negatives()
        self._stage_field()
        self._compose("flame", self.recipe.flames)
        self._compose("plume", self.recipe.plumes)
        self._compose("lure", self.recipe.lures)
        self._cut(self.recipe.crops)
        return self._write()

    def _stage_set(self, name: str, repeats: int) -> None:
        found = read_set(self.data / name / "data.yaml", "train")
        to_number = {k: self.recipe.classes.index(v) for k, v in found.names.items() if v in self.recipe.classes}
        uses = self._divide([i.path for i in found.images])
        prefix = name.split("/")[-1]
        for image, use in zip(found.images, uses, strict=True):
            picture = self._read(image.path, use)
            boxes = [(to_number[int(b[0])], _box(b)) for b in image.boxes if int(b[0]) in to_number]
            stem = f"{prefix}-{image.path.stem}"
            if use != "train":
                self.held[use].append(self._save(stem, picture, boxes))
                continue
            for number, (tile, kept) in enumerate(tiles(picture, boxes, self.recipe.tile)):
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
        paths = pictures_below(root)
        if not paths:
            raise InputInvalid(
                field=name, detail=f"no pictures below {root}", how="give the folder that holds the sets"
            )
        for path, use in zip(paths, self._divide(paths), strict=True):
            picture = self._read(path, use)
            target = self.train if use == "train" else self.held[use]
            target.append(self._save(f"bg-{path.stem}", picture, []))
            if use == "train":
                self.scenes.append(path)

    def _stage_negatives(self) -> None:
        """False alarms from the field, all to train on, as they were and as a worse camera would show them."""
        for path, denied in self.negatives:
            try:
                picture = self._read(path, HARD)
            except InputInvalid:  # one broken file among what operators kept stops no training
                self.unreadable.append(path.name)
                continue
            boxes = self._others(picture, denied)
            self.train.append(self._save(f"hard-{path.stem}", picture, boxes))
            for repeat in range(1, HARD_REPEATS):
                self.train.append(self._save(f"hard-{path.stem}-r{repeat}", degrade(picture, self.rng), boxes))

    def _stage_field(self) -> None:
        """Judged alarms: some cameras to learn from, as they were and as worse cameras would show them; the others are
        held out."""
        for image in self.field.learn:
            picture, boxes = self._read(image.path, HARD), self._field_boxes(image)
            self.train.append(self._save(f"field-{image.path.stem}", picture, boxes))
            for repeat in range(1, HARD_REPEATS):
                self.train.append(self._save(f"field-{image.path.stem}-r{repeat}", degrade(picture, self.rng), boxes))
        use = "choose" if self.recipe.choose_share else "report"
        for image in self.field.held:
            picture = self._read(image.path, HARD)
            self.held[use].append(self._save(f"field-{image.path.stem}", picture, self._field_boxes(image)))

    def _field_boxes(self, image: LabelledImage) -> list[tuple[int, Box]]:
        names = [self.field.classes[int(b[0])] for b in image.boxes]
        known = zip(names, image.boxes, strict=True)
        return [(self.recipe.classes.index(n), _box(b)) for n, b in known if n in self.recipe.classes]

    def _others(self, picture: Picture, denied: tuple[str, ...]) -> list[tuple[int, Box]]:
        """What the model there is sees of the classes that were not denied: they are there all the same."""
        card = read_card(self.name) if set(self.recipe.classes) - set(denied) else None
        if card is None:
            return []
        (seen,) = load_detector(self.name).detect([picture])
        h, w = picture.shape[:2]
        out: list[tuple[int, Box]] = []
        for row in range(len(seen)):
            name = seen.name(row)
            if name not in denied and name in self.recipe.classes and seen.confidence[row] >= card.thresholds[name]:
                x1, y1, x2, y2 = (float(v) for v in seen.xyxy[row])
                box = ((x1 + x2) / 2 / w, (y1 + y2) / 2 / h, (x2 - x1) / w, (y2 - y1) / h)
                out.append((self.recipe.classes.index(name), box))
        return out

    def _divide(self, paths: Sequence[Path]) -> list[str]:
        return divide(paths, self.held_share, self.recipe.choose_share, self.seed)

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
                scene, boxes = close_up(scene, boxes, self.rng)
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
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
        if picture is None:
            raise InputInvalid(field=str(path), detail="not a readable picture", how="remove it from the set")
        kept = use == HARD  # lie elsewhere: …/<algorithm>/images/<hash>.jpg
        name = Path("hard_negatives", *path.parts[-3:]) if kept else path.relative_to(self.data)
        digest = hashlib.sha256(content).hexdigest()
        self.sources.append({"file": name.as_posix(), "sha256": digest, "use": use})
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
        choosing = bool(self.held["choose"])
        val = self.held["choose" if choosing else "report"]
        lists = [("train", self.train), ("val", val), *([("test", self.held["report"])] if choosing else [])]
        for name, paths in lists:
            (self.out / f"{name}.txt").write_text("".join(f"./images/{p.name}\n" for p in paths))
        data_yaml = self.out / "data.yaml"
        spec = {
            "path": str(self.out.resolve()),
            "train": "train.txt",
            "val": "val.txt",
            **({"test": "test.txt"} if choosing else {}),
            "names": dict(enumerate(self.recipe.classes)),
        }
        data_yaml.write_text(yaml.safe_dump(spec, allow_unicode=True))
        manifest = self.out / "manifest.json"
        told = {"seed": self.seed, "held_share": self.held_share, "plan": self.plan()}
        told |= {"unreadable": self.unreadable, "files": self.sources}
        text = json.dumps(told, indent=0)
        manifest.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        held = sum(len(paths) for paths in self.held.values())
        return Staged(data_yaml, manifest, digest, len(self.train), held)


def _box(row: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Box:
    return (float(row[1]), float(row[2]), float(row[3]), float(row[4]))
