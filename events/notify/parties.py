"""A party without an account is asked: a code for him, made when the text message with its address is sent.

The effect ``ask_party`` leaves an outbox row a party (topic ``ask``); the relay sends it over ``webhook:sms``, again
with growing pauses while the gateway does not take it.  Each try makes a new code and ends the one before, so that no
code is ever stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import one_time
from core.codes.telephone import mobile_of
from core.records import Record
from events.cases.definition_store import definition_of
from events.cases.kinds_in_force import definitions_in_force
from storage.links import make_link
from storage.tables.cases import Case
from storage.tables.files import CaseSubject
from storage.tables.persons import LinkToken

CHANNEL = "webhook:sms"
DAYS = 30.0


class PartyMessage(Record, frozen=True):
    """A text message to a party."""

    phone: str
    text: str


def message_to(
    session: Session, outbox_id: str, body: Mapping[str, Any], address: str, now: datetime
) -> PartyMessage | None:
    """The message of an outbox row, with a new code in it; None when nobody is asked any longer.

    ``address``: of the door for people without an account (``YIWANG_OUTSIDE_URL``).
    """
    subject = session.get(CaseSubject, str(body.get("subject_id", "")))
    case = session.get(Case, subject.case_id) if subject is not None else None
    phone = mobile_of(subject.contact) if subject is not None else None
    if subject is None or case is None or phone is None or not case.open:
        return None
    if subject.asked_at is None or subject.answered_at is not None:
        return None
    for earlier in session.scalars(select(LinkToken).where(LinkToken.case_id == case.case_id)):
        if earlier.facts.get("outbox_id") == outbox_id:
            earlier.revoked_at = earlier.revoked_at or now
    link, code = make_link(
        session, "file", now=now, by="system", days=DAYS, case_id=case.case_id, subject_id=subject.subject_id,
        facts={"outbox_id": outbox_id},
    )  # fmt: skip
    definition = definition_of(session, case, definitions_in_force())
    name = definition.name.get("zh", definition.definition_id)
    url = f"{address}/h#/file/{one_time.shown_code(code)}"
    text = f"您的{name}（{case.number}）请您答复或签名：{url}（{link.until:%Y-%m-%d}前有效）"
    return PartyMessage(phone=phone, text=text)
