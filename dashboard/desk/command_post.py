"""The picture of a commander: one case with its plans in force, forces, vehicles, stock and who is to be called."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.records import Record
from core.sealing import Seal
from dashboard import queries
from dashboard.api.deps import CENTRE, must_be
from dashboard.auth import Principal
from dashboard.desk.plans import named_tasks
from dashboard.field import positions
from dashboard.services import Services
from dashboard.wall.surroundings import box, metres
from events.cases.access import visible_cases
from events.cases.queries import summary_of
from events.cases.read_models import CaseSummary
from events.dispatching.emergency_plans import tasks_of
from records.registers.access import visible_records
from records.registers.definition import shipped_registers
from records.registers.search import Query, page
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseTransition
from storage.tables.people import User
from storage.tables.plans import DutyShift, Plan, PlanRun
from storage.tables.registry import Department, Device

AROUND_M = 5000.0
STOCK = "emergency_stock"
FRESH = timedelta(minutes=10)  # a vehicle that has said nothing for longer is not counted on
MOST = 30
CALLED = "called"
Here = tuple[float, float] | None


class Force(Record, frozen=True):
    """A person or vehicle: where it was last (WGS 84 degrees), how far from the case in metres, when."""

    name: str
    department: str
    lon: float
    lat: float
    distance_m: float | None
    at: str


class StockLine(Record, frozen=True):
    """A line of the register of emergency stock."""

    record_id: str
    warehouse: str
    item: str
    amount: str
    lon: float | None
    lat: float | None
    distance_m: float | None


class CallEntry(Record, frozen=True):
    """Who is to be called: a person on duty now, or a department.  ``called_at``: noted in the case."""

    key: str
    name: str
    post: str
    department: str
    phone: str
    called_at: datetime | None = None
    called_by: str = ""


class CommandPicture(Record, frozen=True):
    """Everything that the command page shows; ``plans``: ``{"name", "started_at", "ended_at"}``."""

    case: CaseSummary
    plans: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    people: list[Force]
    vehicles: list[Force]
    stock: list[StockLine]
    contacts: list[CallEntry]


def picture(use: Services, who: Principal, case_id: str) -> CommandPicture:
    """The picture for the case.

    Raises:
        Forbidden: for the command centre only.
        NotFound: no such case that the person may see.
    """
    must_be(who, *CENTRE)
    now = use.clock.now()
    with read_scope(use.engine) as session:
        case = _case(session, who, case_id)
        here = (case.lon, case.lat) if case.lon is not None and case.lat is not None else None
        runs = session.execute(
            select(Plan.name, PlanRun.started_at, PlanRun.ended_at)
            .join(Plan, Plan.plan_id == PlanRun.plan_id)
            .where(PlanRun.case_id == case_id)
            .order_by(PlanRun.started_at)
        )
        tasks = named_tasks(session, tasks_of(session, case_id))
        return CommandPicture(
            case=summary_of(session, case_id),
            plans=[dict(row._mapping) for row in runs],
            tasks=tasks,
            people=_people(session, who, here, now),
            vehicles=_vehicles(session, use, who, here, now),
            stock=_stock(session, use, who, here),
            contacts=_contacts(session, case_id, case, tasks, now),
        )


def called(use: Services, who: Principal, case_id: str, key: str, request: str) -> None:
    """Note in the case that somebody of the call list was told; ``request`` makes a double press one note."""
    must_be(who, *CENTRE)
    with session_scope(use.engine) as session:
        case = _case(session, who, case_id, lock=True)
        tasks = named_tasks(session, tasks_of(session, case_id))
        known = {each.key: each for each in _contacts(session, case_id, case, tasks, use.clock.now())}
        if key not in known:
            raise InputInvalid(field="contact", detail=f"{key!r} is not on the list", how="choose one of the list")
        same = select(CaseTransition.seq).where(
            CaseTransition.case_id == case_id, CaseTransition.idempotency_key == request[:80]
        )
        if session.scalar(same) is None:
            said = {"contact": key, "comment": f"{known[key].name} {known[key].department}".strip()}
            use.cases.note(session, case, who.actor, CALLED, said, request[:80])


def _case(session: Session, who: Principal, case_id: str, lock: bool = False) -> Case:
    query = select(Case).where(Case.case_id == case_id, visible_cases(who.actor))
    case = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if case is None:
        raise NotFound(what="case", key=case_id)
    return case


def _far(here: Here, lon: float | None, lat: float | None) -> float | None:
    return round(metres(here, (lon, lat))) if here and lon is not None and lat is not None else None


def _nearest(found: Iterable[Any]) -> list[Any]:
    """At most thirty, the nearest first; what lies farther than five kilometres is left out."""
    near = [each for each in found if each.distance_m is None or each.distance_m <= AROUND_M]
    return sorted(near, key=lambda each: each.distance_m if each.distance_m is not None else AROUND_M)[:MOST]


def _people(session: Session, who: Principal, here: Here, now: datetime) -> list[Force]:
    names = _departments(session)
    return _nearest(
        Force(
            name=each["name"], department=names.get(each["department_id"], ""), lon=each["lon"], lat=each["lat"],
            distance_m=_far(here, each["lon"], each["lat"]), at=each["at"].isoformat(),
        )
        for each in positions(session, who.actor, now)
    )  # fmt: skip


def _departments(session: Session) -> dict[str | None, str]:
    rows = session.execute(select(Department.department_id, Department.name))
    return {row.department_id: row.name for row in rows}


def _vehicles(session: Session, use: Services, who: Principal, here: Here, now: datetime) -> list[Force]:
    """Devices that move and were heard in the last ten minutes."""
    names = _departments(session)
    found = []
    seen = queries.visible_devices(who.actor)
    for device in session.scalars(select(Device).where(Device.status == "active", seen)):
        live = queries.state_of(use.hub.states, "device", device.device_id)
        at, place = live.get("heard_at"), live.get("location")
        if not place or not at or datetime.fromisoformat(str(at)) < now - FRESH:
            continue
        lon, lat = float(place["lon"]), float(place["lat"])
        department = names.get(device.department_id, "")
        found.append(Force(device.name or device.address, department, lon, lat, _far(here, lon, lat), str(at)))
    return _nearest(found)


def _stock(session: Session, use: Services, who: Principal, here: Here) -> list[StockLine]:
    registers = shipped_registers()
    wanted = Query(
        register_id=STOCK, box=box(*here, AROUND_M) if here else None, limit=200,
        may_see=visible_records(who.actor, registers),
    )  # fmt: skip
    found = []
    for row in page(session, wanted, Seal(use.settings.records_key)):
        data = row.data
        amount = f"{data.get('stock') or 0:g} {data.get('unit') or ''}".strip()
        item = " ".join(filter(None, (row.name, data.get("spec"))))
        far = _far(here, row.lon, row.lat)
        found.append(StockLine(row.record_id, data.get("warehouse") or "", item, amount, row.lon, row.lat, far))
    return _nearest(found)


def _contacts(
    session: Session, case_id: str, case: Case, tasks: list[dict[str, Any]], now: datetime
) -> list[CallEntry]:
    """People on duty now, those of the departments concerned first; then these departments' own numbers."""
    concerned = {task["department_id"] for task in tasks if task["department_id"]} | {case.department_id}
    query = select(CaseTransition).where(CaseTransition.case_id == case_id, CaseTransition.command == CALLED)
    told = {row.data.get("contact"): row for row in session.scalars(query.order_by(CaseTransition.seq))}
    people = {row.user_id: row.name for row in session.execute(select(User.user_id, User.name))} if told else {}

    def contact(key: str, name: str, post: str, department: str, phone: str) -> CallEntry:
        last = told.get(key)
        by = people.get(last.actor_id, last.actor_id) if last else ""
        return CallEntry(key, name, post, department, phone, last.at if last else None, by)

    shifts = session.execute(
        select(DutyShift, User, Department)
        .join(User, User.user_id == DutyShift.user_id)
        .join(Department, Department.department_id == DutyShift.department_id)
        .where(DutyShift.starts_at <= now, DutyShift.ends_at > now)
        .order_by(DutyShift.department_id, DutyShift.post)
    ).all()
    shifts = sorted(shifts, key=lambda row: row[0].department_id not in concerned)
    found = [contact(f"u:{u.user_id}", u.name, s.post, d.name, u.phone) for s, u, d in shifts]
    rows = session.scalars(select(Department).where(Department.department_id.in_([c for c in concerned if c])))
    found += [contact(f"d:{d.department_id}", d.name, "", d.name, d.phone) for d in rows if d.phone]
    return list({each.key: each for each in found}.values())
