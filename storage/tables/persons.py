"""People without an account: who they are, what a code opens for them, how they rated."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base
from storage.tables import cases  # noqa: F401 - foreign keys point there


class Person(Base):
    """Somebody without an account.  Name, telephone and number lie encrypted in ``sealed``; ``phone_blind`` and
    ``number_blind`` are the keyed hashes by which the same person is found again.

    ``verified_by``: "" (says so), ``sms`` (the telephone was confirmed), or the id of the member of staff who saw a
    document.
    """

    __tablename__ = "person"
    person_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    shown_name: Mapped[str] = mapped_column(String(80), default="")  # masked
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_blind: Mapped[bytes | None] = mapped_column(LargeBinary(16), unique=True)
    number_blind: Mapped[bytes | None] = mapped_column(LargeBinary(16), unique=True)
    verified_by: Mapped[str] = mapped_column(String(40), default="")
    verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class LinkToken(Base):
    """What a code opens: ``purpose`` file (my file), rating, site (an inspector's code on site).

    The table knows the SHA-256 of the code.  ``uses_left`` is counted down by what changes something (a rating, an
    answer); looking does not use it up.  ``view`` is what the outside may read, written by the reception.
    """

    __tablename__ = "link_token"
    link_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(12))
    case_id: Mapped[str | None] = mapped_column(ForeignKey("case_file.case_id"), index=True)
    subject_id: Mapped[str | None] = mapped_column(String(26))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.person_id"), index=True)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of a site code: inspector, place, matter
    uses_left: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(40))
    until: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    view: Mapped[dict[str, Any]] = mapped_column(default=dict)
    case_version: Mapped[int | None]


class CaseRating(Base):
    """A rating (好差评): 1 to 5 stars, once for each file.  At two or fewer ``bad_case_id`` is the case that follows.

    ``counted`` False: an appeal was upheld; it stays in the log and leaves the count.
    """

    __tablename__ = "case_rating"
    rating_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.case_id"))
    stars: Mapped[int]
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    comment: Mapped[str] = mapped_column(Text, default="")
    department_id: Mapped[str] = mapped_column(String(40), default="")
    by_link: Mapped[str] = mapped_column(String(26), default="")
    rated_at: Mapped[datetime] = mapped_column(index=True)
    bad_case_id: Mapped[str | None] = mapped_column(String(26))
    counted: Mapped[bool] = mapped_column(default=True)
    __table_args__ = (UniqueConstraint("case_id"), Index("ix_case_rating_bad_case_id", "bad_case_id"))
