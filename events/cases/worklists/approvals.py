"""What waits for a person's approval: requests of open cases that this person may grant or refuse now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core.records import JSON, Actor, Record
from events.cases.access import visible_cases
from events.cases.definition import Definition
from events.cases.definition_store import definition_of
from events.cases.lifecycle import allowed
from events.cases.queries import summaries, summary
from events.cases.read_models import CaseSummary
from events.cases.state import case_state
from storage.tables.cases import Case, CaseTransition
from storage.tables.people import User

MOST = 200


class PendingApproval(Record, frozen=True, omit_defaults=False):
    """A request (``name``: the approval of the kind, such as ``extension``) and the commands that answer it.

    ``asked``: what was asked for (value, unit, until, reason); ``level``: how many have agreed already.
    """

    case: CaseSummary
    name: str
    asked: dict[str, JSON]
    requested_by: str
    requested_by_name: str
    requested_at: str
    level: int
    commands: list[str]


def pending_approvals(
    session: Session, actor: Actor, now: datetime, definitions: Mapping[str, Definition]
) -> list[PendingApproval]:
    """The longest waiting first, at most :data:`MOST`; nobody is shown a request that he made himself."""
    asking = [
        and_(Case.definition_id == kind.definition_id, CaseTransition.command == name)
        for kind in definitions.values()
        for name, spec in kind.commands.items()
        if spec.approval and "request" in spec.effects
    ]
    if not asking:
        return []
    asked = (
        select(CaseTransition.case_id)
        .join(Case, Case.case_id == CaseTransition.case_id)
        .where(Case.open.is_(True), or_(*asking))
    )
    query = summaries().where(visible_cases(actor, definitions), Case.open.is_(True), Case.case_id.in_(asked))
    found: list[PendingApproval] = []
    for row in session.execute(query.order_by(Case.opened_at).limit(5 * MOST)).all():
        line = summary(row)
        found += _of_case(session, line, actor, now, definitions)
    return sorted(found, key=lambda one: one.requested_at)[:MOST]


def _of_case(
    session: Session, line: CaseSummary, actor: Actor, now: datetime, definitions: Mapping[str, Definition]
) -> list[PendingApproval]:
    case = session.get(Case, line.case_id)
    pending = case.form.get("pending") if case is not None else None
    if case is None or not pending:
        return []
    definition = definition_of(session, case, definitions)
    may = allowed(case_state(session, case, now), actor, definition)
    found = []
    for name, entry in pending.items():
        specs = {c: definition.commands[c] for c in may}
        answers = [c for c, spec in specs.items() if spec.approval == name and "request" not in spec.effects]
        mine = actor.user_id in (entry.get("requested_by"), *entry.get("approved_by", []))
        if not answers or mine:
            continue
        user = session.get(User, entry["requested_by"])
        facts = {key: entry[key] for key in ("value", "unit", "until", "reason") if entry.get(key) is not None}
        found.append(PendingApproval(
            case=line, name=name, asked=facts, requested_by=entry["requested_by"],
            requested_by_name=user.name if user is not None else "", requested_at=entry["at"],
            level=int(entry.get("level", 0)), commands=answers,
        ))  # fmt: skip
    return found
