"""Emergency plans (预案): what a grave case calls up — tasks, people on duty, warehouses, cameras.

A plan is data (events/dispatching/plans.json, edited in the table).  Putting one into force copies its tasks, so that
editing the plan later changes no history; every task has its department, its person on duty, its due time and its
cameras.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Forbidden, InputInvalid, NotFound
from core.ids import new_id
from core.legal_time.calendar import WorkCalendar
from core.legal_time.limits import Limit
from core.legal_time.workclock import deadline
from core.records import Actor, Record
from events.cases.service import CaseService
from events.dispatching.duty_roster import on_duty
from storage.tables.cases import Case
from storage.tables.plans import Plan, PlanRun, PlanTask
from storage.tables.registry import Camera, Department, Site

DATA = Path(__file__).parent / "plans.json"
SHIPPED_BY = "system"  # who wrote a plan that nobody has changed
MAY_RUN = frozenset({"operator", "dispatcher", "admin", "system"})
_METRES_PER_DEGREE = 111_320.0


class Applies(Record, frozen=True):
    """Cases that a plan is meant for; empty means any.  ``classes`` and ``divisions`` are prefixes."""

    classes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()
    min_severity: int = 1


class NearCameras(Record, frozen=True):
    within_m: float
    limit: int = 6


class TaskSpec(Record, frozen=True):
    """``department``: an id; ``street`` or ``site`` for the place's, ``lead`` for the case's.

    ``site``: the nearest of a kind.
    """

    title: str
    department: str
    post: str = "duty"
    due: Limit | None = None
    site: str = ""
    cameras: NearCameras | None = None


class PlanSpec(Record, frozen=True):
    plan_id: str
    name: str
    tasks: tuple[TaskSpec, ...]
    level: int = 1
    applies_to: Applies = Applies()


class TaskView(Record, frozen=True, omit_defaults=False):
    task_id: str
    run_id: str
    title: str
    department_id: str | None
    user_id: str | None
    site_id: str | None
    cameras: list[str]
    due_at: datetime | None
    state: str
    done_at: datetime | None
    note: str


class PlanInvalid(InputInvalid):
    code = "plan_invalid"


def parse_plan(body: Any) -> PlanSpec:
    """A plan from its JSON form."""
    try:
        spec = msgspec.convert(body, PlanSpec)
    except msgspec.ValidationError as error:
        raise PlanInvalid(field="plan", detail=str(error), how="see events/dispatching/plans.json") from error
    if not spec.tasks:
        raise PlanInvalid(field="tasks", detail="are missing", how="a plan calls for at least one task")
    return spec


def shipped_plans() -> list[PlanSpec]:
    """The plans we ship."""
    return [parse_plan(body) for body in json.loads(DATA.read_text("utf-8"))]


def save_plan(session: Session, spec: PlanSpec, by: str, now: datetime) -> int:
    """Store a plan; a changed one gets the next version, which is returned."""
    body = msgspec.json.decode(msgspec.json.encode(spec))  # lists, as the column gives them back
    row = session.get(Plan, spec.plan_id, with_for_update=True)
    if row is None:
        row = Plan(plan_id=spec.plan_id, version=0, body={}, enabled=True)
        session.add(row)
    if row.body != body:
        row.version, row.name, row.level, row.body = row.version + 1, spec.name, spec.level, body
        row.updated_at, row.updated_by = now, by
    session.flush()
    return row.version


def sync_plans(session: Session, now: datetime) -> None:
    """Put the shipped plans into the table, new ones too; what a district changed is left alone."""
    known = {row.plan_id: row.updated_by for row in session.execute(select(Plan.plan_id, Plan.updated_by))}
    for spec in shipped_plans():
        if known.get(spec.plan_id, SHIPPED_BY) == SHIPPED_BY:
            save_plan(session, spec, SHIPPED_BY, now)


def plans_for(session: Session, case: Case) -> list[PlanSpec]:
    """The enabled plans that are meant for ``case``, the strongest response first."""
    rows = session.scalars(select(Plan).where(Plan.enabled.is_(True)).order_by(Plan.level, Plan.plan_id))
    specs = (parse_plan(row.body) for row in rows)
    return [spec for spec in specs if _applies(spec.applies_to, case)]


def _applies(a: Applies, case: Case) -> bool:
    return (
        case.severity >= a.min_severity
        and (not a.classes or case.class_code.startswith(a.classes))
        and (not a.kinds or case.kind in a.kinds)
        and (not a.divisions or (case.division_code or "").startswith(a.divisions))
    )


def start_plan(session: Session, service: CaseService, actor: Actor, plan_id: str, case_id: str) -> list[TaskView]:
    """Put a plan into force for a case, once: tasks with people, places and due times; noted in the case's history."""
    if not set(actor.roles) & MAY_RUN:
        raise Forbidden(action="put a plan into force")
    case, plan = service.other_case(session, case_id, actor), session.get(Plan, plan_id)
    if plan is None or not plan.enabled:
        raise NotFound(what="plan", key=plan_id)
    running = select(PlanRun.run_id).where(
        PlanRun.plan_id == plan_id, PlanRun.case_id == case_id, PlanRun.ended_at.is_(None)
    )
    if session.scalar(running) is not None:
        raise InputInvalid(field="plan_id", detail="is in force for this case already", how="end it first")
    now = service.clock.now()
    run = PlanRun(
        run_id=new_id(),
        plan_id=plan_id,
        plan_version=plan.version,
        case_id=case_id,
        started_at=now,
        started_by=actor.user_id,
    )
    session.add(run)
    session.flush()
    calendar = service.calendars["default"]
    tasks = [
        _task(session, run.run_id, number, spec, case, now, calendar)
        for number, spec in enumerate(parse_plan(plan.body).tasks, 1)
    ]
    session.add_all(tasks)
    note = {"plan_id": plan_id, "version": plan.version, "run_id": run.run_id, "tasks": [t.title for t in tasks]}
    service.note(session, case, actor, "plan_start", note)
    return [view(task) for task in tasks]


def _task(
    session: Session, run_id: str, number: int, spec: TaskSpec, case: Case, now: datetime, calendar: WorkCalendar
) -> PlanTask:
    department = _department(session, spec.department, case)
    people = on_duty(session, department, now, spec.post) or on_duty(session, department, now) if department else []
    return PlanTask(
        task_id=new_id(),
        run_id=run_id,
        position=number,
        title=spec.title,
        department_id=department,
        user_id=people[0].user_id if people else None,
        site_id=_nearest_site(session, spec.site, case) if spec.site else None,
        cameras=_cameras(session, spec.cameras, case) if spec.cameras else [],
        due_at=deadline(now, spec.due, calendar).at if spec.due else None,
        state="open",
        note="",
    )


def _department(session: Session, name: str, case: Case) -> str | None:
    found: str | None = name
    if name == "lead":
        found = case.department_id
    elif name == "street":
        found = f"street-{(case.division_code or '')[:9]}"
    elif name == "site":
        site = session.get(Site, case.site_id) if case.site_id else None
        found = site.department_id if site is not None else None
    return found if found and session.get(Department, found) is not None else None


def _nearest_site(session: Session, kind: str, case: Case) -> str | None:
    if case.lon is None or case.lat is None:
        return None
    rows = session.execute(select(Site.site_id, Site.lon, Site.lat).where(Site.kind == kind))
    found = _by_distance(case, [(r.site_id, r.lon, r.lat) for r in rows])
    return found[0][1] if found else None


def _cameras(session: Session, near: NearCameras, case: Case) -> list[str]:
    if case.lon is None or case.lat is None:
        return []
    dlat = near.within_m / _METRES_PER_DEGREE
    dlon = dlat / max(math.cos(math.radians(case.lat)), 0.01)
    rows = session.execute(
        select(Camera.camera_id, Camera.lon, Camera.lat).where(
            Camera.lon.between(case.lon - dlon, case.lon + dlon), Camera.lat.between(case.lat - dlat, case.lat + dlat)
        )
    )
    found = _by_distance(case, [(r.camera_id, r.lon, r.lat) for r in rows])
    return [camera_id for metres, camera_id in found if metres <= near.within_m][: near.limit]


def _by_distance(case: Case, places: Iterable[tuple[str, float, float]]) -> list[tuple[float, str]]:
    lon, lat = case.lon or 0.0, case.lat or 0.0
    squeeze = math.cos(math.radians(lat))
    return sorted((math.hypot((x - lon) * squeeze, y - lat) * _METRES_PER_DEGREE, name) for name, x, y in places)


def move_task(
    session: Session, service: CaseService, actor: Actor, task_id: str, state: str, note: str = ""
) -> TaskView:
    """Accept, finish or cancel a task: its department does the first two, whoever runs plans the last."""
    task = session.get(PlanTask, task_id, with_for_update=True)
    run = session.get(PlanRun, task.run_id) if task is not None else None
    if task is None or run is None or run.case_id is None:
        raise NotFound(what="task", key=task_id)
    own = actor.department_id is not None and actor.department_id == task.department_id
    if state not in ("accepted", "done", "cancelled"):
        raise InputInvalid(field="state", detail=f"{state!r} is unknown", how="use accepted, done or cancelled")
    if not (set(actor.roles) & MAY_RUN or (own and state != "cancelled")):
        raise Forbidden(action="move this task")
    if task.state in ("done", "cancelled") or (task.state == state):
        raise InputInvalid(field="state", detail=f"the task is {task.state} already", how="look at it again")
    now = service.clock.now()
    task.state, task.note = state, note or task.note
    task.user_id = task.user_id or (actor.user_id if own else None)
    if state == "done":
        task.done_at, task.done_by = now, actor.user_id
    case = session.get(Case, run.case_id, with_for_update=True)
    if case is not None:
        service.note(session, case, actor, f"task_{state}", {"task_id": task_id, "title": task.title, "note": note})
    left = session.scalar(
        select(PlanTask.task_id).where(
            PlanTask.run_id == run.run_id, PlanTask.state.in_(("open", "accepted")), PlanTask.task_id != task_id
        )
    )
    if left is None and state in ("done", "cancelled"):
        run.ended_at, run.ended_by = now, actor.user_id
    session.flush()
    return view(task)


def tasks_of(session: Session, case_id: str) -> list[TaskView]:
    """All tasks that plans gave for a case."""
    rows = session.scalars(
        select(PlanTask)
        .join(PlanRun, PlanRun.run_id == PlanTask.run_id)
        .where(PlanRun.case_id == case_id)
        .order_by(PlanRun.started_at, PlanTask.position)
    )
    return [view(row) for row in rows]


def view(task: PlanTask) -> TaskView:
    """The task as it is shown."""
    return TaskView(**{name: getattr(task, name) for name in TaskView.__struct_fields__})
