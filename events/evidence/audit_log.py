"""The audit log: one hash chain per case, so that nothing can be changed, left out or put in unseen.

``hash = sha256(prev_hash + canonical JSON of {chain_id, seq, at, actor_id, action, body})``; the first entry's
``prev_hash`` is 64 zeros.  Canonical JSON: keys sorted, no blanks, UTF-8, times ISO 8601 in UTC with microseconds.
Heads are anchored outside the database by :mod:`events.evidence.anchor`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import SQLColumnExpression, Table, bindparam, func, insert, literal_column, select
from sqlalchemy.orm import Session

from core.records import JSON, Record
from storage.sql.statements import ReadyStatement
from storage.tables.cases import AuditEntry

GENESIS = "0" * 64
SYSTEM_CHAIN = "system"
ACCESS_CHAIN = "access"  # who logged in, failed, was slowed, left
_CHAIN_LOCKS = {SYSTEM_CHAIN: 79_481, ACCESS_CHAIN: 79_482}
_INSERT = ReadyStatement(insert(cast(Table, AuditEntry.__table__)), ready=("body",), keys=("chain_id", "seq"))
_HEADS = "yiwang.audit.heads"  # in Session.info
_HEAD = ReadyStatement(
    select(AuditEntry.seq, AuditEntry.hash)
    .where(AuditEntry.chain_id == bindparam("chain_id"))
    .order_by(AuditEntry.seq.desc())
    .limit(literal_column("1"))
)


def head_beside(chain_id: SQLColumnExpression[str]) -> list[Any]:
    """Number and hash of the last link, as columns beside the row that ``chain_id`` stands in: for SQLite, where nobody
    else writes meanwhile.  PostgreSQL would tell what stood there before the row was locked."""
    last = select(AuditEntry.seq).where(AuditEntry.chain_id == chain_id).order_by(AuditEntry.seq.desc())
    return [last.with_only_columns(column).limit(1).scalar_subquery() for column in (AuditEntry.seq, AuditEntry.hash)]


class ChainFlaw(Record, frozen=True):
    """Something wrong in a chain: where, and what."""

    chain_id: str
    seq: int
    detail: str
    kind: str = "changed"  # of a package also: added, repacked


def canonical(value: JSON) -> bytes:
    """``value`` as canonical JSON bytes."""
    return _CANONICAL.encode(value).encode()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return stamp(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
_quoted = json.encoder.encode_basestring  # a text as the encoder above writes it


def stamp(moment: datetime) -> str:
    """A time as it enters a hash."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")


def link_hash(
    prev_hash: str, chain_id: str, seq: int, at: datetime | str, actor_id: str, action: str, body: Mapping[str, Any]
) -> str:
    """The hash of one link."""
    return _hash(prev_hash, chain_id, seq, at, actor_id, action, canonical(body))


def _hash(prev_hash: str, chain_id: str, seq: int, at: datetime | str, actor_id: str, action: str, body: bytes) -> str:
    """:func:`link_hash` of a body that is canonical JSON already; the other fields stand around it in order."""
    moment = at if isinstance(at, str) else stamp(at)
    before = f'{prev_hash}{{"action":{_quoted(action)},"actor_id":{_quoted(actor_id)},"at":{_quoted(moment)},"body":'
    after = f',"chain_id":{_quoted(chain_id)},"seq":{seq}}}'
    return hashlib.sha256(before.encode() + body + after.encode()).hexdigest()


def append(session: Session, chain_id: str, at: datetime, actor_id: str, action: str, body: Mapping[str, JSON]) -> None:
    """Add a link to ``chain_id`` in the caller's transaction; the caller holds the case's row lock."""
    if chain_id in _CHAIN_LOCKS and session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_CHAIN_LOCKS[chain_id])))  # no row stands for this chain
    seq, prev_hash = head(session, chain_id)
    text = canonical(body)
    row = {
        "chain_id": chain_id,
        "seq": seq + 1,
        "at": at,
        "actor_id": actor_id,
        "action": action,
        "body": text.decode(),  # what is stored is what was hashed
        "prev_hash": prev_hash,
        "hash": _hash(prev_hash, chain_id, seq + 1, at, actor_id, action, text),
    }
    _INSERT.run(session, row)
    _heads(session)[chain_id] = (seq + 1, str(row["hash"]))


def head(session: Session, chain_id: str) -> tuple[int, str]:
    """Number and hash of the chain's last link, ``(0, GENESIS)`` of an empty one; asked once in a transaction."""
    found = _heads(session).get(chain_id)
    if found is None:
        last = _HEAD.rows(session, {"chain_id": chain_id})
        found = (last[0][0], last[0][1]) if last else (0, GENESIS)
        _heads(session)[chain_id] = found
    return found


def begin(session: Session, chain_id: str) -> None:
    """Say that ``chain_id`` is new, so that its first :func:`append` need not look for a last link."""
    keep_head(session, chain_id, 0, GENESIS)


def keep_head(session: Session, chain_id: str, seq: int, link: str) -> None:
    """Say what the chain's last link is: it was read in this transaction, after the case was locked."""
    _heads(session)[chain_id] = (seq, link)


def _heads(session: Session) -> dict[str, tuple[int, str]]:
    """Number and hash of the last links that this transaction (or savepoint) has seen or appended; empty in the next.

    Nobody else appends to them meanwhile: the case's row is locked, and the primary key refuses a second link.
    """
    transaction = cast(Any, session)._transaction
    known = session.info.get(_HEADS)
    if known is None or known[0] is not transaction:
        known = session.info[_HEADS] = (transaction, {})
    heads: dict[str, tuple[int, str]] = known[1]
    return heads


def check_chain(entries: Iterable[AuditEntry | Mapping[str, Any]]) -> Iterator[ChainFlaw]:
    """The flaws of one chain, entries in order of ``seq``; rows or their JSON form."""
    expected_seq, prev_hash = 1, GENESIS
    for entry in entries:
        row = entry if isinstance(entry, Mapping) else as_dict(entry)
        chain_id, seq = str(row["chain_id"]), int(row["seq"])
        if seq != expected_seq:
            yield ChainFlaw(chain_id=chain_id, seq=seq, detail=f"entry {expected_seq} is missing")
        if row["prev_hash"] != prev_hash:
            yield ChainFlaw(chain_id=chain_id, seq=seq, detail="does not follow from the entry before")
        actual = link_hash(
            row["prev_hash"], chain_id, seq, row["at"], str(row["actor_id"]), str(row["action"]), row["body"]
        )
        if actual != row["hash"]:
            yield ChainFlaw(chain_id=chain_id, seq=seq, detail="its content does not match its hash")
        expected_seq, prev_hash = seq + 1, str(row["hash"])


def as_dict(entry: AuditEntry) -> dict[str, Any]:
    """The entry in the JSON form that packages carry."""
    return {
        "chain_id": entry.chain_id,
        "seq": entry.seq,
        "at": stamp(entry.at),
        "actor_id": entry.actor_id,
        "action": entry.action,
        "body": entry.body,
        "prev_hash": entry.prev_hash,
        "hash": entry.hash,
    }


def chain(session: Session, chain_id: str) -> list[AuditEntry]:
    """All entries of a chain, in order."""
    return list(session.scalars(select(AuditEntry).where(AuditEntry.chain_id == chain_id).order_by(AuditEntry.seq)))
