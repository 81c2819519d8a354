"""Writing many prepared records: new ones, changed fields with their history, unchanged ones left alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Table, delete, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.errors import NotFound, YiwangError
from core.ids import new_id
from core.sealing import Seal
from records.registers.definition import Register
from records.registers.preparing import Prepared, Preparer
from storage.bulk import bulk_insert, present
from storage.tables.records import RecordBlind, RecordEvent, RecordGram, RegisterRecord

_RECORD = cast(Table, RegisterRecord.__table__)
_EVENT = cast(Table, RecordEvent.__table__)
_BLIND = cast(Table, RecordBlind.__table__)
_GRAM = cast(Table, RecordGram.__table__)
_KEEP = frozenset({"record_id", "register_id", "visit_due"})  # a change of fields does not move a visit
_QUERY = 500  # keys in one IN
_LOT = 500  # records that are prepared before they are written
Keyed = tuple[bytes | None, Mapping[str, Any]]


class RecordChanged(YiwangError):
    code = "record_changed"
    message = "the record {record_id} was changed by somebody else (version {version}, not {expected})"
    remedy = "look at it again and repeat the change"
    zh = "记录 {record_id} 已被别人改动（现为第 {version} 版，不是第 {expected} 版）"
    zh_remedy = "请重新查看，再改一次"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who writes, when, and from which source (an import's file, a form, a change request)."""

    actor_id: str
    at: datetime
    source: str
    run_id: str | None = None
    reason: str = ""
    action: str = "changed"


@dataclass(slots=True)
class Written:
    """What a batch did."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0


def values_of(record: RegisterRecord, seal: Seal) -> dict[str, Any]:
    """All values of a stored record, the sensitive ones opened."""
    return {**record.data, **seal.open(record.record_id, record.sealed)}


def get_record(session: Session, record_id: str) -> RegisterRecord:
    """The record; :class:`NotFound` when there is none."""
    record = session.get(RegisterRecord, record_id)
    if record is None:
        raise NotFound(what="record", key=record_id)
    return record


def create_records(session: Session, prepared: Iterable[Prepared], origin: Origin) -> int:
    """Insert new records with their blind index and name pairs, in lots, as they come; how many."""
    common = {
        "version": 1, "state": "active",
        "source": origin.source, "run_id": origin.run_id, "created_at": origin.at, "created_by": origin.actor_id,
        "updated_at": origin.at,
    }  # fmt: skip
    count, rest, blinds = 0, iter(prepared), list[dict[str, Any]]()
    while lot := list(islice(rest, _LOT)):
        bulk_insert(session, _RECORD, [one.row for one in lot], common)
        bulk_insert(session, _GRAM, _grams(lot))
        blinds += _blinds(lot)
        count += len(lot)
    blinds.sort(key=itemgetter("hash"))  # neighbours of the index one after the other
    bulk_insert(session, _BLIND, blinds)
    return count


def _blinds(prepared: Iterable[Prepared]) -> list[dict[str, Any]]:
    return [
        {"hash": digest, "record_id": one.record_id, "field": field} for one in prepared for field, digest in one.blinds
    ]


def _grams(prepared: Iterable[Prepared]) -> list[dict[str, Any]]:
    return [{"gram": gram, "record_id": one.record_id} for one in prepared for gram in one.grams]


def _unindex(session: Session, prepared: Prepared) -> None:
    """Take the hashes and pairs of the state before out again."""
    connection, one = session.connection(), prepared.record_id
    for field, digest in prepared.blinds:
        where = (_BLIND.c.hash == digest, _BLIND.c.record_id == one, _BLIND.c.field == field)
        connection.execute(delete(_BLIND).where(*where))
    if prepared.grams:
        connection.execute(delete(_GRAM).where(_GRAM.c.gram.in_(prepared.grams), _GRAM.c.record_id == one))


def existing_by_key(session: Session, register: Register, keys: Sequence[bytes]) -> dict[bytes, RegisterRecord]:
    """The stored records with these natural keys."""
    found: dict[bytes, RegisterRecord] = {}
    keys = list(present(session, _RECORD.c.natural_key, keys, (_RECORD.c.register_id, register.id)))
    for at in range(0, len(keys), _QUERY):
        rows = session.scalars(
            select(RegisterRecord).where(
                RegisterRecord.register_id == register.id, RegisterRecord.natural_key.in_(keys[at : at + _QUERY])
            )
        )
        found |= {row.natural_key: row for row in rows if row.natural_key is not None}
    return found


def change_record(
    session: Session,
    record: RegisterRecord,
    changes: Mapping[str, Any],
    preparer: Preparer,
    register: Register,
    seal: Seal,
    origin: Origin,
    expected_version: int | None = None,
) -> list[str]:
    """Set fields (None empties one) and write their history; returns the fields that really changed.

    :class:`RecordChanged` when the record has another version than ``expected_version``.
    """
    if expected_version is not None and record.version != expected_version:
        raise RecordChanged(record_id=record.record_id, version=record.version, expected=expected_version)
    before = values_of(record, seal)
    after = {**before, **changes}
    changed = [name for name in changes if (before.get(name) or None) != (changes[name] or None)]
    if not changed:
        return []
    prepared = preparer.prepare(record.record_id, after)
    version = record.version + 1
    sql = update(_RECORD).where(_RECORD.c.record_id == record.record_id, _RECORD.c.version == record.version)
    columns = {k: v for k, v in prepared.row.items() if k not in _KEEP}
    done = session.connection().execute(sql.values(**columns, version=version, updated_at=origin.at))
    if done.rowcount != 1:
        raise RecordChanged(record_id=record.record_id, version="?", expected=record.version)
    _unindex(session, preparer.prepare(record.record_id, before))
    bulk_insert(session, _BLIND, _blinds([prepared]))
    bulk_insert(session, _GRAM, _grams([prepared]))
    write_events(session, record.record_id, version, before, after, changed, register, seal, origin)
    for column, value in {**columns, "version": version, "updated_at": origin.at}.items():
        set_committed_value(record, column, value)
    return changed


def write_events(
    session: Session,
    record_id: str,
    version: int,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    fields: Iterable[str],
    register: Register,
    seal: Seal,
    origin: Origin,
) -> None:
    """One history row a field; sensitive values are encrypted there too."""
    rows = []
    for name in fields:
        secret = name in register.sensitive
        old, new = before.get(name), after.get(name)
        pair = {"old": old, "new": new}
        rows.append(
            {
                "event_id": new_id(), "record_id": record_id, "version": version, "at": origin.at,
                "actor_id": origin.actor_id, "action": origin.action, "field": name,
                "old": None if secret or old is None else json.dumps(old, ensure_ascii=False),
                "new": None if secret or new is None else json.dumps(new, ensure_ascii=False),
                "sealed": seal.seal(record_id, pair) if secret else None,
                "source": origin.source, "reason": origin.reason,
            }
        )  # fmt: skip
    if rows:
        bulk_insert(session, _EVENT, rows)


def write_batch(
    session: Session,
    rows: Sequence[Keyed],
    register: Register,
    preparer: Preparer,
    seal: Seal,
    origin: Origin,
    new_record_id: Callable[[], str] = new_id,
) -> Written:
    """Create or change the records of ``rows`` (natural key, checked values by field).

    What a row leaves empty stays as it is: a file that lacks a value says nothing about it.
    """
    written, fresh = Written(), list[Keyed]()
    known = existing_by_key(session, register, [key for key, _ in rows if key is not None])
    for key, row in rows:
        record = known.get(key) if key is not None else None
        if record is None:
            fresh.append((key, row))
            continue
        stated = {name: value for name, value in row.items() if value not in (None, "")}
        if change_record(session, record, stated, preparer, register, seal, origin):
            written.changed += 1
        else:
            written.unchanged += 1
    prepared = (preparer.prepare(new_record_id(), row, key) for key, row in fresh)
    written.created = create_records(session, prepared, origin)
    return written


def history(session: Session, record: RegisterRecord, register: Register, seal: Seal) -> list[dict[str, Any]]:
    """Every change, newest first; values of sensitive fields are not in it (``hidden`` says so)."""
    order = (RecordEvent.at.desc(), RecordEvent.version.desc(), RecordEvent.event_id.desc())  # ids of one ms are random
    rows = session.scalars(select(RecordEvent).where(RecordEvent.record_id == record.record_id).order_by(*order))
    lines = [
        {
            "at": row.at, "actor": row.actor_id, "action": row.action, "field": row.field, "version": row.version,
            "old": None if row.old is None else json.loads(row.old),
            "new": None if row.new is None else json.loads(row.new),
            "hidden": row.sealed is not None and bool(row.field), "source": row.source, "reason": row.reason,
        }
        for row in rows
    ]  # fmt: skip
    first = {"at": record.created_at, "actor": record.created_by, "action": "created", "field": "", "version": 1}
    lines.append({**first, "old": None, "new": None, "hidden": False, "source": record.source, "reason": ""})
    return lines


def day_of(text: str | date | None) -> date | None:
    """A date as it stands in ``data``."""
    if text is None or isinstance(text, date):
        return text
    return date.fromisoformat(text) if text else None
