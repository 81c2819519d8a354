"""What is learnt from judged cases: a threshold, a masked place, a picture for the next training."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from core.errors import InputInvalid, NotFound
from core.ids import new_id
from core.records import AlgorithmConfig, Zone
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.desk.cameras import CameraEdit, change_camera
from dashboard.services import Services
from events.cases.access import visible_cases
from events.learning import masks, precision
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseEvidence
from storage.tables.registry import Camera


class Threshold(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/vision/threshold``."""

    camera_id: str
    algorithm: str
    threshold: float


def apply_threshold(use: Services, who: Principal, sent: Threshold) -> dict[str, Any]:
    """Set a suggested threshold as the right parameter of that algorithm on that camera; the camera."""
    must_be(who, "admin")
    if not 0 < sent.threshold < 1:
        raise InputInvalid(field="threshold", detail=f"{sent.threshold} is out of range", how="give 0 … 1")
    configs, _, revision = _configured(use, sent.camera_id, sent.algorithm)
    changed = [
        msgspec.structs.replace(c, params=precision.with_threshold(c.kind, c.params, sent.threshold))
        if c.kind == sent.algorithm else c
        for c in configs
    ]  # fmt: skip
    return change_camera(use, who, sent.camera_id, CameraEdit(algorithms=changed, expected_revision=revision))


class Mask(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/vision/mask``; ``polygon`` in shares of the picture."""

    camera_id: str
    algorithm: str
    polygon: tuple[tuple[float, float], ...]
    name: str = "误报屏蔽"


def apply_mask(use: Services, who: Principal, sent: Mask) -> dict[str, Any]:
    """Add a masked place to that algorithm on that camera: nothing with its middle there counts; the camera."""
    must_be(who, "admin")
    if sent.algorithm in masks.WITHOUT:
        raise InputInvalid(field="algorithm", detail=f"{sent.algorithm} cannot be masked", how="draw its zone anew")
    configs, zones, revision = _configured(use, sent.camera_id, sent.algorithm)
    made = Zone(zone_id=f"mask-{new_id().lower()}", name=sent.name, polygon=sent.polygon, purpose="mask")
    changed = [
        msgspec.structs.replace(c, zones=(*c.zones, made.zone_id)) if c.kind == sent.algorithm else c for c in configs
    ]
    edit = CameraEdit(zones=[*zones, made], algorithms=changed, expected_revision=revision)
    return change_camera(use, who, sent.camera_id, edit)


def _configured(use: Services, camera_id: str, algorithm: str) -> tuple[list[AlgorithmConfig], list[Zone], int]:
    """A camera's algorithms, zones and revision; :class:`NotFound` when it does not run ``algorithm``."""
    with read_scope(use.engine) as session:
        row = session.get(Camera, camera_id)
        if row is None:
            raise NotFound(what="camera", key=camera_id)
        configs = [msgspec.convert(a, AlgorithmConfig) for a in row.algorithms or []]
        zones = [msgspec.convert(z, Zone) for z in row.zones or []]
        revision = row.revision
    if all(config.kind != algorithm for config in configs):
        raise NotFound(what=f"algorithm of camera {camera_id}", key=algorithm)
    return configs, zones, revision


def keep_hard_negative(use: Services, who: Principal, case_id: str) -> dict[str, Any]:
    """Put a false alarm's clean picture into the next training set (``data_dir/hard_negatives``, no label)."""
    must_be(who, "admin", "operator")
    with read_scope(use.engine) as session:
        case = session.scalars(select(Case).where(Case.case_id == case_id, visible_cases(who.actor))).one_or_none()
        if case is None:
            raise NotFound(what="case", key=case_id)
        if not (case.form or {}).get("false_alarm"):
            raise InputInvalid(field="case_id", detail="was not closed as a false alarm", how="close it so first")
        kind, camera = case.kind, case.source_id
        wanted = select(CaseEvidence.uri, CaseEvidence.sha256).where(
            CaseEvidence.case_id == case_id, CaseEvidence.kind == "snapshot", CaseEvidence.media_type == "image/jpeg"
        )
        pictures = session.execute(wanted).all()
    if not pictures:
        raise NotFound(what="clean picture of case", key=case_id)
    folder = use.settings.data_dir / "hard_negatives" / kind
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for uri, sha256 in pictures:
        (folder / "images" / f"{sha256}.jpg").write_bytes(use.media.read(uri))
        (folder / "labels" / f"{sha256}.txt").write_text("")
    with session_scope(use.engine) as session:
        note = {"case_id": case_id, "camera_id": camera, "algorithm": kind, "pictures": [s for _, s in pictures]}
        audit(session, use, who, "hard_negative", note)
    return {"case_id": case_id, "algorithm": kind, "pictures": len(pictures)}
