"""The demo district's last weeks: generated cases, marked as generated, led by the real engine at past moments.

Boards and indicators then have a history to show.  All are closed: what is open on the wall comes from the demo's own
devices and cameras.  Made once, into an installation that has no case yet.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.clock import BEIJING, ManualClock, SystemClock
from core.records import JSON, SYSTEM, Actor, Command, GeoPoint, Severity
from events.cases.drafts import CaseDraft, Part, Route
from events.cases.service import CaseService
from events.runtime.wiring import case_service
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.people import User, UserRole
from storage.tables.registry import Site

DAYS, CASES, SEED = 60, 300, 220105
MARK = "生成的示例案件，不是真实事件 / a generated example, no real event"
_HAPPENINGS = (  # observation kind, title, class, kind of site, lead department, source, severity, how often
    ("water_level_m", "道路积水", "event-05-06", "waterlogging", "dept-drainage", "device", 3, 5),
    ("flame_smoke", "发现烟火", "event-05-94", "key_fire_site", "dept-fire", "camera", 3, 1),
    ("absence", "消控室离岗", "event-06-89", "key_fire_site", "dept-fire", "camera", 2, 6),
    ("device_fault", "消防设施故障", "event-06-87", "key_fire_site", "dept-fire", "device", 1, 4),
    ("obstruction", "停车异常", "event-04-88", "key_place", "dept-traffic", "camera", 1, 6),
    ("tidiness", "暴露垃圾", "event-01-10", "key_place", "dept-urban", "citizen", 1, 8),
    ("fuel_rule", "作业违规", "event-06-86", "fuel_station", "dept-emergency", "camera", 2, 2),
)


@dataclass(frozen=True)
class _Step:
    """A command at a moment of a case's life."""

    at: datetime
    case: int
    name: str  # "open" or a command
    who: str  # role of the doer
    data: dict[str, JSON]


def fill_history(engine: Engine, *, days: int = DAYS, cases: int = CASES) -> int:
    """Generate them; how many there are (0: the installation has cases, sites or people of its own to begin with)."""
    with read_scope(engine) as session:
        known = session.scalar(select(func.count()).select_from(Case))
        sites = {kind: _sites(session, kind) for kind in {h[3] for h in _HAPPENINGS}}
        people = _people(session)
    if known or not all(sites.values()) or ("dept-fire", "staff") not in people:
        return 0
    rng = random.Random(SEED)  # noqa: S311 - an example, no secret
    now = SystemClock().now()
    clock = ManualClock(now - timedelta(days=days + 1))
    service, ids = case_service(engine, clock), dict[int, str]()
    plans = [_plan(rng, number, now, days) for number in range(cases)]
    steps = sorted((step for plan in plans for step in plan[1]), key=lambda step: step.at)
    with session_scope(engine) as session:
        for step in steps:
            clock.set(step.at)
            _take(session, service, step, plans[step.case][0], sites, people, ids, rng)
    return len(ids)


def _plan(rng: random.Random, number: int, now: datetime, days: int) -> tuple[int, list[_Step]]:
    """What happens to a case, and when: by day more than by night; one in eight a false alarm, one in ten late."""
    kind = rng.choices(range(len(_HAPPENINGS)), [each[-1] for each in _HAPPENINGS])[0]
    day = now.astimezone(BEIJING) - timedelta(days=1 + rng.triangular(1, days, days / 3))
    hour, minute = min(23, int(rng.triangular(0, 24, 10))), rng.randrange(60)
    begun = day.replace(hour=hour, minute=minute, second=rng.randrange(60))
    steps = list(_life(rng, number, begun))
    return kind, [step for step in steps if step.at < now]


def _life(rng: random.Random, number: int, begun: datetime) -> Iterator[_Step]:
    passed = [0.0]  # minutes since it was opened

    def step(minutes: float, name: str, who: str, **data: JSON) -> _Step:
        passed[0] += minutes
        return _Step(begun + timedelta(minutes=passed[0]), number, name, who, data)

    yield step(0, "open", "system")
    if rng.random() < 0.12:
        yield step(rng.uniform(1, 6), "cancel", "operator", reason="误报：现场核实无异常")
        return
    yield step(rng.uniform(1, 5), "confirm", "operator")
    late = rng.random() < 0.1
    yield step(rng.uniform(3, 30), "accept", "staff")
    if late:
        yield step(rng.uniform(240, 600), "urge", "operator", reason="即将超时，请加快办理")
    yield step(rng.uniform(600, 1500) if late else rng.uniform(20, 150), "finish", "staff", comment="已处置",
               no_photo_reason="示例数据没有照片")  # fmt: skip
    if rng.random() < 0.06:
        yield step(rng.uniform(10, 60), "rework", "operator", reason="处置不彻底")
        yield step(rng.uniform(5, 20), "accept", "staff")
        yield step(rng.uniform(20, 90), "finish", "staff", comment="已重新处置", no_photo_reason="示例数据没有照片")
    yield step(rng.uniform(10, 80), "check_pass", "operator")
    yield step(rng.uniform(2, 30), "close", "operator")


def _take(
    session: Session, service: CaseService, step: _Step, kind: int, sites: dict[str, list[Site]],
    people: dict[tuple[str, str], Actor], ids: dict[int, str], rng: random.Random,
) -> None:  # fmt: skip
    observed, title, code, place, lead, source, severity, _ = _HAPPENINGS[kind]
    if step.name == "open":
        site = rng.choice(sites[place])
        draft = CaseDraft(
            title=f"{site.name} {title}", kind=observed, class_code=code, severity=Severity(severity),
            site_id=site.site_id, location=GeoPoint(lon=site.lon, lat=site.lat), source_type=source, source_id="demo",
            description=MARK,
            auto_register=True, route=Route(lead=Part(department_id=lead)), why={"generated": True},
        )  # fmt: skip
        ids[step.case] = service.open_case(session, draft).case_id
        return
    doer = people[(lead if step.who == "staff" else "", step.who)]
    command = Command(name=step.name, case_id=ids[step.case], actor_id=doer.user_id, data=step.data)
    service.execute_in(session, command, doer)


def _sites(session: Session, kind: str) -> list[Site]:
    rows = list(session.scalars(select(Site).where(Site.kind == kind).order_by(Site.site_id)))
    session.expunge_all()
    return rows


def _people(session: Session) -> dict[tuple[str, str], Actor]:
    """One operator, and one member of staff of each department."""
    found: dict[tuple[str, str], Actor] = {("", "system"): SYSTEM}
    wanted = (
        select(User, UserRole.role).join(UserRole, UserRole.user_id == User.user_id)
        .where(UserRole.role.in_(("operator", "staff"))).order_by(User.user_id)
    )  # fmt: skip
    for user, role in session.execute(wanted):
        doer = Actor(user_id=user.user_id, name=user.name, roles=(role,), department_id=user.department_id,
                     division_code=user.division_code)  # fmt: skip
        found.setdefault((user.department_id or "" if role == "staff" else "", role), doer)
    return found
