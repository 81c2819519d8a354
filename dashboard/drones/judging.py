"""What people say of findings of drones, and the evaluation set that grows out of it.

Only pictures that somebody has seen whole go into the set: a box that nobody drew would otherwise count as a mistake of
the model.  The set is what ``python -m app evaluate MODEL --data data.yaml`` takes.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import IO

from core.errors import InputInvalid, NotFound
from core.ids import new_id
from core.media import MediaStore
from dashboard.drones.intake import locate_media
from dashboard.drones.looking import Ground, stands_at
from ingest.drones.view import view_of
from storage.aerial import PICTURES, AerialStore, FindingView
from storage.drones import DroneStore, FileView
from storage.tables.drones import AerialFinding
from vision.aerial.sights import CLASSES

SHOWN = ("large_vehicle",)  # what the model says and nobody should have to keep
DRAWN = ("construction_waste", "blocked_lane", "water")  # no model sees them: people draw them
NAMES = frozenset(name for names in CLASSES.values() for name in names) | frozenset((*SHOWN, *DRAWN))
MOST_BYTES = 2 << 30  # of one set
_SUFFIX = {"image/jpeg": ".jpg", "image/tiff": ".tif", "image/png": ".png"}


def checked_box(box: Sequence[float]) -> list[float]:
    """x1, y1, x2, y2 as shares of the picture, in order and inside it; :class:`InputInvalid`."""
    if len(box) != 4 or not all(isinstance(v, int | float) and 0 <= v <= 1 for v in box):
        raise InputInvalid(field="box", detail="is not x1, y1, x2, y2 from 0 to 1", how="send shares of the picture")
    x1, x2 = sorted((float(box[0]), float(box[2])))
    y1, y2 = sorted((float(box[1]), float(box[3])))
    if x2 - x1 < 1e-4 or y2 - y1 < 1e-4:
        raise InputInvalid(field="box", detail="has no area", how="draw a box around the thing")
    return [round(v, 5) for v in (x1, y1, x2, y2)]


def checked_name(name: str) -> str:
    """One of :data:`NAMES`; :class:`InputInvalid`."""
    if name not in NAMES:
        raise InputInvalid(field="name", detail=f"{name[:40]!r} is no class", how=f"take {', '.join(sorted(NAMES))}")
    return name


def drawn(
    store: AerialStore, media: MediaStore, file: FileView, name: str, box: Sequence[float], by: str, now: datetime
) -> FindingView:
    """Keep a box that a person drew, placed on the ground as any other."""
    if file.kind not in PICTURES:
        raise NotFound(what="picture of drone file", key=file.file_id)
    shares, label = checked_box(box), checked_name(name)
    view = view_of(locate_media(media, file.uri, file.name))
    ground = Ground({file.file_id: view} if view else {}, None, {})
    known = None
    if view is not None:
        size = (view.camera.width, view.camera.height) * 2
        pixels = [share * side for share, side in zip(shares, size, strict=True)]
        known = ground.at(file, *stands_at(label, pixels, view))
    elif file.place:
        known = ground.at(file, 0, 0)
    key = new_id()
    return store.add(
        AerialFinding(
            finding_id=key, flight_id=file.flight_id, file_id=file.file_id, thing_id=key, name=label, box=shares,
            confidence=1.0, model="", model_sha256="", state="added", judged_by=by, judged_at=now, created_at=now,
            lon=known[0] if known else None, lat=known[1] if known else None,
            uncertainty_m=round(known[2], 1) if known else None,
        )
    )  # fmt: skip


def write_set(store: AerialStore, drones: DroneStore, media: MediaStore, model: str, target: IO[bytes]) -> int:
    """A YOLO set of every reviewed picture with the boxes of ``model``'s classes; returns how many pictures.

    Raises:
        InputInvalid: a model that judges nothing from above.
    """
    classes = CLASSES.get(model)
    if classes is None:
        raise InputInvalid(
            field="model", detail=f"{model[:40]!r} judges nothing here", how=f"take {', '.join(CLASSES)}"
        )
    written = total = 0
    sources = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as out:
        for look in store.reviewed():
            file = drones.file(look.file_id)
            total += file.size
            if total > MOST_BYTES:
                break
            with media.files.open(media.path(file.uri), "rb") as picture:
                out.writestr(f"images/{file.file_id}{_SUFFIX.get(file.media_type, '.jpg')}", picture.read())
            out.writestr(f"labels/{file.file_id}.txt", _labels(store.findings(file_id=file.file_id), classes))
            sources.append(
                {"file": file.name, "id": file.file_id, "sha256": file.sha256, "reviewed_by": look.reviewed_by}
            )
            written += 1
        names = json.dumps(dict(enumerate(classes)))
        out.writestr("data.yaml", f"path: .\nval: images\nnames: {names}\n")
        out.writestr("sources.json", json.dumps(sources, ensure_ascii=False, indent=1))
    return written


def _labels(findings: Sequence[FindingView], classes: Sequence[str]) -> str:
    """Boxes that stand, as ``class cx cy w h``; what nobody rejected counts: the whole picture was seen."""
    lines = []
    for finding in findings:
        if finding.state == "rejected" or finding.name not in classes:
            continue
        x1, y1, x2, y2 = (float(v) for v in finding.box)
        numbers = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
        lines.append(f"{classes.index(finding.name)} " + " ".join(f"{v:.6f}" for v in numbers))
    return "\n".join(lines) + "\n" if lines else ""
