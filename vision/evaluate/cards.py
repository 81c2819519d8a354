"""Model cards: what a committed model is, where it comes from and how well it sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from core.errors import InputInvalid
from vision import weights

MODELS = Path(__file__).resolve().parent.parent / "models"


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """``<name>.json`` beside ``<name>.onnx``.

    ``thresholds``: the confidence from which a class counts as reported; ``measured`` what ``python -m app evaluate``
    printed on ``measured["set"]``; ``second_look`` (``file``, ``from``) names the model that looks again where this one
    is so sure of something; ``made`` how to make it again.
    """

    name: str
    file: str
    sha256: str
    classes: list[str]
    input_size: int
    thresholds: dict[str, float]
    licence: str
    origin: str
    sources: list[str]
    version: str = ""
    second_look: dict[str, Any] = {}
    made: dict[str, Any] = {}
    measured: dict[str, Any] = {}
    limits: list[str] = []


def read_card(model: str | Path) -> Card | None:
    """The card beside a model's file, or of the committed model of that name; None when there is none.

    Raises:
        InputInvalid: the card is damaged, bears a threshold outside 0…1, or is the card of another file (its hash
            differs).
    """
    file = Path(model) if Path(model).suffix else MODELS / f"{model}.onnx"
    if not file.exists():
        file = MODELS / file.name
    path = file.with_suffix(".json")
    if not path.exists():
        return None
    try:
        card = msgspec.json.decode(path.read_bytes(), type=Card)
    except msgspec.MsgspecError as error:
        raise InputInvalid(field=str(path), detail=str(error), how="restore the model card") from error
    wrong = next((name for name, value in card.thresholds.items() if not 0 <= value <= 1), None)
    if wrong is not None:
        detail = f"thresholds: {wrong} is {card.thresholds[wrong]:g}, not 0…1"
        raise InputInvalid(field=str(path), detail=detail, how="mend or restore the model card")
    if file.exists() and file_sha256(file) != card.sha256:
        raise InputInvalid(
            field=str(path), detail=f"it is not the card of {file.name} as it is", how="train or restore both"
        )
    return card


def write_card(card: Card, folder: Path = MODELS) -> None:
    """Write ``<name>.json`` (for programs) and ``<name>.md`` (for people)."""
    text = msgspec.json.format(msgspec.json.encode(card), indent=1)
    (folder / f"{card.name}.json").write_bytes(text + b"\n")
    (folder / f"{card.name}.md").write_text(as_markdown(card), encoding="utf-8")


def as_markdown(card: Card) -> str:
    """The card for people."""
    lines = [
        f"# {card.name}",
        "",
        f"- file: `{card.file}`, SHA-256 `{card.sha256}`",
        f"- classes: {', '.join(card.classes) if len(card.classes) < 20 else f'{len(card.classes)} classes'}",
        f"- input: {card.input_size} px",
        f"- licence: {card.licence}",
        f"- origin: {card.origin}",
        *(f"- source: {s}" for s in card.sources),
    ]
    if card.thresholds:
        lines.append("- thresholds: " + ", ".join(f"{k} {v:g}" for k, v in card.thresholds.items()))
    if card.second_look:
        lines.append(f"- second look: `{card.second_look['file']}` from a certainty of {card.second_look['from']:g}")
    if card.made:
        lines += ["", "## How it was made", "", *(f"- {k}: {v}" for k, v in card.made.items())]
    if card.measured:
        lines += ["", "## Measured", "", *_measured(card.measured)]
    if card.limits:
        lines += ["", "## Limits", "", *(f"- {limit}" for limit in card.limits)]
    return "\n".join(lines) + "\n"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return weights.sha256(path)


def _measured(measured: dict[str, Any]) -> list[str]:
    plain = [f"- {k}: {v}" for k, v in measured.items() if k != "classes"]
    classes: dict[str, dict[str, Any]] = measured.get("classes", {})
    if not classes:
        return plain
    keys = ["map50", "map50_95", "precision", "recall", "threshold", "image_recall", "image_false_rate", "images_with"]
    keys += [k for k in ("recall_at_5", "recall_at_5_interval") if any(k in c for c in classes.values())]
    table = ["", "| class | " + " | ".join(keys) + " |", "|---" * (len(keys) + 1) + "|"]
    table += [f"| {name} | " + " | ".join(str(c.get(k, "")) for k in keys) + " |" for name, c in classes.items()]
    return plain + table
