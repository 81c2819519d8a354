"""Lists of a person's work: my turn, started by me, copied to me, all; a page costs the same however many there are.

A list is read from the keys of :mod:`events.cases.course.turn_keys`: of each key of the person the newest rows by
an index, merged; only the cases of the page itself are read.
"""

from __future__ import annotations

import base64
import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.records import Actor, Record
from events.cases.access import SEE_ALL, visible_cases
from events.cases.course.turn_keys import keys_for
from events.cases.definition import Definition
from events.cases.queries import MAX_PAGE, CaseFilter, conditions_of, summaries, summary
from events.cases.read_models import CaseSummary
from storage import case_text
from storage.tables.cases import Case, Notice
from storage.tables.files import CaseField, CaseTurn

VIEWS = ("turn", "started", "copied", "all")
CHUNK = 200  # rows of a key read at a time
MOST_READ = 4000  # rows looked at for one page; the next page goes on from there
FEW = 500  # cases that are looked up one by one; of more the list is read in its order and asked of the index
Place = tuple[datetime, str]  # opened_at, case_id


class WorkItem(Record, frozen=True, omit_defaults=False):
    """A line of a list; ``names`` are the definition's own: kind, state, stage."""

    case: CaseSummary
    kind_name: dict[str, str]
    state_name: dict[str, str]
    stage_name: dict[str, str]


class WorkPage(Record, frozen=True, omit_defaults=False):
    """``next`` is the cursor of the next page, None at the end."""

    items: list[WorkItem]
    next: str | None


def work_page(
    session: Session,
    actor: Actor,
    view: str,
    definitions: Mapping[str, Definition],
    *,
    definition: str | None = None,
    search: str = "",
    is_open: bool | None = None,
    also: CaseFilter = CaseFilter(),
    cursor: str | None = None,
    limit: int = 50,
) -> WorkPage:
    """A page of ``view``, newest first; ``search`` looks in number, title, description, place and the case's own data.

    A page may hold fewer than ``limit`` items although there are more: only ``next`` says whether the list ends.
    """
    if view not in VIEWS:
        raise InputInvalid(field="view", detail=f"{view!r} is unknown", how=f"use: {', '.join(VIEWS)}")
    if not 1 <= limit <= MAX_PAGE:
        raise InputInvalid(field="limit", detail=f"{limit} is out of range", how=f"give 1 … {MAX_PAGE}")
    wanted = [visible_cases(actor, definitions), *conditions_of(also, actor)]
    if definition:
        wanted.append(Case.definition_id == definition)
    if is_open is not None:
        wanted.append(Case.open.is_(is_open))
    if search:
        wanted.append(_holding(session, search[:200]))
    start = _read_cursor(cursor) if cursor else None
    if view == "all" and _sees_whole(actor):
        found, last = _straight(session, wanted, start, limit + 1), None
    else:
        found, last = _walked(session, _places(session, actor, view, start), wanted, limit + 1)
    items = found[:limit]
    more = _cursor(items[-1].opened_at, items[-1].case_id) if len(found) > limit else last and _cursor(*last)
    return WorkPage(items=[_named(item, definitions) for item in items], next=more)


def _holding(session: Session, search: str) -> Any:
    """Cases that hold the words: by the index; those that are too new for it, and numbers by any part, by reading."""
    columns = (Case.number, Case.title, Case.description)
    own = select(CaseField.case_id).where(CaseField.text.contains(search, autoescape=True))
    read = or_(*[c.contains(search, autoescape=True) for c in columns], Case.case_id.in_(own.scalar_subquery()))
    until = case_text.indexed_until(session)
    indexed = None if until is None else case_text.holding(session, search)
    if indexed is None:
        return read
    few = case_text.find(session, search, FEW + 1)
    ways = [Case.case_id.in_(few if len(few) <= FEW else indexed), and_(Case.updated_at >= until, read)]
    if search.isascii():
        numbered = select(Case.case_id).where(Case.number.contains(search, autoescape=True))
        ways.append(Case.case_id.in_(numbered.scalar_subquery()))
    return or_(*ways)


def _straight(session: Session, wanted: Sequence[Any], start: Place | None, limit: int) -> list[CaseSummary]:
    """The newest of all cases, for who sees the whole district."""
    query = summaries().where(*wanted)
    if start is not None:
        query = query.where(Case.opened_at <= start[0], or_(Case.opened_at < start[0], Case.case_id < start[1]))
    query = query.order_by(Case.opened_at.desc(), Case.case_id.desc()).limit(limit)
    return [summary(row) for row in session.execute(query)]


def _walked(
    session: Session, source: Iterator[list[Place]], wanted: Sequence[Any], limit: int
) -> tuple[list[CaseSummary], Place | None]:
    """The newest of the person's own places, and where reading stopped before it had ``limit`` (None: at the end)."""
    found: list[CaseSummary] = []
    read = 0
    for places in source:
        read += len(places)
        query = summaries().where(Case.case_id.in_([case_id for _, case_id in places]), *wanted)
        rows = {item.case_id: item for item in map(summary, session.execute(query))}
        found += [rows[case_id] for _, case_id in places if case_id in rows]
        if len(found) >= limit:
            break
        if read >= MOST_READ:
            return found, places[-1]
    return found, None


def _sees_whole(actor: Actor) -> bool:
    return bool({*actor.roles} & (SEE_ALL | {"inspector", "grid_worker"}))


def _places(session: Session, actor: Actor, view: str, start: Place | None) -> Iterator[list[Place]]:
    """The places of a person's keys, merged, newest first, a chunk at a time."""
    keys = {
        "turn": keys_for(actor),
        "started": [f"w:r:{actor.user_id}"],
        "copied": [f"w:u:{actor.user_id}"],
        "all": [f"w:r:{actor.user_id}", f"w:u:{actor.user_id}", f"w:d:{actor.department_id}"],
    }[view]
    streams = [_of_key(session, key, start) for key in keys]
    if view == "copied":
        streams.append(_told(session, actor, start))
    merged = heapq.merge(*streams, reverse=True)
    chunk: list[Place] = []
    last: Place | None = None
    for place in merged:
        if place == last:
            continue
        last = place
        chunk.append(place)
        if len(chunk) == CHUNK // 2:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _of_key(session: Session, key: str, start: Place | None) -> Iterator[Place]:
    while True:
        query = select(CaseTurn.opened_at, CaseTurn.case_id).where(CaseTurn.key == key)
        if start is not None:
            query = query.where(
                CaseTurn.opened_at <= start[0], or_(CaseTurn.opened_at < start[0], CaseTurn.case_id < start[1])
            )
        query = query.order_by(CaseTurn.opened_at.desc(), CaseTurn.case_id.desc()).limit(CHUNK)
        rows: list[Place] = [(row.opened_at, row.case_id) for row in session.execute(query)]
        yield from rows
        if len(rows) < CHUNK:
            return
        start = rows[-1]


def _told(session: Session, actor: Actor, start: Place | None) -> Iterator[Place]:
    """Cases of which the person was told by name."""
    told = select(Notice.case_id).where(Notice.user_id == actor.user_id, Notice.case_id.is_not(None))
    query = select(Case.opened_at, Case.case_id).where(Case.case_id.in_(told.scalar_subquery()))
    if start is not None:
        query = query.where(or_(Case.opened_at < start[0], and_(Case.opened_at == start[0], Case.case_id < start[1])))
    for row in session.execute(query.order_by(Case.opened_at.desc(), Case.case_id.desc()).limit(MOST_READ)):
        yield row.opened_at, row.case_id


def _named(item: CaseSummary, definitions: Mapping[str, Definition]) -> WorkItem:
    kind = definitions.get(item.definition_id)
    state = kind.states.get(item.state) if kind is not None else None
    stage = next((s.name for s in kind.stages if s.id == item.stage), {}) if kind is not None else {}
    return WorkItem(
        case=item,
        kind_name=kind.name if kind is not None else {},
        state_name=state.name if state is not None else {},
        stage_name=stage,
    )


def _cursor(opened_at: datetime, case_id: str) -> str:
    return base64.urlsafe_b64encode(f"{opened_at.isoformat()}|{case_id}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> Place:
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        moment, _, case_id = plain.partition("|")
        opened_at = datetime.fromisoformat(moment)
        if opened_at.tzinfo is None:
            raise ValueError("no time zone")
        return opened_at, case_id
    except ValueError as error:
        raise InputInvalid(field="cursor", detail="is not one of ours", how="take it from the page before") from error
