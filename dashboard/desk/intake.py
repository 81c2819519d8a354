"""Cases by telephone: a call from 12345, 119, 110 or a citizen becomes a case, or a note on the one that stands."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.codes.masking import mask_name
from core.errors import InputInvalid, NotFound
from core.ids import new_id
from core.records import Command, Record
from core.sealing import Seal, comparable_number
from dashboard.auth import Principal
from dashboard.reception.persons import person_of
from dashboard.search.spelling import match, spell
from dashboard.services import Services
from dashboard.wall.surroundings import box, metres
from events.cases.access import visible_cases
from events.cases.queries import summaries, summary, summary_of
from events.cases.read_models import CaseSummary, CaseView
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseTransition
from storage.tables.files import CaseSubject
from storage.tables.persons import Person

SOURCES = ("12345", "119", "110", "120", "call")
NEAR_M = 300.0
MOST_NEAR = 8
MOST_CLASSES = 20
_PHONE = re.compile(r"\+?[0-9][0-9 -]{5,19}")


class Place(Record, frozen=True):
    """Where it is: WGS 84 degrees; ``name`` as it was found or typed; ``site_id`` of a place that is watched."""

    lon: float
    lat: float
    name: str = ""
    site_id: str | None = None


class PhoneCall(Record, frozen=True):
    """What the caller said.  ``number``: the other centre's order number; ``phone`` for a call back."""

    source: Literal["12345", "119", "110", "120", "call"]
    title: str
    description: str = ""
    number: str = ""
    name: str = ""
    phone: str = ""
    class_code: str = ""
    severity: int = 1
    place: Place | None = None


class NearCase(Record, frozen=True):
    """An open case near a place, and how far it is, in metres."""

    case: CaseSummary
    distance_m: float


def checked(given: dict[str, Any]) -> PhoneCall:
    """The fields of the page as a call.

    Raises:
        InputInvalid: a field is missing or wrong; it names the field.
    """
    title = " ".join(str(given.get("title") or "").split())
    if not title:
        raise InputInvalid(field="title", detail="is empty", how="say in a few words what happened")
    phone = str(given.get("phone") or "").strip()
    if phone and not _PHONE.fullmatch(phone):
        raise InputInvalid(field="phone", detail=f"{phone!r} is no telephone number", how="digits, + and -")
    try:
        return msgspec.convert({**given, "title": title, "phone": phone}, PhoneCall)
    except msgspec.ValidationError as error:
        raise InputInvalid(field="call", detail=str(error), how="fill in the form again") from error


def take(use: Services, who: Principal, call: PhoneCall, key: str) -> CaseView:
    """Open the case; the caller stands in it as its reporter, name and telephone sealed.

    ``key`` is of the opened form: pressed twice it is one case.
    """
    data: dict[str, Any] = {
        "title": call.title, "description": _told(call), "severity": call.severity, "source_type": "citizen",
        "source_id": ":".join(filter(None, (call.source, call.number)))[:120],
    }  # fmt: skip
    if call.class_code:
        data["class_code"] = call.class_code
    if call.place is not None:
        data["location"] = {"lon": call.place.lon, "lat": call.place.lat}
        data |= {"site_id": call.place.site_id} if call.place.site_id else {}
    wish = Command(name="report", case_id="", actor_id=who.actor.user_id, idempotency_key=key[:80], data=data)
    with session_scope(use.engine) as session:
        view = use.cases.execute_in(session, wish, who.actor)
        if not view.replayed:
            _caller(session, use, who, call, view.case_id)
    return view


def note(use: Services, who: Principal, call: PhoneCall, case_id: str, key: str) -> CaseSummary:
    """The call is about a case that stands: what the caller said is noted in it, once for each ``key``."""
    text = "\n".join(filter(None, (call.title, _told(call))))
    with session_scope(use.engine) as session:
        wanted = select(Case).where(Case.case_id == case_id, visible_cases(who.actor)).with_for_update()
        case = session.scalars(wanted).one_or_none()
        if case is None or not case.open:
            raise NotFound(what="open case", key=case_id)
        noted = select(CaseTransition.seq).where(
            CaseTransition.case_id == case_id, CaseTransition.idempotency_key == key[:80]
        )
        if session.scalar(noted) is None:
            use.cases.note(session, case, who.actor, "caller_said", {"comment": text, "source": call.source}, key[:80])
            _caller(session, use, who, call, case_id)
        return summary_of(session, case_id)


def _told(call: PhoneCall) -> str:
    order = f"{call.source} {call.number}".strip() if call.source != "call" else ""
    where = call.place.name if call.place else ""
    return "\n".join(filter(None, (call.description.strip(), where, order)))


def _caller(session: Session, use: Services, who: Principal, call: PhoneCall, case_id: str) -> None:
    if not call.phone:
        return
    seal, now = Seal(use.settings.records_key), use.clock.now()
    person = person_of(session, seal, now, name=call.name, phone=call.phone)
    if person is None:  # the number is somebody's who proved it: he is called back, and keeps his own name
        blind = seal.blind("phone", comparable_number("phone", call.phone))
        person = session.scalars(select(Person).where(Person.phone_blind == blind)).one()
    session.add(CaseSubject(
        subject_id=new_id(), case_id=case_id, role="caller", kind="person", key=person.person_id,
        name=mask_name(call.name) if call.name else person.shown_name, contact="", answer={}, added_at=now,
        added_by=who.actor.user_id,
    ))  # fmt: skip


def near(use: Services, who: Principal, place: Place) -> list[NearCase]:
    """Open cases within 300 m that the person may see, nearest first: is it reported already?"""
    west, south, east, north = box(place.lon, place.lat, NEAR_M)
    inside = (Case.lon.between(west, east), Case.lat.between(south, north))
    query = summaries().where(visible_cases(who.actor), Case.open.is_(True), Case.merged_into_id.is_(None), *inside)
    with read_scope(use.engine) as session:
        found = [summary(row) for row in session.execute(query.order_by(Case.opened_at.desc()).limit(200))]
    here = (place.lon, place.lat)
    far = [(metres(here, (c.lon, c.lat)), c) for c in found if c.lon is not None and c.lat is not None]
    return [NearCase(case, round(m)) for m, case in sorted(far, key=lambda each: each[0]) if m <= NEAR_M][:MOST_NEAR]


def classes_like(lines: list[dict[str, Any]], typed: str) -> list[dict[str, Any]]:
    """The classes whose name (Chinese, pinyin, initials) or code fits what was typed, best first; at most twenty."""
    wanted = typed.strip().lower()
    if not wanted:
        return lines[:MOST_CLASSES]
    found = []
    for line in lines:
        at = match(wanted, spell(line["name"]))
        if at is not None or wanted in line["code"].lower():
            found.append((at.score if at else 0.4, line))
    return [line for _, line in sorted(found, key=lambda each: -each[0])[:MOST_CLASSES]]
