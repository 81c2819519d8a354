"""What a situation report says: figures of the period, the gravest cases, departments, what is still open, a map."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.late import Late
from core.records import Actor
from dashboard.boards.access import in_force
from dashboard.boards.figures import shown_value
from dashboard.form_service import calendar_of
from dashboard.i18n import translate, words
from dashboard.i18n.case_titles import title_of
from dashboard.services import Services
from events.cases.access import visible_cases
from measures.evaluation import Period, Reader
from storage.tables.cases import Case
from storage.tables.registry import Department, Division, Site

if TYPE_CHECKING:
    import shapely
else:
    shapely = Late("shapely")

OF_PERIOD = ("new_cases", "closed_cases", "on_time_rate", "mean_hours", "false_alarm_rate", "machine_cases")
OF_NOW = ("open_cases", "grave_open", "late_cases", "due_soon", "devices_faulty", "lines_down")
DEPARTMENTS = ("new_cases", "closed_cases", "on_time_rate", "mean_hours")
LISTED, DOTS = 25, 2000
GONE = ("cancelled", "rejected", "merged")


@dataclass(frozen=True)
class ReportFact:
    """One figure: its name, the value as it is read with its unit, the period before."""

    name: str
    value: str
    before: str


@dataclass(frozen=True)
class CaseLine:
    """One case of the report."""

    number: str
    title: str
    severity: str
    state: str
    department: str
    opened: str
    deadline: str
    late: bool


@dataclass(frozen=True)
class SituationReport:
    """A report.  ``outlines``: rings of the streets, ``dots``: (lon, lat, severity) of the period's cases, WGS 84."""

    title: str
    span: str
    made: str
    by: str
    facts: tuple[ReportFact, ...]
    now: tuple[ReportFact, ...]
    grave: tuple[CaseLine, ...]
    open_lines: tuple[CaseLine, ...]
    departments: tuple[tuple[str, ...], ...]
    department_heads: tuple[str, ...]
    outlines: tuple[tuple[tuple[float, float], ...], ...]
    dots: tuple[tuple[float, float, int], ...]


def situation(
    session: Session, services: Services, actor: Actor, language: str, begins: datetime, ends: datetime
) -> SituationReport:
    """The report of ``[begins, ends)`` as far as ``actor`` may see."""
    now, library = services.clock.now(), in_force(session, services)
    reader, period = Reader(session, actor, now, language, calendar_of(services)), Period(begins, ends)
    known = library.measures

    def fact(name: str) -> ReportFact:
        measure = known[name]
        figure = reader.figure(measure, period)
        before = "" if figure.before is None else f"{shown_value(measure, figure.before)} {measure.unit(language)}"
        unit = "" if figure.value is None else f" {measure.unit(language)}"
        value = f"{shown_value(measure, figure.value)}{unit}"
        return ReportFact(measure.name(language), value, before)

    lines = _Lines(session, language, now)
    grave = select(Case).where(
        visible_cases(actor), Case.severity > 2, Case.state.not_in(GONE), Case.opened_at < ends,
        (Case.opened_at >= begins) | Case.open,
    )  # fmt: skip
    still = select(Case).where(visible_cases(actor), Case.open, Case.state.not_in(GONE), Case.opened_at < ends)
    zone = f"{begins.astimezone(BEIJING):%Y-%m-%d %H:%M} — {ends.astimezone(BEIJING):%Y-%m-%d %H:%M}"
    return SituationReport(
        title=translate(language, "situation.title"), span=zone, made=f"{now.astimezone(BEIJING):%Y-%m-%d %H:%M}",
        by=actor.name, facts=tuple(fact(n) for n in OF_PERIOD), now=tuple(fact(n) for n in OF_NOW),
        grave=lines.of(grave.order_by(Case.severity.desc(), Case.opened_at.desc())),
        open_lines=lines.of(still.order_by(Case.deadline_at.is_(None), Case.deadline_at, Case.opened_at)),
        departments=_departments(reader, period, known),
        department_heads=(translate(language, "fact.department"), *(known[n].name(language) for n in DEPARTMENTS)),
        outlines=_outlines(session), dots=_dots(session, actor, begins, ends),
    )  # fmt: skip


class _Lines:
    """Cases as lines, with names of departments and the pages' words."""

    def __init__(self, session: Session, language: str, now: datetime) -> None:
        rows = session.execute(select(Department.department_id, Department.name, Department.name_en))
        self._names = {r.department_id: r.name if language == "zh" else r.name_en or r.name for r in rows}
        sites = session.execute(select(Site.site_id, Site.name, Site.name_en)) if language == "en" else ()
        self._sites = {site_id: en or zh for site_id, zh, en in sites}
        self._session, self._said, self._now, self._language = session, words(language), now, language

    def of(self, query: Any) -> tuple[CaseLine, ...]:
        return tuple(self._line(case) for case in self._session.scalars(query.limit(LISTED)))

    def _line(self, case: Case) -> CaseLine:
        deadline = f"{case.deadline_at.astimezone(BEIJING):%m-%d %H:%M}" if case.deadline_at else "—"
        return CaseLine(
            number=case.number,
            title=title_of(case.title, case.kind, self._sites.get(case.site_id or ""), self._language),
            severity=self._said.get(f"severity.{case.severity}", str(case.severity)),
            state=self._said.get(f"state.{case.state}", case.state), deadline=deadline,
            department=self._names.get(case.department_id or "", "—"),
            opened=f"{case.opened_at.astimezone(BEIJING):%m-%d %H:%M}",
            late=bool(case.open and case.deadline_at and case.deadline_at < self._now),
        )  # fmt: skip


def _departments(reader: Reader, period: Period, known: Any) -> tuple[tuple[str, ...], ...]:
    by = {name: {g.key: g for g in reader.groups(known[name], period, "department")} for name in DEPARTMENTS}
    order = {g.key: g.name for name in DEPARTMENTS for g in by[name].values() if g.key}
    rows = []
    for key, name in order.items():
        cells = []
        for measure in DEPARTMENTS:
            group = by[measure].get(key)
            cells.append(shown_value(known[measure], group.value) if group else "—")
        rows.append((name, *cells))
    return tuple(rows[:30])


def _outlines(session: Session) -> tuple[tuple[tuple[float, float], ...], ...]:
    rings = []
    stored = session.scalars(
        select(Division.geometry).where(Division.level == "street", Division.geometry.is_not(None))
    )
    for outline in (shapely.from_wkb(geometry) for geometry in stored):
        for part in getattr(outline, "geoms", [outline]):
            rings.append(tuple((x, y) for x, y in part.simplify(0.0003).exterior.coords))
    return tuple(rings)


def _dots(session: Session, actor: Actor, begins: datetime, ends: datetime) -> tuple[tuple[float, float, int], ...]:
    query = select(Case.lon, Case.lat, Case.severity).where(
        visible_cases(actor), Case.lon.is_not(None), Case.state.not_in(GONE), Case.opened_at >= begins,
        Case.opened_at < ends,
    )  # fmt: skip
    return tuple((r.lon, r.lat, r.severity) for r in session.execute(query.order_by(Case.severity).limit(DOTS)))


def handover_text(report: SituationReport, language: str) -> str:
    """The report as the note of a hand-over: figures in one line, then what the next shift has to know."""
    t = translate
    first = "；".join(f"{f.name} {f.value}" for f in (*report.now[:4], *report.facts[:2]))
    lines = [f"{report.span}", first]
    if report.grave:
        lines.append(t(language, "situation.grave") + "：")
        lines += [f"- {c.number} {c.title}（{c.severity}，{c.state}，{c.department}）" for c in report.grave[:10]]
    late = [c for c in report.open_lines if c.late]
    if late:
        lines.append(t(language, "situation.late") + "：")
        lines += [f"- {c.number} {c.title}（{c.department}，{c.deadline}）" for c in late[:10]]
    return "\n".join(lines)
