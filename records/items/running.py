"""Check runs over the stored catalogue and the problem list that they keep: open, fixed, accepted; due; rate."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, case, func, select
from sqlalchemy.orm import Session

from core.errors import Forbidden, InputInvalid, NotFound
from core.ids import new_id
from core.records import Actor
from core.service_quality import rate
from records.items.access import may_see_problems, must_review
from records.items.catalogue import ItemDesk, count_problems
from records.items.checking import ItemProblem, item_problems
from records.items.comparing import lock_of
from records.items.rules import standard_rules
from storage.bulk import bulk_insert
from storage.tables.items import ItemCheckRun, ItemProblemRow, ServiceItem, ServiceItemVersion

DUE_DAYS = {"block": 5, "warn": 20}  # work days to mend; a setting, no standard names them
_PROBLEM = cast(Table, ItemProblemRow.__table__)
_PART = 400  # items in one query
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class DepartmentProblems:
    """One department's problem list in numbers; ``clean_rate``: items in the catalogue without a blocking problem."""

    department_id: str
    items: int
    clean: int
    open: int
    blocking: int
    overdue: int
    fixed: int
    accepted: int

    @property
    def clean_rate(self) -> float | None:
        return rate(self.clean, self.items)

    @property
    def mended_rate(self) -> float | None:
        return rate(self.fixed, self.fixed + self.open)


def run_checks(session: Session, desk: ItemDesk, departments: Sequence[str] = ()) -> ItemCheckRun:
    """Check the newest version of every item (of these departments); problems keep their identity over runs.

    What is found again stays open (or accepted), what is no longer found is fixed, what comes back is open anew.
    """
    begun, rules = time.monotonic(), desk.rules or standard_rules()
    run = ItemCheckRun(
        run_id=new_id(), at=desk.at, by=desk.actor.user_id, rules=rules.version, items=0, found=0, new=0, fixed=0,
        seconds=0.0,
    )  # fmt: skip
    due = {severity: desk.after(days) for severity, days in DUE_DAYS.items()}
    above = dict(_locks(session))
    for part in _parts(session, departments):
        known = _known(session, [item.item_id for item, _ in part])
        fresh: list[dict[str, Any]] = []
        for item, version in part:
            found = item_problems(version.data, above.get(item.parent_id or "", {}), rules)
            count_problems(item, found)
            run.items, run.found = run.items + 1, run.found + len(found)
            rows, fixed = _follow(item, found, known, desk, due)
            fresh += rows
            run.fixed += fixed
        bulk_insert(session, _PROBLEM, fresh)
        run.new += len(fresh)
    run.seconds = round(time.monotonic() - begun, 3)
    session.add(run)
    session.flush()
    return run


def _parts(session: Session, departments: Sequence[str]) -> Iterator[list[tuple[ServiceItem, ServiceItemVersion]]]:
    """The items with their newest versions, some hundred at a time."""
    ids = select(ServiceItem.item_id).where(ServiceItem.state != "withdrawn").order_by(ServiceItem.item_id)
    if departments:
        ids = ids.where(ServiceItem.department_id.in_(departments))
    every = list(session.scalars(ids))
    for at in range(0, len(every), _PART):
        sql = (
            select(ServiceItem, ServiceItemVersion)
            .join(
                ServiceItemVersion,
                (ServiceItemVersion.item_id == ServiceItem.item_id) & (ServiceItemVersion.version == ServiceItem.head),
            )
            .where(ServiceItem.item_id.in_(every[at : at + _PART]))
            .order_by(ServiceItem.item_id)
        )
        yield list(session.execute(sql))


def _locks(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each item that others reuse fixes for them."""
    parents = select(ServiceItem.parent_id).where(ServiceItem.parent_id.is_not(None)).distinct()
    sql = (
        select(ServiceItem, ServiceItemVersion.data)
        .join(
            ServiceItemVersion,
            (ServiceItemVersion.item_id == ServiceItem.item_id) & (ServiceItemVersion.version == ServiceItem.live),
        )
        .where(ServiceItem.item_id.in_(parents))
    )
    for item, data in session.execute(sql):
        yield item.item_id, lock_of(data, item.locked)


def _known(session: Session, ids: Sequence[str]) -> dict[str, dict[Key, ItemProblemRow]]:
    found: dict[str, dict[Key, ItemProblemRow]] = {}
    for row in session.scalars(select(ItemProblemRow).where(ItemProblemRow.item_id.in_(ids))):
        found.setdefault(row.item_id, {})[(row.item_id, row.element, row.rule)] = row
    return found


def _follow(
    item: ServiceItem,
    found: Sequence[ItemProblem],
    known: Mapping[str, dict[Key, ItemProblemRow]],
    desk: ItemDesk,
    due: Mapping[str, Any],
) -> tuple[list[dict[str, Any]], int]:
    """New rows of one item, and how many of its problems are mended."""
    before, fresh, fixed = known.get(item.item_id, {}), dict[Key, dict[str, Any]](), 0
    for problem in found:
        key = (item.item_id, problem.element[:120], problem.rule)
        row = before.get(key)
        if row is None:
            fresh.setdefault(key, _row(item, problem, desk, due))
            continue
        row.message, row.message_en, row.remedy = problem.message[:500], problem.message_en[:500], problem.remedy[:300]
        row.severity, row.department_id = problem.severity, item.department_id
        if row.state == "fixed":
            row.state, row.found_at, row.due, row.fixed_at = "open", desk.at, due[problem.severity], None
    again = {(item.item_id, problem.element[:120], problem.rule) for problem in found}
    for key, row in before.items():
        if key not in again and row.state != "fixed":
            row.state, row.fixed_at, fixed = "fixed", desk.at, fixed + 1
    return list(fresh.values()), fixed


def _row(item: ServiceItem, problem: ItemProblem, desk: ItemDesk, due: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "item_id": item.item_id, "element": problem.element[:120], "rule": problem.rule,
        "department_id": item.department_id, "severity": problem.severity, "message": problem.message[:500],
        "message_en": problem.message_en[:500], "remedy": problem.remedy[:300], "state": "open", "found_at": desk.at,
        "due": due[problem.severity], "fixed_at": None, "decided_by": "", "decided_at": None, "note": "",
    }  # fmt: skip


def accept(session: Session, desk: ItemDesk, item_id: str, element: str, rule: str, note: str) -> ItemProblemRow:
    """Let a warning stand, for a reason; a problem that blocks is mended, never accepted."""
    must_review(desk.actor)
    row = session.get(ItemProblemRow, (item_id, element, rule))
    if row is None or row.state == "fixed":
        raise NotFound(what="open problem", key=f"{element} {rule}")
    if row.severity == "block":
        raise InputInvalid(field="rule", detail=f"{rule} blocks the release", how="mend the element")
    if len(note.strip()) < 4:
        raise InputInvalid(field="note", detail="is missing", how="say why it may stand")
    row.state, row.note, row.decided_by, row.decided_at = "accepted", note.strip()[:500], desk.actor.user_id, desk.at
    return row


def problem_rows(
    session: Session, desk: ItemDesk, department: str, state: str = "open", offset: int = 0, limit: int = 100
) -> tuple[list[tuple[ItemProblemRow, str, str]], int]:
    """A department's problems with the names and codes of their items, the longest overdue first; and how many."""
    must_see(desk.actor, department)
    sql = select(ItemProblemRow, ServiceItem.name, ServiceItem.code).join(
        ServiceItem, ServiceItem.item_id == ItemProblemRow.item_id
    )
    sql = sql.where(ItemProblemRow.department_id == department) if department else sql
    sql = sql.where(ItemProblemRow.state == state) if state else sql
    total = session.scalar(select(func.count()).select_from(sql.subquery())) or 0
    ordered = sql.order_by(ItemProblemRow.due, ItemProblemRow.item_id, ItemProblemRow.element, ItemProblemRow.rule)
    return list(session.execute(ordered.offset(offset).limit(min(limit, 2000)))), int(total)


def must_see(actor: Actor, department: str) -> None:
    """:class:`Forbidden` unless the actor may see this department's problem list ("" = all of them)."""
    if not may_see_problems(actor, department):
        raise Forbidden(action="see the problem list of another department")


def overview(session: Session, desk: ItemDesk) -> list[DepartmentProblems]:
    """Each department's list in numbers, of those that the actor may see; the most open problems first."""
    flags = (
        func.sum(case((ItemProblemRow.state == "open", 1), else_=0)),
        func.sum(case(((ItemProblemRow.state == "open") & (ItemProblemRow.severity == "block"), 1), else_=0)),
        func.sum(case(((ItemProblemRow.state == "open") & (ItemProblemRow.due < desk.today), 1), else_=0)),
        func.sum(case((ItemProblemRow.state == "fixed", 1), else_=0)),
        func.sum(case((ItemProblemRow.state == "accepted", 1), else_=0)),
    )
    counted = {
        row[0]: tuple(int(n or 0) for n in row[1:])
        for row in session.execute(
            select(ItemProblemRow.department_id, *flags).group_by(ItemProblemRow.department_id)
        ).all()
    }
    items = session.execute(
        select(ServiceItem.department_id, func.count(), func.sum(case((ServiceItem.blocking == 0, 1), else_=0)))
        .where(ServiceItem.state != "withdrawn")
        .group_by(ServiceItem.department_id)
    ).all()
    found = [
        DepartmentProblems(name, int(number), int(clean or 0), *counted.get(name, (0, 0, 0, 0, 0)))
        for name, number, clean in items
        if may_see_problems(desk.actor, name)
    ]
    return sorted(found, key=lambda d: (-d.open, d.department_id))
