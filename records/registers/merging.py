"""Records that are one and the same: proposed with reasons, merged with all that is needed to part them again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.ids import new_id
from core.sealing import Seal, comparable_number
from records.registers.definition import Register
from records.registers.preparing import Preparer
from records.registers.storing import Origin, change_record, get_record, values_of, write_events
from storage.tables.records import RecordDuplicate, RecordLink, RecordMerge, RegisterRecord

_WEIGHTS = {"resident_id": 1.0, "uscc": 1.0, "phone": 0.5, "person_name": 0.35, "date": 0.3}
_MOST_ALIKE = 20  # records that share a value which so many share say nothing (a collective telephone)
_STREAM = 2000


def find_duplicates(session: Session, register: Register, seal: Seal, at: datetime) -> int:
    """Propose pairs of active records that agree in one of the register's ``same_by`` groups; returns the new ones."""
    groups: dict[tuple[int, str], list[str]] = defaultdict(list)
    for record_id, values in _stream(session, register, seal):
        for number, names in enumerate(register.same_by):
            parts = [str(values.get(name) or "").strip() for name in names]
            if all(parts):
                groups[number, "\0".join(parts).lower()].append(record_id)
    pairs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (number, _), ids in groups.items():
        if 1 < len(ids) <= _MOST_ALIKE:
            for first, second in _pairs(sorted(ids)):
                pairs[first, second].update(register.same_by[number])
    known = set(
        session.execute(
            select(RecordDuplicate.first_id, RecordDuplicate.second_id).where(
                RecordDuplicate.register_id == register.id
            )
        ).tuples()
    )
    types = {field.name: field.type for field in register.fields}
    fresh = {pair: reasons for pair, reasons in pairs.items() if pair not in known}
    for (first, second), reasons in fresh.items():
        score = min(1.0, sum(_WEIGHTS.get(types[name], 0.25) for name in reasons))
        session.add(
            RecordDuplicate(
                first_id=first, second_id=second, register_id=register.id, score=round(score, 2),
                reasons=sorted(reasons), state="proposed", found_at=at,
            )
        )  # fmt: skip
    return len(fresh)


def _stream(session: Session, register: Register, seal: Seal) -> Iterator[tuple[str, dict[str, Any]]]:
    wanted = {name for group in register.same_by for name in group}
    kinds = {field.name: field.type for field in register.fields}
    sql = (
        select(RegisterRecord.record_id, RegisterRecord.data, RegisterRecord.sealed)
        .where(RegisterRecord.register_id == register.id, RegisterRecord.state == "active")
        .execution_options(yield_per=_STREAM)
    )
    for record_id, data, sealed in session.execute(sql):
        hidden = seal.open(record_id, sealed) if wanted & register.sensitive else {}
        values = {**data, **hidden}
        yield record_id, {n: comparable_number(kinds[n], str(values[n])) for n in wanted if values.get(n)}


def _pairs(ids: list[str]) -> Iterator[tuple[str, str]]:
    for at, first in enumerate(ids):
        for second in ids[at + 1 :]:
            yield first, second


def merge(
    session: Session, kept_id: str, gone_id: str, register: Register, preparer: Preparer, seal: Seal, origin: Origin
) -> RecordMerge:
    """Merge ``gone`` into ``kept``: empty fields are filled, links move, ``gone`` stays as merged."""
    kept, gone = get_record(session, kept_id), get_record(session, gone_id)
    if kept_id == gone_id or {kept.register_id, gone.register_id} != {register.id}:
        raise InputInvalid(field="gone_id", detail="is not another record of the register", how="choose two records")
    if kept.state != "active" or gone.state != "active":
        raise InputInvalid(field="state", detail="is not active", how="merge active records only")
    mine, theirs = values_of(kept, seal), values_of(gone, seal)
    filled = {name: value for name, value in theirs.items() if mine.get(name) in (None, "")}
    moved = _move_links(session, gone_id, kept_id)
    before = {"kept": {name: mine.get(name) for name in filled}, "links": moved, "gone_key": _hex(gone.natural_key)}
    row = RecordMerge(
        merge_id=new_id(), kept_id=kept_id, gone_id=gone_id, sealed=seal.seal(kept_id, before), at=origin.at,
        by=origin.actor_id,
    )  # fmt: skip
    session.add(row)
    gone.state, gone.merged_into, gone.natural_key, gone.updated_at = "merged", kept_id, None, origin.at
    session.flush()
    because = Origin(origin.actor_id, origin.at, f"merge {gone_id}", reason=origin.reason, action="merged")
    change_record(session, kept, filled, preparer, register, seal, because)
    old, new = {"state": "active"}, {"state": "merged"}
    write_events(session, gone_id, gone.version, old, new, ["state"], register, seal, because)
    _mark(session, kept_id, gone_id, "merged", origin)
    return row


def unmerge(
    session: Session, merge_id: str, register: Register, preparer: Preparer, seal: Seal, origin: Origin
) -> None:
    """Undo a merge: links go back, fields that the merge filled and nobody changed since are emptied again."""
    row = session.get(RecordMerge, merge_id)
    if row is None:
        raise NotFound(what="merge", key=merge_id)
    if row.undone_at is not None:
        raise InputInvalid(field="merge_id", detail="is undone already", how="look at the history")
    kept, gone = get_record(session, row.kept_id), get_record(session, row.gone_id)
    before = seal.open(row.kept_id, row.sealed)
    now, theirs = values_of(kept, seal), values_of(gone, seal)
    undone = {n: old for n, old in before["kept"].items() if now.get(n) == theirs.get(n)}
    because = Origin(origin.actor_id, origin.at, f"unmerge {row.gone_id}", reason=origin.reason, action="unmerged")
    change_record(session, kept, undone, preparer, register, seal, because)
    gone.state, gone.merged_into, gone.updated_at = "active", None, origin.at
    gone.natural_key = bytes.fromhex(before["gone_key"]) if before["gone_key"] else None
    for link_id, side in before["links"]:
        column = RecordLink.from_id if side == "from" else RecordLink.to_id
        session.execute(update(RecordLink).where(RecordLink.link_id == link_id).values({column: row.gone_id}))
    row.undone_at, row.undone_by = origin.at, origin.actor_id
    old, new = {"state": "merged"}, {"state": "active"}
    write_events(session, row.gone_id, gone.version, old, new, ["state"], register, seal, because)
    _mark(session, row.kept_id, row.gone_id, "different", origin)


def _hex(key: bytes | None) -> str:
    return key.hex() if key else ""


def _move_links(session: Session, gone: str, kept: str) -> list[tuple[str, str]]:
    """Links of ``gone`` now hang on ``kept``; one that ``kept`` has already stays where it is."""
    moved = []
    sql = select(RecordLink).where(or_(RecordLink.from_id == gone, RecordLink.to_id == gone))
    for link in session.scalars(sql).all():
        side = "from" if link.from_id == gone else "to"
        start, end = (kept, link.to_id) if side == "from" else (link.from_id, kept)
        same = select(RecordLink.link_id).where(
            RecordLink.kind == link.kind, RecordLink.from_id == start, RecordLink.to_id == end
        )
        if session.scalar(same) is not None or start == end:
            continue
        link.from_id, link.to_id = start, end
        moved.append((link.link_id, side))
    session.flush()
    return moved


def _mark(session: Session, first: str, second: str, state: str, origin: Origin) -> None:
    low, high = sorted((first, second))
    pair = session.get(RecordDuplicate, (low, high))
    if pair is not None:
        pair.state, pair.decided_by = state, origin.actor_id
