"""Release with validity dates: only what is reviewed, without a blocking problem and on the duty list."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from records.items.access import must_review
from records.items.catalogue import ItemDesk, in_state, indexed, problems_of, version_of
from records.items.comparing import changes, lock_of
from records.items.errors import ItemMoveIllegal, ItemNotReleasable
from records.items.facts import text_of
from storage.tables.items import ServiceItem, ServiceItemVersion

ANSWER_DAYS = 10  # work days to answer a change of the upper item (standards/11 §1.4, own rule)


def release_barriers(session: Session, desk: ItemDesk, item: ServiceItem) -> list[str]:
    """Why the newest version cannot be released: problems that block, or a basic code that the duty list lacks."""
    data = version_of(session, item).data
    found = [f"{p.rule} {p.message}" for p in problems_of(session, item, desk.rules) if p.severity == "block"]
    basic = text_of(data.get("basic"))
    if not desk.duty_listed(basic):
        found.insert(0, f"权责清单中没有基本编码 {basic or '—'}")
    return found


def publish(
    session: Session, desk: ItemDesk, item: ServiceItem, valid_from: date, valid_to: date | None = None
) -> ServiceItemVersion:
    """Release the approved version from ``valid_from`` (to ``valid_to``); the one before is replaced.

    Only without a blocking problem and only what the duty list contains.  Lower items that reuse it are told to answer.
    """
    must_review(desk.actor)
    version = in_state(session, item, ("approved",), "released", "let somebody review it first")
    if valid_to is not None and valid_to < valid_from:
        raise InputInvalid(field="valid_to", detail="lies before valid_from", how="give a later day")
    barriers = release_barriers(session, desk, item)
    if barriers:
        raise ItemNotReleasable(
            item=item.name, detail="；".join(barriers[:5]), how="mend the problems, or have the duty list completed"
        )
    _replace(session, item, version, valid_from, valid_to, desk)
    for child in session.scalars(select(ServiceItem).where(ServiceItem.parent_id == item.item_id)):
        mark_outdated(session, desk, item, child)
    return version


def _replace(
    session: Session, item: ServiceItem, version: ServiceItemVersion, begins: date, ends: date | None, desk: ItemDesk
) -> None:
    if item.live:
        version_of(session, item, item.live).state = "replaced"
    version.state, version.published_at, version.valid_from, version.valid_to = "published", desk.at, begins, ends
    version.duty_number = text_of(version.data.get("basic"))[:50]
    item.live, item.state, item.updated_at = version.version, "published", desk.at
    for name, value in indexed(version.data, item.code).items():
        setattr(item, name, value)


def mark_outdated(session: Session, desk: ItemDesk, parent: ServiceItem, child: ServiceItem) -> None:
    """A lower item must answer within ten work days when a locked element of the upper one has changed."""
    fixed = lock_of(version_of(session, parent, parent.live).data, parent.locked)
    own = {name: version_of(session, child).data.get(name) for name in fixed}
    if changes(fixed, own):
        child.answer_due = child.answer_due or desk.after(ANSWER_DAYS)
    else:
        child.parent_version, child.answer_due = parent.live, None


def set_state(session: Session, desk: ItemDesk, item: ServiceItem, state: str) -> list[ServiceItem]:
    """Suspend, withdraw or bring back; withdrawing an upper item suspends what reuses it.  Returns all that changed."""
    must_review(desk.actor)
    if state not in ("published", "suspended", "withdrawn") or not item.live:
        raise ItemMoveIllegal(
            item=item.name, version=item.head, state=item.state, wanted=state, how="suspend or withdraw a released item"
        )
    item.state, item.updated_at = state, desk.at
    changed = [item]
    if state == "withdrawn":
        lower = select(ServiceItem).where(ServiceItem.parent_id == item.item_id, ServiceItem.state == "published")
        for child in session.scalars(lower):
            child.state, child.updated_at = "suspended", desk.at
            changed.append(child)
    return changed


def in_force(version: ServiceItemVersion, today: date) -> bool:
    """Is this released version valid on this day?"""
    begun = version.valid_from is None or version.valid_from <= today
    return version.state == "published" and begun and (version.valid_to is None or today <= version.valid_to)
