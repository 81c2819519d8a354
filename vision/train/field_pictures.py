"""The district's judged alarms as ``python -m app field-set NAME --out DIR`` wrote them, and what operators kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vision.evaluate.dataset import LabelledImage, read_set
from vision.train.recipes import Recipe
from vision.train.scenes import pictures_below


@dataclass(frozen=True)
class FieldPictures:
    """``learn`` of some cameras, ``held`` of the others; ``classes`` by number."""

    classes: dict[int, str]
    learn: tuple[LabelledImage, ...] = ()
    held: tuple[LabelledImage, ...] = ()

    @property
    def names(self) -> list[str]:
        """All files, in order."""
        return [image.path.name for image in (*self.learn, *self.held)]

    @property
    def learnt(self) -> list[str]:
        """How the SHA-256 of each picture that is learnt from begins: the card names them, no trial uses them."""
        return [image.path.stem[:16] for image in self.learn]


def read_field(folder: Path | None) -> FieldPictures:
    """The exported set below ``folder``; nothing without one.

    Raises:
        InputInvalid: there is no such set, or it holds nothing to learn from.
    """
    if folder is None:
        return FieldPictures({})
    learn = read_set(folder / "data.yaml", "train")
    held = folder / "val.txt"
    rest = read_set(folder / "data.yaml", "val").images if held.is_file() and held.read_text().strip() else ()
    return FieldPictures(learn.names, learn.images, rest)


def hard_negatives(folder: Path | None, recipe: Recipe) -> list[tuple[Path, tuple[str, ...]]]:
    """Pictures below ``folder`` that operators kept when they closed false alarms, each with the classes it denies."""
    if folder is None:
        return []
    kinds = recipe.false_alarms.items()
    return [(path, denied) for kind, denied in kinds for path in pictures_below(folder / kind / "images")]
