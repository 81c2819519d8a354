"""Showing what is masked, exporting, restricting: each with a reason, logged with the record and in the audit chain."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.ids import new_id
from core.records import Actor
from core.sealing import Seal
from core.tables.safe_cells import safe_cell
from records.ports import Audit
from records.registers.access import must_unmask, must_write
from records.registers.definition import Register
from records.registers.preparing import masked
from records.registers.storing import Origin, values_of, write_events
from storage.tables.records import RecordAccess, RegisterRecord

LEAST_REASON = 4


def must_have_reason(reason: str) -> str:
    """A reason of at least :data:`LEAST_REASON` characters; :class:`InputInvalid` otherwise."""
    text = reason.strip()
    if len(text) < LEAST_REASON:
        detail = f"is shorter than {LEAST_REASON} characters" if text else "is missing"
        raise InputInvalid(field="reason", detail=detail, how=f"say why in at least {LEAST_REASON} characters")
    return text[:500]


def unmask(
    session: Session,
    record: RegisterRecord,
    register: Register,
    fields: Sequence[str],
    reason: str,
    actor: Actor,
    origin: Origin,
    seal: Seal,
    audit: Audit,
) -> dict[str, Any]:
    """The whole values of sensitive ``fields``; who saw them and why is written before they are answered."""
    must_unmask(actor, register)
    for name in fields:
        if name not in register.sensitive:
            raise InputInvalid(field=name, detail="is not a masked field", how=f"ask for {sorted(register.sensitive)}")
    text = must_have_reason(reason)
    _log(session, record.record_id, "unmask", ",".join(fields), text, actor, origin, audit)
    values = seal.open(record.record_id, record.sealed)
    return {name: values.get(name) for name in fields}


def _log(
    session: Session, record_id: str, action: str, fields: str, reason: str, actor: Actor, origin: Origin, audit: Audit
) -> None:
    session.add(
        RecordAccess(
            access_id=new_id(), record_id=record_id, at=origin.at, user_id=actor.user_id, action=action,
            fields=fields[:400], reason=reason,
        )
    )  # fmt: skip
    body = {"record_id": record_id, "fields": fields, "reason": reason}
    audit.append(session, origin.at, actor.user_id, f"record_{action}", body)


def note_access(
    session: Session, record_id: str, fields: str, reason: str, actor: Actor, origin: Origin, audit: Audit
) -> None:
    """Write down that ``fields`` of a record were shown, and why, as an unmasking is."""
    _log(session, record_id, "unmask", fields, reason, actor, origin, audit)


def export_csv(
    session: Session,
    records: Iterable[RegisterRecord],
    register: Register,
    reason: str,
    actor: Actor,
    origin: Origin,
    seal: Seal,
    audit: Audit,
    whole: bool = False,
    before: Mapping[str, Mapping[str, Any]] | None = None,
) -> bytes:
    """The records as CSV (UTF-8 with mark, headings in Chinese), sensitive fields masked unless ``whole``.

    ``before``: columns that go before the register's, by heading and record.  Cells that a table program would take
    for a formula get an apostrophe before them.
    """
    text = must_have_reason(reason)
    if whole:
        must_unmask(actor, register)
    out, count = io.StringIO(), 0
    writer = csv.writer(out)
    own = before or {}
    writer.writerow([*own, *(field.zh for field in register.fields)])
    for record in records:
        values = values_of(record, seal)
        shown = values if whole else masked(register, values, names=register.confidentiality == "personal")
        line = [_title(field, shown.get(field.name)) for field in register.fields]
        writer.writerow(map(safe_cell, (*(column.get(record.record_id, "") for column in own.values()), *line)))
        count += 1
    fields = "all" if whole else "masked"
    _log(session, register.id[:26], "export", f"{fields}, {count} rows", text, actor, origin, audit)
    return out.getvalue().encode("utf-8-sig")


def _title(field: Any, value: Any) -> Any:
    if value is None:
        return ""
    return field.choices.get(str(value), value) if field.choices else value


def restrict(
    session: Session,
    record: RegisterRecord,
    register: Register,
    reason: str,
    actor: Actor,
    origin: Origin,
    seal: Seal,
    audit: Audit,
    lift: bool = False,
) -> None:
    """Restrict the use of a person's record (PIPL art. 44–47), or lift the restriction."""
    must_write(actor, register)
    text = must_have_reason(reason)
    before = record.state
    wanted = "active" if lift else "restricted"
    if before == wanted:
        return
    record.state, record.version, record.updated_at = wanted, record.version + 1, origin.at
    changed = Origin(origin.actor_id, origin.at, origin.source, reason=text, action="lifted" if lift else "restricted")
    old, new = {"state": before}, {"state": wanted}
    write_events(session, record.record_id, record.version, old, new, ["state"], register, seal, changed)
    _log(session, record.record_id, "restrict", wanted, text, actor, origin, audit)
