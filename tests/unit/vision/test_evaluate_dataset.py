"""YOLO-format sets in the shapes people have them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import InputInvalid
from vision.detections import Detections
from vision.evaluate.dataset import label_path, read_labels, read_set
from vision.evaluate.images import tally


def make_set(root: Path, yaml: str, names: tuple[str, ...] = ("a", "b")) -> Path:
    (root / "images").mkdir(parents=True)
    (root / "labels").mkdir()
    for name in names:
        cv2.imwrite(str(root / "images" / f"{name}.jpg"), np.zeros((20, 30, 3), np.uint8))
    (root / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.4\n")
    (root / "data.yaml").write_text(yaml)
    return root / "data.yaml"


def test_a_list_relative_to_itself(tmp_path: Path) -> None:
    path = make_set(tmp_path, "path: .\ntrain: train.txt\nnames:\n  0: fire\n  1: smoke\n")
    (tmp_path / "train.txt").write_text("./images/a.jpg\n./images/b.jpg\n")
    found = read_set(path)
    assert (found.split, found.names) == ("train", {0: "fire", 1: "smoke"})
    assert [len(i.boxes) for i in found.images] == [1, 0]


def test_val_comes_before_train_and_may_be_a_folder(tmp_path: Path) -> None:
    path = make_set(tmp_path, "train: nowhere.txt\nval: images\nnames: [fire]\n")
    assert len(read_set(path).images) == 2


def test_several_places_and_no_path(tmp_path: Path) -> None:
    path = make_set(tmp_path, "val: [images, more.txt]\nnames: [fire]\n")
    (tmp_path / "more").mkdir()
    cv2.imwrite(str(tmp_path / "more" / "c.jpg"), np.zeros((20, 30, 3), np.uint8))
    (tmp_path / "more.txt").write_text(f"{tmp_path}/more/c.jpg\n\n{tmp_path}/images/a.jpg\n")
    assert len(read_set(path).images) == 3  # a picture named twice counts once


@pytest.mark.parametrize(
    "yaml",
    ["train: t.txt\n", "names: [fire]\n", "names: [fire]\nval: gone\n", ": [", "names: 3\nval: images\n"],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, yaml: str) -> None:
    path = make_set(tmp_path, yaml)
    with pytest.raises(InputInvalid):
        read_set(path)


def test_only_the_last_images_folder_becomes_labels() -> None:
    assert label_path(Path("/x/images/y/images/a.b.png")) == Path("/x/images/y/labels/a.b.txt")


def test_bad_lines_are_counted_and_good_ones_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(
        "0 0.5 0.5 0.2 0.4\nrubbish\n7 0.5 0.5 0.2 0.4\n0 0.5 0.5 nan 0.4\n0 0.5 0.5 0 0.4\n0 0.1 0.1 0.3 0.1 0.3 0.5\n"
    )
    rows, bad = read_labels(file, {0})
    assert bad == 4
    assert rows[1] == pytest.approx([0, 0.2, 0.3, 0.2, 0.4])  # a polygon became its bounding box


@pytest.mark.parametrize(
    "yaml",
    [
        "train: ../train/images\nval: ../valid/images\nnames: [fire]\n",  # Roboflow, the file beside train and valid
        "path: /content/datasets/fire\nval: valid/images\nnames: [fire]\n",  # a path of another machine
        "val: /content/fire/valid/images\nnames: [fire]\n",
        "valid: valid/images\nnames: [fire]\n",
        "path: ../{here}\nval: [valid/images]\nnames: [fire]\n",
        "val: valid\nnames: {{0: fire}}\n",
    ],
)
def test_layouts_that_people_have(tmp_path: Path, yaml: str) -> None:
    path = make_set(tmp_path / "set", "")
    for part in ("images", "labels"):
        (tmp_path / "set" / "valid").mkdir(exist_ok=True)
        (tmp_path / "set" / part).rename(tmp_path / "set" / "valid" / part)
    path.write_text(yaml.format(here="set") if "{" in yaml else yaml)
    found = read_set(path)
    assert (found.split, [len(i.boxes) for i in found.images]) == ("val", [1, 0])


def test_missing_pictures_and_bad_labels_are_named(tmp_path: Path) -> None:
    path = make_set(tmp_path, "val: list.txt\nnames: [fire]\n")
    (tmp_path / "list.txt").write_text("./images/a.jpg\n./images/gone.jpg\n./images/a.jpg\n")
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.4\nrubbish\n")
    found = read_set(path)
    assert (found.missing, found.bad_labels, found.skipped) == (("gone.jpg",), ("a.txt",), 1)
    assert [len(i.boxes) for i in found.images] == [1]


class _Seer:
    """A detector that sees one fire in every picture."""

    class_name = ("fire", "smoke")
    model = None

    def detect(self, frames: list[np.ndarray]) -> list[Detections]:
        box = np.asarray([[12, 6, 18, 14]], np.float32)
        one = Detections(box, np.zeros(1, np.int32), np.ones(1, np.float32), ("fire", "smoke"), ())
        return [one for _ in frames]


def test_classes_are_matched_by_name_and_broken_pictures_are_named(tmp_path: Path) -> None:
    path = make_set(tmp_path, "val: images\nnames: [car, smoke, ' Fire']\n", ("a", "b", "c"))
    (tmp_path / "labels" / "a.txt").write_text("2 0.5 0.5 0.2 0.4\n0 0.1 0.1 0.1 0.1\n")
    (tmp_path / "images" / "c.jpg").write_bytes(b"no picture")
    broken: list[str] = []
    tallies = tally(_Seer(), read_set(path), broken=broken)  # type: ignore[arg-type]
    assert broken == ["c.jpg"]
    assert set(tallies) == {"smoke", "fire"}
    fire = tallies["fire"]
    assert (fire.truths, fire.image_recall(0.5), fire.image_false_rate(0.5)) == (1, 1.0, 1.0)
    assert fire.curve().average_precision()[0] == pytest.approx(0.995, abs=0.01)
    assert tallies["smoke"].truths == 0
