"""From a trained checkpoint to the committed ONNX file and its card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx

from core.errors import InputInvalid
from vision.evaluate.cards import MODELS, Card, file_sha256, read_card, write_card
from vision.evaluate.dataset import read_set
from vision.evaluate.images import DEFAULT_THRESHOLD, load_detector, summary, tally
from vision.evaluate.metrics import ClassTally
from vision.train.held_out import held_out
from vision.train.recipes import Recipe
from vision.train.stage import Staged

OPSET = 17
KEPT_METADATA = ("names", "imgsz", "stride", "task", "batch", "channels")
FALSE_RATE_ALLOWED = 0.05
MEASURED = {
    False: "held-out scenes of the training sets; thresholds and checkpoint were chosen on the same scenes",
    True: "held-out scenes of the training sets on which neither thresholds nor checkpoint were chosen",
}


def export_onnx(checkpoint: Path, target: Path, size: int, recipe: Recipe, name: str, version: str) -> None:
    """Write ``target``: dynamic batch and picture size, names in the metadata, nothing about this machine."""
    from ultralytics import YOLO

    written = YOLO(str(checkpoint)).export(
        format="onnx", imgsz=size, opset=OPSET, dynamic=True, simplify=True, device="cpu", verbose=False
    )
    model = onnx.load(written)
    kept = {p.key: p.value for p in model.metadata_props if p.key in KEPT_METADATA}
    del model.metadata_props[:]
    kept |= {"description": f"Yiwang {name}", "license": recipe.licence, "version": version}
    for key, value in sorted(kept.items()):
        model.metadata_props.add(key=key, value=value)
    model.doc_string = ""
    model.graph.doc_string = ""
    for node in model.graph.node:  # the exporter leaves stack traces with local paths here
        node.doc_string = ""
        del node.metadata_props[:]
    for tensor in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        del tensor.metadata_props[:]
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(target))
    if Path(written).resolve() != target.resolve():
        Path(written).unlink()


def publish(
    target: Path, name: str, recipe: Recipe, staged: Staged, size: int, version: str, made: dict[str, Any]
) -> Card:
    """Choose thresholds and measure ``target`` on held-out scenes, and write its card beside it.

    With a share to choose on (the recipe's ``choose_share``) the figures come from the other held-out scenes.
    """
    detector = load_detector(str(target))
    chosen = tally(detector, read_set(staged.data_yaml, "val"))
    known = read_card(name)  # of a class that no held-out picture shows nothing can be chosen
    usual = known.thresholds if known is not None else {}
    thresholds = {n: choose_threshold(t) if t.best_with else usual.get(n, DEFAULT_THRESHOLD) for n, t in chosen.items()}
    apart = bool(recipe.choose_share)
    held = read_set(staged.data_yaml, "test" if apart else "val")
    tallies = tally(detector, held) if apart else chosen
    card = Card(
        name=name,
        file=target.name,
        version=version,
        sha256=file_sha256(target),
        classes=list(recipe.classes),
        input_size=size,
        thresholds=thresholds,
        licence=recipe.licence,
        origin="trained by the project with `python -m app train`",
        sources=list(recipe.sources),
        made=made | {"data_manifest_sha256": staged.manifest_sha256, "training_images": staged.train_images},
        limits=list(recipe.limits),
    )
    measured = {"set": MEASURED[apart], "images": len(held.images), **summary(tallies, card)}
    card = Card(**{f: getattr(card, f) for f in card.__struct_fields__} | {"measured": measured})
    write_card(card, target.parent)
    return card


def recard(name: str, recipe: Recipe, data: Path) -> Card:
    """Choose the thresholds of the committed model ``name`` again, measure it and rewrite its card; the file stays.

    Raises:
        InputInvalid: there is no such model with a card.
    """
    card = read_card(name)
    if card is None:
        raise InputInvalid(field="recipe", detail=f"there is no card of {name}", how="train it first")
    detector, seed, apart = load_detector(str(MODELS / card.file)), int(card.made["seed"]), bool(recipe.choose_share)
    parts = {}
    for part in ("choose", "report") if apart else ("report",):
        sets = held_out(recipe, data, seed, part)
        parts[part] = joined([tally(detector, held) for held in sets.values()])
    chosen_on = parts["choose" if apart else "report"]
    told: dict[str, Any] = {"thresholds": {name: choose_threshold(t) for name, t in chosen_on.items()}}
    card = Card(**{f: getattr(card, f) for f in card.__struct_fields__} | told)
    images = len(next(iter(parts["report"].values())).confidence)
    told |= {"measured": {"set": MEASURED[apart], "images": images, **summary(parts["report"], card)}}
    card = Card(**{f: getattr(card, f) for f in card.__struct_fields__} | told)
    write_card(card, MODELS)
    return card


def joined(tallies: list[dict[str, ClassTally]]) -> dict[str, ClassTally]:
    """Tallies of several sets as if they were one."""
    out: dict[str, ClassTally] = {}
    for one in tallies:
        for name, kept in one.items():
            whole = out.setdefault(name, ClassTally())
            whole.truths += kept.truths
            for field in ("confidence", "hits", "best_with", "best_without"):
                getattr(whole, field).extend(getattr(kept, field))
    return out


def choose_threshold(kept: ClassTally, allowed: float = FALSE_RATE_ALLOWED) -> float:
    """The confidence that sees most images with the class while at most ``allowed`` of those without are reported.

    Without images of one of the two kinds: where the boxes' F1 is highest.  Between 0.1 and 0.8.
    """
    if not kept.best_with or len(kept.best_without) < 40:  # too few to measure 5 %
        return round(min(0.8, max(0.1, kept.curve().best()[2])), 2)
    steps = [round(0.1 + 0.01 * i, 2) for i in range(71)]
    good = [s for s in steps if (kept.image_false_rate(s) or 0.0) <= allowed]
    return good[0] if good else steps[-1]
