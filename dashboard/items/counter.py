"""The one counter (一平台办理): find an item or a life event, prefill by right, tick the papers, accept, print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.codes.masking import mask_name
from core.errors import Forbidden, InputInvalid, NotFound
from core.forms.compiled import compile_form
from core.forms.engine import evaluate_form
from core.forms.model import parse_form
from core.language.reading import own_name
from core.records import JSON, Actor, Command
from core.sealing import Seal
from dashboard.items.errors import AnswersRefused
from dashboard.items.offers import Offer, item_data, offer_body, offer_of, ticked
from dashboard.items.presented import presented
from dashboard.registers.desk import ChainAudit, RegisterDesk
from dashboard.services import Services
from events.cases.access import visible_cases
from records.items.bundles import form_key, forms_of, get_bundle, listed_bundles, offered_items
from records.items.bundling import answers_for, merge
from records.items.frequent import frequent_choices
from records.registers.access import must_unmask
from records.registers.definition import shipped_registers
from records.registers.storing import Origin
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.files import CaseDocument
from storage.tables.items import ApplicationAnswers, CounterTicket
from storage.tables.records import RegisterRecord

ROLES = ("admin", "manager", "staff")
NOTED = ("ticket", "cross_province", "courier", "agent")


@dataclass(frozen=True)
class CounterDesk:
    """The counter as one clerk may use it."""

    services: Services
    actor: Actor

    def __post_init__(self) -> None:
        if not set(self.actor.roles) & set(ROLES):
            raise Forbidden(action="work at the counter")

    @property
    def today(self) -> date:
        return self.services.clock.now().astimezone(BEIJING).date()

    @property
    def seal(self) -> Seal:
        return Seal(self.services.settings.records_key)

    def offers(self) -> list[dict[str, Any]]:
        """The high-frequency items by their place, then the life events."""
        with read_scope(self.services.engine) as session:
            items = offered_items(session, self.today, frequent=True)
            bundles = [b for b in listed_bundles(session, self.today, drafts=False) if not b.missing]
        found = [
            {"kind": "item", "key": i.item_id, "name": own_name(i.name, i.english), "pinyin": i.pinyin,
             "initials": i.initials,
             "promised": i.limit_shown("promise"), "legal": i.limit_shown("anticipate"), "place": i.frequent,
             "items": 1} for i in items
        ]  # fmt: skip
        return found + [
            {"kind": "bundle", "key": b.row.bundle_id, "name": own_name(b.row.zh, b.row.en), "pinyin": "",
             "initials": "", "promised": "",
             "legal": "", "place": 0, "items": len(b.items)} for b in bundles
        ]  # fmt: skip

    def offer(self, session: Session, kind: str, key: str) -> Offer:
        """One of them with its form; :class:`NotFound`."""
        if kind == "bundle":
            return offer_of(get_bundle(session, key, self.today))
        for item in offered_items(session, self.today):
            if item.item_id == key:
                merged = merge(forms_of([item]), frequent_choices())
                return Offer(item.item_id, item.name, (item,), {}, merged, False)
        raise NotFound(what="offered item", key=key)

    def form(self, kind: str, key: str) -> dict[str, Any]:
        """The form and the papers of an offer, and how much the merging saves."""
        with read_scope(self.services.engine) as session:
            return offer_body(self.offer(session, kind, key))

    def prefill(self, kind: str, key: str, record_id: str) -> dict[str, Any]:
        """Answers that the registers give for this applicant, as far as the clerk may see them; licences for papers.

        Numbers come in full only for whoever may see them, and the audit chain says for which item.
        """
        registers = RegisterDesk(self.services, self.actor)
        found = registers.record(record_id)
        register = registers.register(found["register_id"])
        with read_scope(self.services.engine) as session:
            offer = self.offer(session, kind, key)
            proofs = self._licences(session, offer, found["name"], str(found["values"].get("code") or ""))
        wanted = _wanted(offer, register.id)
        values = {f: v for f, v in found["values"].items() if f not in register.sensitive}
        numbers = sorted(set(wanted.values()) & register.sensitive)
        if numbers and self._may_unmask(register):
            values |= registers.unmask(record_id, numbers, f"受理：{offer.name}")
        answers = {name: values[f] for name, f in wanted.items() if values.get(f) not in (None, "")}
        return {"answers": answers, "licences": proofs, "register": register.id, "name": found["name"]}

    def presented(self, kind: str, key: str, number: str) -> dict[str, Any]:
        """As :meth:`prefill` for whoever shows an identity card with ``number`` (:mod:`dashboard.items.presented`)."""
        register = shipped_registers()["person"]
        origin = Origin(self.actor.user_id, self.services.clock.now(), "counter")
        with session_scope(self.services.engine) as session:
            offer = self.offer(session, kind, key)
            wanted = _wanted(offer, register.id)
            found = presented(
                session, number, wanted, offer.name, register, self.actor, origin, self.seal, ChainAudit()
            )
            proofs = self._licences(session, offer, found["name"], "") if found["name"] else {}
        return {**found, "licences": proofs, "register": register.id}

    def _may_unmask(self, register: Any) -> bool:
        try:
            must_unmask(self.actor, register)
        except Forbidden:
            return False
        return True

    def _licences(self, session: Session, offer: Offer, holder: str, code: str) -> dict[str, dict[str, str]]:
        """Valid licences of the holder that stand in for papers: paper → kind and number."""
        kinds = {p.licence: p.name for p in offer.merged.papers if p.licence}
        sql = select(RegisterRecord).where(
            RegisterRecord.register_id == "licence", RegisterRecord.state == "active", RegisterRecord.name.in_(kinds)
        )
        found = {}
        for row in session.scalars(sql.limit(2000)):
            same = row.data.get("holder") == holder or (code and row.data.get("holder_code") == code)
            until = str(row.data.get("until") or "9999")
            if same and row.data.get("status") == "valid" and until >= self.today.isoformat():
                found[kinds[row.name]] = {"kind": row.name, "number": str(row.data.get("number", ""))}
        return found

    def take(self, kind: str, key: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Take an application: the answers are checked, the papers ticked, the case opened, a single item accepted.

        ``sent``: answers, papers ({name: {from, number}}), ticket, cross_province, courier, agent, accept, request_id.
        """
        with session_scope(self.services.engine) as session:
            offer = self.offer(session, kind, key)
            answers = self._checked(offer, sent.get("answers") or {})
            papers = ticked(offer, sent.get("papers") or {})
            data = self._case_data(offer, answers, papers, sent)
            request = str(sent.get("request_id") or "") or None
            command = Command(
                name="report", case_id="", actor_id=self.actor.user_id, idempotency_key=request, data=data
            )
            view = self.services.cases.execute_in(session, command, self.actor)
            if not view.replayed:
                self._keep(session, view.case_id, offer, answers, sent)
            if not offer.bundle and sent.get("accept") and not view.replayed:
                accept = Command(name="accept", case_id=view.case_id, actor_id=self.actor.user_id)
                view = self.services.cases.execute_in(session, accept, self.actor)
            session.flush()
            return self._taken(session, view.case_id)

    def _checked(self, offer: Offer, answers: Mapping[str, Any]) -> dict[str, Any]:
        form = compile_form(parse_form(offer.form))
        state = evaluate_form(form, dict(answers), today=self.today.isoformat())
        if state.errors:
            raise AnswersRefused(problems=[{"question": path, "code": code} for path, code in state.errors])
        return dict(state.submitted)

    def _case_data(
        self, offer: Offer, answers: Mapping[str, Any], papers: Sequence[dict[str, str]], sent: Mapping[str, Any]
    ) -> dict[str, JSON]:
        applicant = str(answers.get("enterprise_name") or answers.get("applicant_name") or "")[:200]
        more = {
            name: str(sent[name])[:200] for name in ("ticket", "cross_province", "courier", "agent") if sent.get(name)
        }
        lines = [
            item_data(offer, item, answers, papers, self.actor.department_id or "") for item in offer.items
        ]  # fmt: skip
        if not offer.bundle:
            return {
                "definition_id": "item_application",
                "applicant": applicant,
                "channel": "counter",
                **lines[0],
                **more,
            }
        return {
            "definition_id": "life_event", "title": f"{offer.name}：{mask_name(applicant)}"[:200], "bundle": offer.key,
            "bundle_name": offer.name, "applicant": applicant, "channel": "counter", "items": lines, **more,
        }  # fmt: skip

    def _keep(
        self, session: Session, case_id: str, offer: Offer, answers: Mapping[str, Any], sent: Mapping[str, Any]
    ) -> None:
        """The answers in full, encrypted; the queue's number gets its case."""
        now = self.services.clock.now()
        session.add(
            ApplicationAnswers(
                case_id=case_id, bundle_id=offer.key if offer.bundle else "", taken_by=self.actor.user_id, taken_at=now,
                sealed=self.seal.seal(case_id, dict(answers)),
            )
        )  # fmt: skip
        ticket = session.scalar(
            select(CounterTicket).where(
                CounterTicket.day == self.today, CounterTicket.number == str(sent.get("ticket") or "-")
            )
        )
        if ticket is not None:
            ticket.case_id, ticket.state, ticket.ended_at = case_id, "served", now

    def _taken(self, session: Session, case_id: str) -> dict[str, Any]:
        case = session.get_one(Case, case_id)
        children = session.scalars(select(Case).where(Case.parent_case_id == case_id).order_by(Case.number)).all()
        return {
            "case_id": case_id, "number": case.number, "state": case.state, "title": case.title,
            "deadline_at": case.deadline_at, "notice": notice_of(session, case_id),
            "items": [{"case_id": c.case_id, "number": c.number, "title": c.title, "state": c.state} for c in children],
        }  # fmt: skip

    def answers(self, case_id: str, reason: str) -> dict[str, Any]:
        """The answers in full, for whoever may see the case; who, when and why goes into the audit chain."""
        if len(reason.strip()) < 4:
            raise InputInvalid(field="reason", detail="is missing", how="say what they are needed for")
        with session_scope(self.services.engine) as session:
            seen = visible_cases(self.actor, self.services.cases.definitions)
            case = session.scalar(select(Case).where(Case.case_id == case_id, seen))
            kept = None
            if case is not None:
                kept = session.get(ApplicationAnswers, case_id) or session.get(
                    ApplicationAnswers, case.parent_case_id or "-"
                )
            if case is None or kept is None:
                raise NotFound(what="application", key=case_id)
            body = {"case_id": case_id, "reason": reason.strip()[:300]}
            now = self.services.clock.now()
            ChainAudit().append(session, now, self.actor.user_id, "application_answers", body)
            values = self.seal.open(kept.case_id, kept.sealed)
            if kept.case_id == case_id:
                return values
            offer = self.offer(session, "bundle", kept.bundle_id)
            return answers_for(offer.merged, values, form_key(str(case.form.get("item_code"))))


def _wanted(offer: Offer, register_id: str) -> dict[str, str]:
    """Question → field of the register that answers it."""
    asked = [q for q in offer.merged.questions if q.prefill.startswith(f"{register_id}.")]
    return {q.name: q.prefill.partition(".")[2] for q in asked}


def notice_of(session: Session, case_id: str) -> dict[str, Any] | None:
    """The acceptance notice of a case, as it is printed."""
    row = session.scalars(
        select(CaseDocument)
        .where(CaseDocument.case_id == case_id, CaseDocument.type == "acceptance")
        .order_by(CaseDocument.version.desc())
    ).first()
    return None if row is None else {"document_id": row.document_id, **row.content}
