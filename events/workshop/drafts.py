"""Drafts of kinds of case: kept on the server, proposed by who wrote them, published by somebody else.

Callers commit; each function changes one row, or refuses with a typed error and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.ids import new_id
from core.records import Record
from events.cases.definition import Definition
from events.cases.definition_check import body_problems, parse_definition
from events.cases.definition_problems import DefinitionProblem
from events.cases.kinds_in_force import ORIGIN, definitions_in_force
from events.workshop.errors import (
    DefinitionIdInvalid,
    DefinitionMoved,
    DraftBlocked,
    DraftChanged,
    DraftStateWrong,
    OwnDraft,
)
from storage.tables.cases import CaseDefinition
from storage.tables.workshop import DefinitionDraft

_ID = re.compile(r"[a-z][a-z0-9_]{1,39}")
MOST_BYTES = 1_000_000


class DraftView(Record, frozen=True):
    """A draft as other rooms see it; ``body`` is the definition's long form, which may have problems."""

    draft_id: str
    definition_id: str
    base_version: int
    state: str
    body: dict[str, Any]
    trial: dict[str, Any]
    authors: tuple[str, ...]
    revision: int
    created_by: str
    updated_at: datetime
    updated_by: str
    published_version: int | None = None
    published_by: str | None = None


def begin_draft(
    session: Session, definition_id: str, who: str, now: datetime, body: Mapping[str, Any] | None = None
) -> DraftView:
    """A draft of the version in force, or of a new kind with ``body``."""
    found = definitions_in_force().get(definition_id)
    if body is None and found is None:
        raise NotFound(what="case definition", key=definition_id)
    if body is not None:
        _check_new(session, definition_id)
    long = long_form(found) if body is None and found is not None else dict(body or {})
    base = _newest(session, definition_id) if body is None else 0
    row = DefinitionDraft(
        draft_id=new_id(), definition_id=definition_id, base_version=base, state="draft",
        body={**long, "definition_id": definition_id, "version": base + 1}, trial={}, authors=[who], revision=1,
        created_at=now, created_by=who, updated_at=now, updated_by=who,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return _view(row)


def draft_of(session: Session, draft_id: str) -> DraftView:
    """One draft."""
    return _view(_row(session, draft_id))


def drafts(session: Session) -> list[DraftView]:
    """The drafts that are not published, the newest first; at most 200."""
    query = select(DefinitionDraft).where(DefinitionDraft.state != "published")
    return [_view(row) for row in session.scalars(query.order_by(DefinitionDraft.updated_at.desc()).limit(200))]


def save_draft(
    session: Session, draft_id: str, body: Mapping[str, Any], revision: int, who: str, now: datetime
) -> DraftView:
    """Another body; whoever saves is an author from then on."""
    row = _row(session, draft_id)
    if row.state != "draft":
        raise DraftStateWrong(state=row.state, detail="it cannot be edited", how="take it back first")
    long = {**body, "definition_id": row.definition_id, "version": row.base_version + 1}
    if len(msgspec.json.encode(long)) > MOST_BYTES:
        raise DraftStateWrong(state=row.state, detail="it is too large", how=f"stay below {MOST_BYTES} bytes")
    _changed(session, row, revision, who, now, body=long, authors=sorted({*row.authors, who}))
    return _view(row)


def save_trial(session: Session, draft_id: str, trial: Mapping[str, Any]) -> None:
    """The people and steps of the last trial; no edit of the definition."""
    _row(session, draft_id).trial = dict(trial)
    session.flush()


def propose_draft(session: Session, draft_id: str, revision: int, who: str, now: datetime) -> DraftView:
    """Ask somebody else to publish it; it has no problems and is not edited any more."""
    row = _row(session, draft_id)
    _in_state(row, "draft", "it was proposed already")
    _check(row.body)
    _changed(session, row, revision, who, now, state="proposed")
    return _view(row)


def take_back(session: Session, draft_id: str, revision: int, who: str, now: datetime) -> DraftView:
    """A proposed draft may be edited again: its author withdrew it, or somebody else sent it back."""
    row = _row(session, draft_id)
    _in_state(row, "proposed", "only a proposed one can be taken back")
    _changed(session, row, revision, who, now, state="draft")
    return _view(row)


def discard_draft(session: Session, draft_id: str, revision: int) -> None:
    """Delete a draft that was never published."""
    row = _row(session, draft_id)
    _in_state(row, "draft", "only a draft can be dropped")
    if row.revision != revision:
        raise DraftChanged(revision=row.revision, given=revision)
    session.delete(row)
    session.flush()


def publish_draft(session: Session, draft_id: str, revision: int, who: str, now: datetime) -> DraftView:
    """A proposed draft becomes the next version, by somebody who wrote none of it.

    Raises:
        OwnDraft: ``who`` is one of its authors.
        DefinitionMoved: another version came into force since the draft began, also in this very moment.
        DraftChanged, DraftStateWrong, DraftBlocked: it is not what was looked at, or not fit.
    """
    row = _row(session, draft_id)
    if who in row.authors:
        raise OwnDraft(action="publish")
    _in_state(row, "proposed", "it is not proposed")
    definition = _check(row.body)
    current = _newest(session, row.definition_id)
    if current != row.base_version:
        raise DefinitionMoved(definition=row.definition_id, current=current, base=row.base_version)
    version = definition.version
    _changed(session, row, revision, who, now, state="published", published_version=version, published_at=now,
             published_by=who)  # fmt: skip
    body = {**msgspec.json.decode(msgspec.json.encode(definition)), ORIGIN: f"draft {draft_id}"}
    name = definition.name.get("zh") or definition.definition_id
    try:
        session.add(CaseDefinition(definition_id=row.definition_id, version=version, name=name[:80], body=body))
        session.flush()
    except IntegrityError as error:  # another one published the same version in between
        raise DefinitionMoved(definition=definition.definition_id, current=version, base=version - 1) from error
    return _view(row)


def long_form(definition: Definition) -> dict[str, Any]:
    """A definition's canonical JSON."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(definition))
    return found


def problems_of(body: Mapping[str, Any]) -> list[DefinitionProblem]:
    """Everything that is wrong with a body, also what keeps it from being a definition at all."""
    return body_problems(body, definitions_in_force())


def _check(body: Mapping[str, Any]) -> Definition:
    found = [each for each in problems_of(body) if not each.advice]
    if found:
        raise DraftBlocked(count=len(found), first=found[0].text, first_zh=found[0].line("zh"))
    return parse_definition(body)


def _check_new(session: Session, definition_id: str) -> None:
    if not _ID.fullmatch(definition_id):
        raise DefinitionIdInvalid(definition_id=definition_id, detail="it has other signs or is too short or long")
    if definition_id in definitions_in_force() or _newest(session, definition_id):
        raise DefinitionIdInvalid(definition_id=definition_id, detail="there is such a kind already")


def _newest(session: Session, definition_id: str) -> int:
    """The newest version that is stored or in force; 0 for none."""
    query = select(func.max(CaseDefinition.version)).where(CaseDefinition.definition_id == definition_id)
    found = definitions_in_force().get(definition_id)
    return max(session.scalar(query) or 0, found.version if found else 0)


def _row(session: Session, draft_id: str) -> DefinitionDraft:
    row = session.scalars(
        select(DefinitionDraft).where(DefinitionDraft.draft_id == draft_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound(what="draft", key=draft_id)
    return row


def _in_state(row: DefinitionDraft, state: str, detail: str) -> None:
    if row.state != state:
        raise DraftStateWrong(state=row.state, detail=detail, how="load the page again")


def _changed(session: Session, row: DefinitionDraft, revision: int, who: str, now: datetime, **values: Any) -> None:
    """Change the row if it still is the revision that was seen; two at once: one wins, the other is told."""
    wanted = update(DefinitionDraft).where(
        DefinitionDraft.draft_id == row.draft_id, DefinitionDraft.revision == revision
    )
    done = session.execute(
        wanted.values(revision=revision + 1, updated_at=now, updated_by=who, **values).returning(
            DefinitionDraft.revision
        )
    ).scalar()
    if done is None:
        session.refresh(row)
        raise DraftChanged(revision=row.revision, given=revision)
    session.refresh(row)


def _view(row: DefinitionDraft) -> DraftView:
    return DraftView(
        draft_id=row.draft_id, definition_id=row.definition_id, base_version=row.base_version, state=row.state,
        body=dict(row.body), trial=dict(row.trial), authors=tuple(row.authors), revision=row.revision,
        created_by=row.created_by, updated_at=row.updated_at, updated_by=row.updated_by,
        published_version=row.published_version, published_by=row.published_by,
    )  # fmt: skip
