"""The held-out pictures of a recipe's sets, as they are on disc."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vision.evaluate.dataset import LabelledImage, LabelledSet, read_set
from vision.train.recipes import Recipe
from vision.train.scenes import HELD_SHARE, divide, pictures_below


def held_out(recipe: Recipe, data: Path, seed: int, part: str = "report") -> dict[str, LabelledSet]:
    """The held-out images of each of the recipe's sets, and of its backgrounds (as ``negatives``), unchanged on disc.

    The same split as in training with this ``seed``; sets that are not below ``data`` are left out.  ``part``
    ``choose`` are the scenes on which checkpoint and thresholds are chosen; without such a share there are none.
    """
    found: dict[str, LabelledSet] = {}
    for name in recipe.sets:
        if (data / name / "data.yaml").is_file():
            whole = read_set(data / name / "data.yaml", "train")
            uses = divide([i.path for i in whole.images], HELD_SHARE, recipe.choose_share, seed)
            kept = tuple(i for i, use in zip(whole.images, uses, strict=True) if use == part)
            found[name] = LabelledSet(whole.names, kept, "held out")
    negatives: list[LabelledImage] = []
    for name in recipe.backgrounds:
        paths = pictures_below(data / name)
        uses = divide(paths, HELD_SHARE, recipe.choose_share, seed)
        nothing = np.zeros((0, 5), np.float32)
        negatives += [LabelledImage(p, nothing) for p, use in zip(paths, uses, strict=True) if use == part]
    if negatives:
        found["negatives"] = LabelledSet(dict(enumerate(recipe.classes)), tuple(negatives), "held out")
    return found
