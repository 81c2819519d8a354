"""Emergency plans as routes and desk pages use them: the plans, what is in force, starting one, its tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.people import person_names
from dashboard.services import Services
from events.dispatching.emergency_plans import (
    PlanSpec,
    TaskView,
    move_task,
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

READERS = ("admin", "operator", "dispatcher", "manager", "viewer")
_SHOWN = ("plan_id", "name", "level", "version", "enabled", "body", "updated_at", "updated_by")


def plan_list(use: Services, who: Principal, case_id: str | None = None) -> dict[str, Any]:
    """``{"items", "runs", "tasks", "next"}``: the plans (those meant for a case), the newest runs, the case's tasks."""
    must_be(who, *READERS)
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
        items = [{n: getattr(p, n) for n in _SHOWN} for p in rows]
        people = person_names(session, (p.updated_by for p in rows))
        for item in items:
            item["updated_by_name"] = people.get(item["updated_by"] or "", item["updated_by"])
        return {"items": items, "runs": _runs(session), "tasks": tasks, "next": None}


def write_plan(use: Services, who: Principal, spec: PlanSpec) -> int:
    """Keep a plan; a changed one gets the next version, which is returned."""
    must_be(who, "admin")
    with session_scope(use.engine) as session:
        version = save_plan(session, spec, who.actor.user_id, use.clock.now())
        audit(session, use, who, "plan_save", {"plan_id": spec.plan_id, "version": version})
        return version


def put_into_force(use: Services, who: Principal, plan_id: str, case_id: str) -> list[dict[str, Any]]:
    """Start a plan for a case: its tasks with department, person on duty, due time and cameras."""
    with session_scope(use.engine) as session:
        return named_tasks(session, start_plan(session, use.cases, who.actor, plan_id, case_id))


def move(use: Services, who: Principal, task_id: str, state: str, note: str = "") -> dict[str, Any]:
    """Accept, finish or cancel a task of a plan."""
    with session_scope(use.engine) as session:
        return named_tasks(session, [move_task(session, use.cases, who.actor, task_id, state, note)])[0]


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
