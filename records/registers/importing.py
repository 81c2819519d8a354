"""Import of a file into a register: dry run or for good, mapped columns, every problem by sheet, row and field."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from sqlalchemy import Engine

from core.clock import Clock
from core.ids import new_id
from core.sealing import Seal
from core.tables.columns import Column
from core.tables.problem import Problems
from core.tables.reader import MAX_ROWS, TableRow, raw_rows
from records.registers.columns import RowParser, Surroundings, columns_of
from records.registers.cross_checks import CrossChecks
from records.registers.definition import Register
from records.registers.ordering import SeenKeys, batches
from records.registers.preparing import Preparer
from records.registers.storing import Keyed, Origin, Written, existing_by_key, values_of, write_batch
from storage.bulk import roomy
from storage.session import read_scope, session_scope
from storage.tables.records import ImportRun

SHOWN = 500  # problems kept with the run
_ALIKE = 0.6


@dataclass
class ImportReport:
    """What an import did, or (``dry_run``) would do."""

    run_id: str
    dry_run: bool
    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    problems: Problems = field(default_factory=Problems)

    def count_unread(self) -> None:
        """Rows that the reader could not tell apart (too wide, contradicting themselves) count as refused, too."""
        wrong = len({(p.sheet, p.row) for p in self.problems if p.row and p.severity == "error"})
        if wrong > self.refused:
            self.rows, self.refused = self.rows + wrong - self.refused, wrong

    @property
    def counts(self) -> dict[str, int]:
        names = ("rows", "created", "changed", "unchanged", "refused")
        return {name: getattr(self, name) for name in names}

    def as_dict(self) -> dict[str, Any]:
        """For ``--json`` and the API."""
        kept = [problem.as_dict() for problem in self.problems]
        return {"run_id": self.run_id, "dry_run": self.dry_run, **self.counts, "problems": kept}


class ReadRows(Protocol):
    """Rows of a file that is no table (geodata), as :func:`core.tables.reader.raw_rows` gives them."""

    def __call__(
        self, file: BinaryIO, name: str, columns: Sequence[Column], problems: Problems, *,
        mapped: Mapping[str, str] | None = None, max_rows: int = MAX_ROWS,
    ) -> Iterator[TableRow]: ...  # fmt: skip


@dataclass(frozen=True)
class Importer:
    """Takes files into one register; ``read`` reads them, tables when it is left out."""

    register: Register
    seal: Seal
    around: Surroundings
    clock: Clock
    actor_id: str
    read: ReadRows = raw_rows

    def run(
        self,
        engine: Engine,
        file: BinaryIO,
        name: str,
        *,
        mapped: Mapping[str, str] | None = None,
        dry_run: bool = False,
        take_good_rows: bool = True,
        progress: Callable[[int], None] = lambda _rows: None,
    ) -> ImportReport:
        """Read ``file`` and write its good rows; without ``take_good_rows`` one wrong row takes nothing."""
        if not dry_run and not take_good_rows:
            tried = self.run(engine, file, name, mapped=mapped, dry_run=True)
            if tried.refused or tried.problems.errors:
                tried.dry_run = False
                tried.created = tried.changed = tried.unchanged = 0
                return tried
        report = ImportReport(new_id(), dry_run)
        preparer = Preparer(self.register, self.seal, self.around.today)
        origin = Origin(self.actor_id, self.clock.now(), name[:80], report.run_id)
        for batch in batches(self._rows(file, name, mapped, preparer, report), self.register.title):
            written = self._write(engine, batch, preparer, origin, dry_run)
            report.created += written.created
            report.changed += written.changed
            report.unchanged += written.unchanged
            progress(report.rows)
        self._note(engine, name, report, origin)
        return report

    def _rows(
        self, file: BinaryIO, name: str, mapped: Mapping[str, str] | None, preparer: Preparer, report: ImportReport
    ) -> Iterator[Keyed]:
        """The good rows; a key that came before in the same file is a problem, not a silent change."""
        columns, checks = columns_of(self.register, self.around), CrossChecks(self.register)
        parser = RowParser(columns)
        keys = SeenKeys()
        problems = report.problems
        for row in self.read(file, name, columns, problems, mapped=mapped, max_rows=MAX_ROWS):
            report.rows += 1
            values = parser.parse(row, problems)
            if values is None:
                report.refused += 1
                continue
            wrong = checks.problems(values)
            key = preparer.natural_key(values)
            for column, code in wrong:
                problems.tell(name, code, sheet=row.place.sheet, row=row.place.row, field=column)
            if key is not None and (before := keys.first(key) if wrong else keys.met(key, row.place.row)):
                first, shown = f"row {before}", " + ".join(self.register.key)
                place, column = row.place, self.register.key[0]
                problems.tell(
                    name, "key_twice", sheet=place.sheet, row=place.row, field=column, value=shown, first=first
                )
                wrong.append(("", "key_twice"))
            if wrong:
                report.refused += 1
                continue
            checks.fill(values)
            yield key, values
        problems.fold(name, "number_in_text", "numbers_in_text")
        report.count_unread()

    def _write(self, engine: Engine, batch: list[Keyed], preparer: Preparer, origin: Origin, dry_run: bool) -> Written:
        if not dry_run:
            with session_scope(engine) as session:
                roomy(session)
                return write_batch(session, batch, self.register, preparer, self.seal, origin)
        with read_scope(engine) as session:
            known = existing_by_key(session, self.register, [key for key, _ in batch if key is not None])
            written = Written()
            for key, row in batch:
                record = known.get(key) if key is not None else None
                if record is None:
                    written.created += 1
                    continue
                before = values_of(record, self.seal)
                same = all(before.get(n) == v for n, v in row.items() if v not in (None, ""))
                written.unchanged += same
                written.changed += not same
            return written

    def _note(self, engine: Engine, name: str, report: ImportReport, origin: Origin) -> None:
        kept = [problem.as_dict() for _, problem in zip(range(SHOWN), report.problems, strict=False)]
        with session_scope(engine) as session:
            session.add(
                ImportRun(
                    run_id=report.run_id, register_id=self.register.id, file=name[:200],
                    state="tried" if report.dry_run else "taken", counts=report.counts, problems=kept,
                    at=origin.at, by=self.actor_id,
                )
            )  # fmt: skip


def headings_of(file: BinaryIO, name: str, problems: Problems) -> tuple[list[str], list[dict[str, Any]]]:
    """The headings of a table and its first five rows, as they stand."""
    first = list(itertools.islice(raw_rows(file, name, (), problems, max_rows=MAX_ROWS), 5))
    found = list(dict.fromkeys(heading for row in first for heading in row.values))
    return found, [dict(row.values) for row in first]


def suggest_mapping(headings: list[str], register: Register) -> dict[str, str]:
    """Headings → fields: equal names first, then those that are alike; each field once."""
    known: dict[str, str] = {}
    for one in register.fields:
        for word in (one.name, one.zh, one.en, *one.also):
            known.setdefault(_plain(word), one.name)
    found: dict[str, str] = {}
    for heading in headings:
        if (name := known.get(_plain(heading))) and name not in found.values():
            found[heading] = name
    for heading in headings:
        if heading in found:
            continue
        for word in difflib.get_close_matches(_plain(heading), known, n=3, cutoff=_ALIKE):
            if known[word] not in found.values():
                found[heading] = known[word]
                break
    return found


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())
