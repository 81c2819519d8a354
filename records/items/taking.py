"""Read items into the catalogue: new ones and changed ones as drafts; or, for a first filling, as they are in force.

Lower items find their upper ones by basic code: the item with the same basic code at the nearest higher level.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from core.errors import Forbidden
from core.ids import new_id
from records.items.access import may_make, must_review
from records.items.catalogue import LEVELS, ItemDesk, indexed, save, version_of
from records.items.checking import item_problems
from records.items.comparing import changes, lock_of, named_elements
from records.items.elements import standard_elements
from records.items.errors import ElementLocked, ItemMoveIllegal
from records.items.facts import code_of, text_of
from records.items.reading import ReadItems
from storage.bulk import bulk_insert
from storage.tables.items import ServiceItem, ServiceItemVersion

_ITEM, _VERSION = cast(Table, ServiceItem.__table__), cast(Table, ServiceItemVersion.__table__)
_QUERY = 400
STATES = {"2": "suspended", "3": "withdrawn"}  # task_state of GB/T 39046-2020


@dataclass
class TakenItems:
    """What became of a file's items; ``refused``: (key, why) of those that were left out."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def take_items(
    session: Session,
    desk: ItemDesk,
    read: ReadItems,
    departments: Mapping[str, str],
    *,
    source: str,
    in_force: bool = False,
    dry_run: bool = False,
) -> TakenItems:
    """Take the items of a file.  ``departments``: name or credit code of a body → department.

    ``in_force`` (reviewers only; for the first filling of the catalogue): new items on the duty list and without a
    blocking problem are taken as released, the others stay drafts.
    """
    if in_force:
        must_review(desk.actor)
    taken, fresh = TakenItems(), list[tuple[ServiceItem, dict[str, Any]]]()
    wanted = [(key, named_elements(record)) for key, record in read.records]
    known = _known(session, [indexed(data, key)["code"] for key, data in wanted])
    seen: set[str] = set()
    for key, data in wanted:
        data.pop("parent", None)
        code = indexed(data, key)["code"]
        department = _department(data, departments, desk)
        problem = _problem(data, code, seen, department, desk)
        seen.add(code)
        if problem:
            taken.refused.append((key, problem))
        elif code in known:
            _change(session, desk, known[code], data, source, taken, dry_run)
        else:
            fresh.append((_item(code, data, department, desk, source), data))
    taken.created = len(fresh)
    if not dry_run:
        _insert(session, desk, fresh, source, in_force)
    return taken


def _problem(data: Mapping[str, Any], code: str, seen: set[str], department: str, desk: ItemDesk) -> str:
    """Why an item is not taken; "" when it is."""
    if not text_of(data.get("task_name")):
        return "no_name"
    if code in seen:
        return "twice_in_file"
    if _level(data) not in LEVELS:
        return "level_unknown"
    return "" if may_make(desk.actor, department) else "department_of_others"


def _known(session: Session, codes: Sequence[str]) -> dict[str, ServiceItem]:
    found: dict[str, ServiceItem] = {}
    for at in range(0, len(codes), _QUERY):
        for row in session.scalars(select(ServiceItem).where(ServiceItem.code.in_(codes[at : at + _QUERY]))):
            found[row.code] = row
    return found


def _change(
    session: Session,
    desk: ItemDesk,
    item: ServiceItem,
    data: Mapping[str, Any],
    source: str,
    taken: TakenItems,
    dry: bool,
) -> None:
    newest = version_of(session, item)
    if not changes(newest.data, {**newest.data, **data}):
        taken.unchanged += 1
        return
    try:
        if not dry:
            save(session, desk, item, data, source=source)
        taken.changed += 1
    except (ElementLocked, ItemMoveIllegal, Forbidden) as error:
        taken.refused.append((item.code, error.code))


def _item(code: str, data: Mapping[str, Any], department: str, desk: ItemDesk, source: str) -> ServiceItem:
    return ServiceItem(
        item_id=new_id(), level=_level(data), department_id=department, parent_id=None, parent_version=0,
        answer_due=None, state="draft", head=1, live=0, blocking=0, warnings=0, locked=[], source=source,
        updated_at=desk.at, **{**indexed(data, code), "code": code},
    )  # fmt: skip


def _insert(
    session: Session, desk: ItemDesk, fresh: Iterable[tuple[ServiceItem, dict[str, Any]]], source: str, in_force: bool
) -> None:
    rows = sorted(fresh, key=lambda pair: pair[0].level)
    by_basic = _uppers(session, {item.basic for item, _ in rows})
    items, versions = [], []
    for item, data in rows:
        above = next((u for u in reversed(by_basic.get(item.basic, ())) if u[1] < item.level), None)
        fixed: dict[str, Any] = {}
        if above is not None:
            item.parent_id, item.parent_version = above[0], 1
            fixed = lock_of(above[2], ())
        found = item_problems(data, fixed, desk.rules)
        item.blocking = sum(p.severity == "block" for p in found)
        item.warnings = len(found) - item.blocking
        live = in_force and not item.blocking and desk.duty_listed(item.basic)
        if live:
            item.live, item.state = 1, STATES.get(text_of(data.get("task_state")), "published")
            by_basic.setdefault(item.basic, []).append((item.item_id, item.level, data))
        items.append({column.name: getattr(item, column.name) for column in _ITEM.columns})
        versions.append(_version_row(item, data, desk, source, bool(live)))
    bulk_insert(session, _ITEM, items)
    bulk_insert(session, _VERSION, versions)


def _uppers(session: Session, basics: set[str]) -> dict[str, list[tuple[str, str, Mapping[str, Any]]]]:
    """Released items by basic code, the highest level first."""
    found: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    wanted = sorted(basics)
    for at in range(0, len(wanted), _QUERY):
        sql = (
            select(ServiceItem.item_id, ServiceItem.level, ServiceItem.basic, ServiceItemVersion.data)
            .join(
                ServiceItemVersion,
                (ServiceItemVersion.item_id == ServiceItem.item_id) & (ServiceItemVersion.version == ServiceItem.live),
            )
            .where(ServiceItem.basic.in_(wanted[at : at + _QUERY]))
            .order_by(ServiceItem.level)
        )
        for item_id, level, basic, data in session.execute(sql):
            found.setdefault(basic, []).append((item_id, level, data))
    return found


def _version_row(item: ServiceItem, data: dict[str, Any], desk: ItemDesk, source: str, live: bool) -> dict[str, Any]:
    return {
        "item_id": item.item_id, "version": 1, "state": "published" if live else "draft", "data": data,
        "made_by": desk.actor.user_id, "made_at": desk.at, "source": source, "note": "", "reviewed_by": "",
        "reviewed_at": None, "review_note": "", "published_at": desk.at if live else None,
        "valid_from": desk.today if live else None, "valid_to": None, "duty_number": item.basic if live else "",
    }  # fmt: skip


def _level(data: Mapping[str, Any]) -> str:
    element = standard_elements().get("use_level")
    return code_of(text_of(data.get("use_level")), element.codes if element else {})


def _department(data: Mapping[str, Any], departments: Mapping[str, str], desk: ItemDesk) -> str:
    """The department of a body, by its name or credit code; else the importer's own."""
    for name in ("department_id", "dept_name", "dept_code"):
        known = departments.get(text_of(data.get(name)))
        if known:
            return known
    return desk.actor.department_id or ""
