"""Forms and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class FormHead(Base):
    """A form; what it asks is in its versions."""

    __tablename__ = "form"
    form_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    title: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of the newest version, by language
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(40), default="")


class FormVersion(Base):
    """One version.  ``state``: draft (may be edited), trial (frozen, filled in by testers), live, retired.

    A case or filing keeps the version it began with; several versions may be live side by side.  ``body`` is the form's
    JSON (:mod:`core.forms.model`), ``hash`` the SHA-256 of what it asks.  ``revision`` counts the edits of the draft,
    so that two people cannot overwrite each other.
    """

    __tablename__ = "form_version"
    form_id: Mapped[str] = mapped_column(ForeignKey("form.form_id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(8), default="draft")
    hash: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]]
    source: Mapped[str] = mapped_column(String(200), default="")  # browser, import:NAME or file:NAME
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(40), default="")
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(40), default="")
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None] = mapped_column(String(40))
    retired_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_form_version_state", "state", "form_id"),)
