"""Registers and their records: what exists (people, housing, enterprises, items …), which is no case."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


def _given(name: str, column: str, condition: str) -> Index:
    """An index of the rows alone in which ``column`` says something."""
    return Index(name, column, sqlite_where=text(condition), postgresql_where=text(condition))


class RegisterVersion(Base):
    """A register's definition (fields, keys, rights) as it was from this version on; the highest is in force."""

    __tablename__ = "register_version"
    register_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]]
    taken_at: Mapped[datetime]
    taken_by: Mapped[str] = mapped_column(String(40), default="system")


class RegisterRecord(Base):
    """One record.  Sensitive fields lie encrypted in ``sealed``; ``data`` holds the others.

    ``natural_key`` is the blind index of the key fields.  ``facet_a`` and ``facet_b`` are the two fields that the
    register's list is filtered by; ``state``: active, ended, merged, restricted.
    """

    __tablename__ = "register_record"
    record_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    register_id: Mapped[str] = mapped_column(String(40))
    natural_key: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(12), default="active")
    name: Mapped[str] = mapped_column(String(200))
    pinyin: Mapped[str] = mapped_column(String(120), default="")
    initials: Mapped[str] = mapped_column(String(40), default="")
    facet_a: Mapped[str] = mapped_column(String(40), default="")
    facet_b: Mapped[str] = mapped_column(String(40), default="")
    division_code: Mapped[str] = mapped_column(String(12), default="")
    grid_code: Mapped[str] = mapped_column(String(15), default="")
    department_id: Mapped[str] = mapped_column(String(40), default="")
    building_id: Mapped[str] = mapped_column(String(40), default="")
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    data: Mapped[dict[str, Any]]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    visit_due: Mapped[date | None]
    merged_into: Mapped[str | None] = mapped_column(String(26))
    source: Mapped[str] = mapped_column(String(80), default="")
    run_id: Mapped[str | None] = mapped_column(String(26))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(40), default="system")
    updated_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("register_id", "natural_key"),
        Index("ix_register_record_name", "register_id", "state", "name", "division_code"),
        Index("ix_register_record_pinyin", "pinyin", "name"),
        Index("ix_register_record_initials", "initials", "name"),
        Index("ix_register_record_division", "register_id", "state", "division_code", "name"),
        Index("ix_register_record_facet_a", "register_id", "state", "facet_a", "name", "division_code"),
        Index("ix_register_record_facet_b", "register_id", "state", "facet_b", "name", "division_code"),
        _given("ix_register_record_building", "building_id", "building_id <> ''"),
        _given("ix_register_record_visit", "visit_due", "visit_due IS NOT NULL"),
    )


class RecordBlind(Base):
    """Blind index: keyed hash of a sensitive value → record, so that a number can be looked up but not read."""

    __tablename__ = "record_blind"
    hash: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    record_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    field: Mapped[str] = mapped_column(String(40), primary_key=True)
    __table_args__ = {"sqlite_with_rowid": False}


class RecordGram(Base):
    """Two neighbouring characters inside a name: finds 积水 in the middle, on every database."""

    __tablename__ = "record_gram"
    gram: Mapped[str] = mapped_column(String(2), primary_key=True)
    record_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    __table_args__ = {"sqlite_with_rowid": False}


class RecordEvent(Base):
    """One change of one field, or a merge, restriction, visit: who, when, from which source and why.

    ``old`` and ``new`` are JSON texts; of a sensitive field they lie encrypted in ``sealed``.
    """

    __tablename__ = "record_event"
    event_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    record_id: Mapped[str] = mapped_column(String(26))
    version: Mapped[int]
    at: Mapped[datetime]
    actor_id: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(20))
    field: Mapped[str] = mapped_column(String(40), default="")
    old: Mapped[str | None] = mapped_column(Text)
    new: Mapped[str | None] = mapped_column(Text)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    source: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[str] = mapped_column(String(500), default="")
    __table_args__ = (Index("ix_record_event_record", "record_id", "at"),)


class RecordLink(Base):
    """A relation between two records: lives_in, member_of, owns, works_at, movement_of …"""

    __tablename__ = "record_link"
    link_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    from_id: Mapped[str] = mapped_column(String(26))
    to_id: Mapped[str] = mapped_column(String(26))
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    source: Mapped[str] = mapped_column(String(80), default="")
    __table_args__ = (
        Index("ix_record_link_from", "from_id", "kind"),
        Index("ix_record_link_to", "to_id", "kind"),
        UniqueConstraint("kind", "from_id", "to_id"),
    )


class RecordAccess(Base):
    """Who saw which sensitive fields of whom, and why (the audit chain holds the same)."""

    __tablename__ = "record_access"
    access_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    record_id: Mapped[str] = mapped_column(String(26), index=True)
    at: Mapped[datetime]
    user_id: Mapped[str] = mapped_column(String(40), index=True)
    action: Mapped[str] = mapped_column(String(20))
    fields: Mapped[str] = mapped_column(String(400), default="")
    reason: Mapped[str] = mapped_column(String(500), default="")


class RecordChangeRequest(Base):
    """A correction that somebody proposes: open, accepted, refused, withdrawn.  ``sealed`` holds the values."""

    __tablename__ = "record_change_request"
    request_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    record_id: Mapped[str] = mapped_column(String(26), index=True)
    base_version: Mapped[int]
    fields: Mapped[str] = mapped_column(String(400), default="")
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[str] = mapped_column(String(12), default="open", index=True)
    asked_by: Mapped[str] = mapped_column(String(40))
    asked_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(40))
    decided_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(String(500), default="")


class RecordDuplicate(Base):
    """Two records that are perhaps one; ``reasons`` are codes.  State: proposed, merged, different."""

    __tablename__ = "record_duplicate"
    first_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    second_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    register_id: Mapped[str] = mapped_column(String(40), index=True)
    score: Mapped[float]
    reasons: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(String(12), default="proposed", index=True)
    found_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(40))


class RecordMerge(Base):
    """A merge with all that is needed to undo it; ``sealed`` is the encrypted state before."""

    __tablename__ = "record_merge"
    merge_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    kept_id: Mapped[str] = mapped_column(String(26), index=True)
    gone_id: Mapped[str] = mapped_column(String(26), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(40))
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(String(40))


class RecordVisit(Base):
    """A visit: the form's answers, and when the next one is due."""

    __tablename__ = "record_visit"
    visit_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("register_record.record_id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(40))
    answers: Mapped[dict[str, Any]]
    result: Mapped[str] = mapped_column(String(24), default="")
    next_due: Mapped[date | None]


class ImportMapping(Base):
    """The user's mapping of a file's headings onto fields, saved under a name."""

    __tablename__ = "record_import_mapping"
    register_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    mapping: Mapped[dict[str, Any]]
    saved_by: Mapped[str] = mapped_column(String(40))
    saved_at: Mapped[datetime]


class ImportRun(Base):
    """One import: its file, counts and problems; ``state``: tried (dry run), taken, failed."""

    __tablename__ = "record_import_run"
    run_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    register_id: Mapped[str] = mapped_column(String(40), index=True)
    file: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(12))
    counts: Mapped[dict[str, Any]]
    problems: Mapped[list[Any]]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(40))


class RecordView(Base):
    """A saved view of a register's list: columns, filters, order, map extent."""

    __tablename__ = "record_saved_view"
    register_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    body: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]
