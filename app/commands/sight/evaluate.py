"""Measure a model on a YOLO-format set, or an algorithm on clips with known events.

Prints precision, recall, mAP50 and mAP50-95 overall and per class name (classes are matched by name) and, per class at
the model card's threshold, the share of images with the class on which it is reported (image_recall) and the share of
images without it on which it is reported all the same (image_false_rate).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

NAMED = 20  # broken files are counted, and so many of them named
HELP = "measure a model on a labelled set, or algorithms on clips"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a committed model's name (flame_smoke) or an .onnx file")
    parser.add_argument("--data", type=Path, metavar="YAML", help="data.yaml of a YOLO-format set")
    parser.add_argument("--split", choices=["train", "val", "test"], help="default: the first of val, test, train")
    parser.add_argument("--threshold", type=float, help="use this confidence instead of the card's")
    parser.add_argument(
        "--clips",
        type=Path,
        metavar="FILE",
        help='JSON list of {"clip", "algorithm", "params", "events": [[from_s, to_s]]}',
    )
    parser.add_argument("--single", action="store_true", help="the named file alone, without the card's second look")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from core.errors import InputInvalid
    from vision.evaluate.cards import read_card

    if args.data is None and args.clips is None:
        raise InputInvalid(field="--data", detail="neither --data nor --clips is given", how="name what to measure on")
    card = read_card(args.model)
    out: dict[str, Any] = {"model": args.model, "card": card.name if card else None}
    if args.data is not None:
        out |= _on_images(args, card)
    if args.clips is not None:
        out["clips"] = _on_clips(args)
    print(json.dumps(out, ensure_ascii=False) if args.json else json.dumps(out, ensure_ascii=False, indent=1))
    return 0


def _on_images(args: argparse.Namespace, card: Any) -> dict[str, Any]:
    from core.errors import InputInvalid
    from vision.evaluate.dataset import read_set
    from vision.evaluate.images import load_detector, summary, tally

    data = read_set(args.data, args.split)
    detector = load_detector(args.model, single=args.single)
    looks = [getattr(detector, look) for look in ("first", "second") if hasattr(detector, look)] or [detector]
    broken: list[str] = []
    tallies = tally(detector, data, _progress, broken)
    if len(broken) == len(data.images):
        raise InputInvalid(field=str(args.data), detail="none of its pictures can be read", how="check the files")
    matched = {name.casefold() for name in tallies}
    return {
        "model_sha256": detector.model.sha256,
        "looks": [m.model.name for m in looks],
        "set": str(args.data),
        "split": data.split,
        "images": len(data.images) - len(broken),
        "unreadable_labels": data.skipped,
        "unreadable_label_files": list(data.bad_labels[:NAMED]),
        "unreadable_images": len(broken) + len(data.missing),
        "unreadable_image_files": [*broken, *data.missing][:NAMED],
        "unmatched_classes": [n for n in data.names.values() if n.strip().casefold() not in matched],
        **summary(tallies, card, args.threshold),
    }


def _on_clips(args: argparse.Namespace) -> dict[str, Any]:
    from vision.evaluate.clips import clips_summary, read_cases, run_case
    from vision.judging.detector_pool import DetectorPool

    pool = DetectorPool()
    model = str(Path(args.model).resolve()) if Path(args.model).is_file() else None
    results = []
    for case in read_cases(args.clips):
        results.append(run_case(case, pool, model if case.algorithm.replace("-", "_") == "flame_smoke" else None))
        _progress(len(results), 0)
    return clips_summary(results)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else "\r"
        print(f"{done}/{total}" if total else str(done), end=end, file=sys.stderr, flush=True)
