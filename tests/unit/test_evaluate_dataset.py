"""YOLO-format sets in the shapes people have them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import InputInvalid
from vision.evaluate.dataset import label_path, read_labels, read_set


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
    (tmp_path / "more.txt").write_text(f"{tmp_path}/images/a.jpg\n\n")
    assert len(read_set(path).images) == 3


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
