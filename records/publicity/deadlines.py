"""When a decision must be published, and how long a penalty stays public."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.errors import InputInvalid
from core.legal_time.calendar import WorkCalendar
from core.legal_time.workdays import add_months, work_days_after, work_days_between
from core.service_quality import rate

PUBLISH_WORK_DAYS = 7  # 双公示: within 7 work days of the decision (standards/11 §3, source 26)
# 国办发〔2025〕22号, 信用修复管理办法, in force 2026-04-01: (published by default, months until repair, at most)
PUBLICITY_MONTHS = {"轻微": (False, 0, 3), "一般": (True, 3, 12), "严重": (True, 12, 36)}


@dataclass(frozen=True, slots=True)
class Publication:
    """The last day to publish, the work days used, and whether it was in time (None while unpublished)."""

    deadline: date
    workdays_used: int | None
    on_time: bool | None
    provisional: bool


def publication(
    decided: date, published: date | None, calendar: WorkCalendar, days: int = PUBLISH_WORK_DAYS
) -> Publication:
    """Judge one decision; the day of the decision is not counted, the last day counts whole."""
    limit = work_days_after(decided, days, calendar)
    if published is None:
        return Publication(limit.due, None, None, limit.provisional)
    if published < decided:
        raise InputInvalid(field="published", detail=f"{published} is before the decision", how="mend one of the dates")
    return Publication(
        limit.due, work_days_between(decided, published, calendar), published <= limit.due, limit.provisional
    )


def concealed(decided: date, reported: date | None, today: date, calendar: WorkCalendar) -> bool:
    """瞒报: in the source system, not reported although the limit has passed."""
    return reported is None and today > work_days_after(decided, PUBLISH_WORK_DAYS, calendar).due


def publicity_rates(decisions: int, reported: int, accepted: int, on_time: int) -> dict[str, float | None]:
    """Report, compliance and on-time rate in percent; None instead of 100 % where nothing was reported."""
    return {
        "report_rate": rate(reported, decisions),
        "compliance_rate": rate(accepted, reported),
        "on_time_rate": rate(on_time, reported),
    }


@dataclass(frozen=True, slots=True)
class CreditPublicity:
    """From when repair may be asked for, and the day on which publication stops by itself."""

    published_by_default: bool
    repair_from: date
    stops_by: date


def credit_publicity(level: str, document_date: date) -> CreditPublicity:
    """The publicity of a breach of ``level`` 轻微, 一般 or 严重, counted from the date of the document."""
    if level not in PUBLICITY_MONTHS:
        known = "、".join(PUBLICITY_MONTHS)
        raise InputInvalid(field="level", detail=f"{level!r} is not a level", how=f"use one of {known}")
    published, least, most = PUBLICITY_MONTHS[level]
    return CreditPublicity(published, add_months(document_date, least), add_months(document_date, most))
