"""Filing: data sets, the matrix of units and periods, cells, approvals, totals, workbooks."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from core.errors import InputInvalid
from dashboard.answers.registers import (
    DatasetList,
    FilingDue,
    FilingMatrix,
    FilingParts,
    FilingSaved,
    FilingState,
    FilingTotals,
    FilingWhole,
    LedgerLights,
    SheetTaken,
)
from dashboard.api.deps import EXPORT, Use, Who, answers, respond, sends, takes, takes_file
from dashboard.api.filters import Filters, Several, Text
from dashboard.api.params import body
from dashboard.filing.desk import FilingDesk
from dashboard.filing.field import FieldFilingDesk

router = APIRouter(tags=["filing"])
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOVES = ("submit", "return", "approve", "take_back", "exempt")


class FilingCells(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT …/{unit}/{period}``: values by question (null empties), comments, the version they were seen at."""

    values: dict[str, Any]
    comments: dict[str, str] = {}
    version: int | None = None


class FilingMove(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST …/{unit}/{period}/state``: submit, return, approve, take_back or exempt."""

    action: str
    note: str = ""
    questions: list[str] = []


@router.get("/api/filing", **answers(DatasetList))
def overview(use: Use, who: Who) -> Response:
    """The data sets with their periods, and the units that the person stands for."""
    return respond(FilingDesk(use, who.actor).overview())


@router.get("/api/me/filing", **answers(FilingDue))
def mine(use: Use, who: Who) -> Response:
    """What the person's own units file: forms, the current period and the one before, with values and prefill."""
    return respond(FieldFilingDesk(use, who.actor).mine())


class MatrixFilters(Filters):
    """Which periods, below which unit."""

    periods: Several = Field(
        default_factory=tuple, description="periods with commas, e.g. 2026-10,2026-11", min_length=1
    )
    top: Text = Field("", description="a unit; one's own when left out")


@router.get("/api/filing/{dataset_id}/matrix", **answers(FilingMatrix))
def matrix(dataset_id: str, asked: Annotated[MatrixFilters, Query()], use: Use, who: Who) -> Response:
    """Units × periods with states, complete and on time."""
    periods = list(asked.periods)[:60]
    if not periods:
        raise InputInvalid(field="periods", detail="are missing", how="send e.g. 2026-10,2026-11")
    return respond(FilingDesk(use, who.actor).matrix(dataset_id, asked.top, periods))


@router.get("/api/filing/{dataset_id}/ledger/{period}", **answers(LedgerLights))
def lights(dataset_id: str, period: str, use: Use, who: Who) -> Response:
    """A task ledger: indicators × units with done, target, planned and a light; who has signed off."""
    return respond(FilingDesk(use, who.actor).ledger(dataset_id, period))


@router.get("/api/filing/{dataset_id}/units/{unit}/{period}", **answers(FilingWhole))
def filing(dataset_id: str, unit: str, period: str, use: Use, who: Who) -> Response:
    """One unit's filing of a period: state, values, prefill, problems and the form."""
    return respond(FilingDesk(use, who.actor).filing(dataset_id, unit, period))


@router.put("/api/filing/{dataset_id}/units/{unit}/{period}", openapi_extra=takes(FilingCells), **answers(FilingSaved))
async def write(dataset_id: str, unit: str, period: str, request: Request, use: Use, who: Who) -> Response:
    """Set cells."""
    sent = await body(request, FilingCells)
    desk = FilingDesk(use, who.actor)
    done = await asyncio.to_thread(desk.save, dataset_id, unit, period, sent.values, sent.comments, sent.version)
    return respond(done)


@router.post(
    "/api/filing/{dataset_id}/units/{unit}/{period}/state", openapi_extra=takes(FilingMove), **answers(FilingState)
)
async def move(dataset_id: str, unit: str, period: str, request: Request, use: Use, who: Who) -> Response:
    """File, return, approve, take an approval back, or exempt."""
    sent = await body(request, FilingMove)
    if sent.action not in MOVES:
        raise InputInvalid(field="action", detail=f"{sent.action!r}", how=f"use one of {', '.join(MOVES)}")
    desk = FilingDesk(use, who.actor)
    await asyncio.to_thread(desk.move, dataset_id, unit, period, sent.action, sent.note, sent.questions)
    return respond(await asyncio.to_thread(_shown, desk, dataset_id, unit, period))


def _shown(desk: FilingDesk, dataset_id: str, unit: str, period: str) -> dict[str, Any]:
    found = desk.filing(dataset_id, unit, period)
    return {name: found[name] for name in ("dataset_id", "unit", "period", "state", "version", "note", "on_time")}


@router.get("/api/filing/{dataset_id}/units/{unit}/{period}/totals", **answers(FilingTotals))
def totals(dataset_id: str, unit: str, period: str, use: Use, who: Who) -> Response:
    """The unit's totals as last rolled up; ``stale`` where a part has changed since."""
    return respond({"totals": FilingDesk(use, who.actor).totals(dataset_id, unit, period)})


@router.post("/api/filing/{dataset_id}/units/{unit}/{period}/totals", **answers(FilingTotals))
async def roll_up(dataset_id: str, unit: str, period: str, use: Use, who: Who) -> Response:
    """Roll the unit and what is below it up."""
    desk = FilingDesk(use, who.actor)
    return respond({"totals": await asyncio.to_thread(desk.roll_up, dataset_id, unit, period)})


@router.get("/api/filing/{dataset_id}/units/{unit}/{period}/totals/{question}", **answers(FilingParts))
def parts(dataset_id: str, unit: str, period: str, question: str, use: Use, who: Who) -> Response:
    """What a total is made of, one level down."""
    return respond({"items": FilingDesk(use, who.actor).drill(dataset_id, unit, question, period), "next": None})


@router.get("/api/filing/{dataset_id}/units/{unit}/{period}/sheet.xlsx", dependencies=[EXPORT], **sends(XLSX))
def sheet(dataset_id: str, unit: str, period: str, use: Use, who: Who) -> Response:
    """The period of the unit (or of all below it) as a workbook to fill in."""
    return _workbook(FilingDesk(use, who.actor).sheet(dataset_id, unit, period), f"{dataset_id}-{period}")


def _workbook(content: bytes, name: str) -> Response:
    plain = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "-_"))
    headers = {"Content-Disposition": f'attachment; filename="{plain}.xlsx"', "Cache-Control": "no-store"}
    return Response(content, media_type=XLSX, headers=headers)


class SheetFilters(Filters):
    """How a filled-in sheet is taken."""

    name: Text = Field("", description="the file's name")
    dry_run: bool = False
    take_good_rows: bool = Field(True, description="false: one wrong cell takes nothing")
    language: Text = Field("zh", description="of the problems: zh or en")


@router.post("/api/filing/{dataset_id}/periods/{period}/sheet", openapi_extra=takes_file(XLSX), **answers(SheetTaken))
async def take_sheet(
    dataset_id: str, period: str, asked: Annotated[SheetFilters, Query()], request: Request, use: Use, who: Who
) -> Response:
    """Take the cells of a filled-in workbook (the body); problems name sheet, row, column and remedy."""
    content, desk = await request.body(), FilingDesk(use, who.actor)
    done = await asyncio.to_thread(
        lambda: desk.take_sheet(
            dataset_id, period, content, name=asked.name, dry_run=asked.dry_run, take_good_rows=asked.take_good_rows,
            language=asked.language,
        )
    )  # fmt: skip
    return respond(done)


@router.post(
    "/api/filing/{dataset_id}/units/{unit}/{period}/template",
    dependencies=[EXPORT],
    openapi_extra=takes_file(XLSX),
    **sends(XLSX),
)
async def fill(dataset_id: str, unit: str, period: str, request: Request, use: Use, who: Who) -> Response:
    """The superior's own workbook (the body) with its named cells ``yw_<question>`` filled."""
    content = await request.body()
    filled = await asyncio.to_thread(FilingDesk(use, who.actor).template, dataset_id, unit, period, content)
    return _workbook(filled, f"{dataset_id}-{unit}-{period}")
