"""Notices: who is told what.  ``notice_key`` is unique, so that no crash and no retry tells anybody twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.ids import new_id
from core.records import CaseChanged, Record
from events.cases.course.turn_keys import turn_lines
from events.cases.definition import Definition
from events.cases.definition_parts import Notify
from events.cases.definition_store import definition_of
from events.cases.kinds_in_force import definitions_in_force
from events.correlation.rule_memory import insert_into
from events.dispatching.duty_roster import on_duty
from events.dispatching.routing_in_force import routing_in_force
from events.notify.recipients import targets
from storage.tables.cases import Case, CaseTransition, Notice, Outbox

_PLACE = re.compile(r"\{([^{}]+)\}")


class NoticeDraft(Record, frozen=True):
    """A notice to be written; it goes to a user, a department or a role."""

    key: str
    kind: str
    title: str
    body: str = ""
    case_id: str | None = None
    user_id: str | None = None
    department_id: str | None = None
    role: str = ""
    severity: int = 1
    channels: tuple[str, ...] = ()  # only these; empty: all that are switched on


ClockTime = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class QuietHours(Record, frozen=True):
    """When nobody is rung up for less than ``below_severity``: Beijing times "HH:MM", over midnight allowed."""

    begins: ClockTime = "22:00"
    ends: ClockTime = "07:00"
    below_severity: int = 3

    def due_at(self, now: datetime, severity: int) -> datetime:
        """When a notice of ``severity`` may ring: now, or at the end of the quiet hours."""
        if severity >= self.below_severity or self.begins == self.ends:
            return now
        local = now.astimezone(BEIJING)
        clock = local.strftime("%H:%M")
        over_midnight = self.begins > self.ends
        quiet = (clock >= self.begins or clock < self.ends) if over_midnight else self.begins <= clock < self.ends
        if not quiet:
            return now
        hour, minute = (int(part) for part in self.ends.split(":"))
        end = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return (end if end > local else end + timedelta(days=1)).astimezone(UTC)


def write_notices(
    session: Session,
    drafts: Iterable[NoticeDraft],
    channels: Sequence[str],
    now: datetime,
    quiet: QuietHours | None = None,
) -> list[str]:
    """Write the notices that are new, each with an outbox row per channel; returns their ids.

    A row of a channel that rings (all but ``in_app``) is due when the quiet hours are over.
    """
    quiet = quiet or QuietHours()
    written = []
    for draft in drafts:
        notice_id = new_id()
        statement = (
            insert_into(session, Notice)
            .on_conflict_do_nothing(index_elements=["notice_key"])
            .returning(Notice.notice_id)
        )
        row: dict[str, Any] = {
            "notice_id": notice_id,
            "notice_key": draft.key[:160],
            "case_id": draft.case_id,
            "user_id": draft.user_id,
            "department_id": draft.department_id,
            "role": draft.role,
            "kind": draft.kind,
            "title": draft.title[:200],
            "body": draft.body,
            "severity": draft.severity,
            "created_at": now,
        }
        if session.execute(statement, row).scalar_one_or_none() is None:
            continue
        written.append(notice_id)
        for channel in [name for name in channels if not draft.channels or name.partition(":")[0] in draft.channels]:
            body = {"notice_id": notice_id, "channel": channel}
            due_at = now if channel == "in_app" else quiet.due_at(now, draft.severity)
            session.add(Outbox(outbox_id=new_id(), topic="notice", body=body, created_at=due_at, attempts=0))
    return written


def channels_of(notifiers: dict[str, Any]) -> list[str]:
    """The channels of ``notifiers`` in a stable order."""
    return sorted(notifiers)


def notices_of_change(
    session: Session, change: CaseChanged, definitions: Mapping[str, Definition] | None = None
) -> list[NoticeDraft]:
    """Who has to know of ``change``, as the case's definition says; and the arbiter, when it goes back and forth.

    ``definitions``: the kinds in force here, of a sandbox its own; None: those of the city.
    """
    case = session.get(Case, change.case_id)
    if case is None:
        return []
    definition = definition_of(session, case, definitions_in_force() if definitions is None else definitions)
    drafts: list[NoticeDraft] = []
    for n, line in enumerate(lines_of(definition, change)):
        if _matches(line, change, definition, session):
            drafts += _written(session, case, definition, change, line, n)
    if change.command == "escalate":
        line = Notify(on=("escalate",), to=("lead_department",), text={"zh": "升级"}, kind="escalated")
        key = f"{change.case_id}:severity:{int(change.severity)}"
        drafts += [
            msgspec.structs.replace(draft, key=key) for draft in _written(session, case, definition, change, line, 99)
        ]
    return [*drafts, *_to_arbiter(session, case, definition, change)]


def lines_of(definition: Definition, change: CaseChanged) -> tuple[Notify, ...]:
    """The definition's own lines; of one without any: who gets work, is urged, must approve or waits for the end."""
    if definition.notify:
        return definition.notify
    spec = definition.commands.get(change.command)
    if spec is None or change.command == "report" and definition.automatic.get("on_report"):
        return ()
    on, effects = (change.command,), set(spec.effect_names)
    if {"assign", "route"} & effects:
        return (Notify(on=on, to=("unfinished_part",), text={"zh": "新任务", "en": "New task"}, kind="task"),)
    if "count_urged" in effects:
        return (Notify(on=on, to=("lead_department",), text={"zh": "督办", "en": "Urged"}, kind="urged"),)
    if "request" in effects:
        return (Notify(on=on, to=("approver",), text=spec.name, kind="approve"),)
    state = definition.states.get(change.state)
    if state is None or all(move.to is None for move in spec.moves):
        return ()
    to = tuple(line for line in turn_lines(definition, change.state) if line.relation not in ("any", "own_division"))
    ended = not state.open
    kind = "closed" if ended else "turn"
    return (Notify(on=on, to=("reporter", "party") if ended else to, text=state.name, kind=kind),)


def _matches(line: Notify, change: CaseChanged, definition: Definition, session: Session) -> bool:
    if change.command in line.on:
        return True
    states = [name for name in line.on if name not in definition.commands and name in definition.states]
    if change.state not in states:
        return False
    row = session.get(CaseTransition, (change.case_id, change.version))
    return row is None or row.from_state != change.state


def _written(
    session: Session, case: Case, definition: Definition, change: CaseChanged, line: Notify, n: int
) -> list[NoticeDraft]:
    """The notices of one line, a receiver each; the one who gave the command is not told of it."""
    known = _known(session, case, definition, change)
    by = known.pop("actor_id", None)
    heading = " / ".join(filled(line.text[lang], known) for lang in ("zh", "en") if line.text.get(lang))
    heading = heading or definition.commands[change.command].name.get("zh", change.command)
    named = any("{title}" in text for text in line.text.values())
    title = heading if named else f"{heading}: {change.title}"
    return [
        NoticeDraft(
            key=f"{change.case_id}:{change.version}:{change.command}:{n}:{target.key()}",
            kind=(line.kind or "case")[:24],
            title=title,
            body=f"{change.number} {change.title} {target.duty}".strip(),
            case_id=change.case_id,
            user_id=target.user_id,
            department_id=target.department_id,
            role="" if target.user_id or target.department_id else target.role,
            severity=int(change.severity),
            channels=line.channel,
        )
        for target in targets(session, case, definition, line.to)
        if target.user_id is None or target.user_id != by
    ]


def _known(session: Session, case: Case, definition: Definition, change: CaseChanged) -> dict[str, Any]:
    """What a text may name.  Of a confidential case nothing but its number is told."""
    state = definition.states.get(change.state)
    known: dict[str, Any] = {
        "title": change.title, "number": change.number, "state": state.name.get("zh", "") if state else change.state,
        "kind": definition.name.get("zh", ""), "deadline": _local(case.deadline_at),
    }  # fmt: skip
    row = session.get(CaseTransition, (change.case_id, change.version))
    if row is not None:
        known["actor_id"] = row.actor_id
        if not case.confidential:
            known |= {k: v for k, v in {**case.form, **row.data}.items() if isinstance(v, str | int | float)}
    return known


def _local(moment: datetime | None) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if moment else ""


def filled(text: str, known: Mapping[str, Any]) -> str:
    """``text`` with each ``{name}`` replaced; an unknown one becomes an ellipsis."""
    return _PLACE.sub(lambda found: str(known.get(found[1], "…")), text)


def _to_arbiter(session: Session, case: Case, definition: Definition, change: CaseChanged) -> list[NoticeDraft]:
    """When a case was handed back as often as its definition bears, the named arbiter is asked to decide, once a time.

    The arbiter's department is named in the routing table; who is on duty there is told in person.
    """
    spec = definition.commands.get(change.command)
    if not case.bounces or case.bounces < definition.bounce_limit or spec is None or "bounce" not in spec.effect_names:
        return []
    department = routing_in_force().arbiter
    present = on_duty(session, department, change.changed_at)
    arbiter = definition.arbiter.name.get("zh", "") if definition.arbiter else ""
    return [
        NoticeDraft(
            key=f"{change.case_id}:arbiter:{case.bounces}",
            kind="arbitrate",
            title=f"请仲裁 / Please arbitrate: {change.title}",
            body=f"{change.number} {change.title}: {arbiter} ({case.bounces}/{definition.bounce_limit})",
            case_id=change.case_id,
            department_id=department,
            user_id=present[0].user_id if present else None,
            severity=int(change.severity),
        )
    ]
