"""Train one of our own detectors offline, and write the ONNX file and its model card.

Stages the recipe's sets below --work (splits by scene, negatives, composed pictures), trains with ultralytics from the
COCO starting weights for at most --hours, exports, measures on the held-out scenes and writes NAME.onnx, NAME.json and
NAME.md into --out.  --start may be the shipped .onnx file itself.  --field DIR (of `app field-set NAME --out DIR`) adds
the district's judged alarms; without --data they are all there is, which is fine-tuning.  --resume goes on where an
interrupted run stopped; --start goes on from an earlier best.pt.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

HELP = "train a detector (flame_smoke, cigarette, aerial_vehicles) and write its model card"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", help="flame_smoke, cigarette or aerial_vehicles")
    parser.add_argument("--data", type=Path, help="folder that holds the sets (fire_smoke/, people/ …)")
    parser.add_argument("--field", type=Path, metavar="DIR", help="judged alarms: what `app field-set --out` wrote")
    parser.add_argument("--start", type=Path, help="YOLOv5n COCO checkpoint, an earlier best.pt, or a shipped .onnx")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda:0")
    parser.add_argument(
        "--negatives", type=Path, help="false alarms kept in the browser (default: hard_negatives in the data folder)"
    )
    parser.add_argument("--work", type=Path, default=Path("var/train"), help="where pictures and checkpoints go")
    parser.add_argument("--out", type=Path, help="where the model and its card go (default: the work folder)")
    parser.add_argument("--hours", type=float, help="stop in time; fits the schedule to it")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--size", type=int, help="picture size in training (default: the recipe's)")
    parser.add_argument("--rate", type=float, default=0.001, help="learning rate (AdamW)")
    parser.add_argument("--freeze", type=int, default=0, help="keep the first layers (10: the backbone) as they are")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--name", default="fit", help="name of this run below the work folder")
    parser.add_argument("--version", default="1", help="version that goes into the model and its card")
    parser.add_argument("--resume", action="store_true", help="go on with the interrupted run of this name")
    parser.add_argument("--export-only", action="store_true", help="no training: export --start and measure it")
    parser.add_argument(
        "--recard", action="store_true", help="only choose the thresholds of the committed model again and measure it"
    )
    parser.add_argument(
        "--average", type=Path, nargs="+", default=[], metavar="PT",
        help="with --export-only: export the mean of the weights of --start and of these checkpoints",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the card as one JSON object")


def run(args: argparse.Namespace) -> int:
    from core.errors import InputInvalid
    from core.settings import load_settings
    from vision.detectors.offline_torch import prepare_ultralytics
    from vision.train.average import average
    from vision.train.export import export_onnx, publish, recard
    from vision.train.fit import FitPlan, fit
    from vision.train.recipes import RECIPES
    from vision.train.stage import restage

    recipe = RECIPES.get(args.recipe)
    if recipe is None:
        raise InputInvalid(field="recipe", detail=f"there is no {args.recipe!r}", how=f"one of {', '.join(RECIPES)}")
    if args.data is None and args.field is None:
        raise InputInvalid(field="--data", detail="neither --data nor --field is given", how="name what to train on")
    if args.data is None:  # fine-tuning on the district's own alarms alone
        recipe = replace(recipe, sets={}, backgrounds=(), flames=0, plumes=0, lures=0, crops=0, choose_share=0.0)
    if args.recard and args.data is not None:
        print(json.dumps(recard(args.recipe, recipe, args.data.resolve()).measured, indent=None if args.json else 1))
        return 0
    if args.start is None or not args.start.is_file():
        raise InputInvalid(field="--start", detail=f"{args.start} does not exist", how="name the starting weights")
    project = (args.work / args.recipe).resolve()
    _say(f"staging pictures below {project}")
    negatives = args.negatives or load_settings().data_dir / "hard_negatives"
    data, field = (path.resolve() if path else None for path in (args.data, args.field))
    staged = restage(recipe, data or project, project / "data", args.seed, negatives.resolve(), field)
    _say(f"{staged.train_images} pictures to train on, {staged.held_images} held out")
    checkpoint = args.start.resolve()
    if args.export_only:
        prepare_ultralytics(project / "ultralytics")
        if args.average:
            checkpoint = average([checkpoint, *args.average], project / "average" / "weights" / "best.pt")
    else:
        checkpoint = fit(
            FitPlan(
                data_yaml=staged.data_yaml,
                project=project,
                name=args.name,
                start=args.start.resolve(),
                seed=args.seed,
                size=args.size or recipe.train_size or recipe.input_size,
                epochs=args.epochs,
                hours=args.hours,
                threads=args.threads,
                freeze=args.freeze,
                rate=args.rate,
                mosaic=recipe.mosaic,
                resume=args.resume,
                device=args.device,
            )
        )
    target = (args.out or project).resolve() / f"{args.recipe}.onnx"
    export_onnx(checkpoint, target, recipe.input_size, recipe, args.recipe, args.version)
    card = publish(target, args.recipe, recipe, staged, recipe.input_size, args.version, _made(args, checkpoint))
    _say(f"wrote {target} and its card")
    print(json.dumps(card.measured, indent=None if args.json else 1))
    return 0


def _made(args: argparse.Namespace, checkpoint: Path) -> dict[str, Any]:
    import torch
    import ultralytics

    from vision.evaluate.cards import file_sha256
    from vision.train.field_pictures import read_field
    from vision.train.history import history

    ends = [args.start, *args.average] if args.average else [checkpoint]
    learnt = read_field(args.field.resolve() if args.field else None).learnt
    averaged = {"mean_of_weights": [f"{p.name} {file_sha256(p)[:16]}" for p in ends]} if args.average else {}
    return {
        "command": f"python -m app train {args.recipe} --data DATA --start {args.start.name}",
        "seed": args.seed,
        "runs": history(ends[-1], args.start),
        **averaged,
        **({"field_pictures": learnt} if learnt else {}),
        "torch": torch.__version__.split("+")[0],
        "ultralytics": ultralytics.__version__,
    }


def _say(text: str) -> None:
    print(f"train: {text}", file=sys.stderr, flush=True)
