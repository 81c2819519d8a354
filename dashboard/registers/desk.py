"""What pages and routes ask of the registers; every answer is judged by the person's rights and shown masked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.errors import NotFound
from core.records import Actor
from core.sealing import Seal
from core.tables.reader import raw_rows
from dashboard.services import Services
from events.evidence import audit_log
from layers.territory import of_database
from layers.vector.table import feature_rows, is_geodata
from records.registers.access import may_read, must_write, visible_records
from records.registers.asking import checked_answers
from records.registers.columns import Surroundings, surroundings
from records.registers.corrections import decide, propose
from records.registers.definition import Register, shipped_registers
from records.registers.disclosure import export_csv, must_have_reason, unmask
from records.registers.divisions import division_names
from records.registers.importing import Importer, ImportReport, ReadRows
from records.registers.preparing import Preparer, masked
from records.registers.search import Query, count, page
from records.registers.storing import Origin, get_record, history, values_of
from records.registers.visits import checked_result, counts_per_cell, due_visits, visit
from storage.session import read_scope, session_scope
from storage.tables.records import RecordChangeRequest, RecordLink, RecordVisit, RegisterRecord

MOST_EXPORTED = 20_000
_FIRST = ("person", "household", "building", "enterprise", "special_place")  # what most people look for


class ChainAudit:
    """The records' audit port on the system's hash chain."""

    def append(self, session: Session, at: datetime, actor_id: str, action: str, body: Mapping[str, Any]) -> None:
        """A link in the caller's transaction."""
        audit_log.append(session, audit_log.SYSTEM_CHAIN, at, actor_id, action, dict(body))


@dataclass(frozen=True)
class RegisterDesk:
    """The registers as one person may use them."""

    services: Services
    actor: Actor

    @property
    def seal(self) -> Seal:
        return Seal(self.services.settings.records_key)

    @property
    def today(self) -> date:
        return self.services.clock.now().astimezone(BEIJING).date()

    def registers(self) -> list[Register]:
        """The registers of which this person may see something."""
        found = [register for register in shipped_registers().values() if may_read(self.actor, register)]
        return sorted(found, key=lambda register: _FIRST.index(register.id) if register.id in _FIRST else len(_FIRST))

    def register(self, register_id: str) -> Register:
        """A register; :class:`NotFound` also for one that this person may not read."""
        register = shipped_registers().get(register_id)
        if register is None or not may_read(self.actor, register):
            raise NotFound(what="register", key=register_id)
        return register

    def listed(self, query: Query) -> tuple[list[dict[str, Any]], int]:
        """The page's records, masked, and how many there are."""
        if query.register_id:
            self.register(query.register_id)
        own = replace(query, may_see=visible_records(self.actor, shipped_registers()))
        with read_scope(self.services.engine) as session:
            rows = page(session, own, self.seal)
            return [self._line(row) for row in rows], count(session, own, self.seal)

    def _line(self, row: RegisterRecord) -> dict[str, Any]:
        register = shipped_registers()[row.register_id]
        return {
            "record_id": row.record_id, "register_id": row.register_id, "name": row.name, "state": row.state,
            "version": row.version, "division_code": row.division_code, "grid_code": row.grid_code, "lon": row.lon,
            "lat": row.lat, "visit_due": row.visit_due, "updated_at": row.updated_at,
            "values": masked(register, values_of(row, self.seal)),
        }  # fmt: skip

    def _get(self, session: Session, record_id: str) -> tuple[RegisterRecord, Register]:
        seen = visible_records(self.actor, shipped_registers())
        row = session.scalar(select(RegisterRecord).where(RegisterRecord.record_id == record_id, seen))
        if row is None:
            raise NotFound(what="record", key=record_id)
        return row, shipped_registers()[row.register_id]

    def record(self, record_id: str) -> dict[str, Any]:
        """One record, masked, with history and links to records that the person may see too."""
        with read_scope(self.services.engine) as session:
            row, register = self._get(session, record_id)
            links = session.scalars(
                select(RecordLink).where((RecordLink.from_id == record_id) | (RecordLink.to_id == record_id))
            ).all()
            others = [link.to_id if link.from_id == record_id else link.from_id for link in links]
            seen = visible_records(self.actor, shipped_registers())
            sql = select(RegisterRecord).where(RegisterRecord.record_id.in_(others), seen)
            names = {other.record_id: other.name for other in session.scalars(sql)}
            return {
                **self._line(row),
                "history": history(session, row, register, self.seal),
                "links": [
                    {"kind": link.kind, "record_id": other, "name": names[other]}
                    for link, other in zip(links, others, strict=True)
                    if other in names
                ],
            }

    @contextmanager
    def _writing(self, record_id: str) -> Iterator[tuple[Session, RegisterRecord, Register]]:
        with session_scope(self.services.engine) as session:
            row, register = self._get(session, record_id)
            yield session, row, register

    def _origin(self, source: str) -> Origin:
        return Origin(self.actor.user_id, self.services.clock.now(), source)

    def _around(self, session: Session) -> Surroundings:
        return surroundings(self.today, division_names(session))

    def unmask(self, record_id: str, fields: Sequence[str], reason: str) -> dict[str, Any]:
        """Sensitive fields in full, for a reason that goes into the audit chain first."""
        with self._writing(record_id) as (session, row, register):
            return unmask(
                session, row, register, fields, reason, self.actor, self._origin("page"), self.seal, ChainAudit()
            )

    def propose(
        self, record_id: str, request_id: str, changes: Mapping[str, Any], reason: str, seen: int | None = None
    ) -> dict[str, Any]:
        """A correction; the same id again is the same request.  ``seen``: the version that the person looked at."""
        with self._writing(record_id) as (session, row, register):
            origin, around = self._origin("change request"), self._around(session)
            asked = propose(session, request_id, row, register, changes, reason, around, self.seal, origin, seen)
            return {"request_id": asked.request_id, "state": asked.state, "fields": asked.fields.split(",")}

    def requests(self, state: str, limit: int) -> list[dict[str, Any]]:
        """Change requests on records that the person may see, oldest first."""
        seen = visible_records(self.actor, shipped_registers())
        sql = (
            select(RecordChangeRequest, RegisterRecord)
            .join(RegisterRecord, RegisterRecord.record_id == RecordChangeRequest.record_id)
            .where(RecordChangeRequest.state == state, seen)
            .order_by(RecordChangeRequest.asked_at)
            .limit(limit)
        )
        with read_scope(self.services.engine) as session:
            return [self._request(asked, row) for asked, row in session.execute(sql)]

    def _request(self, asked: RecordChangeRequest, row: RegisterRecord) -> dict[str, Any]:
        register = shipped_registers()[row.register_id]
        before, after = values_of(row, self.seal), self.seal.open(row.record_id, asked.sealed)
        was, now = masked(register, before), masked(register, after)
        changes = [{"field": name, "old": was.get(name), "new": now.get(name)} for name in after]
        return {
            "request_id": asked.request_id, "record_id": row.record_id, "register_id": row.register_id,
            "name": row.name, "changes": changes, "reason": asked.reason, "asked_by": asked.asked_by,
            "asked_at": asked.asked_at, "state": asked.state,
        }  # fmt: skip

    def decide(self, request_id: str, accept: bool, note: str) -> dict[str, Any]:
        """Accept or refuse a correction."""
        with session_scope(self.services.engine) as session:
            asked = session.get(RecordChangeRequest, request_id)
            if asked is None:
                raise NotFound(what="change request", key=request_id)
            _, register = self._get(session, asked.record_id)
            origin, around = self._origin("page"), self._around(session)
            done = decide(session, request_id, accept, note, self.actor, register, around, self.seal, origin)
            return {"request_id": request_id, "state": done.state}

    def noted(
        self, session: Session, row: RegisterRecord, register: Register, visit_id: str, answers: Mapping[str, Any],
        result: str, at: datetime,
    ) -> tuple[RecordVisit, bool]:  # fmt: skip
        """Note a visit made at ``at``; the same id again is the same visit (then the second answer is False)."""
        known = session.get(RecordVisit, visit_id)
        day = at.astimezone(BEIJING).date()
        origin = replace(self._origin("visit"), at=at)
        if known is None:
            answers = checked_answers(register, checked_result(result), answers, day.isoformat())
        preparer = Preparer(register, self.seal, self.today)
        done = visit(session, visit_id, row, register, answers, result, preparer, self.seal, origin, day)
        return done, known is None

    def due(self, until: date, division: str, limit: int) -> list[dict[str, Any]]:
        """Records whose visit is due, the longest overdue first."""
        seen = visible_records(self.actor, shipped_registers())
        with read_scope(self.services.engine) as session:
            return [self._line(row) for row in due_visits(session, seen, division, until, limit)]

    def cells(self, register_id: str, division: str) -> dict[str, int]:
        """Counts a grid cell, for whoever may read the whole register or its own division."""
        register = self.register(register_id)
        roles = set(self.actor.roles)
        whole = roles & set(register.readers) or register.confidentiality == "open"
        own = division if whole else (self.actor.division_code or "-")
        with read_scope(self.services.engine) as session:
            return counts_per_cell(session, register_id, own)

    def export(self, query: Query, reason: str, whole: bool) -> bytes:
        """The filtered records as CSV, masked unless ``whole``; the reason goes into the audit chain."""
        must_have_reason(reason)
        register = self.register(str(query.register_id))
        seen = visible_records(self.actor, shipped_registers())
        with session_scope(self.services.engine) as session:
            rows: list[RegisterRecord] = []
            while len(rows) < MOST_EXPORTED:
                part = page(session, replace(query, may_see=seen, offset=len(rows), limit=200), self.seal)
                rows += part
                if len(part) < 200:
                    break
            origin = self._origin("export")
            return export_csv(session, rows, register, reason, self.actor, origin, self.seal, ChainAudit(), whole)

    def take_file(
        self, register_id: str, file: BinaryIO, name: str, mapped: Mapping[str, str] | None, dry_run: bool, good: bool
    ) -> ImportReport:
        """Import a file, or try it."""
        register = self.register(register_id)
        must_write(self.actor, register)
        engine = self.services.engine
        with read_scope(engine) as session:
            around = self._around(session)
        importer = Importer(
            register, self.seal, around, self.services.clock, self.actor.user_id, self._reader(file, name)
        )
        report = importer.run(engine, file, name, mapped=mapped, dry_run=dry_run, take_good_rows=good)
        if not dry_run:
            with session_scope(engine) as session:
                body = {"register": register_id, "file": name, **report.counts}
                ChainAudit().append(session, self.services.clock.now(), self.actor.user_id, "record_import", body)
        return report

    def _reader(self, file: BinaryIO, name: str) -> ReadRows:
        """How the file is read: geodata by the layers' reader, everything else as a table."""
        file.seek(0)
        if not is_geodata(name, file.read(16)):
            return raw_rows
        return partial(feature_rows, territory=of_database(self.services.engine))

    def must_exist(self, record_id: str) -> RegisterRecord:
        """The record, when the person may see it."""
        with read_scope(self.services.engine) as session:
            self._get(session, record_id)
            return get_record(session, record_id)
