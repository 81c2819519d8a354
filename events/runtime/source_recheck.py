"""Closed means clear: when work is reported finished, the sources of the case are asked again.

All agree → the check is passed and the case closed by ``system``, where the definition allows it; of a fire and of a
grave case their word is advice to a person, who confirms.  One disagrees →
rework, with the picture.  Nobody can say (no camera, no answer, a citizen's report, "false alarm") → an inspector.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import msgspec
from sqlalchemy import ColumnElement, Engine, and_, false, or_, select

from core.bus import Bus
from core.clock import Clock
from core.errors import YiwangError
from core.ids import subject_token
from core.records import SYSTEM, Actor, Command, LookAnswer, LookRequest, decode
from core.settings import Settings
from events.cases.definition import Definition
from events.cases.definition_parts import Recheck
from events.correlation.scoring import happening_of_key
from events.runtime.look_from_above import look_from_above
from events.runtime.verdict import Verdict, judge
from storage.readings import latest
from storage.session import read_scope
from storage.tables.cases import Case, CaseObservation, CaseTransition
from storage.tables.observations import ObservationRow
from storage.tables.registry import Device
from storage.watching.changes import Changes

log = logging.getLogger("yiwang.recheck")

POLL_S = 1.0
WAIT_S = 30.0  # without a commit nothing can have been finished
LOOK_TIMEOUT_S = 15.0
SETTLE_S = 20.0  # a sensor may need this long to fall back after the work was finished
MAX_SOURCES = 6
MAX_READING_AGE_S = 900.0


class Service(Protocol):
    """What the rechecker needs of the case service."""

    @property
    def definitions(self) -> Mapping[str, Definition]: ...

    def execute(self, command: Command, actor: Actor) -> Any: ...


@dataclass(frozen=True)
class Asked:
    """A source of a case that can be asked again."""

    source_type: str
    source_id: str
    kind: str
    zone: str | None
    standing: bool


@dataclass(frozen=True)
class Finished:
    """A case whose work is reported finished."""

    case_id: str
    version: int
    finished_at: datetime
    false_alarm: bool
    sources: tuple[Asked, ...]
    open_children: tuple[str, ...] = ()
    commands: Recheck = Recheck(state="", clear="", standing="", person="")
    advice: bool = False  # the sources' word is advice to a person


class Rechecker:
    """Asks the sources of finished cases, a few at a time."""

    def __init__(self, bus: Bus, engine: Engine, clock: Clock, service: Service, settings: Settings) -> None:
        self._bus = bus
        self._engine = engine
        self._clock = clock
        self._service = service
        self._limit = asyncio.Semaphore(8)
        self._done: dict[str, int] = {}  # case → version that was dealt with
        del settings

    async def run(self) -> None:
        """Recheck for ever."""
        changes = Changes(self._engine)
        while True:
            await changes.look()
            cases = await asyncio.to_thread(self._finished)
            await asyncio.gather(*(self._check(case) for case in cases))
            if cases:  # some wait for their sensor to fall back
                await asyncio.sleep(POLL_S)
            else:
                await changes.wait(POLL_S, WAIT_S)

    async def _check(self, case: Finished) -> None:
        async with self._limit:
            verdict = await self._ask(case)
            if verdict is None:
                return  # not yet: the sensor may still fall back
            self._done[case.case_id] = case.version
            await asyncio.to_thread(self._act, case, verdict)

    async def _ask(self, case: Finished) -> Verdict | None:
        if case.false_alarm:
            return Verdict(clear=None, detail="reported as a false alarm: somebody has to look")
        if case.open_children:
            return Verdict(clear=False, detail="open parts: " + ", ".join(case.open_children))
        above = await asyncio.to_thread(self._from_above, case)
        if above == "awaited":
            return None
        if not case.sources and isinstance(above, Verdict):
            return above
        if not case.sources:
            return Verdict(clear=None, detail="no camera or sensor of this case can be asked")
        verdicts = await asyncio.gather(*(self._ask_one(case, source) for source in case.sources))
        waited = (self._clock.now() - case.finished_at).total_seconds()
        if any(v.clear is False for v in verdicts):
            still = [s for s, v in zip(case.sources, verdicts, strict=True) if v.clear is False]
            if waited < SETTLE_S and all(s.source_type == "device" for s in still):
                return None
        return judge([*verdicts, above] if isinstance(above, Verdict) else verdicts)

    def _from_above(self, case: Finished) -> Verdict | Literal["awaited"] | None:
        with read_scope(self._engine) as session:
            return look_from_above(session, case.case_id, case.finished_at, self._clock.now())

    async def _ask_one(self, case: Finished, source: Asked) -> Verdict:
        if source.source_type == "camera":
            return await self._look(source)
        return await asyncio.to_thread(self._sensor, case, source)

    async def _look(self, source: Asked) -> Verdict:
        request = LookRequest(
            camera_id=source.source_id, kind=source.kind, zone=source.zone, requested_at=self._clock.now()
        )
        try:
            data = await self._bus.request(f"look.{subject_token(source.source_id)}", request, LOOK_TIMEOUT_S)
            answer = decode(LookAnswer, data)
        except TimeoutError:
            return Verdict(clear=None, detail=f"camera {source.source_id} does not answer")
        except YiwangError as error:
            return Verdict(clear=None, detail=f"camera {source.source_id}: {error}")
        return Verdict(
            clear=answer.clear, detail=f"camera {source.source_id}: {answer.detail}", evidence=answer.evidence
        )

    def _sensor(self, case: Finished, source: Asked) -> Verdict:
        """A sensor that still stands disagrees; one that is silent since cannot say."""
        if source.standing:
            return Verdict(clear=False, detail=f"sensor {source.source_id} still reports {source.kind}")
        with read_scope(self._engine) as session:
            device = session.get(Device, source.source_id)
            interval = (device.expected_interval_s if device else None) or MAX_READING_AGE_S / 3
            values = [v for v in latest(session, source.source_id) if v.quantity == source.kind]
        oldest = self._clock.now() - timedelta(seconds=max(3 * interval, 60.0))
        if values and max(v.received_at for v in values) < oldest:
            return Verdict(clear=None, detail=f"sensor {source.source_id} has been silent")
        return Verdict(clear=True, detail=f"sensor {source.source_id} no longer reports {source.kind}")

    # database --------------------------------------------------------------
    def _finished(self) -> list[Finished]:
        with read_scope(self._engine) as session:
            rows = session.scalars(
                select(Case).where(Case.open.is_(True), or_(false(), *self._asked_states())).limit(200)
            ).all()
            due = [row for row in rows if self._done.get(row.case_id) != row.version]
            if not due:
                self._done = {k: v for k, v in self._done.items() if k in {row.case_id for row in rows}}
            return [self._read(session, row) for row in due]

    def _asked_states(self) -> list[ColumnElement[bool]]:
        """In which state of which kind of case the sources are asked again, as the definitions say."""
        return [
            and_(Case.definition_id == name, Case.state == kind.recheck.state)
            for name, kind in self._service.definitions.items()
            if kind.recheck is not None
        ]

    def _read(self, session: Any, case: Case) -> Finished:
        commands = self._service.definitions[case.definition_id].recheck
        assert commands is not None  # its state was asked for
        finish = session.scalars(
            select(CaseTransition)
            .where(CaseTransition.case_id == case.case_id, CaseTransition.to_state == commands.state)
            .where(CaseTransition.from_state != commands.state)
            .order_by(CaseTransition.seq.desc())
            .limit(1)
        ).first()
        return Finished(
            commands=commands,
            advice=is_advice(commands, case),
            case_id=case.case_id,
            version=case.version,
            finished_at=finish.at if finish is not None else case.updated_at,
            false_alarm=bool(finish is not None and (finish.data or {}).get("false_alarm")),
            sources=tuple(_sources(session, case)),
            open_children=tuple(
                session.scalars(
                    select(Case.number).where(Case.parent_case_id == case.case_id, Case.open.is_(True)).limit(20)
                )
            ),
        )

    def _act(self, case: Finished, verdict: Verdict) -> None:
        """Carry out ``verdict``; when somebody was faster, their move stands."""
        key, commands = f"recheck:{case.case_id}:{case.version}", case.commands
        evidence = [msgspec.to_builtins(ref) for ref in verdict.evidence]
        data: dict[str, Any] = {"evidence": evidence} if evidence else {}
        if verdict.clear is False:
            name, data = commands.standing, {**data, "reason": f"复核未通过 / still there: {verdict.detail}"[:1900]}
        elif verdict.clear and not case.advice:
            name, data = commands.clear, {**data, "comment": verdict.detail[:1900]}
        else:
            advised = "建议：现场已消除，请人工确认 / Advice, a person confirms: " if verdict.clear else ""
            name, data = commands.person, {"comment": f"{advised}{verdict.detail}"[:1900]}
        try:
            if name == commands.person and evidence:  # the picture goes with the advice
                shown = {"evidence": evidence, "purpose": "check"}
                self._execute("attach", case.case_id, case.version, f"{key}:attach", shown)
                self._execute(name, case.case_id, None, f"{key}:{name}", data)
            else:
                self._execute(name, case.case_id, case.version, f"{key}:{name}", data)
            if name == commands.clear and commands.close:
                agreed = {"comment": "复核一致 / sources agree"}
                self._execute(commands.close, case.case_id, None, f"{key}:close", agreed)
        except YiwangError as error:
            log.info("recheck of %s: %s", case.case_id, error)
            if verdict.clear:  # the definition wants a person: ask for one
                self._fallback(case, key)

    def _fallback(self, case: Finished, key: str) -> None:
        try:
            wish = {"comment": "请核查 / please verify"}
            self._execute(case.commands.person, case.case_id, None, f"{key}:send", wish)
        except YiwangError as error:
            log.info("recheck of %s: %s", case.case_id, error)

    def _execute(self, name: str, case_id: str, version: int | None, key: str, data: dict[str, Any]) -> None:
        command = Command(
            name=name,
            case_id=case_id,
            actor_id=SYSTEM.user_id,
            expected_version=version,
            idempotency_key=key[:80],
            data=data,
        )
        self._service.execute(command, SYSTEM)


def is_advice(commands: Recheck, case: Case) -> bool:
    """Is the second look of cameras and sensors advice alone: a grave case, or one of a kind that people confirm?"""
    kinds = {case.kind, happening_of_key(case.happening_key)}
    return case.severity >= commands.advice_from or bool(kinds & set(commands.advice_kinds))


def _sources(session: Any, case: Case) -> Iterable[Asked]:
    """The cameras and devices that saw the happening, newest word first, each once per kind and zone."""
    merged = session.scalars(select(Case).where(Case.merged_into_id == case.case_id)).all()
    standing = {k: v for c in (*merged, case) for k, v in (c.why or {}).get("standing", {}).items()}
    ids = [case.case_id, *(c.case_id for c in merged)]
    rows = session.execute(
        select(ObservationRow, CaseObservation.reason)
        .join(CaseObservation, CaseObservation.observation_id == ObservationRow.observation_id)
        .where(CaseObservation.case_id.in_(ids))
        .order_by(ObservationRow.observed_at.desc())
        .limit(200)
    )
    seen: set[tuple[str, str, str | None]] = set()
    for row, reason in rows:
        zone = (row.body or {}).get("zone")
        key = (row.source_id, row.kind, zone)
        if row.source_type not in ("camera", "device") or key in seen or "moved_to" in (reason or {}):
            continue
        if "merged_from" in (reason or {}):
            continue  # the merged case's own link says more
        seen.add(key)
        yield Asked(
            source_type=row.source_type,
            source_id=row.source_id,
            kind=row.kind,
            zone=zone,
            standing=bool(standing.get((reason or {}).get("standing_key", ""))),
        )
        if len(seen) >= MAX_SOURCES:
            return
