"""Drills in the browser: started by the centre, lived by whoever takes part, timed by the server, scored.

A drill replays a recorded period with the real worker in a database of its own (events/runtime/drill.py).  Whoever
takes part is shown its cases one after another and decides: which department, or a false alarm.  Right is what the
live city did with the same observations in the end; where there is no such case, what the routing rules say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Forbidden, InputInvalid, NotFound, YiwangError
from core.ids import new_id
from core.records import Actor
from dashboard.registers.desk import ChainAudit
from dashboard.services import Services
from dashboard.training.drill_process import drill_command, environment, process_of
from records.training.decisions import DrillDecision, decision_points, drill_marks
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case, CaseObservation
from storage.tables.people import User
from storage.tables.registry import Department, Site
from storage.tables.training.drills import DrillAnswer, DrillRun

LEADERS = frozenset({"admin", "manager", "operator"})
PLAYERS = LEADERS | {"dispatcher"}
LONGEST = timedelta(hours=24)
MOST_MINUTES = 240.0  # of a drill in real time
_UNREAL = ("rejected", "cancelled")


class DrillBusy(YiwangError):
    code = "drill_busy"
    message = "drill {drill} is running"
    remedy = "wait until it has ended, or stop it"
    zh = "演练 {drill} 正在进行"
    zh_remedy = "请等它结束，或停止它"


@dataclass(frozen=True)
class DrillDesk:
    """Drills as one person may use them."""

    services: Services
    actor: Actor

    @property
    def now(self) -> datetime:
        return self.services.clock.now()

    def _must(self, roles: frozenset[str]) -> None:
        if not set(self.actor.roles) & roles:
            raise Forbidden(action="work on drills")

    def start(self, title: str, since: datetime, until: datetime, speed: float) -> str:
        """Begin a drill of the recorded period; answers its name.

        Raises:
            DrillBusy: another one runs.
        """
        self._must(LEADERS)
        seconds = _checked(title, since, until, speed, self.now)
        drill_id = new_id()[-8:].lower()
        with session_scope(self.services.engine) as session:
            self._mend(session)
            busy = session.scalar(select(DrillRun).where(DrillRun.state == "running").limit(1))
            if busy is not None:
                raise DrillBusy(drill=busy.title)
            session.add(
                DrillRun(drill_id=drill_id, title=title.strip()[:100], since=since, until=until, speed=speed,
                         state="running", started_at=self.now, started_by=self.actor.user_id, report={})
            )  # fmt: skip
            self._note(session, "drill_started", drill_id)
        command = drill_command(drill_id, since.isoformat(), until.isoformat(), speed)
        process = process_of(self.services)
        process.start(drill_id, command, environment(self.services.settings), seconds, self._ended(drill_id))
        return drill_id

    def _ended(self, drill_id: str) -> Any:
        def write(state: str, report: dict[str, Any], told: str) -> None:
            report.pop("database_url", None)
            with session_scope(self.services.engine) as session:
                row = session.get(DrillRun, drill_id, with_for_update=True)
                if row is not None and row.state == "running":
                    row.state, row.report, row.told, row.ended_at = state, report, told, self.now

        return write

    def _mend(self, session: Session) -> None:
        """A drill whose process has gone with the web process that started it has failed."""
        for row in session.scalars(select(DrillRun).where(DrillRun.state == "running")):
            most = timedelta(seconds=(row.until - row.since).total_seconds() / row.speed + 200)
            if not process_of(self.services).runs(row.drill_id) and self.now - row.started_at > most:
                row.state, row.ended_at, row.told = "failed", self.now, "its process has gone"

    def stop(self, drill_id: str) -> None:
        """End a drill now."""
        self._must(LEADERS)
        with session_scope(self.services.engine) as session:
            row = session.get(DrillRun, drill_id)
            if row is None:
                raise NotFound(what="drill", key=drill_id)
            if not process_of(self.services).stop(drill_id) and row.state == "running":
                row.state, row.ended_at, row.told = "stopped", self.now, "its process has gone"
            self._note(session, "drill_stopped", drill_id)

    def _note(self, session: Session, action: str, drill_id: str) -> None:
        ChainAudit().append(session, self.now, self.actor.user_id, action, {"drill": drill_id})

    def listed(self) -> list[dict[str, Any]]:
        """The drills, the newest first."""
        self._must(PLAYERS)
        with session_scope(self.services.engine) as session:
            self._mend(session)
            rows = session.scalars(select(DrillRun).order_by(DrillRun.started_at.desc()).limit(100))
            return [self._row(row) for row in rows]

    def _row(self, row: DrillRun) -> dict[str, Any]:
        lasts = (row.until - row.since).total_seconds() / row.speed
        gone = ((row.ended_at or self.now) - row.started_at).total_seconds()
        return {
            "drill_id": row.drill_id, "title": row.title, "since": row.since, "until": row.until, "speed": row.speed,
            "state": row.state, "started_at": row.started_at, "ended_at": row.ended_at, "told": row.told,
            "lasts_s": round(lasts, 1), "gone_s": round(gone, 1), "report": row.report,
        }  # fmt: skip

    def one(self, drill_id: str) -> dict[str, Any]:
        """A drill with the marks of who took part (leaders: of everybody)."""
        self._must(PLAYERS)
        cases = len(self._cases(drill_id))
        leads = bool(set(self.actor.roles) & LEADERS)
        with read_scope(self.services.engine) as session:
            row = session.get(DrillRun, drill_id)
            if row is None:
                raise NotFound(what="drill", key=drill_id)
            sql = select(DrillAnswer, User.name).join(User, User.user_id == DrillAnswer.user_id)
            sql = sql.where(DrillAnswer.drill_id == drill_id, DrillAnswer.answered_at.is_not(None))
            sql = sql if leads else sql.where(DrillAnswer.user_id == self.actor.user_id)
            given = [(name, answer) for answer, name in session.execute(sql)]
            people = dict.fromkeys((answer.user_id, name) for name, answer in given)
            marks = [
                {"user_id": user_id, "name": name,
                 **drill_marks([_line(a) for _, a in given if a.user_id == user_id], cases)}
                for user_id, name in people
            ]  # fmt: skip
            own = [_line(a) for _, a in given if a.user_id == self.actor.user_id]
            best = sorted(marks, key=lambda m: -(m["percent"] or 0.0))
            return {**self._row(row), "cases": cases, "people": best, "own": own}

    def next(self, drill_id: str) -> dict[str, Any] | None:
        """The next case to decide, its time beginning now; None while there is none."""
        self._must(PLAYERS)
        cases = self._cases(drill_id)
        with session_scope(self.services.engine) as session:
            if session.get(DrillRun, drill_id) is None:
                raise NotFound(what="drill", key=drill_id)
            mine = self._mine(session, drill_id)
            answered = {row.case_id for row in mine if row.answered_at is not None}
            case = next((one for one in cases if one["case_id"] not in answered), None)
            if case is None:
                return None
            row = next((row for row in mine if row.case_id == case["case_id"]), None)
            if row is None:
                row = DrillAnswer(drill_id=drill_id, user_id=self.actor.user_id, case_id=case["case_id"],
                                  shown_at=self.now, severity=case["severity"])  # fmt: skip
                session.add(row)
                session.flush()
            shown = {name: case[name] for name in ("case_id", "title", "severity", "place", "description", "opened_at")}
            return {**shown, "shown_at": row.shown_at, "left": len(cases) - len(answered)}

    def answer(self, drill_id: str, case_id: str, department_id: str, false_alarm: bool) -> dict[str, Any]:
        """Decide a case that was shown; answers the points and what would have been right.

        Raises:
            InputInvalid: it was not shown, was decided already, or names neither a department nor a false alarm.
        """
        self._must(PLAYERS)
        case = next((one for one in self._cases(drill_id) if one["case_id"] == case_id), None)
        with session_scope(self.services.engine) as session:
            row = session.get(DrillAnswer, (drill_id, self.actor.user_id, case_id), with_for_update=True)
            if row is None or case is None or row.answered_at is not None:
                raise InputInvalid(field="case_id", detail="was not shown, or is decided", how="ask for the next case")
            if not false_alarm and session.get(Department, department_id) is None:
                raise InputInvalid(field="department_id", detail=f"{department_id!r}", how="choose a department")
            right = self._right(session, case)
            given = DrillDecision("" if false_alarm else department_id, false_alarm)
            row.answered_at, row.department_id, row.false_alarm = self.now, given.department_id, given.false_alarm
            row.right_department, row.right_false_alarm = right.department_id, right.false_alarm
            seconds = (row.answered_at - row.shown_at).total_seconds()
            row.points = decision_points(given, right, seconds, row.severity)
            return _line(row)

    def _mine(self, session: Session, drill_id: str) -> Sequence[DrillAnswer]:
        where = (DrillAnswer.drill_id == drill_id, DrillAnswer.user_id == self.actor.user_id)
        return session.scalars(select(DrillAnswer).where(*where)).all()

    def _right(self, session: Session, case: dict[str, Any]) -> DrillDecision:
        """What the live city did with the same observations: the case that shares most of them."""
        live = session.execute(
            select(Case.department_id, Case.state)
            .join(CaseObservation, CaseObservation.case_id == Case.case_id)
            .where(CaseObservation.observation_id.in_(case["observations"]))
            .group_by(Case.case_id, Case.department_id, Case.state)
            .order_by(func.count().desc())
            .limit(1)
        ).first()
        if live is not None and live.state in _UNREAL:
            return DrillDecision(false_alarm=True)
        return DrillDecision((live.department_id if live is not None else None) or case["department_id"] or "")

    def _cases(self, drill_id: str) -> list[dict[str, Any]]:
        """The cases of the drill so far, the earliest first; none while its database is not there yet."""
        with self._drill(drill_id) as session:
            if session is None:
                return []
            rows = session.execute(
                select(Case, Site.name).outerjoin(Site, Site.site_id == Case.site_id)
                .where(Case.parent_case_id.is_(None), Case.merged_into_id.is_(None), Case.confidential.is_(False))
                .order_by(Case.opened_at, Case.case_id).limit(2000)
            ).all()  # fmt: skip
            links = session.execute(select(CaseObservation.case_id, CaseObservation.observation_id)).all()
            seen: dict[str, list[str]] = {}
            for case_id, observation in links:
                seen.setdefault(case_id, []).append(observation)
            return [
                {"case_id": case.case_id, "title": case.title, "severity": case.severity, "place": place or "",
                 "description": case.description[:500], "opened_at": case.opened_at,
                 "department_id": case.department_id, "observations": seen.get(case.case_id, [])[:500]}
                for case, place in rows
            ]  # fmt: skip

    @contextmanager
    def _drill(self, drill_id: str) -> Iterator[Session | None]:
        path = drill_database(self.services.settings.data_dir, drill_id)
        if path is None:
            yield None
            return
        engine = make_engine(f"sqlite:///{path}")
        try:
            with read_scope(engine) as session:
                yield session
        finally:
            engine.dispose()


def drill_database(data_dir: Path, drill_id: str) -> Path | None:
    """The drill's own database; None for a name that is none, or before it is made."""
    if not drill_id.isascii() or not drill_id.isalnum() or len(drill_id) > 24:
        return None
    path = data_dir / "drills" / drill_id / "drill.db"
    return path if path.is_file() else None


def _checked(title: str, since: datetime, until: datetime, speed: float, now: datetime) -> float:
    """Real seconds that the drill takes; :class:`InputInvalid` names what is wrong."""
    if not title.strip():
        raise InputInvalid(field="title", detail="is missing", how="name the drill")
    if since.tzinfo is None or until.tzinfo is None:
        raise InputInvalid(field="since", detail="has no offset", how="send e.g. 2026-11-20T08:00:00+08:00")
    if not since < until <= now or until - since > LONGEST:
        raise InputInvalid(field="until", detail="is no recorded period", how="at most 24 hours, in the past")
    if not 1 <= speed <= 1000:
        raise InputInvalid(field="speed", detail=f"{speed}", how="choose from 1 to 1000")
    seconds = (until - since).total_seconds() / speed
    if seconds > MOST_MINUTES * 60:
        raise InputInvalid(field="speed", detail=f"takes {seconds / 60:.0f} minutes", how=f"at most {MOST_MINUTES:g}")
    return seconds


def _line(row: DrillAnswer) -> dict[str, Any]:
    at = row.answered_at or row.shown_at
    return {
        "case_id": row.case_id, "severity": row.severity, "seconds": round((at - row.shown_at).total_seconds(), 1),
        "department_id": row.department_id, "false_alarm": row.false_alarm, "right_department": row.right_department,
        "right_false_alarm": row.right_false_alarm, "points": row.points,
    }  # fmt: skip
