"""What people without an account send in through the outside door, and what they may read of it again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class OutsideRequest(Base):
    """One thing that was sent in; the table knows the SHA-256 of its code only.

    The outside door may insert ``request_id token_hash kind body data language created_at`` and reads ``view`` by the
    hash (PostgreSQL: function ``outside_read``).  ``body`` and ``data`` are emptied once the request was taken;
    ``sealed`` keeps name and telephone, encrypted; ``own`` is for the reception alone.
    ``state``: new, taken, refused.  ``case_version``: of the case when ``view`` was written.
    """

    __tablename__ = "outside_request"
    request_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    body: Mapped[dict[str, Any]]
    data: Mapped[bytes | None] = mapped_column(LargeBinary)
    language: Mapped[str] = mapped_column(String(5), server_default="zh")
    created_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(12), server_default="new")
    view: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    own: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_blind: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    observation_id: Mapped[str | None] = mapped_column(String(26))
    case_id: Mapped[str | None] = mapped_column(String(26), index=True)
    case_version: Mapped[int | None]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    __table_args__ = (Index("ix_outside_request_state_created_at", "state", "created_at"),)


class OutsidePage(Base):
    """Something that everybody may read: guides, places, settings of the outside door (function ``outside_page``)."""

    __tablename__ = "outside_page"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    body: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
