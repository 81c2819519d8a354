"""Exams in the database: shipped ones and those of ``<data>/exams`` are taken in as versions when somebody looks."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.errors import NotFound, YiwangError
from records.training.exam import Exam, parse_exam
from storage.session import session_scope
from storage.tables.training.exams import ExamVersion

log = logging.getLogger("yiwang.training")
SHIPPED = Path(parse_exam.__code__.co_filename).parent / "data" / "exams"
MOST_FILES, MOST_BYTES = 500, 4 << 20
_CACHE: dict[tuple[str, int, str], Exam] = {}


class ExamFolder:
    """Looks at the shipped exams and at ``<data>/exams``; a look costs nothing while no file changes.

    ``problems``: file → why it was not taken; such a file changes nothing.
    """

    def __init__(self, own: Path, engine: Engine) -> None:
        self._folders = (("shipped", SHIPPED), ("file", own))
        self._engine = engine
        self._seen: dict[str, tuple[int, int]] = {}
        self.problems: dict[str, str] = {}

    def look(self, now: datetime) -> None:
        """Take in what has changed since the last look."""
        for kind, folder in self._folders:
            files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
            for path in files[:MOST_FILES]:
                stat = path.stat()
                mark = (stat.st_mtime_ns, stat.st_size)
                if self._seen.get(str(path)) != mark:
                    self._take(path, kind, now)
                    self._seen[str(path)] = mark
            gone = {name for name in self._seen if Path(name).parent == folder} - {str(path) for path in files}
            for name in gone:
                del self._seen[name]
                self.problems.pop(Path(name).name, None)

    def _take(self, path: Path, kind: str, now: datetime) -> None:
        try:
            if path.stat().st_size > MOST_BYTES:
                raise ValueError(f"more than {MOST_BYTES} bytes")
            body = yaml.safe_load(path.read_text(encoding="utf-8"))
            with session_scope(self._engine) as session:
                take_exam(session, body, now, "system", kind if kind == "shipped" else f"file:{path.name}"[:80])
            self.problems.pop(path.name, None)
        except (YiwangError, OSError, ValueError, yaml.YAMLError) as error:
            self.problems[path.name] = str(error)[:500]
            log.warning("exam %s is not taken: %s", path.name, error)


def take_exam(session: Session, body: Mapping[str, Any], at: datetime, by: str, source: str) -> Exam:
    """Take an exam in as a new version; content that is or was a version already changes nothing."""
    exam = parse_exam(body)
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    known = session.execute(
        select(ExamVersion.version, ExamVersion.digest)
        .where(ExamVersion.exam_id == exam.id)
        .order_by(ExamVersion.version.desc())
    ).all()
    same = known[0] if source == "browser" and known and known[0].digest == digest else None
    if source != "browser":  # a file never takes back what was changed in the browser since
        same = next((row for row in known if row.digest == digest), None)
    if same is not None:
        return parse_exam(body, same.version)
    version = (known[0].version if known else 0) + 1
    session.add(
        ExamVersion(exam_id=exam.id, version=version, digest=digest, body=json.loads(text), source=source, taken_at=at,
                    taken_by=by)
    )  # fmt: skip
    session.flush()
    return parse_exam(body, version)


def version_of(session: Session, exam_id: str, version: int | None = None) -> tuple[ExamVersion, Exam]:
    """The exam in force, or a certain version; :class:`NotFound`."""
    sql = select(ExamVersion).where(ExamVersion.exam_id == exam_id)
    sql = sql.where(ExamVersion.version == version) if version else sql.order_by(ExamVersion.version.desc())
    row = session.scalar(sql.limit(1))
    if row is None:
        raise NotFound(what="exam", key=exam_id)
    return row, _parsed(row)


def in_force(session: Session) -> list[tuple[ExamVersion, Exam]]:
    """The newest version of every exam, by id."""
    ids = session.scalars(select(ExamVersion.exam_id).distinct().order_by(ExamVersion.exam_id)).all()
    return [version_of(session, exam_id) for exam_id in ids]


def _parsed(row: ExamVersion) -> Exam:
    key = (row.exam_id, row.version, row.digest)
    if key not in _CACHE:
        if len(_CACHE) > 200:
            _CACHE.clear()
        _CACHE[key] = parse_exam(row.body, row.version)
    return _CACHE[key]
