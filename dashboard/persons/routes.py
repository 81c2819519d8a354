"""Codes that staff hand out, ratings of a file, and the contact of who sent something in (with a reason)."""

from __future__ import annotations

import asyncio
import io
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import one_time
from core.errors import Forbidden, InputInvalid, NotFound
from core.late import Late
from core.sealing import Seal
from dashboard.api.deps import Use, Who, answers, audit, respond, takes
from dashboard.api.params import body
from dashboard.auth import Principal
from dashboard.reception.persons import contact_of
from dashboard.reception.telephones import TextMessage
from dashboard.reception.texting import send_text, text_channel
from dashboard.services import Services
from events.cases.access import visible_cases
from events.cases.state import parts_of
from storage.links import make_link
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.files import CaseSubject
from storage.tables.outside import OutsideRequest
from storage.tables.persons import LinkToken, Person
from storage.tables.registry import Site

if TYPE_CHECKING:
    import segno
else:
    segno = Late("segno")

router = APIRouter(tags=["people without an account"])
CENTRE = ("admin", "operator", "dispatcher")
ON_SITE = ("inspector", "grid_worker", "staff", "manager")
SITE_HOURS = 12.0


class LinkBody(msgspec.Struct, forbid_unknown_fields=True):
    """``purpose``: file or rating.  ``subject_id``: the party; ``send``: a text message to the party's telephone."""

    purpose: str
    subject_id: str | None = None
    days: float = 30
    send: bool = False


class SiteCodeBody(msgspec.Struct, forbid_unknown_fields=True):
    """Where and why: a site of the register or a text, the matter, the case it belongs to."""

    site_id: str | None = None
    place: str = ""
    matter: str = ""
    case_id: str | None = None


class ReasonBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why a contact is looked at: kept in the audit chain."""

    reason: str


class LinkFacts(msgspec.Struct):
    """A code that was handed out, without the code."""

    link_id: str
    purpose: str
    subject_id: str | None
    uses_left: int
    created_at: datetime
    created_by: str
    until: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class LinkShown(msgspec.Struct):
    """A code as it is shown this once; ``qr_svg`` holds ``url``; ``sent``: was a text message handed to the gateway?"""

    link: LinkFacts
    code: str
    url: str
    qr_svg: str
    sent: bool = False


class LinkList(msgspec.Struct):
    items: list[LinkFacts]


class Contact(msgspec.Struct):
    """Who sent something in, in full."""

    person_name: str = ""
    helped_name: str = ""
    phone: str = ""


class ContactList(msgspec.Struct):
    items: list[Contact]


@router.post("/api/cases/{case_id}/links", openapi_extra=takes(LinkBody), **answers(LinkShown, 201))
async def hand_out(case_id: str, request: Request, use: Use, who: Who) -> Response:
    """A code for somebody without an account, shown this once, with its address and QR picture (SVG)."""
    sent = await body(request, LinkBody)
    made, code, contact = await asyncio.to_thread(_hand_out, use, who, case_id, sent)
    shown = _shown(use, made, code, "rate" if sent.purpose == "rating" else "file")
    if sent.send:
        shown.sent = await _send(use, contact, shown.url)
    return respond(shown, 201)


def _hand_out(use: Services, who: Principal, case_id: str, sent: LinkBody) -> tuple[LinkToken, str, str]:
    if sent.purpose not in ("file", "rating"):
        raise InputInvalid(field="purpose", detail=f"there is no {sent.purpose!r}", how="use: file, rating")
    with session_scope(use.engine) as session:
        case = _own_case(session, who, case_id)
        subject = session.get(CaseSubject, sent.subject_id) if sent.subject_id else None
        if sent.subject_id and (subject is None or subject.case_id != case_id):
            raise NotFound(what="subject", key=sent.subject_id)
        link, code = make_link(
            session, sent.purpose, now=use.clock.now(), by=who.actor.user_id, days=sent.days, case_id=case.case_id,
            subject_id=sent.subject_id,
        )  # fmt: skip
        audit(session, use, who, "link_made", {"link_id": link.link_id, "case_id": case_id, "purpose": sent.purpose})
        return link, code, subject.contact if subject is not None else ""


@router.get("/api/cases/{case_id}/links", **answers(LinkList))
def handed_out(case_id: str, use: Use, who: Who) -> Response:
    """The codes handed out for a case: never the codes themselves."""
    with read_scope(use.engine) as session:
        _own_case(session, who, case_id)
        rows = session.scalars(select(LinkToken).where(LinkToken.case_id == case_id).order_by(LinkToken.created_at))
        return respond(LinkList([_facts(link) for link in rows]))


@router.delete("/api/links/{link_id}", **answers(LinkFacts))
def take_back(link_id: str, use: Use, who: Who) -> Response:
    """End a code at once."""
    with session_scope(use.engine) as session:
        link = session.get(LinkToken, link_id, with_for_update=True)
        if link is None:
            raise NotFound(what="link", key=link_id)
        if link.created_by != who.actor.user_id:
            _own_case(session, who, link.case_id or "")
        link.revoked_at = link.revoked_at or use.clock.now()
        audit(session, use, who, "link_revoked", {"link_id": link_id})
        return respond(_facts(link))


@router.post("/api/me/site-codes", openapi_extra=takes(SiteCodeBody), **answers(LinkShown, 201))
async def on_site(request: Request, use: Use, who: Who) -> Response:
    """An inspector's code: whoever is visited sees by it who came, from where and why; valid for twelve hours."""
    sent = await body(request, SiteCodeBody)
    made, code = await asyncio.to_thread(_on_site, use, who, sent)
    return respond(_shown(use, made, code, "site"), 201)


def _on_site(use: Services, who: Principal, sent: SiteCodeBody) -> tuple[LinkToken, str]:
    if not who.has(*ON_SITE):
        raise Forbidden(action="show a code on site without inspecting")
    matter, place = sent.matter.strip()[:120], sent.place.strip()[:120]
    with session_scope(use.engine) as session:
        site = session.get(Site, sent.site_id) if sent.site_id else None
        if sent.site_id and site is None:
            raise NotFound(what="site", key=sent.site_id)
        if sent.case_id:
            _own_case(session, who, sent.case_id)
        place = site.name if site is not None else place
        if not place or not matter:
            raise InputInvalid(field="place", detail="place or matter is missing", how="say where and why")
        facts = {
            "inspector": who.actor.name, "department": who.department_name, "place": place, "matter": matter
        }  # fmt: skip
        link, code = make_link(
            session, "site", now=use.clock.now(), by=who.actor.user_id, days=SITE_HOURS / 24, case_id=sent.case_id,
            facts=facts,
        )  # fmt: skip
        link.view = {"kind": "link_site", "until": link.until.isoformat(), **facts}
        audit(session, use, who, "site_code", {"link_id": link.link_id, "place": place, "matter": matter})
        return link, code


@router.post("/api/cases/{case_id}/contact", openapi_extra=takes(ReasonBody), **answers(ContactList))
async def contact(case_id: str, request: Request, use: Use, who: Who) -> Response:
    """Name and telephone of who reported from outside or by telephone, in full; the reason goes into the chain."""
    sent = await body(request, ReasonBody)
    return respond(await asyncio.to_thread(_contact, use, who, case_id, sent.reason.strip()))


def _contact(use: Services, who: Principal, case_id: str, reason: str) -> ContactList:
    if not 4 <= len(reason) <= 200:
        raise InputInvalid(field="reason", detail="has less than 4 or more than 200 characters", how="say why")
    seal = Seal(use.settings.records_key)
    with session_scope(use.engine) as session:
        case = _own_case(session, who, case_id)
        if case.form.get("hidden") and not who.has(*CENTRE):
            raise Forbidden(action="see who complained: it was asked to be kept secret")
        rows = session.scalars(select(OutsideRequest).where(OutsideRequest.case_id == case_id))
        found = [seal.open(row.request_id, row.sealed) for row in rows if row.sealed]
        linked = select(LinkToken.person_id).where(LinkToken.case_id == case_id, LinkToken.person_id.is_not(None))
        named = select(CaseSubject.key).where(CaseSubject.case_id == case_id, CaseSubject.kind == "person")
        ids = or_(Person.person_id.in_(linked), Person.person_id.in_(named))
        persons = session.scalars(select(Person).where(ids))
        for person in persons:
            known = contact_of(seal, person)
            found.append({"person_name": known.get("name", ""), "phone": known.get("phone", "")})
        audit(session, use, who, "contact_shown", {"case_id": case_id, "reason": reason, "contacts": len(found)})
        names = ("person_name", "helped_name", "phone")
        return ContactList([Contact(**{n: str(each[n]) for n in names if n in each}) for each in found])


def _visible(session: Session, who: Principal, case_id: str) -> Case:
    case = session.scalars(select(Case).where(Case.case_id == case_id, visible_cases(who.actor))).one_or_none()
    if case is None:
        raise NotFound(what="case", key=case_id)
    return case


def _own_case(session: Session, who: Principal, case_id: str) -> Case:
    """A case that the person works on: of the centre, of a department that has a part, or the handler."""
    case = _visible(session, who, case_id)
    departments = {part.department_id for part in parts_of(session, case_id)}
    mine = who.actor.department_id is not None and who.actor.department_id in departments
    if not (who.has(*CENTRE) or mine or case.handler_id == who.actor.user_id):
        raise Forbidden(action="hand out codes of a case that is not yours")
    return case


def _facts(link: LinkToken) -> LinkFacts:
    return LinkFacts(**{name: getattr(link, name) for name in LinkFacts.__struct_fields__})


def _shown(use: Services, link: LinkToken, code: str, screen: str) -> LinkShown:
    """The code this once.  After ``#`` it reaches no server and no referrer."""
    shown = one_time.shown_code(code)
    url = f"{use.settings.outside_url}/h#/{screen}/{shown}"
    picture = io.BytesIO()
    segno.make(url, error="m").save(picture, kind="svg", scale=6, border=3, xmldecl=False, nl=False)
    return LinkShown(_facts(link), shown, url, picture.getvalue().decode())


async def _send(use: Services, phone: str, url: str) -> bool:
    digits = "".join(c for c in phone if c.isdigit())[-11:]
    channel = text_channel(use.settings, use.hub.bus) if use.hub.bus is not None else None
    if channel is None or len(digits) != 11:
        return False
    await send_text(channel, TextMessage(digits, f"您的办理事项有新消息，请打开：{url}"))
    return True
