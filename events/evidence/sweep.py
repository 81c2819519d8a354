"""What lies in the media store without a reason: broken writes, files that no row knows, evidence out of time.

A file is an orphan when its hash stands in no row of any table.  Only content-addressed files older than
:data:`ORPHAN_AGE` are looked at, so that what is being written is never touched.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import JSON, Engine, MetaData, String, Text, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from core.media import MediaStore
from events.evidence.audit_log import append
from storage.schema import full_metadata
from storage.session import read_scope, session_scope
from storage.tables.cases import AuditEntry, Case, CaseEvidence, CaseTransition
from storage.tables.files import CaseDocument

log = logging.getLogger("yiwang.sweep")

PARTIAL_AGE = timedelta(hours=6)
ORPHAN_AGE = timedelta(days=7)
BATCH = 200
_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_LOGS = (AuditEntry.__tablename__, CaseTransition.__tablename__)  # they tell of files, they do not need them


def sweep_partials(media: MediaStore, now: datetime) -> int:
    """Remove pieces of writes that were broken off long ago; how many."""
    gone = 0
    for uri, written_at in media.walk():
        mine = uri.endswith(".part") and not uri.startswith("uploads/")  # those have rows, and a sweep of their own
        if mine and written_at < now - PARTIAL_AGE:
            gone += media.remove(uri)
    return gone


def sweep_orphans(engine: Engine, media: MediaStore, now: datetime) -> int:
    """Remove sealed files that no row of any table knows; how many."""
    old: dict[str, list[str]] = {}
    for uri, written_at in media.walk():
        sha256 = uri.rsplit("/", 1)[-1].split(".", 1)[0]
        if _HASH.fullmatch(sha256) and uri.startswith(f"{sha256[:2]}/") and written_at < now - ORPHAN_AGE:
            old.setdefault(sha256, []).append(uri)
    if not old:
        return 0
    with read_scope(engine) as session:
        for sha256 in _hashes(session, full_metadata()):
            old.pop(sha256, None)
            if not old:
                return 0
    gone = sum(media.remove(uri) for uris in old.values() for uri in uris)
    if gone:
        log.info("%d files that no row knows were removed", gone)
    return gone


def _hashes(session: Session, metadata: MetaData) -> Iterator[str]:
    """Every SHA-256 that stands in any text or JSON column, files known by evidence rows first."""
    tables = sorted(metadata.tables.values(), key=lambda t: (t.name != CaseEvidence.__tablename__, t.name))
    present = set(session.scalars(select(CaseEvidence.sha256).distinct().execution_options(yield_per=5000)))
    yield from present
    for table in tables:
        if table.name in _LOGS or table.name == CaseEvidence.__tablename__:
            continue
        columns = [
            c.cast(Text) if isinstance(c.type, JSON) else c
            for c in table.columns
            if isinstance(c.type, JSON | Text) or (isinstance(c.type, String) and (c.type.length or 999) >= 64)
        ]
        if not columns:
            continue
        for row in session.execute(select(*columns).execution_options(yield_per=1000)):
            for value in row:
                if isinstance(value, str) and len(value) >= 64:
                    yield from _HASH.findall(value)


def expire(engine: Engine, media: MediaStore, now: datetime, keep_days: int) -> int:
    """Remove the files of cases closed for more than ``keep_days``; how many.

    The rows stay, with their hashes, and a link of the case's chain (``expire``) tells what went.  A file that another
    case still needs stays.
    """
    if keep_days <= 0:
        return 0
    before, gone = now - timedelta(days=keep_days), 0
    with read_scope(engine) as session:
        done = exists().where(AuditEntry.chain_id == Case.case_id, AuditEntry.action == "expire")
        query = select(Case.case_id).where(Case.open.is_(False), Case.closed_at < before, ~done)
        query = query.where(exists().where(CaseEvidence.case_id == Case.case_id)).order_by(Case.closed_at)
        cases = list(session.scalars(query.limit(BATCH)))
    for case_id in cases:
        gone += _expire_one(engine, media, now, case_id, before)
    return gone


def _expire_one(engine: Engine, media: MediaStore, now: datetime, case_id: str, before: datetime) -> int:
    other, owner = aliased(CaseEvidence), aliased(Case)
    needed = exists().where(
        and_(other.uri == CaseEvidence.uri, other.case_id == owner.case_id, owner.case_id != case_id),
        owner.open.is_(True) | (func.coalesce(owner.closed_at, now) >= before),
    )
    paper = exists().where(CaseDocument.uri == CaseEvidence.uri)
    with session_scope(engine) as session:
        session.execute(select(Case.case_id).where(Case.case_id == case_id).with_for_update())
        rows = session.execute(
            select(CaseEvidence.uri, CaseEvidence.sha256)
            .where(CaseEvidence.case_id == case_id, ~needed, ~paper)
            .distinct()
        ).all()
        append(session, case_id, now, "system", "expire", {"sha256": sorted(row.sha256 for row in rows)})
    return sum(media.remove(row.uri) for row in rows)
