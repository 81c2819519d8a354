"""Who of many open pages may hear of which changed cases: one question for all who have the same rights, not one for
each, so that a thousand phones cost a tick little more than one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.late import Late
from core.records import Actor

if TYPE_CHECKING:
    from events.cases import access
    from storage.tables import cases as tables
else:
    access, tables = Late("events.cases.access"), Late("storage.tables.cases")

_NOBODY = ""  # no person's id: what this actor sees is seen by the office, not by the person


def rights_of(
    session: Session, actors: Sequence[Actor], plain: Collection[str], secret: Collection[str]
) -> dict[str, frozenset[str]]:
    """Ids of the cases among ``plain`` and ``secret`` (confidential) that each actor may see, by user id.

    The same as asking :func:`events.cases.access.visible_cases` for each: of plain cases the command centre sees all,
    others what their roles, department and division see and what they themselves reported or handle; of confidential
    ones each is asked for himself.
    """
    office: dict[tuple[tuple[str, ...], str | None, str | None], frozenset[str]] = {}
    personal = _personal(session, plain)
    allowed: dict[str, frozenset[str]] = {}
    for actor in actors:
        if access.SEE_ALL & set(actor.roles):
            seen = frozenset(plain)
        else:
            key = (actor.roles, actor.department_id, actor.division_code)
            if key not in office:
                office[key] = _asked(session, msgspec.structs.replace(actor, user_id=_NOBODY), plain)
            seen = office[key] | personal.get(actor.user_id, frozenset())
        allowed[actor.user_id] = seen | _asked(session, actor, secret)
    return allowed


def _asked(session: Session, actor: Actor, ids: Collection[str]) -> frozenset[str]:
    if not ids:
        return frozenset()
    case_id = tables.Case.case_id
    return frozenset(session.scalars(select(case_id).where(case_id.in_(ids), access.visible_cases(actor))))


def _personal(session: Session, plain: Collection[str]) -> dict[str, frozenset[str]]:
    """Plain cases by who reported or handles them."""
    found: dict[str, set[str]] = {}
    case = tables.Case
    query = select(case.case_id, case.reporter_id, case.handler_id).where(case.case_id.in_(plain))
    for case_id, reporter_id, handler_id in session.execute(query) if plain else ():
        for user_id in (reporter_id, handler_id):
            if user_id:
                found.setdefault(user_id, set()).add(case_id)
    return {user_id: frozenset(ids) for user_id, ids in found.items()}
