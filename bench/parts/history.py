"""Years of cases for the growth figures: a few hundred real ones, multiplied over places and times.

:func:`templates` plays a labelled day through the real intake on a scratch database and works its cases through the
real engine, some to the end, some to a stop on the way.  :func:`grow` writes copies of them into every table that a
case has (case, parts, clocks, transitions, audit chain, observations and their links, evidence), each at another
site and in another week, with ids, numbers, times and audit hashes of its own: every chain verifies.  Left out: the
outbox (pruned after a week in real life), notices, and all but the first two observations of a case.  The derivation
of a clock keeps the words of its original.  ``lean`` leaves out observations and derivations, too: a third less room.
"""

from __future__ import annotations

import hashlib
import random
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, Table, select, text
from sqlalchemy.orm import Session

from bench.parts.merging import settle_city
from bench.parts.replay import DAY0, METRE_LAT, METRE_LON, generate
from core.clock import ManualClock
from core.errors import YiwangError
from core.records import SYSTEM, Actor, Command, EvidenceRef, GeoPoint, Observation, Reading
from events.cases.service import CaseService
from events.correlation.case_placement import Desk
from events.correlation.intake import Intake
from events.correlation.places import PlaceRegistry
from events.correlation.scoring import IncomingReport, happening_key, happening_of_key
from events.dispatching.routing import default_routing
from events.evidence.audit_log import GENESIS, canonical, stamp
from events.evidence.row_seal import COLUMNS, row_hash, row_values, seal_of
from events.rules.rulebook import default_rulebook
from storage.schema import create_all
from storage.session import make_engine, read_scope, refresh_statistics, session_scope
from storage.tables.cases import (
    AuditEntry,
    Case,
    CaseAssignment,
    CaseClock,
    CaseEvidence,
    CaseObservation,
    CaseTransition,
)
from storage.tables.files import CaseTurn
from storage.tables.observations import ObservationRow
from storage.tables.registry import Site

SITES = 6_948  # watched places of the district beside those of the measured load
WEEKS = 140  # the history's span; whole weeks keep working hours and weekends where they were
CHUNK = 20_000  # cases a transaction
KEPT_OBSERVATIONS = 2
NULL = "\\N"
TABLES: tuple[Any, ...] = (
    Case, CaseAssignment, CaseClock, CaseTransition, CaseEvidence, CaseTurn, CaseObservation, ObservationRow,
    AuditEntry,
)  # fmt: skip
_OWN_IDS = ("assignment_id", "clock_id", "evidence_id", "observation_id")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Template:
    """A case as %-formats of its rows: ``rows`` by table, ``links`` of its chain as (canonical, row)."""

    is_open: bool
    happening: str
    opened_at: datetime
    own_ids: int
    moments: tuple[datetime, ...]
    rows: tuple[tuple[int, str], ...]
    links: tuple[tuple[str, str], ...]
    sealed: str  # what the seal of the case's row is made of


# templates ---------------------------------------------------------------
@cache
def templates(separator: str, escape: bool, incidents: int, lean: bool = False, seed: int = 7) -> list[Template]:
    """Real cases of a labelled day as formats, ``separator`` between fields, backslashes doubled with ``escape``."""
    with TemporaryDirectory(prefix="yiwang-templates-") as folder:
        engine = make_engine(f"sqlite:///{Path(folder)}/templates.db")
        create_all(engine)
        _play(engine, random.Random(seed), incidents)
        with read_scope(engine) as session:
            found = [_template(session, case, separator, escape, lean) for case in session.scalars(select(Case))]
        engine.dispose()
    return [template for template in found if template is not None]


def _play(engine: Engine, chance: random.Random, incidents: int) -> None:
    """A labelled day through intake; then people work on the cases: ten of eleven are closed."""
    day = generate(incidents=incidents, seed=chance.randrange(1 << 30))
    settle_city(engine, day)
    clock = ManualClock(DAY0)
    registry, service = PlaceRegistry(clock, ttl_s=1e9), CaseService(engine, clock)
    intake = Intake(clock, default_rulebook(), registry, Desk(service, clock, registry, default_routing()))
    for start in range(0, len(day.signals), 32):
        chunk = day.signals[start : start + 32]
        clock.set(max(clock.now(), chunk[-1].at))
        with session_scope(engine) as session:
            intake.take_observations(session, [s.record for s in chunk if isinstance(s.record, Observation)])
            intake.take_readings(session, [s.record for s in chunk if isinstance(s.record, Reading)])
    with read_scope(engine) as session:
        cases = list(session.scalars(select(Case).where(Case.open)))
        parts = {case.case_id: _departments(session, case) for case in cases}
    for number, case in enumerate(cases):
        steps = list(_steps(parts[case.case_id]))
        for name, actor, data in steps[: chance.randrange(len(steps)) if number % 11 == 10 else None]:
            clock.set(clock.now() + timedelta(seconds=chance.uniform(60, 900)))
            try:
                files = tuple(data.pop("files", ()))  # as the server hands on what it stored
                wish = Command(name=name, case_id=case.case_id, actor_id=actor.user_id, data=data, files=files)
                service.execute(wish, actor)
            except YiwangError:
                break  # not dispatched: it stays open where it is


def _departments(session: Session, case: Case) -> list[str]:
    """The case's departments, the lead last."""
    rows = session.scalars(select(CaseAssignment).where(CaseAssignment.case_id == case.case_id))
    return [r.department_id for r in sorted(rows, key=lambda r: r.role == "lead")]


def _steps(departments: Sequence[str]) -> Iterator[tuple[str, Actor, dict[str, Any]]]:
    photo = EvidenceRef(
        kind="photo", uri="bench/after.jpg", sha256="ab" * 32, media_type="image/jpeg", taken_at=DAY0, size_bytes=90_000
    )
    for department in departments:
        who = Actor(user_id=f"staff-{department}", name="bench", roles=("staff",), department_id=department)
        yield "accept", who, {}
        yield "finish", who, {"result": "已处置，现场恢复", "files": (photo,)}
    yield "check_pass", Actor(user_id="inspector", name="bench", roles=("inspector",)), {}
    yield "close", SYSTEM, {}


def _template(session: Session, case: Case, separator: str, escape: bool, lean: bool) -> Template | None:
    """The case's rows as formats; None for cases that hang together with others."""
    if case.parent_case_id or case.merged_into_id or (case.happening_key or "").startswith("area-"):
        return None
    found: list[tuple[int, Any]] = [(0, case)]
    for number, table in enumerate(TABLES[1:], 1):
        query: Any
        if lean and table in (CaseObservation, ObservationRow):
            continue
        if table is ObservationRow:
            seen = [row.observation_id for n, row in found if isinstance(row, CaseObservation)]
            query = select(ObservationRow).where(ObservationRow.observation_id.in_(seen))
        elif table is AuditEntry:
            query = select(AuditEntry).where(AuditEntry.chain_id == case.case_id).order_by(AuditEntry.seq)
        else:
            query = select(table).where(table.case_id == case.case_id)
        found += [(number, row) for row in session.scalars(query)]
    return _Writer(case, separator, escape, {"derivation": "[]"} if lean else {}).template(found)


class _Writer:
    """Turns a case's rows into formats."""

    def __init__(self, case: Case, separator: str, escape: bool, short: dict[str, str]) -> None:
        self._case, self._separator, self._escape, self._short = case, separator, escape, short
        self._moments: dict[datetime, int] = {}
        self._names: dict[str, str] = {case.case_id: "%(case)s", case.number: "%(number)s"}

    def template(self, found: list[tuple[int, Any]]) -> Template:
        links = [row for _, row in found if isinstance(row, CaseObservation)]
        kept = {row.observation_id for row in sorted(links, key=lambda r: r.linked_at)[:KEPT_OBSERVATIONS]}
        found = [(n, row) for n, row in found if getattr(row, "observation_id", None) in {None, *kept}]
        ids = {str(getattr(row, name, None)) for _, row in found for name in _OWN_IDS} - {"None"}
        self._names |= {name: f"%(id{n})s" for n, name in enumerate(sorted(ids))}
        if self._case.site_id:
            self._names[self._case.site_id] = "%(site)s"
        self._names[row_hash(self._case)] = "%(seal)s"
        rows = [(n, self._row(TABLES[n].__table__, row)) for n, row in found if not isinstance(row, AuditEntry)]
        chain = [self._link(n, row) for n, row in found if isinstance(row, AuditEntry)]
        sealed = self._sealed()  # before the moments are counted: it may hold some of its own
        return Template(
            is_open=self._case.open,
            happening=happening_of_key(self._case.happening_key or ""),
            opened_at=self._case.opened_at,
            own_ids=len(ids),
            moments=tuple(self._moments),
            rows=tuple(rows),
            links=tuple(chain),
            sealed=sealed,
        )

    def _sealed(self) -> str:
        """What the case's seal is made of, the copy's own place in it."""
        values = dict(zip(COLUMNS, row_values(self._case), strict=True)) | {"lon": "@lon@", "lat": "@lat@"}
        escape, self._escape = self._escape, False
        written = self._text(canonical(list(values.values())).decode())
        self._escape = escape
        return written.replace('"@lon@"', "%(lon)s").replace('"@lat@"', "%(lat)s")

    def _row(self, table: Table, row: Any, **fixed: str) -> str:
        if table.name == "case_file":
            fixed |= {"lon": "%(lon)s", "lat": "%(lat)s", "happening_key": "%(key)s", "site_id": "%(site)s"}
        fixed |= self._short
        fields = [fixed.get(c.name) or self._field(getattr(row, c.name)) for c in table.columns]
        return self._separator.join(fields)

    def _field(self, value: Any) -> str:
        if value is None:
            return NULL
        if isinstance(value, datetime):
            return f"%(d{self._moment(value)})s"
        if isinstance(value, bool):
            return str(int(value))
        if not isinstance(value, dict | list):
            return self._text(str(value))
        return self._text(canonical(value).decode())

    def _text(self, plain: str) -> str:
        """``plain`` with the case's own ids and times as placeholders."""
        shown = plain.replace("\\", "\\\\") if self._escape else plain
        shown = shown.replace("%", "%%")
        for name, placeholder in self._names.items():
            shown = shown.replace(name, placeholder)
        return _ISO.sub(lambda m: f"%(j{self._moment(datetime.fromisoformat(m.group()))})s", shown)

    def _moment(self, value: datetime) -> int:
        return self._moments.setdefault(value.astimezone(UTC), len(self._moments))

    def _link(self, number: int, row: AuditEntry) -> tuple[str, str]:
        """A link of the audit chain: what is hashed (never escaped), and its row."""
        entry = {"actor_id": row.actor_id, "action": row.action, "at": stamp(row.at), "body": row.body,
                 "chain_id": row.chain_id, "seq": row.seq}  # fmt: skip
        escape, self._escape = self._escape, False
        hashed = self._text(canonical(entry).decode())
        self._escape = escape
        return hashed, self._row(TABLES[number].__table__, row, prev_hash="%(prev)s", hash="%(hash)s")


# copies ------------------------------------------------------------------
@dataclass(frozen=True)
class Spot:
    site_id: str
    point: GeoPoint


def add_sites(engine: Engine) -> list[Spot]:
    """The district's other sites (made when they are not there), by id."""
    with session_scope(engine) as session:
        have = session.scalars(select(Site).where(Site.site_id.like("h%"))).all()
        if not have:
            chance = random.Random(SITES)
            for n in range(SITES):
                lon = 125.1 + chance.random() * 45_000 * METRE_LON
                lat = 43.6 + chance.random() * 45_000 * METRE_LAT
                name = f"h{n:04d}"
                session.add(Site(site_id=name, name=f"点位{name}", kind="bench", lon=lon, lat=lat, attributes={}))
            session.flush()
        found = session.scalars(select(Site).order_by(Site.site_id)).all()
        return [Spot(row.site_id, GeoPoint(lon=row.lon, lat=row.lat)) for row in found]


class _Copier:
    """Writes one copy of a template after the other."""

    def __init__(self, known: Sequence[Template], spots: Sequence[Spot], seed: int) -> None:
        self._chance = random.Random(seed)
        self._closed = [t for t in known if not t.is_open]
        self._open = [t for t in known if t.is_open]
        self._spots = spots
        self._away = [s for s in spots if s.site_id.startswith("h")]  # open cases keep off the measured load's sites
        self._keys: dict[tuple[str, str], str] = {}
        self._book = default_rulebook()

    def rows(self, index: int, opened: datetime) -> Iterator[tuple[int, str]]:
        """The rows of case ``index``, opened at about ``opened``: (number of the table, line)."""
        is_open = index % 11 == 10
        template = self._chance.choice(self._open if is_open else self._closed)
        spot = self._chance.choice(self._away if is_open else self._spots)
        weeks = timedelta(weeks=(opened - template.opened_at) // timedelta(weeks=1))
        shift = weeks + timedelta(microseconds=self._chance.randrange(600_000_000))
        values: dict[str, Any] = {"case": f"00h{index:018d}00000", "number": f"H{index:09d}", "site": spot.site_id,
                                  "lon": spot.point.lon, "lat": spot.point.lat,
                                  "key": self._key(spot, template)}  # fmt: skip
        for n in range(template.own_ids):
            values[f"id{n}"] = f"00h{index:018d}{n + 1:05d}"
        for n, moment in enumerate(template.moments):
            iso = (moment + shift).isoformat(timespec="microseconds")
            values[f"j{n}"], values[f"d{n}"] = iso, iso[:26].replace("T", " ")
        values["seal"] = seal_of((template.sealed % values).encode())
        for number, line in template.rows:
            yield number, line % values
        values["prev"] = GENESIS
        for hashed, line in template.links:
            values["hash"] = hashlib.sha256((values["prev"] + hashed % values).encode()).hexdigest()
            yield len(TABLES) - 1, line % values
            values["prev"] = values["hash"]

    def _key(self, spot: Spot, template: Template) -> str:
        name = (spot.site_id, template.happening)
        if name not in self._keys:
            report = IncomingReport(happening=template.happening, at=template.opened_at, source_type="camera",
                            source_id=f"cam-{spot.site_id}-a", site_id=spot.site_id, location=spot.point)  # fmt: skip
            self._keys[name] = happening_key(report, self._book.happening(template.happening))
        return self._keys[name]


def grow(engine: Engine, closed: int, incidents: int = 160, lean: bool = False) -> dict[str, int]:
    """Add history until there are ``closed`` closed and a tenth as many open cases; rows by table.

    ``incidents`` of the labelled day are the originals; ``lean``: without observations and derivations of clocks.
    """
    spots = add_sites(engine)
    total = closed + closed // 10
    have = grown(engine)
    if have < total:
        sqlite = engine.dialect.name == "sqlite"
        originals = templates("\x1f" if sqlite else "\t", not sqlite, incidents, lean)
        copier = _Copier(originals, spots, seed=total)
        begin = datetime.now(UTC).replace(microsecond=0) - timedelta(weeks=WEEKS)
        with _bulk(engine) as write:
            for start in range(have, total, CHUNK):
                lines: list[list[str]] = [[] for _ in TABLES]
                for index in range(start, min(start + CHUNK, total)):
                    opened = begin + timedelta(weeks=WEEKS - 2) * ((index - have) / (total - have))
                    for number, line in copier.rows(index, opened):
                        lines[number].append(line)
                write(lines)
    with engine.connect() as connection:
        tables = [table.__tablename__ for table in TABLES]
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}


def grown(engine: Engine) -> int:
    """Cases of history that are there, open ones too."""
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM case_file WHERE number LIKE 'H%'")).scalar_one())


@contextmanager
def _bulk(engine: Engine) -> Iterator[Any]:
    """A writer of many rows at once: no indexes meanwhile, no look at foreign keys; statistics at the end."""
    indexes = [index for table in TABLES for index in table.__table__.indexes]
    with engine.begin() as connection:
        for index in indexes:
            index.drop(connection, checkfirst=True)  # a run that was broken off left none
    write = _into_sqlite if engine.dialect.name == "sqlite" else _into_postgres
    with write(engine) as writer:
        yield writer
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        for index in indexes:
            index.create(connection, checkfirst=True)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    refresh_statistics(engine)
    engine.dispose()


@contextmanager
def _into_sqlite(engine: Engine) -> Iterator[Any]:
    engine.dispose()
    connection = sqlite3.connect(str(engine.url.database), isolation_level=None)
    for pragma in ("foreign_keys=OFF", "journal_mode=OFF", "synchronous=OFF", "cache_size=-200000"):
        connection.execute(f"PRAGMA {pragma}").fetchall()

    def write(lines: list[list[str]]) -> None:
        connection.execute("BEGIN")
        for table, rows in zip(TABLES, lines, strict=True):
            marks = ", ".join(f"NULLIF(?, '{NULL}')" for _ in table.__table__.columns)
            names = ", ".join(f'"{c.name}"' for c in table.__table__.columns)
            statement = f"INSERT INTO {table.__tablename__} ({names}) VALUES ({marks})"
            connection.executemany(statement, (line.split("\x1f") for line in rows))
        connection.execute("COMMIT")

    try:
        yield write
    finally:
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        connection.close()


@contextmanager
def _into_postgres(engine: Engine) -> Iterator[Any]:
    raw = engine.raw_connection()
    connection: Any = raw.driver_connection
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; SET timezone = 'UTC'; SET synchronous_commit = off")
        connection.commit()

        def write(lines: list[list[str]]) -> None:
            for table, rows in zip(TABLES, lines, strict=True):
                names = ", ".join(f'"{c.name}"' for c in table.__table__.columns)
                with cursor.copy(f"COPY {table.__tablename__} ({names}) FROM STDIN") as copy:
                    for start in range(0, len(rows), 5000):
                        copy.write("\n".join(rows[start : start + 5000]) + "\n")
            connection.commit()

        yield write
    raw.invalidate()
