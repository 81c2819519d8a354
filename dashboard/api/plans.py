"""Emergency plans (预案) and their tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.answers.duty import PlanList, PlanTaskRow, PlanTasks, PlanVersion, StartedTasks
from dashboard.api.deps import Use, Who, allow, answers, audit, respond, takes
from dashboard.api.filters import Filters, Text
from dashboard.api.params import body
from dashboard.people import person_names
from events.dispatching.emergency_plans import (
    TaskView,
    move_task,
    parse_plan,
    plans_for,
    save_plan,
    start_plan,
    sync_plans,
    tasks_of,
    view,
)
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.plans import Plan, PlanRun, PlanTask
from storage.tables.registry import Camera, Department, Site

router = APIRouter(tags=["plans"])

READERS = ("admin", "operator", "dispatcher", "manager", "viewer")


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
    case_id = asked.case
    with read_scope(use.engine) as session:
        empty = session.scalar(select(Plan.plan_id).limit(1)) is None
    if empty:  # an installation's first look fills the table
        with session_scope(use.engine) as session:
            sync_plans(session, use.clock.now())
    with read_scope(use.engine) as session:
        wanted: set[str] | None = None
        tasks: list[Any] = []
        if case_id:
            case = use.cases.other_case(session, case_id, who.actor)
            wanted = {spec.plan_id for spec in plans_for(session, case)}
            tasks = named_tasks(session, tasks_of(session, case_id))
        rows = [p for p in session.scalars(select(Plan).order_by(Plan.level, Plan.plan_id))
                if wanted is None or p.plan_id in wanted]  # fmt: skip
        names = ("plan_id", "name", "level", "version", "enabled", "body", "updated_at", "updated_by")
        items = [{n: getattr(p, n) for n in names} for p in rows]
        people = person_names(session, (p.updated_by for p in rows))
        for item in items:
            item["updated_by_name"] = people.get(item["updated_by"] or "", item["updated_by"])
        return respond({"items": items, "runs": _runs(session), "tasks": tasks, "next": None})


def named_tasks(session: Session, tasks: Sequence[TaskView]) -> list[dict[str, Any]]:
    """``tasks`` with the names of departments, people, places and cameras."""

    def names(key: Any, name: Any, ids: Iterable[str | None]) -> dict[str, str]:
        rows = session.execute(select(key, name).where(key.in_({i for i in ids if i})))
        return {row[0]: row[1] for row in rows}

    departments = {
        d.department_id: d
        for d in session.scalars(
            select(Department).where(Department.department_id.in_({t.department_id for t in tasks if t.department_id}))
        )
    }
    people = person_names(session, (task.user_id for task in tasks))
    sites = names(Site.site_id, Site.name, (task.site_id for task in tasks))
    cameras = names(Camera.camera_id, Camera.name, (c for task in tasks for c in task.cameras))
    items = []
    for task in tasks:
        department = departments.get(task.department_id or "")
        items.append(
            {
                **msgspec.structs.asdict(task),
                "department_name": department.name if department else None,
                "department_name_en": department.name_en if department else None,
                "user_name": people.get(task.user_id or ""),
                "site_name": sites.get(task.site_id or ""),
                "cameras": [{"camera_id": c, "name": cameras.get(c, c)} for c in task.cameras],
            }
        )
    return items


def _runs(session: Any) -> list[dict[str, Any]]:
    found = session.execute(
        select(PlanRun, Plan.name, Case.number)
        .join(Plan, Plan.plan_id == PlanRun.plan_id)
        .outerjoin(Case, Case.case_id == PlanRun.case_id)
        .where(Case.confidential.is_(False))
        .order_by(PlanRun.started_at.desc())
        .limit(50)
    ).all()
    tasks: dict[str, list[Any]] = {}
    ids = [run.run_id for run, _, _ in found]
    rows = session.scalars(select(PlanTask).where(PlanTask.run_id.in_(ids)).order_by(PlanTask.position))
    for task in named_tasks(session, [view(row) for row in rows]):
        tasks.setdefault(task["run_id"], []).append(task)
    people = person_names(session, (run.started_by for run, _, _ in found))
    return [
        {
            "run_id": run.run_id, "plan_id": run.plan_id, "plan_name": name, "case_id": run.case_id,
            "case_number": number, "started_at": run.started_at, "started_by": run.started_by,
            "started_by_name": people.get(run.started_by, run.started_by),
            "ended_at": run.ended_at, "tasks": tasks.get(run.run_id, []),
        }
        for run, name, number in found
    ]  # fmt: skip


@router.put("/api/plans/{plan_id}", dependencies=[allow("admin")], **answers(PlanVersion))
async def save(plan_id: str, request: Request, use: Use, who: Who) -> Response:
    """Write a plan: ``{name, level, applies_to, tasks}``; a changed one gets the next version, runs keep theirs."""
    sent = await body(request, dict[str, Any])
    spec = parse_plan({**sent, "plan_id": plan_id})

    def write() -> int:
        with session_scope(use.engine) as session:
            version = save_plan(session, spec, who.actor.user_id, use.clock.now())
            audit(session, use, who, "plan_save", {"plan_id": plan_id, "version": version})
            return version

    return respond({"plan_id": plan_id, "version": await asyncio.to_thread(write)})


@router.post("/api/plans/{plan_id}/start", openapi_extra=takes(Start), **answers(StartedTasks, 201))
async def start(plan_id: str, request: Request, use: Use, who: Who) -> Response:
    """Put the plan into force for a case: tasks with department, person on duty, due time and cameras."""
    sent = await body(request, Start)

    def write() -> Any:
        with session_scope(use.engine) as session:
            return named_tasks(session, start_plan(session, use.cases, who.actor, plan_id, sent.case_id))

    return respond({"tasks": await asyncio.to_thread(write)}, 201)


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

    def write() -> Any:
        with session_scope(use.engine) as session:
            moved = move_task(session, use.cases, who.actor, task_id, sent.state, sent.note)
            return named_tasks(session, [moved])[0]

    return respond(await asyncio.to_thread(write))
