"""Files on their way in: what has arrived of each, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class Upload(Base):
    """One resumable upload (tus 1.0).  ``parts`` are ``[name, bytes]`` in order, kept in the media store until it
    is whole.

    ``owner`` is who may go on with it; ``idem_key`` makes the same file's creation happen once per owner.  ``state``:
    receiving, ready (whole, hashed, its kind known), refused (``problem`` says why).  ``claimed_by`` names the case,
    mission or import that took the file.
    """

    __tablename__ = "upload"
    upload_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80), index=True)
    idem_key: Mapped[str] = mapped_column(String(80))
    target: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(String(200), default="")
    size: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    parts: Mapped[list[Any]] = mapped_column(default=list)
    expected_sha256: Mapped[str] = mapped_column(String(64), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what the sender says: taken_at, lon, lat …
    state: Mapped[str] = mapped_column(String(12), default="receiving")
    problem: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    uri: Mapped[str] = mapped_column(String(200), default="")
    media_type: Mapped[str] = mapped_column(String(80), default="")
    kind: Mapped[str] = mapped_column(String(12), default="")
    claimed_by: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    __table_args__ = (UniqueConstraint("owner", "idem_key"),)
