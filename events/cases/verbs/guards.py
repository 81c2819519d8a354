"""Conditions that definitions may name.  Pure: the case's state, the command and the actor in, a typed error out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.forms.expression import parse
from core.forms.scope import Scope
from core.records import Actor, Command
from events.cases.course.relations import CaseState, may, who_text
from events.cases.definition import Definition
from events.cases.errors import BounceLimit, GuardFailed

Guard = Callable[[CaseState, Command, Actor, Definition, Mapping[str, Any]], None]


def _evidence(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    """Where a reason may stand for the photograph, a photograph is asked: no document stands for one."""
    purpose, reason = str(guard["purpose"]), str(guard.get("unless", ""))
    sent = [e for e in command.data.get("evidence") or () if not reason or not _is_document(e)]
    papers = 0 if reason else case.evidence.get(f"{purpose}:document", 0)
    if case.evidence.get(purpose) or papers or sent or command.data.get(reason):
        return
    raise GuardFailed(
        command=command.name,
        detail=f"there is no photograph ({purpose}) since the work was given out",
        how=f"attach one with purpose {purpose!r}, or say why there is none in {guard.get('unless')!r}",
    )


def _is_document(sent: Any) -> bool:
    return isinstance(sent, Mapping) and sent.get("kind") == "document"


def _parts_finished(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    states = guard.get("states", ("accepted",))
    late = [p.department_id for p in case.parts if p.role == "assist" and p.state in states]
    if late:
        raise GuardFailed(
            command=command.name,
            detail=f"assisting departments are still at work: {', '.join(late)}",
            how="let them finish, or ask the dispatcher to transfer without them",
        )


def _within_clock(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    kind = str(guard["clock"])
    if kind not in case.deadlines:
        raise GuardFailed(command=command.name, detail=f"the {kind} window is closed", how="use return with a reason")
    end = case.deadlines[kind]
    if end is not None and case.now > end:
        raise GuardFailed(
            command=command.name, detail=f"the {kind} window ended at {end.isoformat()}", how="use return with a reason"
        )


def _before_deadline(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    end = case.deadlines.get(str(guard["clock"]))
    if end is not None and case.now > end:
        raise GuardFailed(
            command=command.name,
            detail=f"the deadline was {end.isoformat()}; it can no longer be moved",
            how="finish the work; the reason for being late goes into the result",
        )


def _below_bounce_limit(
    case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]
) -> None:
    if case.bounces >= d.bounce_limit:
        raise BounceLimit(bounces=case.bounces, arbiter=d.arbiter.name.get("en", "") if d.arbiter else "admin")


def _arbiter(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    if case.bounces < d.bounce_limit or d.arbiter is None or {"admin", *d.arbiter.roles} & set(actor.roles):
        return
    raise BounceLimit(bounces=case.bounces, arbiter=d.arbiter.name.get("en", ""))


def _pending(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    name = str(guard["approval"])
    request = case.pending.get(name)
    if request is None:
        raise GuardFailed(command=command.name, detail=f"no {name} was asked for", how=f"request_{name} comes first")
    level = int(request.get("level", 0))
    if not may(actor, case, d.approvals[name].levels[level]):
        raise GuardFailed(
            command=command.name,
            detail=f"level {level + 1} of {len(d.approvals[name].levels)} is for somebody else",
            how=f"it waits for: {who_text(d.approvals[name].levels[level])}",
        )
    if actor.user_id in (request.get("requested_by"), *request.get("approved_by", [])):
        raise GuardFailed(
            command=command.name, detail="nobody approves twice or his own request", how="ask somebody else"
        )


def _no_pending(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    name = str(guard["approval"])
    if name in case.pending:
        raise GuardFailed(command=command.name, detail=f"an {name} is already asked for", how="wait for its answer")


def _not_handler(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    """``also: parent``: nor the case that this one is about (a rated one)."""
    worked = (*case.worked_by, *(case.parent_worked_by if guard.get("also") == "parent" else ()))
    if actor.user_id in worked:
        raise GuardFailed(command=command.name, detail="you handled it yourself", how="somebody else checks it")


def _children_closed(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    if case.open_children:
        raise GuardFailed(
            command=command.name,
            detail=f"parts of it are open: {', '.join(case.open_children)}",
            how="close them first; each closes by itself",
        )


def _form_complete(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    names = guard.get("fields") or (d.commands["report"].required if "report" in d.commands else ())
    missing = [name for name in names if _empty(command.data.get(name, case.form.get(name)))]
    if missing:
        raise GuardFailed(
            command=command.name,
            detail=f"not filled in yet: {', '.join(missing)}",
            how="fill them in first",
            missing=missing,
        )


def _empty(value: Any) -> bool:
    return value is None or value == "" or value == []


def _documents(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    brought = {str(each.get("type", "")) for each in command.data.get("documents") or [] if isinstance(each, Mapping)}
    missing = [name for name in guard.get("types", ()) if name not in brought and name not in case.documents]
    if missing:
        names = [d.documents.get(name, {}).get("zh", name) for name in missing]
        raise GuardFailed(
            command=command.name,
            detail=f"documents are missing: {', '.join(names)}",
            how="add them to the file first",
            missing=missing,
        )


def _record_valid(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    name = str(guard["field"])
    if not case.records.get(name, False):
        raise GuardFailed(
            command=command.name,
            detail=f"the record that {name} names is not there or no longer valid",
            how="name a record that is in force, or renew it first",
            field=name,
        )


def _holds(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    if parse(str(guard["expr"])).truth(Scope({**case.form, **command.data}, today=case.today)):
        return
    text = guard.get("message") or {}
    words = dict(text) if isinstance(text, Mapping) else {"en": text, "zh": text}
    first = next((str(each) for each in words.values() if each), str(guard["expr"]))
    raise GuardFailed(
        command=command.name,
        detail=str(words.get("en") or first),
        detail_zh=str(words.get("zh") or first),
        how="correct what it asks for",
        text=text,
    )


def _not_extended(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    if int(case.form.get("extended", 0)) >= int(guard.get("times", 1)):
        raise GuardFailed(command=command.name, detail="it was extended already", how="answer within the time there is")


def _clock_running(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    kind = str(guard["clock"])
    if kind not in case.deadlines:
        raise GuardFailed(command=command.name, detail=f"the clock {kind} does not run", how="it begins elsewhere")


def _parties_answered(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    asked: Any = case.form.get("asked") or {}
    waiting = len(asked.get("users", ())) + len(asked.get("subjects", ()))
    if waiting:
        raise GuardFailed(
            command=command.name, detail=f"{waiting} of those who were asked have not answered",
            how="wait for them, or withdraw the question",
        )  # fmt: skip


GUARDS: dict[str, Guard] = {
    "children_closed": _children_closed,
    "evidence": _evidence,
    "parties_answered": _parties_answered,
    "parts_finished": _parts_finished,
    "within_clock": _within_clock,
    "before_deadline": _before_deadline,
    "below_bounce_limit": _below_bounce_limit,
    "arbiter_above_bounce_limit": _arbiter,
    "pending": _pending,
    "no_pending": _no_pending,
    "not_extended": _not_extended,
    "not_handler": _not_handler,
    "clock_running": _clock_running,
    "documents": _documents,
    "form_complete": _form_complete,
    "holds": _holds,
    "record_valid": _record_valid,
}
FORMAL = frozenset({"evidence", "form_complete", "documents", "record_valid", "holds"})  # may still be filled in
FIRM = frozenset(GUARDS) - FORMAL
