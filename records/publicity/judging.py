"""The decisions of many authorities judged: in time or not, problems by element, figures an authority.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.legal_time.calendar import WorkCalendar
from records.publicity.deadlines import publication, publicity_rates
from records.publicity.licences import licence_faults
from records.publicity.penalties import penalty_faults
from records.publicity.row_checks import RowFault, day_in, release_faults, text_of

TIMES = ("on_time", "late", "open", "overdue", "undated")
Faults = Callable[[Mapping[str, Any], date, Container[str]], list[RowFault]]


@dataclass(frozen=True)
class PublicityRegister:
    """Where a register of 双公示 keeps what the judgement needs, and its checks."""

    register_id: str
    number: str
    subject: str
    decided: str
    authority: str
    authority_code: str
    texts: tuple[str, ...]  # published as they stand
    faults: Faults


PUBLICITY = {
    "licence": PublicityRegister(
        "licence_publicity", "XK_WSH", "XK_XDR_MC", "XK_JDRQ", "XK_XKJG", "XK_XKJGDM",
        ("XK_XKWS", "XK_NR", "BZ"), licence_faults,
    ),
    "penalty": PublicityRegister(
        "penalty_publicity", "CF_WSH", "CF_XDR_MC", "CF_JDRQ", "CF_CFJG", "CF_CFJGDM",
        ("CF_WFXW", "CF_SY", "CF_NR", "BZ"), penalty_faults,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class JudgedDecision:
    """One decision: ``time`` is one of :data:`TIMES`; ``deadline`` None when the decision has no usable date."""

    kind: str
    key: str
    number: str
    subject: str
    authority: str
    decided: date | None
    published: date | None
    deadline: date | None
    provisional: bool
    time: str
    faults: tuple[RowFault, ...]


def judge(
    kind: str, rows: Iterable[tuple[str, Mapping[str, Any]]], today: date, calendar: WorkCalendar
) -> list[JudgedDecision]:
    """Judge the ``(key, values)`` of one register, in their order (a later row of the same number is the duplicate)."""
    of = PUBLICITY[kind]
    seen: dict[str, set[str]] = {}
    judged = []
    for key, row in rows:
        numbers = seen.setdefault(text_of(row, of.authority_code) or text_of(row, of.authority), set())
        judged.append(_judged(kind, key, row, today, calendar, numbers))
        numbers.add(text_of(row, of.number))
    return judged


def _judged(
    kind: str, key: str, row: Mapping[str, Any], today: date, calendar: WorkCalendar, numbers: Container[str]
) -> JudgedDecision:
    of = PUBLICITY[kind]
    decided, published = day_in(text_of(row, of.decided)), day_in(text_of(row, "published"))
    faults = [*of.faults(row, today, numbers), *release_faults(row, of.texts)]
    if published and published > today:
        faults.append(RowFault("published", "published_future"))
        published = None
    if published and decided and published < decided:
        faults.append(RowFault("published", "published_early"))
    time, deadline, provisional = _time(decided, published, today, calendar)
    if time in ("late", "overdue"):
        faults.append(RowFault("published", time))
    return JudgedDecision(
        kind, key, text_of(row, of.number), text_of(row, of.subject), text_of(row, of.authority), decided, published,
        deadline, provisional, time, tuple(faults),
    )  # fmt: skip


def _time(
    decided: date | None, published: date | None, today: date, calendar: WorkCalendar
) -> tuple[str, date | None, bool]:
    if decided is None or (published and published < decided):
        return "undated", None, False
    found = publication(decided, published, calendar)
    if found.on_time is None:
        return "overdue" if today > found.deadline else "open", found.deadline, found.provisional
    return "on_time" if found.on_time else "late", found.deadline, found.provisional


@dataclass(frozen=True)
class AuthorityFigures:
    """Decisions of an authority by time, those with problems, and the rates in percent (None: nothing to divide by)."""

    authority: str
    decisions: int
    times: Mapping[str, int]
    faulty: int
    rates: Mapping[str, float | None]


def figures(judged: Iterable[JudgedDecision]) -> list[AuthorityFigures]:
    """One row an authority, by name.

    Being late makes a decision late and not a row that the checks refuse: it counts on time, not in compliance.
    """
    groups: dict[str, list[JudgedDecision]] = {}
    for one in judged:
        groups.setdefault(one.authority, []).append(one)
    return [_figures(name, group) for name, group in sorted(groups.items())]


def _figures(name: str, group: list[JudgedDecision]) -> AuthorityFigures:
    times = {time: sum(one.time == time for one in group) for time in TIMES}
    reported = [one for one in group if one.published is not None]
    accepted = sum(not _refused(one) for one in reported)
    rates = publicity_rates(len(group), len(reported), accepted, times["on_time"])
    return AuthorityFigures(name, len(group), times, sum(_refused(one) for one in group), rates)


def _refused(one: JudgedDecision) -> bool:
    return any(fault.code not in ("late", "overdue") for fault in one.faults)
