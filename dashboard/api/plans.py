"""Emergency plans (预案) and their tasks."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import select

from dashboard.answers.duty import PlanList, PlanTaskRow, PlanTasks, PlanVersion, StartedTasks
from dashboard.api.deps import Use, Who, allow, answers, respond, takes
from dashboard.api.filters import Filters, Text
from dashboard.api.params import body
from dashboard.desk import plans as desk
from dashboard.desk.plans import READERS, named_tasks, plan_list
from events.dispatching.emergency_plans import parse_plan, view
from storage.session import read_scope
from storage.tables.cases import Case
from storage.tables.plans import PlanRun, PlanTask

router = APIRouter(tags=["plans"])


class Start(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/plans/{plan_id}/start``."""

    case_id: str


class TaskMove(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/plan-tasks/{task_id}``: state accepted, done or cancelled."""

    state: str
    note: str = ""


class PlanFilters(Filters):
    """Filters of ``GET /api/plans``."""

    case: Text | None = Field(None, description="a case: only plans that are meant for it, and its tasks")


@router.get("/api/plans", dependencies=[allow(*READERS)], **answers(PlanList))
def plans(asked: Annotated[PlanFilters, Query()], use: Use, who: Who) -> Response:
    """The plans and the newest runs."""
    return respond(plan_list(use, who, asked.case))


@router.put("/api/plans/{plan_id}", dependencies=[allow("admin")], **answers(PlanVersion))
async def save(plan_id: str, request: Request, use: Use, who: Who) -> Response:
    """Write a plan: ``{name, level, applies_to, tasks}``; a changed one gets the next version, runs keep theirs."""
    sent = await body(request, dict[str, Any])
    spec = parse_plan({**sent, "plan_id": plan_id})

    return respond({"plan_id": plan_id, "version": await asyncio.to_thread(desk.write_plan, use, who, spec)})


@router.post("/api/plans/{plan_id}/start", openapi_extra=takes(Start), **answers(StartedTasks, 201))
async def start(plan_id: str, request: Request, use: Use, who: Who) -> Response:
    """Put the plan into force for a case: tasks with department, person on duty, due time and cameras."""
    sent = await body(request, Start)

    tasks = await asyncio.to_thread(desk.put_into_force, use, who, plan_id, sent.case_id)
    return respond({"tasks": tasks}, 201)


@router.get("/api/plan-tasks", **answers(PlanTasks))
def my_plan_tasks(use: Use, who: Who) -> Response:
    """Tasks that running plans gave to this person's department, not done yet."""
    query = (
        select(PlanTask)
        .join(PlanRun, PlanRun.run_id == PlanTask.run_id)
        .where(
            PlanRun.ended_at.is_(None),
            PlanTask.state.in_(("open", "accepted")),
            PlanTask.department_id == (who.actor.department_id or ""),
        )
        .order_by(PlanTask.due_at)
        .limit(200)
    )
    with read_scope(use.engine) as session:
        items = named_tasks(session, [view(task) for task in session.scalars(query)])
        cases = {item["run_id"]: None for item in items}
        found = session.execute(
            select(PlanRun.run_id, Case.case_id, Case.number, Case.title)
            .join(Case, Case.case_id == PlanRun.case_id)
            .where(PlanRun.run_id.in_(list(cases)))
        )
        of_run = {row.run_id: row for row in found}
        for item in items:
            case = of_run.get(item["run_id"])
            item |= {"case_id": case.case_id, "case_number": case.number, "case_title": case.title} if case else {}
    return respond({"items": items, "next": None})


@router.post("/api/plan-tasks/{task_id}", openapi_extra=takes(TaskMove), **answers(PlanTaskRow))
async def move(task_id: str, request: Request, use: Use, who: Who) -> Response:
    """Accept, finish or cancel a task of a plan."""
    sent = await body(request, TaskMove)

    return respond(await asyncio.to_thread(desk.move, use, who, task_id, sent.state, sent.note))
