"""The stored catalogue: items with versions, reuse from the upper item, review by somebody else, release with dates.

draft → review → approved → published, or refused; a newer published version replaces the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.errors import InputInvalid, NotFound
from core.ids import new_id
from core.legal_time.calendar import WorkCalendar, statutory_calendar
from core.legal_time.workdays import work_days_after
from core.records import Actor
from records.items.access import must_make, must_review, visible_items
from records.items.checking import ItemProblem, item_problems
from records.items.comparing import changes, lock_of, named_elements, taken_over
from records.items.elements import standard_elements
from records.items.errors import ElementLocked, ItemChanged, ItemMoveIllegal, SamePerson
from records.items.facts import code_of, text_of
from records.items.rules import RuleSet, standard_rules
from records.registers.naming import spelled
from storage.tables.items import ServiceItem, ServiceItemVersion

LEVELS = ("1", "2", "3", "4", "5", "6")
DutyListed = Callable[[str], bool]  # is this basic code on the duty list and in force?


@dataclass(frozen=True)
class ItemDesk:
    """Where a command works: who acts, when, and what the duty list and the rules say."""

    actor: Actor
    at: datetime
    duty_listed: DutyListed
    rules: RuleSet | None = None
    calendar: WorkCalendar | None = None

    @property
    def today(self) -> date:
        return self.at.astimezone(BEIJING).date()

    def after(self, days: int) -> date:
        """So many work days from today."""
        return work_days_after(self.today, days, self.calendar or statutory_calendar()).due


def get_item(session: Session, item_id: str, actor: Actor) -> ServiceItem:
    """The item, when the actor may see it; :class:`NotFound`."""
    row = session.scalar(select(ServiceItem).where(ServiceItem.item_id == item_id, visible_items(actor)))
    if row is None:
        raise NotFound(what="item", key=item_id)
    return row


def version_of(session: Session, item: ServiceItem, version: int = 0) -> ServiceItemVersion:
    """One version, the newest without a number; :class:`NotFound`."""
    row = session.get(ServiceItemVersion, (item.item_id, version or item.head))
    if row is None:
        raise NotFound(what="version of the item", key=str(version))
    return row


def parent_of(session: Session, item: ServiceItem) -> tuple[ServiceItem, Mapping[str, Any]] | None:
    """The upper item and its published elements; None without one, or before it is published."""
    above = session.get(ServiceItem, item.parent_id) if item.parent_id else None
    if above is None or not above.live:
        return None
    return above, version_of(session, above, above.live).data


def create(
    session: Session,
    desk: ItemDesk,
    data: Mapping[str, Any],
    department_id: str,
    *,
    parent_id: str | None = None,
    source: str = "page",
    note: str = "",
) -> ServiceItem:
    """A new item as a draft; with ``parent_id`` it reuses an upper item: its locked elements are taken over."""
    must_make(desk.actor, department_id)
    own, above = named_elements(data), None
    if parent_id:
        above = get_item(session, parent_id, desk.actor)
        if not above.live:
            raise ItemMoveIllegal(
                item=above.name, version=above.head, state="not published", wanted="reused", how="release it first"
            )
        own = taken_over(own, version_of(session, above, above.live).data, above.locked)
    level = code_of(text_of(own.get("use_level")), standard_elements().get("use_level").codes)  # type: ignore[union-attr]
    if level not in LEVELS or (above is not None and level <= above.level):
        raise InputInvalid(field="use_level", detail=f"{level!r}", how="give a level below the upper item's, 1 to 6")
    row = ServiceItem(
        item_id=new_id(), level=level, department_id=department_id, parent_id=parent_id,
        parent_version=above.live if above else 0, locked=[], source=source, updated_at=desk.at,
        **indexed(own, new_id()),
    )  # fmt: skip
    taken = session.scalar(select(ServiceItem.item_id).where(ServiceItem.code == row.code))
    if taken:
        raise InputInvalid(
            field="implementing", detail=f"{row.code} is in the catalogue already", how="change it there"
        )
    session.add(row)
    session.add(_version(row, 1, own, desk, source, note))
    session.flush()
    count_problems(row, problems_of(session, row, desk.rules))
    return row


def save(
    session: Session,
    desk: ItemDesk,
    item: ServiceItem,
    values: Mapping[str, Any],
    *,
    expected: int | None = None,
    source: str = "page",
    note: str = "",
) -> ServiceItemVersion:
    """Set elements (None empties one): the open draft is changed, else a new one begins from the newest version.

    :class:`ElementLocked` when an element that the upper item fixes would differ from it.
    """
    must_make(desk.actor, item.department_id)
    if expected is not None and expected != item.head:
        raise ItemChanged(version=item.head, expected=expected)
    newest = version_of(session, item)
    if newest.state in ("review", "approved"):
        raise ItemMoveIllegal(
            item=item.name, version=newest.version, state=newest.state, wanted="changed",
            how="let it be refused or published first",
        )  # fmt: skip
    data = {**newest.data, **named_elements(values)}
    data = {name: value for name, value in data.items() if value is not None}
    _must_keep_locks(session, item, data)
    if newest.state == "draft":
        newest.data, newest.note, newest.made_by, newest.made_at = (
            data,
            note or newest.note,
            desk.actor.user_id,
            desk.at,
        )
        version = newest
    else:
        item.head += 1
        version = _version(item, item.head, data, desk, source, note)
        session.add(version)
    item.updated_at = desk.at
    if not item.live:
        for name, value in indexed(data, item.code).items():
            setattr(item, name, value)
    session.flush()
    count_problems(item, problems_of(session, item, desk.rules))
    return version


def _must_keep_locks(session: Session, item: ServiceItem, data: Mapping[str, Any]) -> None:
    above = parent_of(session, item)
    if above is None:
        return
    fixed = lock_of(above[1], above[0].locked)
    own = {name: data.get(name) for name in fixed}
    differing = [change for change in changes(fixed, own) if change.element in fixed]
    if differing:
        raise ElementLocked(elements="、".join(change.zh for change in differing))


def adopt(session: Session, desk: ItemDesk, item: ServiceItem) -> ServiceItemVersion:
    """Take the upper item's published version over: a draft with its locked elements; the item is up to date again."""
    above = parent_of(session, item)
    if above is None:
        raise NotFound(what="published upper item of", key=item.name)
    item.parent_version, item.answer_due = above[0].live, None
    return save(session, desk, item, lock_of(above[1], above[0].locked), source="adopted")


def submit(session: Session, desk: ItemDesk, item: ServiceItem, note: str = "") -> ServiceItemVersion:
    """Send the draft to review."""
    must_make(desk.actor, item.department_id)
    version = in_state(session, item, ("draft",), "sent to review", "make a draft first")
    version.state, version.note = "review", note or version.note
    version.made_by = desk.actor.user_id
    item.updated_at = desk.at
    return version


def review(session: Session, desk: ItemDesk, item: ServiceItem, accept: bool, note: str) -> ServiceItemVersion:
    """Approve or refuse a version that somebody else made; a refusal says why.

    What was approved and cannot be released (a blocking problem, no line of the duty list) is sent back the same way.
    """
    must_review(desk.actor)
    states = ("review",) if accept else ("review", "approved")
    version = in_state(session, item, states, "reviewed", "send it to review first")
    if version.made_by == desk.actor.user_id:
        raise SamePerson()
    if not accept and len(note.strip()) < 2:
        raise InputInvalid(field="note", detail="is missing", how="say what is to be changed")
    version.state = "approved" if accept else "refused"
    version.reviewed_by, version.reviewed_at, version.review_note = desk.actor.user_id, desk.at, note[:500]
    item.updated_at = desk.at
    return version


def set_locked(session: Session, desk: ItemDesk, item: ServiceItem, names: list[str]) -> None:
    """Which elements lower items take over unchanged; an empty list: those of the element table."""
    must_review(desk.actor)
    unknown = [name for name in names if standard_elements().get(name) is None]
    if unknown:
        raise InputInvalid(field="locked", detail=f"{unknown[0]!r} is no element", how="name elements of the table")
    item.locked, item.updated_at = sorted(set(names)), desk.at


def problems_of(session: Session, item: ServiceItem, rules: RuleSet | None = None) -> list[ItemProblem]:
    """The problems of the newest version, its upper item's locks among them."""
    above = parent_of(session, item)
    fixed = lock_of(above[1], above[0].locked) if above else {}
    return item_problems(version_of(session, item).data, fixed, rules or standard_rules())


def count_problems(item: ServiceItem, found: list[ItemProblem]) -> None:
    """Keep the numbers of problems with the item, for lists."""
    item.blocking = sum(p.severity == "block" for p in found)
    item.warnings = len(found) - item.blocking


def in_state(session: Session, item: ServiceItem, states: tuple[str, ...], wanted: str, how: str) -> ServiceItemVersion:
    version = version_of(session, item)
    if version.state not in states:
        raise ItemMoveIllegal(item=item.name, version=version.version, state=version.state, wanted=wanted, how=how)
    return version


def _version(
    item: ServiceItem, number: int, data: Mapping[str, Any], desk: ItemDesk, source: str, note: str
) -> ServiceItemVersion:
    return ServiceItemVersion(
        item_id=item.item_id, version=number, state="draft", data=dict(data), made_by=desk.actor.user_id,
        made_at=desk.at, source=source, note=note[:500],
    )  # fmt: skip


def indexed(data: Mapping[str, Any], otherwise: str) -> dict[str, Any]:
    """The columns that lists search and sort by."""
    given = data.get("task_name")
    name = (given.strip() if isinstance(given, str) else text_of(given))[:300]
    pinyin, initials = spelled(name[:60])
    code = text_of(data.get("handling")) or text_of(data.get("implementing")) or text_of(data.get("local_task_code"))
    kind, place = standard_elements().get("task_type"), text_of(data.get("counter_number"))
    return {
        "frequent": int(place) if place.isascii() and place.isdigit() and len(place) < 4 else 0,
        "name": name, "name_en": text_of(data.get("task_name_en"))[:300] or None,
        "pinyin": pinyin, "initials": initials, "basic": text_of(data.get("basic"))[:50],
        "code": (code or otherwise)[:60],
        "task_type": code_of(text_of(data.get("task_type")), kind.codes)[:2] if kind else "",
    }  # fmt: skip
