"""From what was sent in to a case: reports through the rules and correlation, help and complaints as their own kinds.

One row is handled in one transaction together with the case that comes of it, so nothing is doubled by a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.codes.masking import mask_name, personal_numbers
from core.errors import YiwangError
from core.ids import derived_id
from core.media import MediaStore
from core.pictures import rewrite
from core.records import JSON, EvidenceRef, GeoPoint, Observation
from core.sealing import Seal
from dashboard.outside.asked import checked, point_of
from dashboard.reception import telephones
from dashboard.reception.links import answer, link_view
from dashboard.reception.persons import person_of
from dashboard.reception.places import place_of, public_places
from dashboard.reception.ratings import PUBLIC, rate
from dashboard.reception.telephones import TextMessage
from dashboard.reception.views import masked, standing_case, write_view
from events.cases.service import CaseService
from events.evidence import audit_log
from events.interchange.open311 import service_of
from storage.links import link_of
from storage.tables.outside import OutsideRequest

PERSONAL = ("person_name", "helped_name", "phone")
NEEDS_PHONE = ("help", "complaint")


@dataclass
class Handled:
    """What is to be done once the transaction is committed."""

    observations: list[Observation] = field(default_factory=list)
    messages: list[TextMessage] = field(default_factory=list)


@dataclass(frozen=True)
class Reception:
    """What handling needs; ``can_send``: is there a channel for text messages?"""

    cases: CaseService
    clock: Clock
    media: MediaStore
    seal: Seal
    keep: timedelta
    can_send: bool = False

    def handle(self, session: Session, row: OutsideRequest) -> Handled:
        """Take ``row`` in; what cannot be taken is refused with a code, never left to be tried for ever."""
        done = Handled()
        try:
            with session.begin_nested():
                self._handle(session, row, done)
        except YiwangError as error:
            session.refresh(row)
            self.refuse(row, error.code)
            done = Handled()
        return done

    def _handle(self, session: Session, row: OutsideRequest, done: Handled) -> None:
        now = self.clock.now()
        match row.kind:
            case "photo":
                rewrite(row.data or b"")
                row.state, row.expires_at = "taken", now + timedelta(days=1)
            case "phone":
                message = telephones.begin(session, row, self.seal, self.clock, self.can_send)
                done.messages += [message] if message is not None else []
            case "confirm":
                telephones.confirm(session, row, self.clock)
            case "count":
                self._count(session, row, now)
            case "report" | "help" | "complaint":
                self._take(session, row, done, now)
            case "rating":
                self._rate(session, row, now)
            case "answer":
                self._answer(session, row, now)
            case _:
                self.refuse(row, "not_taken")

    def _take(self, session: Session, row: OutsideRequest, done: Handled, now: datetime) -> None:
        answers = checked(row.kind, row.body.get("answers"), public_places(session))
        phone = str(answers.get("phone") or "")
        confirmed = False
        if phone:
            row.phone_blind = telephones.blind_of(self.seal, phone)
            ticket = str(row.body.get("ticket", ""))
            confirmed = telephones.is_confirmed(session, ticket, row.phone_blind, now)
        if self.can_send and row.kind in NEEDS_PHONE and not confirmed:
            self.refuse(row, "phone_not_confirmed")
            return
        personal = {name: answers[name] for name in PERSONAL if answers.get(name)}
        row.sealed = self.seal.seal(row.request_id, personal) if personal else None
        row.view = {"kind": row.kind, "masked": masked(answers)}
        row.own = {"confirmed": confirmed}
        person_of(
            session, self.seal, now, name=str(answers.get("person_name") or ""), phone=phone,
            verified_by="sms" if confirmed else "",
        )  # fmt: skip
        photos = self._photos(session, row, answers, now)
        if row.kind == "report":
            done.observations.append(self._observation(row, answers, photos, now))
        else:
            case = self.cases.open_for(
                session, _DEFINITIONS[row.kind], _case_data(session, row.kind, answers, confirmed), PUBLIC,
                {"outside": row.request_id}, evidence=tuple(photos),
            )  # fmt: skip
            row.case_id = case.case_id
            session.flush()
            write_view(session, row, self.cases.definitions)
        row.body, row.state = {}, "new" if row.kind == "report" else "taken"  # a report: once it is on the bus
        row.expires_at = None if row.case_id else now + self.keep

    def keep_observation(self, row: OutsideRequest, observation: Observation) -> None:
        """Until it is on the bus."""
        row.own = {**row.own, "observation": msgspec.to_builtins(observation)}

    def kept_observation(self, row: OutsideRequest) -> Observation:
        """What :meth:`keep_observation` kept."""
        return msgspec.convert(row.own["observation"], Observation)

    def _rate(self, session: Session, row: OutsideRequest, now: datetime) -> None:
        """By the code of a request of one's own, or of a link."""
        of = str(row.body.get("of", ""))
        answers = checked("rating", row.body.get("answers"), {})
        link = link_of(session, of, now, lock=True)
        mine = session.scalars(select(OutsideRequest).where(OutsideRequest.token_hash == of)).one_or_none()
        case = standing_case(session, link.case_id if link is not None else mine.case_id if mine is not None else None)
        if case is None or (link is not None and link.uses_left < 1):
            self.refuse(row, "not_to_be_rated")
            return
        rating = rate(
            session, self.cases, case, row.request_id, answers, now, link.link_id if link is not None else ""
        )  # fmt: skip
        row.state, row.body, row.view, row.expires_at = "taken", {}, {"kind": "rating"}, now + timedelta(days=30)
        if link is not None:
            link.uses_left, link.last_used_at = link.uses_left - 1, now
            link.view = {**link_view(session, link, self.cases), "may_rate": False}
        for other in session.scalars(select(OutsideRequest).where(OutsideRequest.case_id == case.case_id)):
            other.view = {**other.view, "may_rate": False, "rating": {"stars": rating.stars}}

    def _answer(self, session: Session, row: OutsideRequest, now: datetime) -> None:
        """A party's answer, signed, by the code of "my file"."""
        link = link_of(session, str(row.body.get("of", "")), now, lock=True)
        if link is None or link.uses_left < 1:
            self.refuse(row, "not_asked")
            return
        sent = row.body.get("answers")
        named = sent if isinstance(sent, Mapping) else {}
        ids = [*(named.get("photos") or []), named.get("signature")]
        files = self._files(session, row, [str(one) for one in ids if one], now)
        answer(session, self.cases, link, sent, files, now)
        link.uses_left, link.last_used_at = link.uses_left - 1, now
        link.view = link_view(session, link, self.cases)
        row.state, row.body, row.view, row.expires_at = "taken", {}, {"kind": "answer"}, now + timedelta(days=30)

    def _observation(
        self, row: OutsideRequest, answers: Mapping[str, Any], photos: list[EvidenceRef], now: datetime
    ) -> Observation:
        service = service_of(str(answers["service"]))
        place = point_of(answers.get("place"))
        row.observation_id = derived_id("outside", row.request_id)
        attributes: dict[str, JSON] = {
            "accuracy_m": (place or {}).get("accuracy_m", 30.0), "channel": "outside",
            "service_code": service.service_code, "text": without_numbers(str(answers.get("description") or "")),
        }  # fmt: skip
        attributes |= {"address": str(answers["address"])} if answers.get("address") else {}
        return Observation(
            observation_id=row.observation_id, kind=service.kind, state="open", source_type="citizen",
            source_id=f"citizen:{row.observation_id}", observed_at=row.created_at, received_at=now,
            location=None if place is None else GeoPoint(lon=place["lon"], lat=place["lat"]),
            attributes=attributes, evidence=tuple(photos),
        )  # fmt: skip

    def _photos(
        self, session: Session, row: OutsideRequest, answers: Mapping[str, Any], now: datetime
    ) -> list[EvidenceRef]:
        return list(self._files(session, row, [str(each) for each in answers.get("photos") or []], now).values())

    def _files(self, session: Session, row: OutsideRequest, ids: list[str], now: datetime) -> dict[str, EvidenceRef]:
        """The photographs and signatures that the answers name, sealed; each may be used once."""
        query = select(OutsideRequest).where(OutsideRequest.kind == "photo", OutsideRequest.request_id.in_(ids))
        found = {each.request_id: each for each in session.scalars(query) if each.data}
        refs = {}
        for one in dict.fromkeys(ids):
            photo = found.get(one)
            if photo is None:
                continue
            data = photo.data or b""
            refs[one] = self.media.put(data, kind="photo", media_type="image/jpeg", taken_at=photo.created_at)
            photo.data, photo.state, photo.own = None, "taken", {"of": row.request_id}
            photo.expires_at = now + timedelta(days=1)
        return refs

    def _count(self, session: Session, row: OutsideRequest, now: datetime) -> None:
        """Wrong codes that were tried outside: a link of the audit chain of logins."""
        count = int(row.body.get("wrong_codes", 0))
        audit_log.append(session, audit_log.ACCESS_CHAIN, now, "system", "outside_codes_guessed", {"count": count})
        row.state, row.body, row.expires_at = "taken", {}, now

    def refuse(self, row: OutsideRequest, problem: str) -> None:
        """Say why it was not taken, and forget what was in it."""
        row.state, row.view, row.body, row.data, row.sealed = "refused", {"problem": problem}, {}, None, None
        row.expires_at = self.clock.now() + timedelta(days=7)


_DEFINITIONS = {"help": "help_request", "complaint": "hotline_complaint"}


def without_numbers(text: str) -> str:
    """A text without telephones and identity numbers: what goes into a report's file is read by many."""
    for begin, end, _ in reversed(personal_numbers(text)):
        text = text[:begin] + "*" * (end - begin) + text[end:]
    return text


def _case_data(session: Session, kind: str, answers: Mapping[str, Any], confirmed: bool) -> dict[str, JSON]:
    """The answers as the data of the kind's ``report`` command."""
    division, point = place_of(session, answers)
    where: dict[str, JSON] = {"division_code": division} if division else {}
    if point is not None:
        where["location"] = {"lon": point.lon, "lat": point.lat}
    contact = f"{answers.get('person_name', '')} {answers.get('phone', '')}".strip()
    if kind == "help":
        return where | {
            "title": f"帮办：{_label(answers, 'matter')}"[:200],
            "description": str(answers["description"]),
            "person_name": str(answers["helped_name"])[:80],
            "phone": str(answers["phone"]),
            "address": str(answers["address"])[:200],
            "item": _label(answers, "matter"),
            "subjects": [{"name": str(answers["person_name"])[:80], "role": "requester", "contact": contact[:80]}],
        }
    hidden = answers.get("hidden") != "no"
    return where | {
        "title": str(answers["about"])[:200],
        "description": str(answers["description"])[:10_000],
        "request_kind": str(answers["request_kind"]),
        "caller_name": mask_name(str(answers["person_name"])) if hidden else str(answers["person_name"])[:80],
        "caller_phone": "" if hidden else str(answers["phone"]),
        "hidden": hidden,
        "channel": "网上",
        "location_text": str(answers.get("address") or "")[:300],
    }


_MATTERS = {
    "pension": "养老待遇、高龄津贴", "medical": "医保、看病报销", "disabled": "残疾人服务", "welfare": "低保、救助",
    "certificate": "证明、证件", "life": "生活照料、陪同", "other": "其他",
}  # fmt: skip


def _label(answers: Mapping[str, Any], name: str) -> str:
    return _MATTERS.get(str(answers.get(name)), "其他")
