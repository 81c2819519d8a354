"""Who sees which records: roles that read a register, its owner department, grid workers their division."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, and_, false, or_, true

from core.errors import Forbidden
from core.records import Actor
from records.registers.definition import Register
from records.registers.search import below
from storage.tables.records import RegisterRecord

DIVISION_ROLES = frozenset({"grid_worker", "inspector"})


def may_read(actor: Actor, register: Register) -> bool:
    """May the actor open the register at all (some rows of it)?"""
    roles = set(actor.roles)
    if "system" in roles or roles & set(register.readers) or register.confidentiality == "open":
        return True
    if register.owner and actor.department_id == register.owner:
        return True
    return bool(roles & DIVISION_ROLES and actor.division_code)


def visible_records(actor: Actor, registers: Mapping[str, Register]) -> ColumnElement[bool]:
    """The condition on ``register_record`` under which ``actor`` may see a row; default deny.

    Restricted records (their subject has asked for it) are seen by administrators alone.
    """
    roles = set(actor.roles)
    if "system" in roles:
        return true()
    whole: list[str] = []
    parts: list[ColumnElement[bool]] = []
    for register in registers.values():
        if not may_read(actor, register):
            continue
        if roles & set(register.readers) or register.confidentiality == "open" or actor.department_id == register.owner:
            whole.append(register.id)
        elif actor.division_code:
            parts.append(and_(RegisterRecord.register_id == register.id, below(actor.division_code)))
    if actor.department_id:
        parts.append(and_(RegisterRecord.department_id == actor.department_id, RegisterRecord.department_id != ""))
    seen = or_(RegisterRecord.register_id.in_(whole) if whole else false(), *parts)
    return seen if "admin" in roles else and_(RegisterRecord.state != "restricted", seen)


def must_write(actor: Actor, register: Register) -> None:
    """:class:`Forbidden` unless the actor may change records of the register."""
    roles = set(actor.roles)
    if "system" in roles or roles & set(register.writers) or (register.owner and actor.department_id == register.owner):
        return
    raise Forbidden(action=f"change records of {register.id}")


def must_unmask(actor: Actor, register: Register) -> None:
    """:class:`Forbidden` unless the actor may see sensitive fields of the register for a reason."""
    if "system" in actor.roles or set(actor.roles) & set(register.unmaskers):
        return
    raise Forbidden(action=f"see numbers of {register.id}")
