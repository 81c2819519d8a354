"""Somebody shows an identity card at the counter: found by the whole number, for what one item asks, and noted.

A clerk does not browse the register of people.  Whoever stands at the counter has given the number; the register
answers only the questions of the item that is applied for, and the audit chain says who asked and for which item.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.codes.resident import check_resident_id
from core.errors import InputInvalid
from core.records import Actor
from core.sealing import Seal, comparable_number
from records.ports import Audit
from records.registers.definition import Register
from records.registers.disclosure import note_access
from records.registers.storing import Origin, values_of
from storage.tables.records import RecordBlind, RegisterRecord

NUMBER = "id_number"


def presented(
    session: Session, number: str, wanted: Mapping[str, str], item: str, register: Register, actor: Actor,
    origin: Origin, seal: Seal, audit: Audit,
) -> dict[str, Any]:
    """``{"answers", "name"}``: the register's fields ``wanted`` (question → field) of whoever bears ``number``.

    Of the sensitive fields only the number itself, which was shown.  A number that the register does not know still
    answers itself and the day of birth.  :class:`InputInvalid` for a number that is none.
    """  # fmt: skip
    checked = check_resident_id(number, origin.at.date())
    if not checked.valid:
        raise InputInvalid(field="number", detail="is no valid identity number", how="type it as it is on the card")
    values: dict[str, Any] = {NUMBER: checked.normalised, "birth": checked.parts["birth"], "sex": checked.parts["sex"]}
    record = _bearer(session, checked.normalised, register, seal)
    if record is not None:
        kept = {f: v for f, v in values_of(record, seal).items() if f not in register.sensitive}
        values |= kept
        fields = ",".join(sorted(set(wanted.values()) & set(kept)))
        note_access(session, record.record_id, fields, f"受理：{item}", actor, origin, audit)
    answers = {question: values[f] for question, f in wanted.items() if values.get(f) not in (None, "")}
    return {"answers": answers, "name": str(values.get(register.title) or "")}


def _bearer(session: Session, number: str, register: Register, seal: Seal) -> RegisterRecord | None:
    """The record in force with this number; restricted ones (their subject asked for it) are not answered."""
    kind = next(field.type for field in register.fields if field.name == NUMBER)
    digest = seal.blind(kind, comparable_number(kind, number))
    sql = select(RegisterRecord).join(RecordBlind, RecordBlind.record_id == RegisterRecord.record_id)
    where = (RecordBlind.hash == digest, RecordBlind.field == NUMBER, RegisterRecord.register_id == register.id)
    return session.scalars(sql.where(*where, RegisterRecord.state == "active").limit(1)).first()
