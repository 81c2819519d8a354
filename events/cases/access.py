"""Who may see which case: one SQL filter, used by lists, details, commands, media and the live stream alike."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, and_, exists, false, or_, select, true
from sqlalchemy.orm import Session

from core.records import Actor
from events.cases.definition import Definition, Who
from events.cases.kinds_in_force import definitions_in_force
from storage.tables.cases import Case, CaseAssignment, CaseParty

Person = ColumnElement[str] | None

SEE_ALL = frozenset({"admin", "operator", "dispatcher", "manager", "viewer", "system"})
SEE_DEPARTMENT = frozenset({"staff", "manager"})
SEE_DIVISION = frozenset({"inspector", "grid_worker"})


def discreet_title(case: Case) -> str:
    """The case's title where readers are not asked for their rights: the bus, notices, webhooks."""
    return "保密案件 / Confidential case" if case.confidential else case.title


def visible_cases(
    actor: Actor, definitions: Mapping[str, Definition] | None = None, me: Person = None
) -> ColumnElement[bool]:
    """The condition on ``case_file`` under which ``actor`` may see a row.

    ``me``: the person as a bind parameter, for a statement that serves all of the same roles, department and division.

    A kind whose definition has ``visibility.plain`` is seen by those whom it names.  Of other kinds, cases that are not
    confidential: command-centre roles see all, staff their department's, inspectors and grid
    workers their division's (an inspector without a division the whole district), everybody what he
    reported or handles.  Confidential ones: whom the definition names, and ``system``.
    """
    roles = set(actor.roles)
    if "system" in roles:
        return true()
    kinds = definitions_in_force() if definitions is None else definitions
    plain: list[ColumnElement[bool]] = [related_sql(actor, "reporter", me), related_sql(actor, "handler", me)]
    if roles & SEE_ALL:
        plain = [true()]
    else:
        if roles & SEE_DEPARTMENT:
            plain.append(related_sql(actor, "assigned_department"))
        if roles & SEE_DIVISION:
            plain.append(_division_sql(actor))
    confidential, own = (_of_kinds(actor, kinds, which, me) for which in ("confidential", "plain"))
    if any("plain" in kind.visibility for kind in kinds.values()):
        others = Case.definition_id.not_in([k.definition_id for k in kinds.values() if "plain" in k.visibility])
        plain = [and_(others, or_(*plain)), *own]
    return or_(
        and_(Case.confidential.is_(False), or_(*plain)),
        and_(Case.confidential.is_(True), or_(false(), *confidential)),
    )


def _of_kinds(actor: Actor, kinds: Mapping[str, Definition], which: str, me: Person) -> list[ColumnElement[bool]]:
    """What the kinds' own lines of visibility let ``actor`` see; kinds with the same lines are one condition."""
    alike: dict[tuple[Who, ...], list[str]] = {}
    for kind in kinds.values():
        if which in kind.visibility:
            alike.setdefault(kind.visibility[which], []).append(kind.definition_id)
    found = ((names, _lines(actor, who, me)) for who, names in alike.items())
    return [and_(Case.definition_id.in_(names), or_(*lines)) for names, lines in found if lines]


def _lines(actor: Actor, who: tuple[Who, ...], me: Person) -> list[ColumnElement[bool]]:
    lines = []
    for line in who:
        if line.roles and not set(line.roles) & set(actor.roles):
            continue
        condition = related_sql(actor, line.relation, me)
        lines.append(and_(condition, Case.state.in_(line.from_)) if line.from_ else condition)
    return lines


def related_sql(actor: Actor, relation: str, me: Person = None) -> ColumnElement[bool]:
    """The relations of :func:`events.cases.lifecycle.related` as SQL; ``me`` as in :func:`visible_cases`."""
    person: ColumnElement[str] | str = actor.user_id if me is None else me
    match relation:
        case "any":
            return true()
        case "assigned_department" if actor.department_id:
            part = (
                exists()
                .where(CaseAssignment.case_id == Case.case_id, CaseAssignment.department_id == actor.department_id)
                .correlate(Case)
            )
            return or_(Case.department_id == actor.department_id, part)
        case "lead_department" if actor.department_id:
            return Case.department_id == actor.department_id
        case "handler":
            return Case.handler_id == person
        case "reporter":
            return Case.reporter_id == person
        case "party":
            party = exists().where(CaseParty.case_id == Case.case_id, CaseParty.user_id == person)
            return party.correlate(Case)
        case "asked":
            part = exists().where(CaseAssignment.case_id == Case.case_id, CaseAssignment.user_id == person)
            return part.correlate(Case)
        case "own_division":
            return _division_sql(actor)
        case _:
            return false()


def _division_sql(actor: Actor) -> ColumnElement[bool]:
    if actor.division_code:
        return Case.division_code.startswith(actor.division_code, autoescape=True)
    return true() if "inspector" in actor.roles else false()


def may_see(session: Session, actor: Actor, case_id: str) -> bool:
    """May ``actor`` see the case (False also when there is none)?"""
    return bool(session.scalar(select(exists().where(Case.case_id == case_id, visible_cases(actor)))))
