"""One run: read the directory, compare, take over in one transaction, and tell in the audit chain what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from core.errors import YiwangError
from core.records import Record
from dashboard.accounts.users import POWERS, add_user
from dashboard.identity import binding
from dashboard.identity.directory.config import DirectoryConfig
from dashboard.identity.directory.plan import LEFT, MINE, KnownAccount, Ours, SyncPlan, SyncProblem, SyncStep, make_plan
from dashboard.identity.directory.source import people_of, units_of
from events.dispatching.duty_roster import shifts_ahead
from events.evidence import audit_log
from storage.session import read_scope, session_scope
from storage.tables.accounts import ExternalIdentity
from storage.tables.cases import AuditEntry
from storage.tables.people import LoginSession, User, UserRole
from storage.tables.registry import Department, Division

ACTION = "directory_sync"
FAILED = "directory_sync_failed"
TOLD = 200  # problems and steps that the audit chain keeps of one run


class SyncReport(Record, frozen=True, omit_defaults=False):
    """What a run found and did; ``counts`` by kind of step; ``shifts``: duty shifts of people who were closed."""

    at: datetime
    by: str
    dry_run: bool
    people: int
    departments: int
    unchanged: int
    counts: dict[str, int]
    steps: tuple[SyncStep, ...]
    problems: tuple[SyncProblem, ...]
    shifts: int = 0


async def synchronise(
    engine: Engine, config: DirectoryConfig, now: datetime, by: str, *, dry_run: bool, keep: Iterable[str] = ()
) -> SyncReport:
    """Read all, then change all or nothing.  ``keep``: logins for emergencies, never closed.

    Raises:
        DirectoryAway: it was not read to its end; nothing was changed.
    """
    units, (people, whole) = await units_of(config), await people_of(config)
    scope = read_scope if dry_run else session_scope
    with scope(engine) as session:
        plan = make_plan(config, people, units, ours_of(session, config, set(keep)), whole=whole)
        shifts = 0 if dry_run else _apply(session, config, plan, now)
        report = _report(plan, now, by, dry_run, len(people), len(units), shifts)
        if not dry_run:
            kept = msgspec.to_builtins(report)
            steps = [{**step, "facts": sorted(step["facts"]), "subject": ""} for step in kept["steps"][:TOLD]]
            kept |= {"steps": steps, "problems": kept["problems"][:TOLD]}  # which fields, not what they say
            audit_log.append(session, audit_log.SYSTEM_CHAIN, now, by, ACTION, kept)
    return report


def last_report(engine: Engine) -> dict[str, Any] | None:
    """The last run that changed something, as the audit chain keeps it."""
    with read_scope(engine) as session:
        query = select(AuditEntry).where(AuditEntry.action == ACTION).order_by(AuditEntry.seq.desc()).limit(1)
        row = session.scalars(query).one_or_none()
        return dict(row.body) if row is not None else None


def last_failure(engine: Engine) -> dict[str, Any] | None:
    """``{"at", "code", "detail"}`` of the last run by itself, when it did not end; None when one ended since."""
    with read_scope(engine) as session:
        query = select(AuditEntry).where(AuditEntry.action.in_((ACTION, FAILED))).order_by(AuditEntry.seq.desc())
        row = session.scalars(query.limit(1)).one_or_none()
        return {"at": row.at, **row.body} if row is not None and row.action == FAILED else None


def last_tried(engine: Engine) -> datetime | None:
    """When a run last ended or failed."""
    with read_scope(engine) as session:
        query = select(AuditEntry.at).where(AuditEntry.action.in_((ACTION, FAILED))).order_by(AuditEntry.seq.desc())
        return session.scalars(query.limit(1)).one_or_none()


def tell_failure(engine: Engine, now: datetime, by: str, error: YiwangError) -> None:
    """A run by itself that changed nothing stands in the chain, too: nobody was there to read it."""
    with session_scope(engine) as session:
        content = {"code": error.code, "detail": str(error.data.get("detail", error))[:300]}
        audit_log.append(session, audit_log.SYSTEM_CHAIN, now, by, FAILED, content)


def _report(plan: SyncPlan, now: datetime, by: str, dry_run: bool, people: int, units: int, shifts: int) -> SyncReport:
    return SyncReport(
        at=now, by=by, dry_run=dry_run, people=people, departments=units, unchanged=plan.unchanged,
        counts=dict(Counter(step.kind for step in plan.steps)), steps=plan.steps, problems=plan.problems, shifts=shifts,
    )  # fmt: skip


def ours_of(session: Session, config: DirectoryConfig, keep: set[str]) -> Ours:
    """What there is here, as :func:`make_plan` compares it."""
    roles: dict[str, set[str]] = {}
    for row in session.scalars(select(UserRole)):
        roles.setdefault(row.user_id, set()).add(row.role)
    own = select(ExternalIdentity).where(ExternalIdentity.issuer == config.issuer)
    subjects = {row.user_id: row.subject for row in session.scalars(own)} if config.issuer else {}
    accounts = tuple(
        KnownAccount(
            user_id=u.user_id, login=u.login, name=u.name, active=u.active, department=u.department_id or "",
            division=u.division_code or "", phone=u.phone, source=u.source,
            roles=frozenset(roles.get(u.user_id, ())), subject=subjects.get(u.user_id, ""),
            power=bool(roles.get(u.user_id, set()) & set(POWERS)) or u.login in keep,
        )
        for u in session.scalars(select(User))
    )  # fmt: skip
    departments = {d.department_id: (d.name, d.parent_id or "") for d in session.scalars(select(Department))}
    return Ours(accounts=accounts, departments=departments, divisions=frozenset(session.scalars(select(Division.code))))


def _apply(session: Session, config: DirectoryConfig, plan: SyncPlan, now: datetime) -> int:
    shifts = 0
    units = [step for step in plan.steps if step.kind.startswith("department")]
    for step in units:
        department = session.get(Department, step.key) or Department(department_id=step.key, name=step.name)
        department.name = step.name
        session.add(department)
    session.flush()
    for step in units:  # parents are all there now
        session.get_one(Department, step.key).parent_id = step.facts.get("parent_id")
    session.flush()
    for step in plan.steps:
        if step.kind == "new":
            _open_account(session, config, step, now)
        elif step.kind == "close":
            shifts += _close(session, step, now)
        elif step.kind in ("change", "open"):
            _change(session, config, step, now)
    return shifts


def _open_account(session: Session, config: DirectoryConfig, step: SyncStep, now: datetime) -> None:
    facts: dict[str, Any] = dict(step.facts)
    user = add_user(
        session, login=step.key, name=facts["name"], roles=facts["roles"], department_id=facts["department_id"],
        division_code=facts["division_code"],
    )  # fmt: skip
    user.phone, user.source = facts["phone"], MINE
    if config.issuer:
        binding.bind(session, user.user_id, config.issuer, step.subject, "rule:directory", now)


def _change(session: Session, config: DirectoryConfig, step: SyncStep, now: datetime) -> None:
    user = session.get_one(User, step.key)
    facts: dict[str, Any] = dict(step.facts)
    roles = facts.pop("roles", None)
    for name, value in facts.items():
        setattr(user, name, value)
    user.source, user.active = MINE, True
    if roles is not None:
        session.execute(delete(UserRole).where(UserRole.user_id == user.user_id))
        session.add_all([UserRole(user_id=user.user_id, role=role) for role in roles])
    if step.subject and config.issuer:
        binding.bind(session, user.user_id, config.issuer, step.subject, "rule:directory", now)


def _close(session: Session, step: SyncStep, now: datetime) -> int:
    user = session.get_one(User, step.key)
    user.active, user.source = False, LEFT
    session.execute(delete(LoginSession).where(LoginSession.user_id == user.user_id))
    return len(shifts_ahead(session, user.user_id, now))
