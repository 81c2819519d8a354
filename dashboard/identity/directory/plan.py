"""What a run of the directory would change here.  Pure: both sides are handed in, steps and problems come out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from core.records import JSON, Record
from dashboard.identity.directory.config import DirectoryConfig

LOGIN = re.compile(r"[A-Za-z0-9._-]{1,60}")
DEPARTMENT = re.compile(r"[\w.:-]{1,40}")
MINE, LEFT = "directory", "directory-left"  # ``user_account.source``: kept by it; closed by it
FEW = 5  # so many may always be closed


class DirectoryPerson(Record, frozen=True):
    """Somebody in the directory; ``at`` says where in its answer."""

    at: str
    subject: str
    login: str
    name: str
    active: bool = True
    department: str = ""
    division: str = ""
    phone: str = ""
    roles: tuple[str, ...] = ()


class DirectoryUnit(Record, frozen=True):
    """A department of the directory."""

    at: str
    id: str
    name: str
    parent: str = ""


class KnownAccount(Record, frozen=True):
    """An account as it is here; ``power``: an administrator, or a login for emergencies."""

    user_id: str
    login: str
    name: str
    active: bool
    department: str
    division: str
    phone: str
    source: str
    roles: frozenset[str]
    subject: str
    power: bool


class Ours(Record, frozen=True):
    """What there is here: accounts, departments (name, parent by id), divisions' codes."""

    accounts: tuple[KnownAccount, ...]
    departments: Mapping[str, tuple[str, str]]
    divisions: frozenset[str]


class SyncStep(Record, frozen=True, omit_defaults=False):
    """One change.  ``key``: the account's id, the login of a new one, or the department's id; ``facts``: what becomes
    what; ``subject``: the identity to be bound."""

    kind: Literal["department_new", "department_change", "new", "change", "close", "open"]
    key: str
    name: str
    facts: dict[str, JSON] = {}
    subject: str = ""


class SyncProblem(Record, frozen=True, omit_defaults=False):
    """``code`` with its values; ``at``: where in the directory's answer ("": of a whole run)."""

    code: str
    at: str = ""
    values: dict[str, JSON] = {}


class SyncPlan(Record, frozen=True, omit_defaults=False):
    steps: tuple[SyncStep, ...]
    problems: tuple[SyncProblem, ...]
    unchanged: int


def make_plan(
    config: DirectoryConfig, people: Sequence[DirectoryPerson], units: Sequence[DirectoryUnit], ours: Ours,
    *, whole: bool = True,
) -> SyncPlan:  # fmt: skip
    """Departments first, then people; who is in the directory no more is closed, within the configured share, and only
    when the directory said that these are all (``whole``)."""
    steps: list[SyncStep] = []
    problems: list[SyncProblem] = []
    known = _departments(units, ours, steps, problems)
    by_subject = {a.subject: a for a in ours.accounts if a.subject}
    by_login = {a.login: a for a in ours.accounts}
    twice = {s for s, n in Counter(p.subject for p in people).items() if n > 1}
    twice_login = {s for s, n in Counter(p.login for p in people).items() if n > 1}
    met: set[str] = set()
    unchanged = 0
    for person in people:
        account = by_subject.get(person.subject) or by_login.get(person.login)
        if account is not None:
            met.add(account.user_id)  # in the directory, whatever is wrong with the row: never closed for it
        problem = _wrong(person, account, known, ours, twice, twice_login)
        if problem is not None:
            problems.append(problem)
            continue
        step = _of_person(config, person, account)
        if step is None:
            unchanged += 1
        else:
            steps.append(step)
            problems += [SyncProblem(code="role_unknown", at=person.at, values={"role": role, "login": person.login})
                         for role in person.roles if config.roles and role not in config.roles]  # fmt: skip
    gone = [a for a in ours.accounts if a.active and a.source == MINE and a.user_id not in met]
    if gone and not whole:
        problems.append(SyncProblem(code="uncounted", values={"absent": len(gone)}))
    elif whole:
        steps += [SyncStep(kind="close", key=a.user_id, name=a.login) for a in gone]
    return _within_bounds(config, steps, problems, unchanged, ours, people)


def _departments(
    units: Sequence[DirectoryUnit], ours: Ours, steps: list[SyncStep], problems: list[SyncProblem]
) -> set[str]:
    known = set(ours.departments)
    coming = {u.id for u in units}
    seen: set[str] = set()
    for unit in _parents_first(units):
        if not DEPARTMENT.fullmatch(unit.id) or not unit.name or unit.id in seen:
            problems.append(SyncProblem(code="department_bad", at=unit.at, values={"id": unit.id, "name": unit.name}))
            continue
        seen.add(unit.id)
        parent = unit.parent
        if parent and parent not in known | coming:
            problems.append(SyncProblem(code="parent_unknown", at=unit.at, values={"id": unit.id, "parent": parent}))
            parent = ""
        wanted = (unit.name[:80], parent)
        if unit.id not in ours.departments:
            facts: dict[str, JSON] = {"name": wanted[0], "parent_id": parent or None}
            steps.append(SyncStep(kind="department_new", key=unit.id, name=wanted[0], facts=facts))
        elif ours.departments[unit.id] != wanted:
            facts = {"name": wanted[0], "parent_id": parent or None}
            steps.append(SyncStep(kind="department_change", key=unit.id, name=wanted[0], facts=facts))
        known.add(unit.id)
    return known


def _parents_first(units: Sequence[DirectoryUnit]) -> list[DirectoryUnit]:
    """Each after its parent; what stands in a circle keeps its order and loses nothing."""
    by_id = {u.id: u for u in units}
    done: list[DirectoryUnit] = []
    placed: set[int] = set()
    for unit in units:
        chain: list[DirectoryUnit] = []
        here: DirectoryUnit | None = unit
        while here is not None and id(here) not in placed and here not in chain:
            chain.append(here)
            here = by_id.get(here.parent)
        for one in reversed(chain):
            placed.add(id(one))
            done.append(one)
    return done


def _wrong(
    person: DirectoryPerson, account: KnownAccount | None, known: set[str], ours: Ours, twice: set[str],
    logins: set[str],
) -> SyncProblem | None:  # fmt: skip
    """Why this row is not taken over; None where it is well."""

    def told(code: str, **values: JSON) -> SyncProblem:
        return SyncProblem(code=code, at=person.at, values={"login": person.login, "name": person.name, **values})

    if not person.subject or not LOGIN.fullmatch(person.login) or not person.name:
        return told("person_bad", subject=person.subject)
    if person.subject in twice or person.login in logins:
        return told("person_twice")
    if person.department and person.department not in known:
        return told("department_unknown", department=person.department)
    if person.division and person.division not in ours.divisions:
        return told("division_unknown", division=person.division)
    if account is not None and account.subject and account.subject != person.subject:
        return told("login_taken", by=account.name)
    if account is not None and account.power and not person.active:
        return told("administrator_left")
    if account is not None and account.subject and account.login != person.login:
        return told("login_changed", ours=account.login)
    return None


def _of_person(config: DirectoryConfig, person: DirectoryPerson, account: KnownAccount | None) -> SyncStep | None:
    wanted: dict[str, JSON] = {
        "name": person.name[:60], "department_id": person.department or None,
        "division_code": person.division or None, "phone": person.phone[:30],
    }  # fmt: skip
    mapped = sorted({role for name in person.roles for role in config.roles.get(name, [])})
    if account is None:
        if not person.active:
            return None
        facts = {**wanted, "roles": [*(mapped or config.default_roles)]}
        return SyncStep(kind="new", key=person.login, name=person.name, facts=facts, subject=person.subject)
    if not person.active:
        if not account.active:
            return None
        return SyncStep(kind="close", key=account.user_id, name=account.login)
    have = {"name": account.name, "department_id": account.department or None,
            "division_code": account.division or None, "phone": account.phone}  # fmt: skip
    fields = config.people.fields
    told = {"name": "name", "department_id": "department", "division_code": "division", "phone": "phone"}
    facts = {key: value for key, value in wanted.items() if told[key] in fields and have[key] != value}
    roles = _roles(config, mapped, account)
    if roles is not None:
        facts["roles"] = roles
    bound = person.subject if config.issuer and not account.subject else ""
    if not account.active:
        if account.source != LEFT:
            return None  # closed by a person: only a person opens it
        return SyncStep(kind="open", key=account.user_id, name=account.login, facts=facts, subject=bound)
    if not facts and not bound and account.source == MINE:
        return None
    return SyncStep(kind="change", key=account.user_id, name=account.login, facts=facts, subject=bound)


def _roles(config: DirectoryConfig, mapped: Sequence[str], account: KnownAccount) -> list[JSON] | None:
    """The roles after the run; None where they stay.  Roles that the table does not name are never touched."""
    ruled = {role for roles in config.roles.values() for role in roles}
    after = (set(account.roles) - ruled) | set(mapped)
    return [*sorted(after)] if ruled and after != account.roles and after else None


def _within_bounds(
    config: DirectoryConfig, steps: list[SyncStep], problems: list[SyncProblem], unchanged: int, ours: Ours,
    people: Sequence[DirectoryPerson],
) -> SyncPlan:  # fmt: skip
    power = {a.user_id for a in ours.accounts if a.power}
    for step in [s for s in steps if s.kind == "close" and s.key in power]:
        steps.remove(step)
        problems.append(SyncProblem(code="administrator_left", values={"login": step.name}))
    closing = [s for s in steps if s.kind == "close"]
    kept = sum(1 for a in ours.accounts if a.active and a.source == MINE)
    most = max(min(FEW, max(1, kept // 2)), int(config.close_at_most * kept))  # of a handful not the most
    if len(closing) > most or not people:
        steps = [s for s in steps if s.kind != "close"]
        if closing:
            problems.append(SyncProblem(code="held_back", values={"closing": len(closing), "most": most}))
    return SyncPlan(steps=tuple(steps), problems=tuple(problems), unchanged=unchanged)
