"""How well do we see?  Precision from judged cases, and what to learn from it: thresholds, masks, hard negatives."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from core.errors import InputInvalid, NotFound
from core.ids import new_id
from core.records import AlgorithmConfig, Zone
from dashboard import masks, precision
from dashboard.api.deps import CENTRE, Use, Who, allow, audit, respond, takes
from dashboard.api.fleet import CameraEdit, change_camera
from dashboard.api.params import body, moment, text
from dashboard.services import Services
from events.cases.access import visible_cases
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseEvidence
from storage.tables.registry import Camera

router = APIRouter(tags=["fleet"])


@router.get("/api/vision/precision", dependencies=[allow(*CENTRE)])
def how_well(request: Request, use: Use, who: Who) -> Response:
    """Per camera and algorithm: closed cases, false alarms, precision with its 95 % interval, what to do about it."""
    del who
    query = request.query_params
    with read_scope(use.engine) as session:
        rows = precision.by_camera(session, text(query, "camera"), moment(query, "from"), moment(query, "to"))
    return respond({"items": rows, "next": None})


@router.get("/api/vision/what-if", dependencies=[allow(*CENTRE)])
def what_if(request: Request, use: Use, who: Who) -> Response:
    """What a confidence threshold would have done to this camera's judged cases: camera, algorithm, threshold."""
    del who
    query = request.query_params
    camera, algorithm = text(query, "camera"), text(query, "algorithm")
    try:
        threshold = float(query.get("threshold", ""))
    except ValueError:
        threshold = -1.0
    if not camera or not algorithm or not 0 <= threshold <= 1:
        raise InputInvalid(field="threshold", detail="camera, algorithm or threshold is missing", how="0 … 1")
    with read_scope(use.engine) as session:
        return respond(precision.what_if(session, camera, algorithm, threshold))


class Threshold(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/vision/threshold``."""

    camera_id: str
    algorithm: str
    threshold: float


@router.post("/api/vision/threshold", dependencies=[allow("admin")], openapi_extra=takes(Threshold))
async def apply_threshold(request: Request, use: Use, who: Who) -> Response:
    """Set a suggested threshold as the right parameter of that algorithm on that camera; answers the camera."""
    sent = await body(request, Threshold)
    if not 0 < sent.threshold < 1:
        raise InputInvalid(field="threshold", detail=f"{sent.threshold} is out of range", how="give 0 … 1")
    return respond(await asyncio.to_thread(_apply, use, who, sent))


def _apply(use: Services, who: Any, sent: Threshold) -> dict[str, Any]:
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


@router.post("/api/vision/mask", dependencies=[allow("admin")], openapi_extra=takes(Mask))
async def apply_mask(request: Request, use: Use, who: Who) -> Response:
    """Add a masked place to that algorithm on that camera: nothing with its middle there counts; answers the camera."""
    return respond(await asyncio.to_thread(_mask, use, who, await body(request, Mask)))


def _mask(use: Services, who: Any, sent: Mask) -> dict[str, Any]:
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


class HardNegative(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/vision/hard-negatives``."""

    case_id: str


@router.post("/api/vision/hard-negatives", dependencies=[allow("admin", "operator")], openapi_extra=takes(HardNegative))
async def hard_negative(request: Request, use: Use, who: Who) -> Response:
    """Put a false alarm's clean picture into the next training set (``data_dir/hard_negatives``, no label)."""
    sent = await body(request, HardNegative)
    return respond(await asyncio.to_thread(_keep, use, who, sent.case_id), 201)


def _keep(use: Services, who: Any, case_id: str) -> dict[str, Any]:
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
