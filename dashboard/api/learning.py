"""How well do we see?  Precision from judged cases, and what to learn from it: thresholds, masks, hard negatives."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from core.errors import InputInvalid
from dashboard.answers.cameras import CameraDetail, FieldReportList, HardNegatives, PrecisionList, ThresholdTrial
from dashboard.api.deps import CENTRE, Use, Who, allow, answers, respond, takes
from dashboard.api.filters import Day, Filters, PeriodFilter, Text
from dashboard.api.params import body
from dashboard.desk.learning import Mask, Threshold, apply_mask, apply_threshold, keep_hard_negative
from events.learning import precision, report
from storage.session import read_scope

router = APIRouter(tags=["fleet"])


class PrecisionFilters(PeriodFilter):
    """Filters of ``GET /api/vision/precision``."""

    camera: Text | None = None


class ThresholdFilters(Filters):
    """Which threshold is tried on which camera's algorithm."""

    camera: Text
    algorithm: Text
    threshold: float = Field(ge=0, le=1)


@router.get("/api/vision/precision", dependencies=[allow(*CENTRE)], **answers(PrecisionList))
def how_well(asked: Annotated[PrecisionFilters, Query()], use: Use, who: Who) -> Response:
    """Per camera and algorithm: closed cases, false alarms, precision with its 95 % interval, what to do about it."""
    del who
    with read_scope(use.engine) as session:
        rows = precision.by_camera(session, asked.camera, asked.start, asked.end)
    return respond({"items": rows, "next": None})


class FieldReportFilters(Filters):
    """Filters of ``GET /api/vision/field-report``; ``nights``: so many nights of one camera's algorithm."""

    night: Day | None = None
    camera: Text | None = None
    algorithm: Text | None = None
    nights: int | None = Field(default=None, ge=1, le=report.KEPT_NIGHTS)


@router.get("/api/vision/field-report", dependencies=[allow(*CENTRE)], **answers(FieldReportList))
def field_report(asked: Annotated[FieldReportFilters, Query()], use: Use, who: Who) -> Response:
    """The nightly report: precision with its interval per camera and algorithm, and what other thresholds would do."""
    del who
    if asked.nights and not (asked.camera and asked.algorithm):
        raise InputInvalid(field="nights", detail="needs camera and algorithm", how="name both")
    with read_scope(use.engine) as session:
        if asked.nights and asked.camera and asked.algorithm:
            rows = report.nights(session, asked.camera, asked.algorithm, asked.nights)
        else:
            rows = report.lines(session, asked.night, asked.camera, asked.algorithm)
    return respond({"items": rows, "next": None})


@router.get("/api/vision/what-if", dependencies=[allow(*CENTRE)], **answers(ThresholdTrial))
def what_if(asked: Annotated[ThresholdFilters, Query()], use: Use, who: Who) -> Response:
    """What a confidence threshold would have done to this camera's judged cases."""
    del who
    with read_scope(use.engine) as session:
        return respond(precision.what_if(session, asked.camera, asked.algorithm, asked.threshold))


@router.post(
    "/api/vision/threshold", dependencies=[allow("admin")], openapi_extra=takes(Threshold), **answers(CameraDetail)
)
async def set_threshold(request: Request, use: Use, who: Who) -> Response:
    """Set a suggested threshold as the right parameter of that algorithm on that camera; answers the camera."""
    sent = await body(request, Threshold)
    return respond(await asyncio.to_thread(apply_threshold, use, who, sent))


@router.post("/api/vision/mask", dependencies=[allow("admin")], openapi_extra=takes(Mask), **answers(CameraDetail))
async def set_mask(request: Request, use: Use, who: Who) -> Response:
    """Add a masked place to that algorithm on that camera: nothing with its middle there counts; answers the camera."""
    return respond(await asyncio.to_thread(apply_mask, use, who, await body(request, Mask)))


class HardNegative(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/vision/hard-negatives``."""

    case_id: str


@router.post(
    "/api/vision/hard-negatives",
    dependencies=[allow("admin", "operator")],
    openapi_extra=takes(HardNegative),
    **answers(HardNegatives, 201),
)
async def hard_negative(request: Request, use: Use, who: Who) -> Response:
    """Put a false alarm's clean picture into the next training set (``data_dir/hard_negatives``, no label)."""
    sent = await body(request, HardNegative)
    return respond(await asyncio.to_thread(keep_hard_negative, use, who, sent.case_id), 201)
