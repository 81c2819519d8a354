"""How well do we see?  Precision from judged cases, and what to learn from it: thresholds, masks, hard negatives."""

from __future__ import annotations

import asyncio

import msgspec
from fastapi import APIRouter, Request, Response

from core.errors import InputInvalid
from dashboard import precision
from dashboard.api.deps import CENTRE, Use, Who, allow, respond, takes
from dashboard.api.params import body, moment, text
from dashboard.desk.learning import Mask, Threshold, apply_mask, apply_threshold, keep_hard_negative
from storage.session import read_scope

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


@router.post("/api/vision/threshold", dependencies=[allow("admin")], openapi_extra=takes(Threshold))
async def set_threshold(request: Request, use: Use, who: Who) -> Response:
    """Set a suggested threshold as the right parameter of that algorithm on that camera; answers the camera."""
    sent = await body(request, Threshold)
    return respond(await asyncio.to_thread(apply_threshold, use, who, sent))


@router.post("/api/vision/mask", dependencies=[allow("admin")], openapi_extra=takes(Mask))
async def set_mask(request: Request, use: Use, who: Who) -> Response:
    """Add a masked place to that algorithm on that camera: nothing with its middle there counts; answers the camera."""
    return respond(await asyncio.to_thread(apply_mask, use, who, await body(request, Mask)))


class HardNegative(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/vision/hard-negatives``."""

    case_id: str


@router.post("/api/vision/hard-negatives", dependencies=[allow("admin", "operator")], openapi_extra=takes(HardNegative))
async def hard_negative(request: Request, use: Use, who: Who) -> Response:
    """Put a false alarm's clean picture into the next training set (``data_dir/hard_negatives``, no label)."""
    sent = await body(request, HardNegative)
    return respond(await asyncio.to_thread(keep_hard_negative, use, who, sent.case_id), 201)
