"""What a link's code shows and takes: my file, a question to a party with a signature, an inspector on site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.errors import YiwangError
from core.forms.compiled import compile_form
from core.forms.engine import evaluate_form
from core.forms.from_schema import data_of_answers, form_of_fields
from core.forms.model import Form, form_json, parse_form
from core.records import JSON, EvidenceRef
from dashboard.outside.problems import AnswersInvalid
from dashboard.reception.ratings import may_rate, rating_of
from dashboard.reception.views import case_view, standing_case
from events.cases.definition import Definition
from events.cases.definition_store import definition_of
from events.cases.service import CaseService
from storage.tables.cases import Case
from storage.tables.files import CaseSubject
from storage.tables.persons import LinkToken

NOT_ASKED_OUTSIDE = ("documents", "evidence", "department_id", "user_id")
ON_SITE = ("inspector", "department", "place", "matter")
SIGNATURE = {
    "type": "signature", "name": "signature", "label": {"zh": "签名", "en": "Signature"}, "required": True,
}  # fmt: skip
NAME = {
    "type": "text", "name": "signed_name", "label": {"zh": "签名人姓名", "en": "Name of who signs"}, "required": True,
    "constraint": "string-length(.) <= 40",
}  # fmt: skip


class NotAsked(YiwangError):
    code = "not_asked"
    message = "nobody waits for an answer to this"
    remedy = "look at where your file stands"
    zh = "没有人在等这个回答"
    zh_remedy = "请查看您的事项进展"


def link_view(session: Session, link: LinkToken, cases: CaseService) -> dict[str, JSON]:
    """What the holder of the code may see."""
    shown: dict[str, JSON] = {"kind": f"link_{link.purpose}", "until": link.until.isoformat()}
    if link.purpose == "site":
        shown |= {
            name: value for name, value in link.facts.items() if name in ("inspector", "department", "place", "matter")
        }
    case = standing_case(session, link.case_id)
    if case is None:
        return shown
    if link.purpose != "site":
        shown |= case_view(session, case, cases.definitions)
    if link.uses_left > 0:
        shown["may_rate"] = may_rate(session, case)
    rating = rating_of(session, case.case_id)
    if rating is not None:
        shown["rating"] = {"stars": rating.stars}
    if link.purpose == "file" and link.uses_left > 0 and (asked := asked_form(session, case, link, cases)) is not None:
        shown["question"] = str((case.form.get("asked") or {}).get("question") or "")
        shown["form"] = form_json(asked)
    return shown


def asked_form(session: Session, case: Case, link: LinkToken, cases: CaseService) -> Form | None:
    """The form of what this party is asked for; None while nobody asks him."""
    definition = definition_of(session, case, cases.definitions)
    subject = session.get(CaseSubject, link.subject_id) if link.subject_id else None
    asked: Mapping[str, Any] = case.form.get("asked") or {}
    if not asked or (subject is not None and (subject.asked_at is None or subject.answered_at is not None)):
        return None
    name = _answering(case, definition)
    if name is None:
        return None
    spec = definition.commands[name]
    wanted = [str(each) for each in asked.get("fields") or ()]
    required = [n for n in (*spec.required, *wanted) if n not in NOT_ASKED_OUTSIDE and n in definition.fields]
    optional = [n for n in spec.optional if n not in NOT_ASKED_OUTSIDE and n not in required]
    body = form_json(form_of_fields(definition.fields, list(dict.fromkeys(required)), optional))
    photos = {"type": "image", "name": "photos", "label": {"zh": "照片（最多 5 张）", "en": "Photographs (5 at most)"}}
    body["questions"] = [*body.get("questions", []), photos, NAME, SIGNATURE]
    return parse_form(body)


def _answering(case: Case, definition: Definition) -> str | None:
    """The command by which a party answers in the state that the case is in."""
    for name, spec in definition.commands.items():
        if "answer_party" in spec.effect_names and any(case.state in move.from_ for move in spec.moves):
            return name
    return None


def answer(
    session: Session, cases: CaseService, link: LinkToken, answers: Any, files: Mapping[str, EvidenceRef], now: datetime
) -> Case:
    """A party's answer with its signature: into the file, and the case goes on as its definition says."""
    case = standing_case(session, link.case_id)
    form = asked_form(session, case, link, cases) if case is not None and link.purpose == "file" else None
    if case is None or form is None:
        raise NotAsked()
    state = evaluate_form(compile_form(form), answers if isinstance(answers, Mapping) else {})
    if state.errors:
        raise AnswersInvalid(errors=[list(error) for error in state.errors])
    submitted = dict(state.submitted)
    signature, signed = str(submitted.pop("signature")), str(submitted.pop("signed_name"))
    ids = [*(submitted.pop("photos", None) or []), signature]
    if signature not in files:
        raise AnswersInvalid(errors=[["signature", "required"]])
    definition = definition_of(session, case, cases.definitions)
    name = _answering(case, definition)
    subject = session.get(CaseSubject, link.subject_id) if link.subject_id else None
    data = data_of_answers(definition.fields, submitted)
    who = {"signed_name": signed, "signature": files[signature].sha256, "link": link.link_id}
    if subject is not None:  # before the command, which looks who is still asked
        subject.answered_at, subject.answer = now, {**data, **who}
    cases.party_answers(session, case, str(name), data, tuple(files[one] for one in ids if one in files), who)
    return case
