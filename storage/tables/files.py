"""What a case file holds besides its course: own data, documents, whom it is about, whose turn it is, drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base
from storage.tables import cases, people  # noqa: F401 - foreign keys point there


class CaseField(Base):
    """A field of a case's own data, as it stands; ``at`` is its value as an instant where it is a time."""

    __tablename__ = "case_field"
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.case_id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[dict[str, Any]]  # {"value": …}
    text: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime | None]
    command: Mapped[str] = mapped_column(String(24), default="")
    by: Mapped[str] = mapped_column(String(40), default="")
    updated_at: Mapped[datetime]
    __table_args__ = (Index("ix_case_field_name_at", "name", "at"),)


class CaseDocument(Base):
    """A version of a document (docx, xlsx, ofd, pdf): uploaded (``uri``) or issued from a template (``content``).

    Stored as it came, never shown inside a page.
    """

    __tablename__ = "case_document"
    document_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.case_id"), index=True)
    type: Mapped[str] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(80))
    uri: Mapped[str] = mapped_column(String(200), default="")
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(default=0)
    issued_number: Mapped[str | None] = mapped_column(String(60), unique=True)
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(40))


class CaseSubject(Base):
    """Whom or what a case is about: a record or a person, perhaps without an account, in a role."""

    __tablename__ = "case_subject"
    subject_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.case_id"), index=True)
    role: Mapped[str] = mapped_column(String(24))
    kind: Mapped[str] = mapped_column(String(12), default="person")  # person, record, user
    key: Mapped[str] = mapped_column(String(80), default="")  # id of the person, record or account
    name: Mapped[str] = mapped_column(String(80), default="")
    contact: Mapped[str] = mapped_column(String(80), default="")
    asked_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    answer: Mapped[dict[str, Any]] = mapped_column(default=dict)
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(40), default="")


class CaseTurn(Base):
    """Whose turn an open case is, as keys that a person's own keys are looked up in (turn_keys.py)."""

    __tablename__ = "case_turn"
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    opened_at: Mapped[datetime] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.case_id"), primary_key=True)
    __table_args__ = (Index("ix_case_turn_case_id", "case_id"),)


class ReportDraft(Base):
    """A report that somebody began and has not sent yet."""

    __tablename__ = "report_draft"
    draft_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), index=True)
    definition_id: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200), default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime]


class CaseSavedFilter(Base):
    """A filter of case lists that a person keeps under a name (``dashboard/desk/case_filters.py`` knows its body)."""

    __tablename__ = "case_saved_filter"
    user_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    body: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]
