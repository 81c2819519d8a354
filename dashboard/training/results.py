"""The examiner's results: who has passed, who has not begun, which questions are answered wrongly."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.training.bank import version_of
from dashboard.training.exams import ExamDesk, over, shown_marks
from records.training.exam import Exam
from storage.session import read_scope
from storage.tables.people import User, UserRole
from storage.tables.registry import Department
from storage.tables.training.exams import ExamAttempt

MOST_PEOPLE = 5000


def results(desk: ExamDesk, exam_id: str) -> dict[str, Any]:
    """``people`` (of the examiner's department; administrators: all) and ``questions`` with the share that was right.

    A rate of nothing is None.
    """
    desk.must_examine()
    desk.services.exams.look(desk.now)
    with read_scope(desk.services.engine) as session:
        _, exam = version_of(session, exam_id)
        people = _people(session, desk, exam)
        rows = session.scalars(select(ExamAttempt).where(ExamAttempt.exam_id == exam_id)).all()
        mine = [row for row in rows if row.user_id in people]
        known = {row.version: version_of(session, exam_id, row.version)[1] for row in mine}
        lines = [_person(desk, user, [r for r in mine if r.user_id == user_id], known, exam)
                 for user_id, user in people.items()]  # fmt: skip
        begun = [line for line in lines if line["attempts"]]
        passed = sum(line["state"] == "passed" for line in lines)
        return {
            "exam_id": exam.id, "zh": exam.zh, "en": exam.en, "passing": exam.passing, "people": lines,
            "expected": len(lines), "begun": len(begun), "passed": passed,
            "pass_rate": round(100 * passed / len(begun), 1) if begun else None, "questions": _questions(mine, exam),
        }  # fmt: skip


def _people(session: Session, desk: ExamDesk, exam: Exam) -> dict[str, dict[str, Any]]:
    """Everybody who is to take the exam, by id; those who began before their roles changed, too."""
    sql = select(User, Department.name).outerjoin(Department, Department.department_id == User.department_id)
    sql = sql.where(User.active)
    if exam.roles:
        asked = select(UserRole.user_id).where(UserRole.role.in_(exam.roles))
        begun = select(ExamAttempt.user_id).where(ExamAttempt.exam_id == exam.id)
        sql = sql.where(User.user_id.in_(asked) | User.user_id.in_(begun))
    if "admin" not in desk.actor.roles:
        sql = sql.where(User.department_id == desk.actor.department_id)
    found = session.execute(sql.order_by(User.department_id, User.login).limit(MOST_PEOPLE))
    return {
        user.user_id: {"user_id": user.user_id, "login": user.login, "name": user.name, "department": name or ""}
        for user, name in found
    }


def _person(
    desk: ExamDesk, user: dict[str, Any], rows: list[ExamAttempt], known: dict[int, Exam], exam: Exam
) -> dict[str, Any]:
    ended = [row for row in rows if over(row, desk.now)]
    marks = [shown_marks(row, known[row.version]) for row in ended]
    best = max((mark["percent"] for mark in marks), default=None)
    passed = any(mark["passed"] for mark in marks)
    state = "passed" if passed else "running" if len(ended) < len(rows) else "failed" if ended else "open"
    last = max((row.ended_at or row.until or row.started_at for row in ended), default=None)
    spent = [(row.ended_at - row.started_at).total_seconds() for row in ended if row.ended_at]
    left = max(0, exam.attempts - len(rows)) if exam.attempts else None
    return {**user, "attempts": len(rows), "left": left, "best": best, "state": state, "last": last,
            "seconds": round(min(spent)) if spent else None}  # fmt: skip


def _questions(rows: list[ExamAttempt], exam: Exam) -> list[dict[str, Any]]:
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for row in rows:
        for line in row.lines:
            asked[line["question"]] += 1
            right[line["question"]] += bool(line["right"])
    return [
        {"question": q.name, "zh": q.zh, "en": q.en, "topic": q.topic, "asked": asked[q.name],
         "right_rate": round(100 * right[q.name] / asked[q.name], 1) if asked[q.name] else None}
        for q in exam.questions
    ]  # fmt: skip
