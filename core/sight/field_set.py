"""The district's evaluation sets on the bus (KV ``registry``, ``fieldset.*``): pictures of the field with verdicts.

The pictures are the evidence of closed cases, by reference: who may not see the case may not see them, and what goes
with the case's evidence (``YIWANG_MEDIA_KEEP_DAYS``) goes from the set.
"""

from __future__ import annotations

from datetime import datetime

from core.records import Record


class FieldPicture(Record, frozen=True):
    """The clean picture of an alarm that somebody judged.

    ``confirmed``: it was one; ``box`` (x1 y1 x2 y2 in shares of the picture) where the algorithm saw it and
    ``classes`` what it took it for, where the alarm says so; ``confidence`` of the alarm.
    """

    kind: str  # the algorithm
    case_id: str
    camera_id: str
    confirmed: bool
    uri: str  # of the evidence store
    sha256: str
    taken_at: datetime
    box: tuple[float, float, float, float] | None = None
    classes: tuple[str, ...] = ()
    confidence: float | None = None


class FieldSet(Record, frozen=True):
    """One algorithm's evaluation set: the newest verdicts of both kinds."""

    kind: str
    pictures: tuple[FieldPicture, ...] = ()


def field_key(kind: str) -> str:
    """The bucket's key of an algorithm's set."""
    return f"fieldset.{kind}"
