"""Who sees, makes, reviews and releases items of the catalogue."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, true

from core.errors import Forbidden
from core.records import Actor
from storage.tables.items import ServiceItem

WHOLE = frozenset({"system", "admin", "manager", "operator", "dispatcher", "viewer"})


def visible_items(actor: Actor) -> ColumnElement[bool]:
    """Published items are seen by everybody signed in; drafts by the item's department and by the centre's roles."""
    if WHOLE & set(actor.roles):
        return true()
    return or_(ServiceItem.live > 0, ServiceItem.department_id == (actor.department_id or "-"))


def may_make(actor: Actor, department_id: str) -> bool:
    """Staff and managers change the items of their own department, administrators all."""
    roles = set(actor.roles)
    if roles & {"system", "admin"}:
        return True
    return bool(roles & {"staff", "manager"}) and bool(department_id) and actor.department_id == department_id


def must_make(actor: Actor, department_id: str) -> None:
    """:class:`Forbidden` unless the actor may change items of this department."""
    if not may_make(actor, department_id):
        raise Forbidden(action="change items of another department")


def may_review(actor: Actor) -> bool:
    """Managers and administrators review, release and suspend; never their own version."""
    return bool(set(actor.roles) & {"system", "admin", "manager"})


def must_review(actor: Actor) -> None:
    """:class:`Forbidden` unless the actor may review items."""
    if not may_review(actor):
        raise Forbidden(action="review or release items")


def may_see_problems(actor: Actor, department_id: str) -> bool:
    """The problem list of a department: its own people, and the centre's roles."""
    return bool(WHOLE & set(actor.roles)) or (bool(department_id) and actor.department_id == department_id)
