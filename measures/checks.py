"""Checks: rows or figures that should not be, and what follows: a case for somebody, or a notice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.records import SYSTEM, Record
from measures.definition import BoardInvalid, Measure, converted
from measures.evaluation import Period, Reader
from storage.tables.boards import CheckFinding

MOST = 200  # findings of one run: a check that finds more is too coarse to open cases


class Check(Record, frozen=True, forbid_unknown_fields=True):
    """``measure`` counts what should not be: each of its rows is a finding, or with ``above``/``below`` the figure is.

    ``every_hours``: how often it runs; ``then``: ``case`` opens one of kind ``opens`` for each finding, ``note`` keeps
    it for the board alone.  ``title`` names the case; ``{title}``, ``{name}`` and the other shown fields are filled in.
    """

    id: str
    zh: str
    en: str
    measure: str
    then: Literal["case", "note"] = "note"
    above: float | None = None
    below: float | None = None
    every_hours: float = 1.0
    opens: str = "city_management"
    class_code: str = ""
    severity: int = 2
    title: str = ""
    days: int = 400


class Opening(Protocol):
    """Opens the case of a finding; app fills it with the case service."""

    def __call__(self, session: Session, check: Check, subject: str, title: str, row: Mapping[str, Any]) -> str: ...


@dataclass(frozen=True)
class Run:
    """What a run found: new findings, those that are gone, cases opened."""

    new: int
    gone: int
    opened: int
    over: int = 0  # left out because there were more than MOST


def parse_check(body: Mapping[str, Any], measures: Mapping[str, Measure], where: str = "") -> Check:
    """A check from its YAML form; :class:`BoardInvalid` names what is wrong."""
    check = converted(body, Check, where)
    if check.measure not in measures:
        raise BoardInvalid(
            field=f"{where} {check.id}", detail=f"measure {check.measure!r} is unknown", how="name a measure"
        )
    return check


def run_check(session: Session, check: Check, measure: Measure, clock: Clock, opening: Opening | None = None) -> Run:
    """Run one check: what is found for the first time is kept and followed up, what is no more found is marked gone."""
    now = clock.now()
    found = _found(session, check, measure, Reader(session, SYSTEM, now))
    over = max(0, len(found) - MOST)
    known = {row.subject: row for row in session.scalars(select(CheckFinding).where(CheckFinding.check_id == check.id))}
    new = opened = 0
    for subject, what in list(found.items())[:MOST]:
        if subject in known:
            known[subject].gone_at = None
            continue
        title = (check.title or check.zh).format_map(_Blank(what))[:200]
        case_id = opening(session, check, subject, title, what) if opening and check.then == "case" else None
        session.add(
            CheckFinding(check_id=check.id, subject=subject, found_at=now, case_id=case_id, detail=title)
        )  # fmt: skip
        new, opened = new + 1, opened + bool(case_id)
    gone = [row for subject, row in known.items() if subject not in found and row.gone_at is None]
    for row in gone:
        row.gone_at = now
    return Run(new, len(gone), opened, over)


def _found(session: Session, check: Check, measure: Measure, reader: Reader) -> dict[str, Mapping[str, Any]]:
    period = Period(reader.now - timedelta(days=check.days), reader.now)
    if check.above is None and check.below is None:
        return {row["key"]: row for row in reader.rows(measure, period, named=False)}
    figure = reader.figure(measure, period)
    if figure.value is None:
        return {}
    wrong = (check.above is not None and figure.value > check.above) or (
        check.below is not None and figure.value < check.below
    )
    return {reader.now.date().isoformat(): {"value": figure.value}} if wrong else {}


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""
