"""Corrections as change requests: proposed in the field, decided by whoever owns the register, never lost offline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Forbidden, InputInvalid, NotFound
from core.records import Actor
from core.sealing import Seal
from core.tables.problem import CellInvalid
from records.registers.access import must_write
from records.registers.columns import Surroundings, columns_of
from records.registers.cross_checks import CrossChecks
from records.registers.definition import Register
from records.registers.preparing import Preparer
from records.registers.storing import Origin, change_record, get_record, values_of
from storage.tables.records import RecordChangeRequest, RecordEvent, RegisterRecord


class ValueRefused(InputInvalid):
    code = "value_refused"


def checked_changes(register: Register, changes: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """``changes`` by field, typed and checked as an import checks them; None empties a field that may be empty."""
    columns = {column.name: column for column in columns_of(register, around)}
    checked: dict[str, Any] = {}
    for name, value in changes.items():
        field = register.field(name)
        if value is None or value == "":
            if field.required or name in register.key:
                raise ValueRefused(field=name, detail="may not be empty", how="give a value")
            checked[name] = None
            continue
        try:
            checked[name] = columns[name].parse(value)
        except CellInvalid as error:
            raise ValueRefused(field=name, detail=str(error), how="correct the value") from error
    return checked


def propose(
    session: Session,
    request_id: str,
    record: RegisterRecord,
    register: Register,
    changes: Mapping[str, Any],
    reason: str,
    around: Surroundings,
    seal: Seal,
    origin: Origin,
    seen: int | None = None,
) -> RecordChangeRequest:
    """File a correction; the same ``request_id`` again (a phone that was cut off) answers the first one.

    ``seen``: the version of the record that the person looked at, perhaps hours ago without a network.
    """
    known = session.get(RecordChangeRequest, request_id)
    if known is not None:
        if known.asked_by != origin.actor_id or known.record_id != record.record_id:
            raise InputInvalid(field="request_id", detail="belongs to another request", how="make a new id")
        return known
    checked = checked_changes(register, changes, around)
    if not checked:
        raise InputInvalid(field="changes", detail="are empty", how="name at least one field")
    base = record.version if seen is None else max(1, min(seen, record.version))
    request = RecordChangeRequest(
        request_id=request_id, record_id=record.record_id, base_version=base,
        fields=",".join(sorted(checked))[:400], sealed=seal.seal(record.record_id, checked), reason=reason[:500],
        state="open", asked_by=origin.actor_id, asked_at=origin.at,
    )  # fmt: skip
    session.add(request)
    return request


def decide(
    session: Session,
    request_id: str,
    accept: bool,
    note: str,
    actor: Actor,
    register: Register,
    around: Surroundings,
    seal: Seal,
    origin: Origin,
) -> RecordChangeRequest:
    """Accept or refuse an open request; nobody decides his own.

    A field that somebody changed meanwhile to another value than the request saw is a conflict and refused by name.
    """
    request = session.get(RecordChangeRequest, request_id)
    if request is None:
        raise NotFound(what="change request", key=request_id)
    must_write(actor, register)
    if request.asked_by == actor.user_id and "system" not in actor.roles:
        raise Forbidden(action="decide your own request")
    if request.state != "open":
        raise InputInvalid(field="state", detail=f"is {request.state} already", how="look at the record's history")
    if accept:
        _apply(session, request, register, around, seal, origin)
    request.state = "accepted" if accept else "refused"
    request.decided_by, request.decided_at, request.note = actor.user_id, origin.at, note[:500]
    return request


def _apply(
    session: Session,
    request: RecordChangeRequest,
    register: Register,
    around: Surroundings,
    seal: Seal,
    origin: Origin,
) -> None:
    record = get_record(session, request.record_id)
    changes = seal.open(record.record_id, request.sealed)
    before = values_of(record, seal)
    after = {**before, **changes}
    moved = set(
        session.scalars(
            select(RecordEvent.field).where(
                RecordEvent.record_id == record.record_id, RecordEvent.version > request.base_version,
                RecordEvent.field.in_(list(changes)),
            )
        )
    )  # fmt: skip
    for name in sorted(moved):
        if before.get(name) != changes[name]:
            raise ValueRefused(field=name, detail="was changed meanwhile", how="refuse the request, or ask again")
    for name, code in CrossChecks(register).problems(after):
        raise ValueRefused(field=name, detail=code, how="refuse the request, or correct the other field first")
    asked = Origin(request.asked_by, origin.at, "change request", reason=request.reason, action="corrected")
    preparer = Preparer(register, seal, around.today)
    change_record(session, record, changes, preparer, register, seal, asked)
