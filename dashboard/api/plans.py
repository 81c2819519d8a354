"""Emergency plans (预案) and the duty roster."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import aliased

from core.clock import BEIJING
from core.errors import Forbidden, InputInvalid, NotFound
from dashboard.api.deps import Use, Who, allow, audit, respond, takes
from dashboard.api.params import body, moment
from events.duty import MAY_PLAN, add_shift, hand_over, substitute
from events.plans import move_task, parse_plan, plans_for, save_plan, start_plan, sync_plans, tasks_of, view
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.people import User
from storage.tables.plans import DutyShift, Plan, PlanRun, PlanTask
from storage.tables.registry import Department

router = APIRouter(tags=["plans"])

READERS = ("admin", "operator", "dispatcher", "manager", "viewer")
WIDEST = timedelta(days=62)


class Shift(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/duty``; a time without zone is Beijing time."""

    department_id: str
    user_id: str
    starts_at: str
    ends_at: str
    post: str = "duty"
    substitute_for: str | None = None


class HandOverBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/duty/{shift_id}/handover``."""

    user_id: str
    note: str


class Substitute(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/duty/{shift_id}/substitute``."""

    user_id: str


class Start(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/plans/{plan_id}/start``."""

    case_id: str


class TaskMove(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/plan-tasks/{task_id}``: state accepted, done or cancelled."""

    state: str
    note: str = ""


# plans ---------------------------------------------------------------------
@router.get("/api/plans", dependencies=[allow(*READERS)])
def plans(request: Request, use: Use, who: Who) -> Response:
    """The plans and the newest runs; ``case`` names a case: only plans that are meant for it, and its tasks."""
    case_id = request.query_params.get("case")
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
            wanted, tasks = {spec.plan_id for spec in plans_for(session, case)}, tasks_of(session, case_id)
        rows = [p for p in session.scalars(select(Plan).order_by(Plan.level, Plan.plan_id))
                if wanted is None or p.plan_id in wanted]  # fmt: skip
        names = ("plan_id", "name", "level", "version", "enabled", "body", "updated_at", "updated_by")
        items = [{n: getattr(p, n) for n in names} for p in rows]
        return respond({"items": items, "runs": _runs(session), "tasks": tasks, "next": None})


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
    for task in session.scalars(select(PlanTask).where(PlanTask.run_id.in_(ids)).order_by(PlanTask.position)):
        tasks.setdefault(task.run_id, []).append(view(task))
    return [
        {
            "run_id": run.run_id, "plan_id": run.plan_id, "plan_name": name, "case_id": run.case_id,
            "case_number": number, "started_at": run.started_at, "started_by": run.started_by,
            "ended_at": run.ended_at, "tasks": tasks.get(run.run_id, []),
        }
        for run, name, number in found
    ]  # fmt: skip


@router.put("/api/plans/{plan_id}", dependencies=[allow("admin")])
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


@router.post("/api/plans/{plan_id}/start", openapi_extra=takes(Start))
async def start(plan_id: str, request: Request, use: Use, who: Who) -> Response:
    """Put the plan into force for a case: tasks with department, person on duty, due time and cameras."""
    sent = await body(request, Start)

    def write() -> Any:
        with session_scope(use.engine) as session:
            return start_plan(session, use.cases, who.actor, plan_id, sent.case_id)

    return respond({"tasks": await asyncio.to_thread(write)}, 201)


@router.get("/api/plan-tasks")
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
        return respond({"items": [view(task) for task in session.scalars(query)], "next": None})


@router.post("/api/plan-tasks/{task_id}", openapi_extra=takes(TaskMove))
async def move(task_id: str, request: Request, use: Use, who: Who) -> Response:
    """Accept, finish or cancel a task of a plan."""
    sent = await body(request, TaskMove)

    def write() -> Any:
        with session_scope(use.engine) as session:
            return move_task(session, use.cases, who.actor, task_id, sent.state, sent.note)

    return respond(await asyncio.to_thread(write))


# duty ----------------------------------------------------------------------
@router.get("/api/duty")
def duty(request: Request, use: Use, who: Who) -> Response:
    """The roster from ``from`` to ``to`` (default the next 7 days); outside the centre, one's own department's."""
    query = request.query_params
    start_at = moment(query, "from") or use.clock.now()
    end_at = moment(query, "to") or start_at + timedelta(days=7)
    if not timedelta(0) < end_at - start_at <= WIDEST:
        raise InputInvalid(field="from", detail="is not before 'to', or too far from it", how="ask for ≤ 62 days")
    other = aliased(User)
    wanted = (
        select(DutyShift, User.name, Department.name, other.name)
        .join(User, User.user_id == DutyShift.user_id)
        .join(Department, Department.department_id == DutyShift.department_id)
        .outerjoin(other, other.user_id == DutyShift.substitute_for)
        .where(DutyShift.starts_at < end_at, DutyShift.ends_at > start_at)
        .order_by(DutyShift.starts_at, DutyShift.shift_id)
        .limit(5000)
    )
    if not who.has(*READERS):
        wanted = wanted.where(DutyShift.department_id == (who.actor.department_id or ""))
    names = ("shift_id", "department_id", "post", "user_id", "substitute_for", "starts_at", "ends_at", "handed_over_at",
             "handed_over_to", "handover_note")  # fmt: skip
    with read_scope(use.engine) as session:
        items = [
            {n: getattr(shift, n) for n in names}
            | {"duty_id": shift.shift_id, "user_name": name, "department_name": department, "role": shift.post,
               "substitute_for_name": stands_for, "note": shift.handover_note}
            for shift, name, department, stands_for in session.execute(wanted)
        ]  # fmt: skip
    return respond({"items": items, "next": None})


@router.post("/api/duty", openapi_extra=takes(Shift))
async def add(request: Request, use: Use, who: Who) -> Response:
    """Put a person on duty."""
    sent = await body(request, Shift)
    starts_at, ends_at = _time("starts_at", sent.starts_at), _time("ends_at", sent.ends_at)

    def write() -> str:
        with session_scope(use.engine) as session:
            if session.get(Department, sent.department_id) is None:
                raise NotFound(what="department", key=sent.department_id)
            shift_id = add_shift(
                session, who.actor, sent.department_id, sent.user_id, starts_at, ends_at, post=sent.post,
                substitute_for=sent.substitute_for or None,
            )  # fmt: skip
            audit(session, use, who, "duty_add", {"shift_id": shift_id, **msgspec.to_builtins(sent)})
            return shift_id

    return respond({"shift_id": await asyncio.to_thread(write)}, 201)


def _time(name: str, text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputInvalid(field=name, detail=str(error), how="send ISO 8601") from error
    return value if value.tzinfo else value.replace(tzinfo=BEIJING)


@router.delete("/api/duty/{shift_id}")
def remove(shift_id: str, use: Use, who: Who) -> Response:
    """Take a shift out of the roster, while it has not begun."""
    with session_scope(use.engine) as session:
        shift = session.get(DutyShift, shift_id, with_for_update=True)
        if shift is None:
            raise NotFound(what="shift", key=shift_id)
        wide = {"admin", "dispatcher", "operator"} & set(who.actor.roles)
        if not MAY_PLAN & set(who.actor.roles) or not (wide or shift.department_id == who.actor.department_id):
            raise Forbidden(action="plan this duty")
        if shift.starts_at <= use.clock.now():
            raise InputInvalid(field="shift_id", detail="has begun", how="name a substitute, or hand it over")
        audit(session, use, who, "duty_remove", {"shift_id": shift_id, "user_id": shift.user_id})
        session.delete(shift)
    return respond({"ok": True})


@router.post("/api/duty/{shift_id}/handover", openapi_extra=takes(HandOverBody))
async def handover(shift_id: str, request: Request, use: Use, who: Who) -> Response:
    """Hand a shift over with a note; the answer lists what the next one takes over."""
    sent = await body(request, HandOverBody)

    def write() -> Any:
        with session_scope(use.engine) as session:
            return hand_over(session, who.actor, shift_id, sent.user_id, sent.note, use.clock.now())

    return respond(await asyncio.to_thread(write))


@router.post("/api/duty/{shift_id}/substitute", openapi_extra=takes(Substitute))
async def stand_in(shift_id: str, request: Request, use: Use, who: Who) -> Response:
    """Let somebody stand in for the rest of a shift."""
    sent = await body(request, Substitute)

    def write() -> str:
        with session_scope(use.engine) as session:
            found = substitute(session, who.actor, shift_id, sent.user_id, use.clock.now())
            audit(session, use, who, "duty_substitute", {"shift_id": shift_id, "user_id": sent.user_id})
            return found

    return respond({"shift_id": await asyncio.to_thread(write)}, 201)
