"""The audit log held against itself, its anchors, and the rows that it tells of: cases, transitions, evidence files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Engine, exists, select
from sqlalchemy.exc import DatabaseError

from core.errors import MediaMissing
from core.media import MediaStore
from events.evidence.anchor_store import Head
from events.evidence.audit_log import ChainFlaw, as_dict, canonical, check_chain, stamp
from events.evidence.row_seal import FILE_COLUMNS, row_hash, told
from storage.session import read_scope
from storage.tables.cases import AuditEntry, Case, CaseEvidence, CaseTransition

T = TypeVar("T")
Chain = tuple[str, list[dict[str, Any]]]


def check_log(engine: Engine, heads: dict[str, Head]) -> Iterator[ChainFlaw | int]:
    """Flaws of every chain in the database, held against the anchored ``heads``; at last the number of chains.

    A row that cannot even be read (a broken JSON text, a time that is none) is a flaw and ends the check.
    """
    missing = dict(heads)
    chains = 0
    try:
        for chain_id, entries, moves, case, files in _with_rows(engine):
            chains += 1
            yield from check_chain(entries)
            yield from _check_moves(chain_id, entries, moves)
            if case is not None:
                yield from _check_case(case, entries)
                yield from _check_files(chain_id, entries, files)
            yield from _check_head(chain_id, entries, missing.pop(chain_id, None))
        for chain_id, seq, _ in missing.values():
            yield ChainFlaw(chain_id=chain_id, seq=seq, detail="an anchored chain is gone")
        yield from _without_chain(engine)
    except (DatabaseError, ValueError, TypeError, AttributeError) as error:
        yield ChainFlaw(chain_id="database", seq=chains, detail=f"a row cannot be read: {error}")
    yield chains


def check_media(engine: Engine, media: MediaStore) -> Iterator[ChainFlaw | int]:
    """Flaws of the evidence files against the hashes in the database; at last the number of files."""
    with read_scope(engine) as session:
        rows = session.execute(
            select(CaseEvidence.case_id, CaseEvidence.uri, CaseEvidence.sha256).order_by(CaseEvidence.uri)
        ).all()
        told = session.execute(select(AuditEntry.chain_id, AuditEntry.body).where(AuditEntry.action == "expire"))
        expired = {(case_id, sha256) for case_id, body in told for sha256 in body.get("sha256", ())}
    seen: dict[str, str | None] = {}
    for row in rows:
        if (row.case_id, row.sha256) in expired:
            continue  # removed when its time was over, as the chain says
        if row.uri not in seen:
            try:
                seen[row.uri] = hashlib.sha256(media.read(row.uri)).hexdigest()
            except MediaMissing:
                seen[row.uri] = None
        if seen[row.uri] is None:
            yield ChainFlaw(chain_id=row.case_id, seq=0, detail=f"evidence {row.uri} is missing")
        elif seen[row.uri] != row.sha256:
            yield ChainFlaw(chain_id=row.case_id, seq=0, detail=f"evidence {row.uri} was changed")
    yield len(seen)


def _check_head(chain_id: str, entries: list[dict[str, Any]], head: Head | None) -> Iterator[ChainFlaw]:
    if head is None:
        return
    found = next((e for e in entries if e["seq"] == head[1]), None)
    if found is None:
        yield ChainFlaw(chain_id=chain_id, seq=head[1], detail="an anchored entry is gone: the chain was cut")
    elif found["hash"] != head[2]:
        yield ChainFlaw(chain_id=chain_id, seq=head[1], detail="the chain was rewritten: it differs from its anchor")


def _check_moves(chain_id: str, entries: list[dict[str, Any]], moves: list[CaseTransition]) -> Iterator[ChainFlaw]:
    """The rows of ``case_transition`` must say what the chain says."""
    told = {e["body"]["version"]: e for e in entries if isinstance(e["body"], dict) and "version" in e["body"]}
    for move in moves:
        entry = told.pop(move.seq, None)
        if entry is None:
            yield ChainFlaw(chain_id=chain_id, seq=move.seq, detail="a transition is not in the audit chain")
            continue
        shown = (move.command, stamp(move.at), move.actor_id, move.from_state, move.to_state, move.reason)
        body = entry["body"]
        sealed = (*(entry[k] for k in ("action", "at", "actor_id")), *(body.get(k) for k in ("from", "to", "reason")))
        if shown != sealed or canonical(move.data) != canonical(body.get("data")):
            yield ChainFlaw(
                chain_id=chain_id, seq=move.seq, detail="a transition was changed: the chain says otherwise"
            )
    for version in told:
        yield ChainFlaw(chain_id=chain_id, seq=version, detail="a transition that the chain tells of is gone")


def _check_case(case: Case, entries: list[dict[str, Any]]) -> Iterator[ChainFlaw]:
    """The case's row must stand where its last transition left it."""
    bodies = [e["body"] for e in entries if isinstance(e["body"], dict) and "version" in e["body"]]
    if not bodies:
        yield ChainFlaw(chain_id=case.case_id, seq=0, detail="its chain tells of no transition")
        return
    first, last = bodies[0], bodies[-1]
    stored = {
        "number": case.number,
        "version": case.version,
        "to": case.state,
        "department_id": case.department_id,
        "deadline_at": stamp(case.deadline_at) if case.deadline_at else None,
    }
    wrong = [name for name, value in stored.items() if last.get(name) != value]
    data = first.get("data")
    if isinstance(data, dict) and "title" in data and data["title"] != case.title:
        wrong.append("title")
    told_of = (e["body"] for e in reversed(entries) if isinstance(e["body"], dict))
    sealed = next((body["row"] for body in told_of if "row" in body), "")
    if sealed and not wrong and sealed != row_hash(case):
        yield ChainFlaw(
            chain_id=case.case_id, seq=case.version, detail="the case's row was changed since its last move"
        )
    if wrong:
        detail = f"the case's row was changed: {', '.join('state' if w == 'to' else w for w in wrong)}"
        yield ChainFlaw(chain_id=case.case_id, seq=case.version, detail=detail)


def _check_files(chain_id: str, entries: list[dict[str, Any]], files: list[CaseEvidence]) -> Iterator[ChainFlaw]:
    """The rows of ``case_evidence`` must be those that the chain tells of, as it tells of them."""
    bodies = [(e["seq"], e["body"]) for e in entries if isinstance(e["body"], dict)]
    known = {str(row["evidence_id"]): (seq, row) for seq, body in bodies for row in body.get("added") or ()}
    older = json.dumps([body for _, body in bodies]) if any(f.evidence_id not in known for f in files) else ""
    for row in files:
        seq, expected = known.pop(row.evidence_id, (0, None))
        if expected is None:
            if row.sha256 not in older:  # links of earlier versions tell the hash alone
                yield ChainFlaw(chain_id=chain_id, seq=0, detail=f"evidence {row.uri} was put in unseen")
            continue
        now = told(row)
        wrong = [name for name in FILE_COLUMNS if name in expected and now[name] != expected[name]]
        if wrong:
            detail = f"the row of evidence {expected.get('uri')} was changed: {', '.join(wrong)}"
            yield ChainFlaw(chain_id=chain_id, seq=seq, detail=detail)
    for seq, row in known.values():
        yield ChainFlaw(chain_id=chain_id, seq=seq, detail=f"evidence {row.get('uri')} was removed from the case")


def _without_chain(engine: Engine) -> Iterator[ChainFlaw]:
    with read_scope(engine) as session:
        lonely = session.scalars(
            select(Case.case_id).where(~exists().where(AuditEntry.chain_id == Case.case_id)).limit(1000)
        ).all()
    for case_id in lonely:
        yield ChainFlaw(chain_id=case_id, seq=0, detail="the case has no chain")


def _with_rows(
    engine: Engine,
) -> Iterator[tuple[str, list[dict[str, Any]], list[CaseTransition], Case | None, list[CaseEvidence]]]:
    """Each chain with its case, the transitions and the evidence rows."""
    for batch in _batches(_chains(engine), 200):
        ids = [chain_id for chain_id, _ in batch]
        moves: dict[str, list[CaseTransition]] = {}
        with read_scope(engine) as session:
            query = select(CaseTransition).where(CaseTransition.case_id.in_(ids))
            for row in session.scalars(query.order_by(CaseTransition.case_id, CaseTransition.seq)):
                moves.setdefault(row.case_id, []).append(row)
            files: dict[str, list[CaseEvidence]] = {}
            for file in session.scalars(select(CaseEvidence).where(CaseEvidence.case_id.in_(ids))):
                files.setdefault(file.case_id, []).append(file)
            cases = {row.case_id: row for row in session.scalars(select(Case).where(Case.case_id.in_(ids)))}
            session.expunge_all()
        for chain_id, entries in batch:
            yield chain_id, entries, moves.get(chain_id, []), cases.get(chain_id), files.get(chain_id, [])


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(items, size)):
        yield batch


def _chains(engine: Engine) -> Iterator[Chain]:
    with read_scope(engine) as session:
        rows = session.scalars(
            select(AuditEntry).order_by(AuditEntry.chain_id, AuditEntry.seq).execution_options(yield_per=2000)
        )
        current: list[dict[str, Any]] = []
        for row in rows:
            entry = as_dict(row)
            session.expunge(row)
            if current and current[0]["chain_id"] != entry["chain_id"]:
                yield current[0]["chain_id"], current
                current = []
            current.append(entry)
        if current:
            yield current[0]["chain_id"], current
