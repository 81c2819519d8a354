"""What pages and routes ask of the exams; judged by who asks.

Everybody takes the exams of the own roles; managers see the results of their department's people, administrators all.
The server's clock decides: what was saved until the attempt's end counts, whatever arrives later does not.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Forbidden, InputInvalid, NotFound
from core.forms.model import form_hash, form_json
from core.ids import new_id
from core.records import Actor
from dashboard.registers.desk import ChainAudit
from dashboard.services import Services
from dashboard.training.bank import in_force, take_exam, version_of
from records.training.errors import AttemptEnded, ExamClosed
from records.training.exam import Exam, draw, paper, score, taken
from storage.session import read_scope, session_scope
from storage.tables.training.exams import ExamAttempt, ExamVersion

EXAMINERS = frozenset({"admin", "manager"})
GRACE = timedelta(seconds=15)  # an answer that was under way when the time ran out
MOST_ANSWERS = 200_000  # characters of one attempt's answers


@dataclass(frozen=True)
class ExamDesk:
    """Exams as one person may use them."""

    services: Services
    actor: Actor

    @property
    def now(self) -> datetime:
        return self.services.clock.now()

    def _may_take(self, exam: Exam) -> bool:
        return not exam.roles or bool(set(exam.roles) & set(self.actor.roles))

    def must_examine(self) -> None:
        """:class:`Forbidden` for whoever is no examiner."""
        if not set(self.actor.roles) & EXAMINERS:
            raise Forbidden(action="work on exams")

    def listed(self) -> list[dict[str, Any]]:
        """The exams that the person may take (examiners: all), with the own attempts."""
        self.services.exams.look(self.now)
        examines = bool(set(self.actor.roles) & EXAMINERS)
        with read_scope(self.services.engine) as session:
            own = self._own(session)
            return [
                self._row(version, exam, own.get(exam.id, []))
                for version, exam in in_force(session)
                if examines or (self._may_take(exam) and not version.closed)
            ]

    def _own(self, session: Session) -> dict[str, list[ExamAttempt]]:
        rows = session.scalars(
            select(ExamAttempt).where(ExamAttempt.user_id == self.actor.user_id).order_by(ExamAttempt.started_at)
        )
        found: dict[str, list[ExamAttempt]] = {}
        for row in rows:
            found.setdefault(row.exam_id, []).append(row)
        return found

    def _row(self, version: ExamVersion, exam: Exam, own: list[ExamAttempt]) -> dict[str, Any]:
        ended = [row for row in own if over(row, self.now)]
        running = next((row for row in own if not over(row, self.now)), None)
        best = max((shown_marks(row, exam)["percent"] for row in ended), default=None)
        why, again = self._hindrance(version, exam, own)
        return {
            "exam_id": exam.id, "version": exam.version, "zh": exam.zh, "en": exam.en, "minutes": exam.minutes,
            "questions": exam.draw or len(exam.questions), "passing": exam.passing, "attempts": exam.attempts,
            "made": len(own), "best": best, "passed": best is not None and best >= exam.passing,
            "running": running.attempt_id if running else None, "may_begin": not why, "why": why, "again_at": again,
            "closed": version.closed, "roles": list(exam.roles), "source": version.source,
        }  # fmt: skip

    def _hindrance(self, version: ExamVersion, exam: Exam, own: list[ExamAttempt]) -> tuple[str, datetime | None]:
        """Why the person cannot begin now (a code, empty: nothing), and from when it is possible again."""
        if not self._may_take(exam):
            return "not_for_you", None
        if version.closed:
            return "closed", None
        if exam.attempts and len(own) >= exam.attempts:
            return "no_attempts_left", None
        again = own[-1].started_at + timedelta(hours=exam.wait_hours) if own and exam.wait_hours else None
        return ("wait", again) if again and again > self.now else ("", None)

    def begin(self, exam_id: str) -> dict[str, Any]:
        """A new attempt with questions drawn at random, or the one that is running."""
        self.services.exams.look(self.now)
        with session_scope(self.services.engine) as session:
            version, exam = version_of(session, exam_id)
            own = self._own(session).get(exam_id, [])
            running = next((row for row in own if not over(row, self.now)), None)
            if running is not None:
                return self._whole(session, running)
            why, again = self._hindrance(version, exam, own)
            if why:
                how = f"try again from {again:%Y-%m-%d %H:%M} UTC" if again else "ask whoever gives the exam"
                raise ExamClosed(exam=exam.id, why=why, how=how)
            seen = [name for row in own for name in row.questions]
            row = ExamAttempt(
                attempt_id=new_id(), exam_id=exam.id, version=exam.version, user_id=self.actor.user_id,
                questions=draw(exam, random.SystemRandom(), seen), answers={}, lines=[], started_at=self.now,
                until=self.now + timedelta(minutes=exam.minutes) if exam.minutes else None,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return self._whole(session, row)

    def attempt(self, attempt_id: str) -> dict[str, Any]:
        """One's own attempt as it is: the paper and what was saved while it runs, the marks afterwards."""
        with session_scope(self.services.engine) as session:
            return self._whole(session, self._mine(session, attempt_id))

    def save(self, attempt_id: str, answers: Mapping[str, Any], *, end: bool = False) -> dict[str, Any]:
        """Keep ``answers``; with ``end`` hand them in.

        Raises:
            AttemptEnded: it has ended before; what was kept until then counts.
        """
        if len(str(answers)) > MOST_ANSWERS:
            raise InputInvalid(field="answers", detail="are too long", how="shorten them")
        with session_scope(self.services.engine) as session:
            row = self._mine(session, attempt_id)
            if over(row, self.now - GRACE):
                raise AttemptEnded(at=f"{(row.ended_at or row.until):%Y-%m-%d %H:%M:%S} UTC")
            _, exam = version_of(session, row.exam_id, row.version)
            row.answers = taken(exam, row.questions, answers)
            if end:
                _close(row, exam, self.now)
            session.flush()
            return self._whole(session, row)

    def _mine(self, session: Session, attempt_id: str) -> ExamAttempt:
        row = session.get(ExamAttempt, attempt_id, with_for_update=True)
        if row is None or row.user_id != self.actor.user_id:
            raise NotFound(what="attempt", key=attempt_id)
        return row

    def _whole(self, session: Session, row: ExamAttempt) -> dict[str, Any]:
        _, exam = version_of(session, row.exam_id, row.version)
        if row.ended_at is None and over(row, self.now - GRACE):
            _close(row, exam, row.until or self.now)  # nobody handed it in: what was saved counts
        form = paper(exam, row.questions)
        left = None if row.until is None else max(0.0, (row.until - self.now).total_seconds())
        whole: dict[str, Any] = {
            "attempt_id": row.attempt_id, "exam_id": exam.id, "zh": exam.zh, "en": exam.en, "until": row.until,
            "left_s": left, "ended": row.ended_at is not None, "form": form_json(form), "hash": form_hash(form),
            "answers": row.answers, "today": self.now.date().isoformat(), "marks": None, "lines": [],
        }  # fmt: skip
        if row.ended_at is not None:
            whole |= {"marks": shown_marks(row, exam), "lines": revealed(row, exam)}
        return whole

    def take(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new exam, or a new version of one."""
        self.must_examine()
        with session_scope(self.services.engine) as session:
            exam = take_exam(session, body, self.now, self.actor.user_id, "browser")
            self._note(session, "exam_taken", {"exam": exam.id, "version": exam.version})
            return {"exam_id": exam.id, "version": exam.version, "questions": len(exam.questions)}

    def close(self, exam_id: str, closed: bool) -> dict[str, Any]:
        """End an exam (nobody begins any more), or open it again."""
        self.must_examine()
        with session_scope(self.services.engine) as session:
            version, exam = version_of(session, exam_id)
            version.closed = closed
            self._note(session, "exam_closed" if closed else "exam_opened", {"exam": exam.id})
            return {"exam_id": exam.id, "version": exam.version, "questions": len(exam.questions)}

    def _note(self, session: Session, action: str, body: Mapping[str, Any]) -> None:
        ChainAudit().append(session, self.now, self.actor.user_id, action, dict(body))


def over(row: ExamAttempt, now: datetime) -> bool:
    """Whether the attempt has been handed in or its time has run out."""
    return row.ended_at is not None or (row.until is not None and row.until <= now)


def _close(row: ExamAttempt, exam: Exam, at: datetime) -> None:
    marks = score(exam, row.questions, row.answers)
    row.ended_at, row.points, row.out_of = at, marks.points, marks.out_of
    row.percent, row.passed, row.lines = marks.percent, marks.passed, list(marks.lines)


def shown_marks(row: ExamAttempt, exam: Exam) -> dict[str, Any]:
    """Points, percent and whether it is enough; of an attempt whose time ran out, of what was saved."""
    if row.ended_at is not None:
        return {"points": row.points, "out_of": row.out_of, "percent": row.percent, "passed": row.passed}
    marks = asdict(score(exam, row.questions, row.answers))
    del marks["lines"]
    return marks


def revealed(row: ExamAttempt, exam: Exam) -> list[dict[str, Any]]:
    """Question by question what was right, with the right answer and why, as far as the exam tells it."""
    if exam.reveal == "never" or (exam.reveal == "passed" and not row.passed):
        return []
    bank = exam.by_name
    return [
        {**line, "zh": bank[line["question"]].zh, "en": bank[line["question"]].en,
         "given": row.answers.get(line["question"]), "answer": bank[line["question"]].answer,
         "why": dict(bank[line["question"]].why)}
        for line in row.lines if line["question"] in bank
    ]  # fmt: skip
