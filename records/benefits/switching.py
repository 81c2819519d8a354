"""Switching a benefit on: after a simulation of this very rule, by its payer, confirmed by somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy.orm import Session

from core.errors import Forbidden, InputInvalid
from core.records import Actor
from records.benefits.errors import BenefitMoveIllegal, BenefitSamePerson
from records.benefits.rules import Benefit
from records.benefits.simulating import SimulatedPeriod
from records.ports import Audit
from storage.tables.items import BenefitSwitch

LEAST_ALONE = 10  # characters of a reason that stands for the second person


def may_run(actor: Actor, benefit: Benefit) -> bool:
    """Whether the actor decides on the benefit: a manager of the department that pays, an administrator."""
    roles = set(actor.roles)
    return "admin" in roles or ("manager" in roles and actor.department_id == benefit.payer)


def may_pay(actor: Actor, benefit: Benefit) -> bool:
    """Whether the actor sees who gets the benefit: everybody of the department that pays, administrators."""
    roles = set(actor.roles)
    return "admin" in roles or (bool(roles & {"staff", "manager"}) and actor.department_id == benefit.payer)


def switch_of(session: Session, benefit: Benefit) -> BenefitSwitch:
    """The benefit's switch; a new one is off."""
    row = session.get(BenefitSwitch, benefit.id)
    if row is None:
        row = BenefitSwitch(benefit_id=benefit.id, simulation=[])
        session.add(row)
        session.flush()
    return row


def state_of(row: BenefitSwitch | None, benefit: Benefit) -> str:
    """off, simulated, asked, on; ``changed``: the rule is another one than what was simulated, so it does not run."""
    if row is None or not row.digest:
        return "off"
    if row.digest != benefit.digest:
        return "changed"
    return "simulated" if row.state == "off" else row.state


def keep_simulation(
    session: Session, benefit: Benefit, periods: Sequence[SimulatedPeriod], actor: Actor, at: datetime
) -> BenefitSwitch:
    """Keep what the rule would have given; a rule that changed since it was switched on is off with it."""
    row = switch_of(session, benefit)
    if row.digest != benefit.digest:
        row.state, row.evaluated_on = "off", None
    row.digest, row.simulation = benefit.digest, [asdict(each) for each in periods]
    row.simulated_at, row.simulated_by = at, actor.user_id
    return row


def move(
    session: Session, benefit: Benefit, action: str, reason: str, actor: Actor, at: datetime, audit: Audit
) -> BenefitSwitch:
    """``ask`` (with a reason), ``confirm`` or ``refuse`` by somebody else, ``off``; an administrator may switch ``on``
    alone with a reason of ten characters or more, which stands in the audit chain.

    Raises:
        Forbidden: the actor is neither a manager of the payer nor an administrator.
        BenefitMoveIllegal: not simulated, not asked for, running already, or off.
        BenefitSamePerson: who asked confirms.
    """
    if not may_run(actor, benefit):
        raise Forbidden(action=f"switch {benefit.id}")
    row, text = switch_of(session, benefit), reason.strip()[:500]
    state = state_of(row, benefit)
    _must_be(benefit, action, state, actor, row, text)
    match action:
        case "ask":
            row.state, row.asked_by, row.asked_at, row.reason = "asked", actor.user_id, at, text
        case "confirm" | "on":
            row.state, row.decided_by, row.decided_at, row.evaluated_on = "on", actor.user_id, at, None
            row.reason = text or row.reason
        case _:
            row.state, row.decided_by, row.decided_at, row.reason = "off", actor.user_id, at, text
    body = {"benefit": benefit.id, "digest": benefit.digest, "reason": text, "asked_by": row.asked_by}
    audit.append(session, at, actor.user_id, f"benefit_{action}", body)
    return row


MOVES = {
    "ask": ("simulated",), "on": ("simulated", "asked"), "confirm": ("asked",), "refuse": ("asked",),
    "off": ("on", "asked", "changed"),
}  # fmt: skip


def _must_be(benefit: Benefit, action: str, state: str, actor: Actor, row: BenefitSwitch, text: str) -> None:
    if action not in MOVES:
        raise InputInvalid(field="action", detail=f"{action!r}", how=f"use one of {', '.join(MOVES)}")
    if state not in MOVES[action]:
        how = "simulate it first" if state in ("off", "changed") else "look at its state"
        raise BenefitMoveIllegal(benefit=benefit.id, state=state, detail=f"{action} does not follow", how=how)
    if action == "confirm" and row.asked_by == actor.user_id:
        raise BenefitSamePerson()
    if action == "on" and "admin" not in actor.roles:
        raise Forbidden(action="switch a benefit on without a second person")
    least = {"on": LEAST_ALONE, "confirm": 0}.get(action, 4)
    if len(text) < least:
        raise InputInvalid(field="reason", detail="is missing or too short", how=f"write at least {least} characters")
