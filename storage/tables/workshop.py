"""Drafts of kinds of case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class DefinitionDraft(Base):
    """A definition that is being written.  ``state``: draft (may be edited), proposed (waits for somebody else),
    published.

    ``base_version``: the version it changes, 0 for a new kind; when another one is in force by then, it is not
    published.  ``authors``: everybody who saved it; none of them may publish it.  ``revision`` counts the edits.
    ``trial``: the people and steps with which it was tried last.
    """

    __tablename__ = "definition_draft"
    draft_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    definition_id: Mapped[str] = mapped_column(String(40), index=True)
    base_version: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default="draft")
    body: Mapped[dict[str, Any]]
    trial: Mapped[dict[str, Any]] = mapped_column(default=dict)
    authors: Mapped[list[Any]] = mapped_column(default=list)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(40))
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(40))
    published_version: Mapped[int | None]
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None] = mapped_column(String(40))
