"""What a person may report, the drafts of reports that he has not sent, and commands to many cases at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound, YiwangError
from core.ids import new_id
from core.records import JSON, Actor, Command, Record
from events.cases.course.relations import CaseState, may
from events.cases.definition import NEW, Definition
from events.cases.service import CaseService
from storage.session import read_scope
from storage.tables.cases import Case
from storage.tables.files import ReportDraft

MAX_DRAFTS = 200  # of a person
MAX_BATCH = 100


class KindToReport(Record, frozen=True, omit_defaults=False):
    """A kind of case that the person may report: ``form`` its JSON Schema, ``ask`` the form for the renderer."""

    definition_id: str
    name: dict[str, str]
    sites: str
    required: list[str]
    optional: list[str]
    form: dict[str, JSON]
    titles: dict[str, dict[str, str]]
    choices: dict[str, dict[str, dict[str, str]]]
    ask: dict[str, JSON] = {}


class Draft(Record, frozen=True, omit_defaults=False):
    """A report that was begun."""

    draft_id: str
    definition_id: str
    title: str
    data: dict[str, JSON]
    updated_at: datetime


def kinds_to_report(actor: Actor, definitions: Mapping[str, Definition], now: datetime) -> list[KindToReport]:
    """The kinds whose ``report`` is for ``actor``."""
    found = []
    for kind in definitions.values():
        spec = kind.commands.get("report")
        if spec is None or not may(actor, CaseState(state=NEW, now=now), spec.who):
            continue
        found.append(
            KindToReport(
                definition_id=kind.definition_id,
                name=kind.name,
                sites=kind.sites,
                required=list(spec.required),
                optional=list(spec.optional),
                form=kind.form("report"),
                titles=kind.titles("report"),
                choices=kind.choices("report"),
                ask=kind.ask("report"),
            )
        )
    return found


def drafts_of(session: Session, actor: Actor) -> list[Draft]:
    """The person's drafts, the one touched last first."""
    query = select(ReportDraft).where(ReportDraft.user_id == actor.user_id)
    return [_draft(row) for row in session.scalars(query.order_by(ReportDraft.updated_at.desc()))]


def save_draft(
    session: Session, actor: Actor, definition: Definition, data: dict[str, Any], now: datetime, draft_id: str | None
) -> Draft:
    """Save a draft as it stands; nothing in it is checked but that its fields are the report's."""
    spec = definition.commands["report"]
    unknown = sorted(set(data) - {*spec.required, *spec.optional, *definition.form("report")["properties"]})
    if unknown:
        raise InputInvalid(field=unknown[0], detail="is no field of the report", how="leave it out")
    row = session.get(ReportDraft, draft_id) if draft_id else None
    if draft_id and (row is None or row.user_id != actor.user_id):
        raise NotFound(what="draft", key=draft_id)
    if row is None:
        count = select(func.count()).select_from(ReportDraft).where(ReportDraft.user_id == actor.user_id)
        if (session.scalar(count) or 0) >= MAX_DRAFTS:
            raise InputInvalid(field="drafts", detail=f"you have {MAX_DRAFTS}", how="send or drop some first")
        row = ReportDraft(draft_id=new_id(), user_id=actor.user_id, definition_id=definition.definition_id)
        session.add(row)
    row.data, row.title, row.updated_at = data, str(data.get("title") or "")[:200], now
    session.flush()
    return _draft(row)


def drop_draft(session: Session, actor: Actor, draft_id: str) -> None:
    """Drop a draft of one's own."""
    row = session.get(ReportDraft, draft_id)
    if row is None or row.user_id != actor.user_id:
        raise NotFound(what="draft", key=draft_id)
    session.delete(row)


def _draft(row: ReportDraft) -> Draft:
    return Draft(
        draft_id=row.draft_id,
        definition_id=row.definition_id,
        title=row.title,
        data=row.data,
        updated_at=row.updated_at,
    )


def command_to_many(
    service: CaseService, actor: Actor, name: str, case_ids: Sequence[str], data: dict[str, Any], key: str
) -> list[dict[str, Any]]:
    """Give a command to each case, where its definition allows that for many; ``{"case_id", "ok", "error"}`` each."""
    if not 1 <= len(case_ids) <= MAX_BATCH:
        raise InputInvalid(field="case_ids", detail=f"{len(case_ids)} cases", how=f"name 1 … {MAX_BATCH}")
    return [_one(service, actor, name, case_id, data, key) for case_id in dict.fromkeys(case_ids)]


def _one(service: CaseService, actor: Actor, name: str, case_id: str, data: dict[str, Any], key: str) -> dict[str, Any]:
    try:
        with read_scope(service.engine) as session:
            kind = session.scalar(select(Case.definition_id).where(Case.case_id == case_id))
        spec = service.definitions[kind].commands.get(name) if kind and kind in service.definitions else None
        if spec is not None and not spec.batch:
            raise InputInvalid(field="name", detail=f"{name!r} is given to one case at a time", how="open the case")
        command = Command(
            name=name, case_id=case_id, actor_id=actor.user_id, data=data,
            idempotency_key=f"{key}:{case_id}"[:80] if key else None,
        )  # fmt: skip
        view = service.execute(command, actor)
        return {"case_id": case_id, "ok": True, "state": view.state, "version": view.version, "error": None}
    except YiwangError as error:
        return {"case_id": case_id, "ok": False, "error": error.as_dict()}
