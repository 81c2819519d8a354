"""A throw-away instance for one script: a fresh database, the script's people, a clock that moves when told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from core.clock import ManualClock
from core.errors import InputInvalid, NotFound
from core.records import SYSTEM, Actor, CaseChanged, Command, EvidenceRef
from events.cases.course.triggers import next_due
from events.cases.definition import Definition
from events.cases.definition_store import keep_definition
from events.cases.kinds_in_force import definitions_in_force
from events.notify.channel import NoticeMessage, audience, notice_of
from events.notify.deadlines import DeadlineSweep
from events.notify.notices import notices_of_change, write_notices
from events.runtime.triggers import TriggerSweep
from events.runtime.wiring import case_service
from events.trial.papers import uploaded
from events.trial.script import Script
from storage.schema import create_all
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case, Notice, Outbox
from storage.tables.people import User, UserRole
from storage.tables.registry import Department, Division


class Sandbox:
    """The instance; use it as a context manager."""

    def __init__(self, folder: Path, script: Script, definition: Definition) -> None:
        self.definition = definition
        self.script = script
        self.clock = ManualClock(script.start)
        self.engine: Engine = make_engine(f"sqlite:///{folder / 'trial.db'}")
        definitions = {**definitions_in_force(), definition.definition_id: definition}
        create_all(self.engine)
        with session_scope(self.engine) as session:
            for each in definitions.values():
                keep_definition(session, each)
            _people(session, script)
        self.service = case_service(self.engine, self.clock, definitions=definitions)
        self._sweep = DeadlineSweep(self.engine, self.clock, definitions=definitions)
        self._triggers = TriggerSweep(self.engine, self.clock, self.service)
        self.files: list[str] = []  # case ids, in the order in which they were opened
        self._told: set[str] = set()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    def act(self, who: str, name: str, data: Mapping[str, Any], case_id: str) -> str:
        """Give a command; the id of the case that it opened or moved.  Typed errors as everywhere."""
        body = dict(data)
        if name == "report":
            body.setdefault("definition_id", self.definition.definition_id)
            case_id = ""
        elif not case_id:
            raise NotFound(what="case", key="none was reported yet")
        now = self.clock.now()
        files = tuple(_file(each, now) for each in body.get("evidence") or () if isinstance(each, str | dict))
        command = Command(name=name, case_id=case_id, actor_id=who, data=body, files=files)
        if files:
            command = msgspec.structs.replace(command, data={k: v for k, v in body.items() if k != "evidence"})
        if isinstance(body.get("documents"), list):
            with session_scope(self.engine) as session:
                given = [uploaded(session, each, who, now) for each in body["documents"]]
            command = msgspec.structs.replace(command, data={**command.data, "documents": given})
        return self.service.execute(command, self.actor(who)).case_id

    def actor(self, who: str) -> Actor:
        return SYSTEM if who == SYSTEM.user_id else self.script.people[who].actor()

    def move_to(self, moment: datetime) -> None:
        """Let time pass until ``moment``; whatever falls due on the way happens at its own instant."""
        while (due := self._next(moment)) is not None:
            self.clock.set(due)
            self.settle()
        self.clock.set(moment)
        self.settle()

    def _next(self, until: datetime) -> datetime | None:
        now = self.clock.now()
        found = [self._sweep.next_at(now, until)]
        with read_scope(self.engine) as session:
            found += [next_due(session, d, now, until) for d in self.service.definitions.values() if d.triggers]
        return min((at for at in found if at is not None), default=None)

    def settle(self) -> None:
        """Let what follows from a move or from the hour happen: notices, reminders; note new cases."""
        while True:
            self._sweep.sweep()
            if not self._triggers.sweep() + self._announce():
                break
        with read_scope(self.engine) as session:
            ids = session.scalars(select(Case.case_id).order_by(Case.opened_at, Case.number))
            self.files += [case_id for case_id in ids if case_id not in self.files]

    def _announce(self) -> int:
        """What the outbox relay does after a commit; how many changes there were."""
        now = self.clock.now()
        with session_scope(self.engine) as session:
            rows = session.scalars(
                select(Outbox)
                .where(Outbox.topic == "case", Outbox.sent_at.is_(None))
                .order_by(Outbox.created_at, Outbox.outbox_id)
            ).all()
            for row in rows:
                change = msgspec.convert(row.body, CaseChanged)
                drafts = notices_of_change(session, change, self.service.definitions)
                write_notices(session, drafts, ["in_app"], now)
            if rows:
                ids = [row.outbox_id for row in rows]
                session.execute(update(Outbox).where(Outbox.outbox_id.in_(ids)).values(sent_at=now))
            return len(rows)

    def new_notices(self) -> list[dict[str, str]]:
        """``{"to", "text"}`` of each notice and person since the last call, oldest first.

        ``to`` is a person's id; ``department:ID`` or ``role:NAME`` where nobody of the script is meant by them.
        """
        found = []
        with read_scope(self.engine) as session:
            for row in session.scalars(select(Notice).order_by(Notice.created_at, Notice.notice_id)):
                if row.notice_id in self._told:
                    continue
                self._told.add(row.notice_id)
                notice = notice_of(row)
                people = session.scalars(audience(notice, row.created_at).order_by(User.user_id)).all()
                found += [{"to": to, "text": notice.title} for to in people or [_nobody(notice)]]
        return found


def _file(raw: str | dict[str, Any], now: datetime) -> EvidenceRef:
    """A file of a script, as if it had been uploaded: a reference, or a name alone."""
    body = {"uri": raw} if isinstance(raw, str) else raw
    sha = str(body.get("sha256") or hashlib.sha256(str(body.get("uri", "")).encode()).hexdigest())
    full = {
        "kind": "photo", "uri": f"{sha[:2]}/{sha}.jpg", "media_type": "image/jpeg", "taken_at": now.isoformat(), **body,
    }  # fmt: skip
    try:
        return msgspec.convert({**full, "sha256": sha}, EvidenceRef)
    except msgspec.ValidationError as error:
        raise InputInvalid(field="evidence", detail=str(error), how="give kind, uri, media_type, taken_at") from error


def _nobody(notice: NoticeMessage) -> str:
    return f"department:{notice.department_id}" if notice.department_id else f"role:{notice.role}"


def _people(session: Session, script: Script) -> None:
    levels = {6: "district", 9: "street", 12: "community"}
    session.add_all(
        Division(code=code, name=name, level=levels.get(len(code), "street")) for code, name in script.divisions.items()
    )
    session.add_all(Department(department_id=key, name=name) for key, name in script.departments.items())
    session.flush()
    for person in script.people.values():
        session.add(
            User(
                user_id=person.user_id,
                login=person.user_id,
                name=person.name or person.user_id,
                department_id=person.department,
                division_code=person.division,
            )
        )
    session.flush()
    session.add_all(
        UserRole(user_id=person.user_id, role=role) for person in script.people.values() for role in set(person.roles)
    )
