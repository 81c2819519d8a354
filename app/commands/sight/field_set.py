"""The district's own evaluation set: alarms that people confirmed or called false, with their pictures.

python -m app field-set flame_smoke [--out DIR] [--json]
python -m app field-set flame_smoke --try NEW.onnx [--against OLD]

--out writes the pictures as a YOLO set, half of the cameras to learn from and half to judge on; it holds evidence of
cases, so treat it as such.  --try lets a model and the one in use look at all of them, as the vision workers do before
they use a new file, and exits with 1 unless the new one is better.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputInvalid
from core.settings import Settings, load_settings

if TYPE_CHECKING:
    from core.sight.field_set import FieldSet
    from vision.fleet.model_trial import Contestant

HELP = "the pictures of judged alarms: count, export, try a model on them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("algorithm", help="flame_smoke, tidiness …")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write pictures, labels and verdicts there")
    parser.add_argument("--try", dest="model", metavar="FILE", help="try this model against the one in use")
    parser.add_argument("--against", metavar="MODEL", help="the model in use (default: the algorithm's own)")
    parser.add_argument("--database", metavar="URL", help="database (default: the installation's)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Count, export, or try."""
    settings = load_settings()
    found = _read(args, settings)
    confirmed = sum(p.confirmed for p in found.pictures)
    told: dict[str, Any] = {"algorithm": args.algorithm, "confirmed": confirmed}
    told |= {"false": len(found.pictures) - confirmed, "cameras": len({p.camera_id for p in found.pictures})}
    better = True
    if args.out:
        from core.media import MediaStore
        from events.learning.field_export import export

        told["out"] = export(found, MediaStore(settings.media_url), args.out, _classes(args.algorithm))
    if args.model:
        told["trial"] = _trial(args, settings, found)
        better = told["trial"]["verdict"] == "better"
    print(json.dumps(told, ensure_ascii=False, indent=None if args.json else 1))
    return 0 if better else 1


def _read(args: argparse.Namespace, settings: Settings) -> FieldSet:
    from core import plugins
    from events.learning.field_set import read_field_set
    from storage.session import make_engine, read_scope

    plugins.load("algorithm", args.algorithm)  # a typing error is told
    engine = make_engine(args.database or settings.database_url)
    try:
        with read_scope(engine) as session:
            return read_field_set(session, args.algorithm)
    finally:
        engine.dispose()


def _classes(algorithm: str) -> list[str]:
    """The classes of the algorithm's own model, in the order of its card."""
    from vision.evaluate.cards import read_card

    card = read_card(_own_model(algorithm))
    return list(card.classes) if card else []


def _own_model(algorithm: str) -> str:
    from core import plugins

    params = plugins.parse_params("algorithm", algorithm, {})
    file = (getattr(params, "detector_params", None) or {}).get("file")
    if not file:
        raise InputInvalid(field="algorithm", detail=f"{algorithm} names no model file", how="name --against")
    return str(file)


def _trial(args: argparse.Namespace, settings: Settings, found: FieldSet) -> dict[str, Any]:
    from core.media import MediaStore
    from vision.fleet.field_sets import FieldSets
    from vision.fleet.model_trial import try_models

    if not Path(args.model).is_file():
        raise InputInvalid(field="--try", detail=f"{args.model} does not exist", how="name an .onnx file")
    sets = FieldSets(MediaStore(settings.media_url))
    sets.take(found)
    old, new = _contestant(args.against or _own_model(args.algorithm)), _contestant(args.model)
    classes = [c for c in new.detector.class_name if c in old.detector.class_name]
    pictures = sets.of([args.algorithm], _learnt(args.model))
    trial = try_models(old, new, pictures, sets.read, classes)
    return trial.plain() | {"words": trial.words, "learnt_from": len(found.pictures) - len(pictures)}


def _learnt(model: str) -> list[str]:
    from vision.evaluate.cards import read_card

    card = read_card(model)
    return [str(s) for s in (card.made.get("field_pictures") or [])] if card else []


def _contestant(model: str) -> Contestant:
    from vision import weights
    from vision.evaluate.cards import read_card
    from vision.evaluate.images import load_detector
    from vision.fleet.model_trial import Contestant

    path = Path(model) if Path(model).is_file() else weights.find(Path(model).name)
    card = read_card(path)
    return Contestant(load_detector(str(path)), dict(card.thresholds) if card else {})
