"""The kinds of case in force: those that ship, and those that a city put into ``<data>/definitions``.

The database's versions are the truth: a file is taken in as a new version, once it is found good; a broken one is told
and changes nothing.  A file that is taken away leaves its last version in force, because cases run by it and its
rules say who may see them.  Every process looks by itself (:meth:`KindFolder.look`), so nothing is restarted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import YiwangError
from events.cases.definition import Definition
from events.cases.definition_check import body_problems, load_definition, read_body, read_stored, shipped_definitions
from events.cases.errors import DefinitionInvalid
from storage.session import read_scope, session_scope
from storage.tables.cases import CaseDefinition

log = logging.getLogger("yiwang.kinds")
SUFFIXES = (".json", ".yaml", ".yml")
MOST_FILES = 200
ORIGIN = "origin"  # key of a stored body that came from a file of the city: its name


class DefinitionFileWrong(DefinitionInvalid):
    code = "definition_file_invalid"
    message = "{path}: {detail}"
    remedy = "{how}\n  the version in force goes on"
    zh = "{path}：{detail_zh}"
    zh_remedy = "{how_zh}\n  现行版本继续有效"


class _InForce:
    """What the city added, by id; one for the process, as plug-ins are."""

    added: Mapping[str, Definition] = {}
    together: tuple[Mapping[str, Definition] | None, dict[str, Definition]] = (None, {})  # of which ``added``


def definitions_in_force() -> dict[str, Definition]:
    """By id: the city's version of a kind stands for the shipped one.  The same object until one of them changes."""
    added, (of, found) = _InForce.added, _InForce.together
    if of is not added:
        found = {**shipped_definitions(), **added}
        _InForce.together = (added, found)
    return found


class KindFolder:
    """Looks at the folder and at what the database holds; cheap while nothing changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: dict[str, YiwangError] = {}
        self._seen: dict[Path, tuple[int, int]] = {}
        self._mark: tuple[tuple[str, int], ...] | None = None

    def look(self, engine: Engine) -> list[Definition]:
        """Take in what changed since the last look and put the newest versions in force; what was taken in."""
        taken = []
        files = self._files()
        for path in files:
            stat = path.stat()
            mark = (stat.st_mtime_ns, stat.st_size)
            if self._seen.get(path) == mark:
                continue
            if (found := self._take(engine, path)) is not None:
                taken.append(found)
            self._seen[path] = mark
        for gone in set(self._seen) - set(files):
            self._seen.pop(gone)
            self.problems.pop(gone.name, None)
        self._put_in_force(engine)
        return taken

    def check(self, engine: Engine | None = None) -> dict[str, YiwangError]:
        """What is wrong with the files, by name; with ``engine`` also against what is in force.  Takes nothing in."""
        found: dict[str, YiwangError] = {}
        for path in self._files():
            try:
                definition = self._read(path)
                if engine is not None:
                    with read_scope(engine) as session:
                        _is_stored(session, definition, path)
            except YiwangError as error:
                found[path.name] = error
        return found

    def advice(self, language: str = "en") -> dict[str, list[str]]:
        """What might be better in files that are good otherwise, by name: path, what and remedy a line."""
        found: dict[str, list[str]] = {}
        for path in self._files():
            try:
                lines = [each.line(language) for each in body_problems(read_body(path)) if each.advice]
            except YiwangError:
                continue  # told as an error
            if lines:
                found[path.name] = lines
        return found

    def _files(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(p for p in self.folder.iterdir() if p.suffix in SUFFIXES and p.name[0] not in "._~")[:MOST_FILES]

    def _read(self, path: Path) -> Definition:
        try:
            definition = load_definition(path, definitions_in_force())
        except DefinitionInvalid as error:
            raise DefinitionFileWrong(**{**error.data, "path": path}) from error
        shipped = shipped_definitions().get(definition.definition_id)
        if shipped is not None and definition.version <= shipped.version:
            raise _another_version(path, definition, shipped.version, "ships", "是随系统提供的")
        return definition

    def _take(self, engine: Engine, path: Path) -> Definition | None:
        try:
            definition = self._read(path)
            with session_scope(engine) as session:
                new = not _is_stored(session, definition, path)
                if new:
                    session.add(_row(definition, path))
        except IntegrityError:  # another process took the very version in
            return None
        except YiwangError as error:
            self.problems[path.name] = error
            log.warning("%s", error)
            return None
        self.problems.pop(path.name, None)
        if new:
            log.info("kind of case %s version %s taken in", definition.definition_id, definition.version)
        return definition if new else None

    def _put_in_force(self, engine: Engine) -> None:
        with read_scope(engine) as session:
            rows = session.execute(select(CaseDefinition.definition_id, CaseDefinition.version)).all()
            mark = tuple(sorted((str(name), int(version)) for name, version in rows))
            if mark == self._mark:
                return
            _InForce.added = _newest(session)
        self._mark = mark


def _is_stored(session: Session, definition: Definition, path: Path) -> bool:
    """Whether the very version is stored; :class:`DefinitionFileWrong` when it is with another content, or newer."""
    body = msgspec.json.decode(msgspec.json.encode(definition))
    wanted = select(CaseDefinition).where(CaseDefinition.definition_id == definition.definition_id)
    rows = {row.version: row.body for row in session.scalars(wanted)}
    newest = max(rows, default=0)
    if definition.version in rows:
        if {k: v for k, v in rows[definition.version].items() if k != ORIGIN} == body:
            return True
        raise _another_version(path, definition, newest, "is kept with another content", "已保存，内容不同")
    if definition.version < newest:
        older = f"is older than version {newest} in force", f"早于现行第 {newest} 版"
        raise _another_version(path, definition, newest, *older)
    return False


def _another_version(path: Path, d: Definition, newest: int, why: str, why_zh: str) -> DefinitionFileWrong:
    return DefinitionFileWrong(
        path=path, field="version", detail=f"version: version {d.version} of {d.definition_id!r} {why}",
        detail_zh=f"version：{d.definition_id!r} 的第 {d.version} 版{why_zh}", how=f"write version: {newest + 1}",
        how_zh=f"请写 version: {newest + 1}",
    )  # fmt: skip


def _row(definition: Definition, path: Path) -> CaseDefinition:
    body = msgspec.json.decode(msgspec.json.encode(definition))
    return CaseDefinition(
        definition_id=definition.definition_id, version=definition.version,
        name=definition.name.get("zh", definition.definition_id)[:80], body={**body, ORIGIN: path.name},
    )  # fmt: skip


def _newest(session: Session) -> dict[str, Definition]:
    """The newest versions that came from files of the city."""
    found: dict[str, Definition] = {}
    for row in session.scalars(select(CaseDefinition).order_by(CaseDefinition.version)):
        shipped = shipped_definitions().get(row.definition_id)
        if ORIGIN not in row.body or (shipped is not None and row.version <= shipped.version):
            continue
        try:
            found[row.definition_id] = read_stored(row.body)
        except YiwangError as error:  # taken in by an earlier release, whose words were others
            log.warning("%s version %s: %s", row.definition_id, row.version, error)
    return found
