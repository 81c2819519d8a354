"""The kinds of case in force: those that ship, and those that a city put into ``<data>/definitions``.

The database's versions are the truth: a file is taken in as a new version, once it is found good; a broken one is told
and changes nothing.  A file that is taken away leaves its last version in force, because cases run by it and its
rules say who may see them.  Every process looks by itself (:meth:`KindFolder.look`), so nothing is restarted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import YiwangError
from events.cases.definition import Definition
from events.cases.definition_check import load_definition, parse_definition, shipped_definitions
from events.cases.definition_parts import effect_name, effect_params
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
    remedy = "mend the file (docs/case-engine.md lists its fields); the version in force goes on"
    zh = "{path}：{detail}"
    zh_remedy = "请改正文件（字段见 docs/case-engine.md）；现行版本继续有效"


class _InForce:
    """What the city added, by id; one for the process, as plug-ins are."""

    added: Mapping[str, Definition] = {}


def definitions_in_force() -> dict[str, Definition]:
    """By id: the city's version of a kind stands for the shipped one."""
    return {**shipped_definitions(), **_InForce.added}


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

    def _files(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(p for p in self.folder.iterdir() if p.suffix in SUFFIXES and p.name[0] not in "._~")[:MOST_FILES]

    def _read(self, path: Path) -> Definition:
        try:
            definition = load_definition(path)
        except DefinitionInvalid as error:
            raise DefinitionFileWrong(path=path, detail=error.data["detail"]) from error
        shipped = shipped_definitions().get(definition.definition_id)
        if shipped is not None and definition.version <= shipped.version:
            detail = f"version {definition.version} of {definition.definition_id!r} ships: write {shipped.version + 1}"
            raise DefinitionFileWrong(path=path, detail=detail)
        known = {*definitions_in_force(), definition.definition_id}
        for name in spawned(definition):
            if name not in known:
                raise DefinitionFileWrong(path=path, detail=f"effect spawn: there is no kind of case {name!r}")
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


def spawned(definition: Definition) -> Iterable[str]:
    """The kinds of case that a definition opens."""
    for spec in definition.commands.values():
        for effect in spec.effects:
            if effect_name(effect) == "spawn" and effect_params(effect).get("definition"):
                yield str(effect_params(effect)["definition"])


def _is_stored(session: Session, definition: Definition, path: Path) -> bool:
    """Whether the very version is stored; :class:`DefinitionFileWrong` when it is with another content, or newer."""
    body = msgspec.json.decode(msgspec.json.encode(definition))
    wanted = select(CaseDefinition).where(CaseDefinition.definition_id == definition.definition_id)
    rows = {row.version: row.body for row in session.scalars(wanted)}
    newest = max(rows, default=0)
    if definition.version in rows:
        if {k: v for k, v in rows[definition.version].items() if k != ORIGIN} == body:
            return True
        detail = f"version {definition.version} is kept with another content: give it version {newest + 1}"
        raise DefinitionFileWrong(path=path, detail=detail)
    if definition.version < newest:
        raise DefinitionFileWrong(path=path, detail=f"version {newest} is in force: give it version {newest + 1}")
    return False


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
            found[row.definition_id] = parse_definition(row.body)
        except YiwangError as error:  # taken in by an earlier release, whose words were others
            log.warning("%s version %s: %s", row.definition_id, row.version, error)
    return found
