"""Who somebody without an account is: one row a telephone, name and numbers encrypted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.codes.masking import mask_name
from core.ids import new_id
from core.sealing import Seal, comparable_number
from storage.tables.persons import Person


def person_of(
    session: Session, seal: Seal, now: datetime, *, name: str, phone: str, verified_by: str = ""
) -> Person | None:
    """The person with this telephone; None without one, as a name alone is nobody.

    A telephone that was not confirmed finds no row that was: whoever types another's number does not become him.
    """
    if not phone:
        return None
    blind = seal.blind("phone", comparable_number("phone", phone))
    person = session.scalars(select(Person).where(Person.phone_blind == blind)).one_or_none()
    if person is not None and person.verified_by and not verified_by:
        return None
    if person is None:
        person = Person(person_id=new_id(), phone_blind=blind, created_at=now, last_seen_at=now)
        session.add(person)
    person.last_seen_at = now
    if name and (verified_by or not person.verified_by):
        person.shown_name = mask_name(name)
        person.sealed = seal.seal(person.person_id, {"name": name, "phone": phone})
    if verified_by:
        person.verified_by, person.verified_at = verified_by, now
    session.flush()
    return person


def contact_of(seal: Seal, person: Person) -> dict[str, Any]:
    """Name and telephone in full: for whoever gave a reason that is in the audit chain."""
    return seal.open(person.person_id, person.sealed)
