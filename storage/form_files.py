"""Forms that a city puts into ``<data>/forms``: each changed file is taken in as a new live version.

The database's versions are the truth: a file whose form is already there as any version does nothing, a file with
blocking problems changes nothing and is shown with them.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from core.errors import YiwangError
from core.forms.model import Form, form_hash, parse_form
from storage.forms import add_version, has_hash
from storage.session import session_scope

log = logging.getLogger("yiwang.forms")
MOST_BYTES = 32 << 20
MOST_FILES = 500


@dataclass(frozen=True)
class FileProblem:
    """Why a file was not taken in: the first problem as a sentence, and how many there are."""

    name: str
    detail: str
    count: int = 1


class FormFolder:
    """Looks at the folder; :meth:`look` is cheap while nothing changes."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder, self.engine = folder, engine
        self.problems: dict[str, FileProblem] = {}
        self._seen: dict[str, tuple[int, int]] = {}

    def look(self, now: datetime) -> list[tuple[str, int]]:
        """Take in what changed since the last look; ``(form_id, version)`` of the new versions."""
        added = []
        names = set()
        for path in self._paths():
            names.add(path.name)
            stat = path.stat()
            mark = (stat.st_mtime_ns, stat.st_size)
            if self._seen.get(path.name) == mark:
                continue
            self._seen[path.name] = mark
            found = self._take(path, now)
            if found is not None:
                added.append(found)
        for gone in set(self._seen) - names:
            self._seen.pop(gone)
            self.problems.pop(gone, None)
        return added

    def check(self) -> dict[str, FileProblem]:
        """What is wrong with the files, by name; takes nothing in."""
        trial = FormFolder(self.folder, self.engine)
        for path in self._paths():
            try:
                trial._form(path)
            except (YiwangError, OSError, ValueError) as error:
                trial._refuse(path, FileProblem(path.name, str(error)))
        return trial.problems

    def _paths(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        files = (p for p in self.folder.iterdir() if p.suffix in (".xlsx", ".xlsm", ".json"))
        return sorted(p for p in files if not p.name.startswith(("~$", ".")))[:MOST_FILES]

    def _take(self, path: Path, now: datetime) -> tuple[str, int] | None:
        try:
            form = self._form(path)
            if form is None:
                return None
            form_id = form.form_id or path.stem
            with session_scope(self.engine) as session:
                self.problems.pop(path.name, None)
                if has_hash(session, form_id, form_hash(form)):
                    return None
                made = add_version(session, form_id, form, now=now, by="", source=f"file:{path.name}", state="live")
        except (YiwangError, OSError, ValueError) as error:
            self._refuse(path, FileProblem(path.name, str(error)))
            return None
        log.info("form %s version %s taken in from %s", made.form_id, made.version, path.name)
        return made.form_id, made.version

    def _form(self, path: Path) -> Form | None:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("the file is larger than 32 MiB")
        if path.suffix == ".json":
            return parse_form(json.loads(path.read_text(encoding="utf-8-sig")))
        from core.forms.xlsform.importing import import_xlsform  # reading workbooks: only where one lies there

        read = import_xlsform(path.read_bytes())
        blocking = [problem for problem in read.problems if problem.blocking]
        if not blocking:
            return read.form
        first = blocking[0]
        place = " ".join(part for part in (first.sheet, str(first.row or ""), first.column) if part)
        self._refuse(path, FileProblem(path.name, f"{place}: {first.message}", len(blocking)))
        return None

    def _refuse(self, path: Path, problem: FileProblem) -> None:
        self.problems[path.name] = problem
        log.warning("form file %s is not taken in: %s", path.name, problem.detail)
