"""Time limits as laws and tables state them: a number and its unit."""

from __future__ import annotations

from typing import Literal

from core.records import Record

Unit = Literal["urgent_hour", "work_hour", "work_day", "urgent_day"]


class Limit(Record, frozen=True):
    """A time limit: ``value`` in ``unit`` (紧急工作时, 工作时, 工作日, 紧急工作日)."""

    value: float
    unit: Unit
