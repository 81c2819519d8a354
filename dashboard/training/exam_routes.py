"""Exams: the list, attempts with a time limit, results, taking a new one in."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from dashboard.answers.training.exams import AttemptWhole, ExamList, ExamResults, ExamTaken
from dashboard.api.deps import Use, Who, answers, respond, takes
from dashboard.api.params import body
from dashboard.training.exams import EXAMINERS, ExamDesk
from dashboard.training.results import results

router = APIRouter(tags=["training"])


class ExamBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/exams``: the exam (docs/training.md)."""

    exam: dict[str, Any]


class ExamState(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/exams/{exam_id}/state``."""

    closed: bool


class AttemptAnswers(msgspec.Struct, forbid_unknown_fields=True):
    """Answers by question; ``end`` hands them in."""

    answers: dict[str, Any]
    end: bool = False


@router.get("/api/exams", **answers(ExamList))
def listed(use: Use, who: Who) -> Response:
    """The exams that the person may take, with the own attempts."""
    items = ExamDesk(use, who.actor).listed()
    shown = use.exams.problems if who.has(*EXAMINERS) else {}
    files = [{"name": name, "detail": detail} for name, detail in sorted(shown.items())]
    return respond({"items": items, "files": files, "next": None})


@router.post("/api/exams", openapi_extra=takes(ExamBody), **answers(ExamTaken))
async def take(request: Request, use: Use, who: Who) -> Response:
    """A new exam, or a new version of one; attempts keep the version that they began with."""
    sent = await body(request, ExamBody)
    return respond(await asyncio.to_thread(ExamDesk(use, who.actor).take, sent.exam))


@router.post("/api/exams/{exam_id}/state", openapi_extra=takes(ExamState), **answers(ExamTaken))
async def close(exam_id: str, request: Request, use: Use, who: Who) -> Response:
    """End an exam, or open it again; attempts that run go on."""
    sent = await body(request, ExamState)
    return respond(await asyncio.to_thread(ExamDesk(use, who.actor).close, exam_id, sent.closed))


@router.post("/api/exams/{exam_id}/attempts", **answers(AttemptWhole))
async def begin(exam_id: str, use: Use, who: Who) -> Response:
    """Begin: questions are drawn, the time runs; where one runs already, that one."""
    return respond(await asyncio.to_thread(ExamDesk(use, who.actor).begin, exam_id))


@router.get("/api/exams/{exam_id}/results", **answers(ExamResults))
def shown(exam_id: str, use: Use, who: Who) -> Response:
    """The examiner's results: people with their best attempt, questions with the share that was right."""
    return respond(results(ExamDesk(use, who.actor), exam_id))


@router.get("/api/exam-attempts/{attempt_id}", **answers(AttemptWhole))
def attempt(attempt_id: str, use: Use, who: Who) -> Response:
    """One's own attempt."""
    return respond(ExamDesk(use, who.actor).attempt(attempt_id))


@router.put("/api/exam-attempts/{attempt_id}", openapi_extra=takes(AttemptAnswers), **answers(AttemptWhole))
async def save(attempt_id: str, request: Request, use: Use, who: Who) -> Response:
    """Keep the answers so far, or hand them in."""
    sent = await body(request, AttemptAnswers)
    desk = ExamDesk(use, who.actor)
    return respond(await asyncio.to_thread(lambda: desk.save(attempt_id, sent.answers, end=sent.end)))
