"""What pages and routes ask of the item catalogue; every answer is judged by the person's rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.errors import InputInvalid
from core.language.reading import own_name
from core.records import Actor
from core.sealing import Seal
from dashboard.registers.desk import ChainAudit
from dashboard.services import Services
from records.items import catalogue, releasing, running
from records.items.access import may_make, may_review, may_see_problems
from records.items.catalogue import ItemDesk, get_item, parent_of, version_of
from records.items.comparing import ElementChange, changes, lock_of, shown_value
from records.items.duties import duty_list
from records.items.elements import standard_elements
from records.items.finding import ItemQuery, listed
from storage.session import read_scope, session_scope
from storage.tables.items import ItemCheckRun, ItemProblemRow, ServiceItem, ServiceItemVersion
from storage.tables.people import User
from storage.tables.registry import Department

MOVES = ("submit", "approve", "refuse", "publish", "suspend", "withdraw", "restore", "adopt")


@dataclass(frozen=True)
class CatalogueDesk:
    """The catalogue as one person may use it."""

    services: Services
    actor: Actor

    @property
    def today(self) -> date:
        return self.services.clock.now().astimezone(BEIJING).date()

    def acting(self, session: Session) -> ItemDesk:
        seal = Seal(self.services.settings.records_key)
        return ItemDesk(self.actor, self.services.clock.now(), duty_list(session, seal, self.today))

    @contextmanager
    def _writing(self, item_id: str) -> Iterator[tuple[Session, ItemDesk, ServiceItem]]:
        with session_scope(self.services.engine) as session:
            yield session, self.acting(session), get_item(session, item_id, self.actor)

    def _note(self, session: Session, action: str, item: ServiceItem, **more: Any) -> None:
        body = {"item": item.item_id, "code": item.code, "version": item.head, **more}
        ChainAudit().append(session, self.services.clock.now(), self.actor.user_id, f"item_{action}", body)

    def listed(self, query: ItemQuery) -> tuple[list[dict[str, Any]], int]:
        """A page of the list, and how many there are."""
        with read_scope(self.services.engine) as session:
            rows, total = listed(session, query, self.actor)
            names = department_names(session, {row.department_id for row in rows})
            return [self._line(row, names) for row in rows], total

    def _line(self, row: ServiceItem, names: Mapping[str, str]) -> dict[str, Any]:
        return {
            "item_id": row.item_id, "name": own_name(row.name, row.name_en), "code": row.code,
            "basic": row.basic, "level": row.level,
            "task_type": row.task_type, "department_id": row.department_id,
            "department_name": names.get(row.department_id, row.department_id), "state": row.state, "head": row.head,
            "live": row.live, "blocking": row.blocking, "warnings": row.warnings, "answer_due": row.answer_due,
            "frequent": row.frequent, "generated": row.source == "generated", "updated_at": row.updated_at,
        }  # fmt: skip

    def item(self, item_id: str, version: int = 0) -> dict[str, Any]:
        """One item: its elements, what its upper item fixes, versions, problems, lower items, what one may do."""
        with read_scope(self.services.engine) as session:
            row = get_item(session, item_id, self.actor)
            shown = version_of(session, row, version)
            above = parent_of(session, row)
            fixed = lock_of(above[1], above[0].locked) if above else {}
            names = department_names(session, {row.department_id})
            lower = session.execute(
                select(ServiceItem.item_id, ServiceItem.name, ServiceItem.level, ServiceItem.department_id)
                .where(ServiceItem.parent_id == item_id)
                .order_by(ServiceItem.level, ServiceItem.department_id).limit(60)
            )  # fmt: skip
            return {
                **self._line(row, names), "version": shown.version, "version_state": shown.state, "data": shown.data,
                "elements": _elements(shown.data, fixed),
                "parent": None if above is None else {
                    "item_id": above[0].item_id, "name": above[0].name, "live": above[0].live,
                },
                "parent_version": row.parent_version, "locked": row.locked,
                "lower": [{"item_id": i, "name": n, "level": level, "department_id": d} for i, n, level, d in lower],
                "versions": self._versions(session, row), "problems": self._problems(session, row),
                "allowed": self._allowed(row, version_of(session, row)),
            }  # fmt: skip

    def _versions(self, session: Session, row: ServiceItem) -> list[dict[str, Any]]:
        sql = select(ServiceItemVersion).where(ServiceItemVersion.item_id == row.item_id)
        found = list(session.scalars(sql.order_by(ServiceItemVersion.version.desc()).limit(50)))
        people = person_names(session, {name for v in found for name in (v.made_by, v.reviewed_by) if name})
        return [
            {
                "version": v.version, "state": v.state, "made_at": v.made_at,
                "made_by": people.get(v.made_by, v.made_by),
                "note": v.note, "reviewed_by": people.get(v.reviewed_by, v.reviewed_by), "reviewed_at": v.reviewed_at,
                "review_note": v.review_note, "published_at": v.published_at, "valid_from": v.valid_from,
                "valid_to": v.valid_to, "duty_number": v.duty_number, "source": v.source,
            }
            for v in found
        ]  # fmt: skip

    def _problems(self, session: Session, row: ServiceItem) -> list[dict[str, Any]]:
        """What the rules say now; a warning that was accepted says so."""
        if not may_make(self.actor, row.department_id) and not may_see_problems(self.actor, row.department_id):
            return []
        kept = {
            (p.element, p.rule): p.state
            for p in session.scalars(select(ItemProblemRow).where(ItemProblemRow.item_id == row.item_id))
        }
        return [
            {"element": p.element, "rule": p.rule, "severity": p.severity, "message": p.message,
             "message_en": p.message_en, "remedy": p.remedy,
             "state": "accepted" if kept.get((p.element, p.rule)) == "accepted" else "open"}
            for p in catalogue.problems_of(session, row)
        ]  # fmt: skip

    def _allowed(self, row: ServiceItem, newest: ServiceItemVersion) -> list[str]:
        """The moves that this person may make now."""
        makes, reviews = may_make(self.actor, row.department_id), may_review(self.actor)
        found = []
        if makes and newest.state in ("draft", "published", "refused", "replaced"):
            found.append("save")
        if makes and newest.state == "draft":
            found.append("submit")
        others = newest.made_by != self.actor.user_id
        if reviews and newest.state == "review" and others:
            found += ["approve", "refuse"]
        if reviews and newest.state == "approved":
            found += ["publish", "refuse"] if others else ["publish"]
        if reviews and row.live:
            found += [m for m, state in (("suspend", "published"), ("withdraw", "published")) if row.state == state]
            found += ["restore"] if row.state in ("suspended", "withdrawn") else []
        return [*found, "adopt"] if makes and row.answer_due and "save" in found else found

    def diff(self, item_id: str, old: int, new: int) -> list[ElementChange]:
        """What differs between two versions; ``old`` 0: the upper item's released one."""
        with read_scope(self.services.engine) as session:
            row = get_item(session, item_id, self.actor)
            above = parent_of(session, row)
            fixed = lock_of(above[1], above[0].locked) if above else {}
            before: Mapping[str, Any] = fixed
            after = version_of(session, row, new).data
            if old:
                before = version_of(session, row, old).data
            else:
                after = {name: after.get(name) for name in fixed}
            return changes(before, after, frozenset(fixed))

    def create(self, data: Mapping[str, Any], department_id: str, parent_id: str | None, note: str) -> dict[str, Any]:
        """A new item as a draft, or one that reuses an upper item."""
        with session_scope(self.services.engine) as session:
            row = catalogue.create(
                session, self.acting(session), data, department_id or self.actor.department_id or "",
                parent_id=parent_id, note=note,
            )  # fmt: skip
            self._note(session, "create", row, parent=parent_id or "")
            return {"item_id": row.item_id, "version": row.head, "state": "draft"}

    def save(self, item_id: str, values: Mapping[str, Any], expected: int | None, note: str) -> dict[str, Any]:
        """Set elements of the draft, or begin one."""
        with self._writing(item_id) as (session, desk, row):
            version = catalogue.save(session, desk, row, values, expected=expected, note=note)
            self._note(session, "save", row, elements=sorted(values))
            return {"item_id": item_id, "version": version.version, "state": version.state}

    def move(
        self, item_id: str, action: str, note: str = "", valid_from: date | None = None, valid_to: date | None = None
    ) -> dict[str, Any]:
        """Submit, approve, refuse, publish, suspend, withdraw, restore, adopt."""
        if action not in MOVES:
            raise InputInvalid(field="action", detail=f"{action!r}", how=f"use one of {', '.join(MOVES)}")
        with self._writing(item_id) as (session, desk, row):
            match action:
                case "submit":
                    catalogue.submit(session, desk, row, note)
                case "approve" | "refuse":
                    catalogue.review(session, desk, row, action == "approve", note)
                case "publish":
                    releasing.publish(session, desk, row, valid_from or self.today, valid_to)
                case "adopt":
                    catalogue.adopt(session, desk, row)
                case _:
                    state = {"suspend": "suspended", "withdraw": "withdrawn", "restore": "published"}[action]
                    releasing.set_state(session, desk, row, state)
            self._note(session, action, row, note=note[:200])
            return {"item_id": item_id, "version": row.head, "state": version_of(session, row).state}

    def lock(self, item_id: str, names: list[str]) -> None:
        """Which elements lower items take over unchanged."""
        with self._writing(item_id) as (session, desk, row):
            catalogue.set_locked(session, desk, row, names)
            self._note(session, "lock", row, elements=names)

    def overview(self) -> dict[str, Any]:
        """The problem lists of the departments in numbers, and the last run."""
        with read_scope(self.services.engine) as session:
            found = running.overview(session, self.acting(session))
            names = department_names(session, {d.department_id for d in found})
            last = session.scalars(select(ItemCheckRun).order_by(ItemCheckRun.at.desc()).limit(1)).first()
            return {
                "items": [
                    {
                        "department_id": d.department_id,
                        "department_name": names.get(d.department_id, d.department_id or "—"),
                        "items": d.items, "clean": d.clean, "clean_rate": d.clean_rate, "open": d.open,
                        "blocking": d.blocking, "overdue": d.overdue, "fixed": d.fixed, "accepted": d.accepted,
                        "mended_rate": d.mended_rate,
                    }
                    for d in found
                ],
                "last": None if last is None else {
                    "at": last.at, "rules": last.rules, "items": last.items, "found": last.found, "new": last.new,
                    "fixed": last.fixed, "seconds": last.seconds,
                },
                "next": None,
            }  # fmt: skip

    def problems(
        self, department: str, state: str, offset: int = 0, limit: int = 100
    ) -> tuple[list[dict[str, Any]], int]:
        """A department's problem list."""
        with read_scope(self.services.engine) as session:
            rows, total = running.problem_rows(session, self.acting(session), department, state, offset, limit)
            return [problem_line(p, name, code, self.today) for p, name, code in rows], total

    def accept(self, item_id: str, element: str, rule: str, note: str) -> dict[str, Any]:
        """Let a warning stand."""
        with self._writing(item_id) as (session, desk, row):
            done = running.accept(session, desk, item_id, element, rule, note)
            self._note(session, "accept_problem", row, element=element, rule=rule)
            return {"item_id": item_id, "element": element, "rule": rule, "state": done.state}

    def run(self) -> dict[str, Any]:
        """Check the catalogue now; a department's manager checks his own."""
        with session_scope(self.services.engine) as session:
            desk = self.acting(session)
            whole = may_see_problems(self.actor, "")
            running.must_see(self.actor, "" if whole else self.actor.department_id or "")
            done = running.run_checks(session, desk, () if whole else (self.actor.department_id or "",))
            return {"run_id": done.run_id, "rules": done.rules, "items": done.items, "found": done.found,
                    "new": done.new, "fixed": done.fixed, "seconds": done.seconds}  # fmt: skip


def department_names(session: Session, ids: set[str]) -> dict[str, str]:
    """Names of departments by id, in the reader's language."""
    wanted = (Department.department_id, Department.name, Department.name_en)
    sql = select(*wanted).where(Department.department_id.in_(ids))
    return {key: own_name(zh, en) for key, zh, en in session.execute(sql)}


def person_names(session: Session, ids: set[str]) -> dict[str, str]:
    """Names of users by id."""
    return dict(session.execute(select(User.user_id, User.name).where(User.user_id.in_(ids))).all())


def problem_line(problem: ItemProblemRow, name: str, code: str, today: date) -> dict[str, Any]:
    """A line of a problem list."""
    return {
        "item_id": problem.item_id, "item": code, "name": name, "element": problem.element, "rule": problem.rule,
        "severity": problem.severity, "message": problem.message, "message_en": problem.message_en,
        "remedy": problem.remedy, "state": problem.state, "due": problem.due,
        "overdue": problem.state == "open" and problem.due < today, "found_at": problem.found_at,
        "fixed_at": problem.fixed_at, "note": problem.note,
    }  # fmt: skip


def _elements(data: Mapping[str, Any], fixed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The elements in the table's order, as people read them."""
    return [
        {"element": e.name, "zh": e.zh, "en": e.en, "value": shown_value(data.get(e.name), e),
         "locked": e.name in fixed, "type": e.type}
        for e in standard_elements().elements
    ]  # fmt: skip
