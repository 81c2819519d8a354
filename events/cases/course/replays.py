"""A command that comes again because its answer was lost: what was carried out under its key, whoever has the case now.

The case may have left the person's department through this very command, or through somebody else's move since.  Only
the deed's own author is answered.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import Actor, Command
from events.cases.access import visible_cases
from events.cases.definition import Definition
from events.cases.errors import IdempotencyConflict
from events.cases.queries import summary_of
from events.cases.read_models import CaseView
from storage.tables.cases import Case, CaseTransition


def was_carried_out(session: Session, case_id: str, key: str | None, actor: Actor) -> bool:
    """Did ``actor`` move ``case_id`` under ``key`` before?"""
    earlier = _under_key(session, case_id, key)
    return earlier is not None and earlier.actor_id == actor.user_id


def replayed(
    session: Session, command: Command, actor: Actor, definitions: Mapping[str, Definition]
) -> CaseView | None:
    """The answer to ``command`` when its key was used before; :class:`IdempotencyConflict` when that was another
    command, or another person's.  Of a case that ``actor`` may no longer see it tells no more than the move did."""
    earlier = _under_key(session, command.case_id, command.idempotency_key)
    if earlier is None:
        return None
    if earlier.command != command.name or earlier.actor_id != actor.user_id:
        raise IdempotencyConflict(key=command.idempotency_key, earlier=earlier.command)
    found = summary_of(session, earlier.case_id)
    seen = select(Case.case_id).where(Case.case_id == earlier.case_id, visible_cases(actor, definitions))
    if session.scalar(seen) is None:
        found = msgspec.structs.replace(
            found, version=earlier.seq, state=earlier.to_state, department_id=None, department_name=None,
            handler_id=None, handler_name=None, updated_at=earlier.at, deadline_at=None,
        )  # fmt: skip
    return msgspec.structs.replace(found, replayed=True)


def _under_key(session: Session, case_id: str, key: str | None) -> CaseTransition | None:
    if key is None:
        return None
    wanted = select(CaseTransition).where(CaseTransition.case_id == case_id, CaseTransition.idempotency_key == key)
    return session.scalars(wanted).one_or_none()
