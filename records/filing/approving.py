"""Approve, take back, exempt: an approval needs all below approved, locks them, and is taken back from the top."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from records.filing.commands import get_filing
from records.filing.errors import FilingLocked, NotYetApproved
from records.filing.period_state import Desk, approved_units, exempted, mark_stale, note_event, own_turn
from storage.tables.filing import FilingApproval, FilingExemption


def approve(session: Session, desk: Desk, unit: str, period: str) -> None:
    """Approve a unit: a leaf that has filed, or a unit above all of whose parts are approved or exempt."""
    desk.tree.must_have(unit)
    own_turn(session, desk)
    if unit in approved_units(session, desk.dataset.id, period):
        return
    below = desk.tree.children.get(unit)
    if below:
        _must_be_approved(session, desk, below, period)
    else:
        filing = get_filing(session, desk, unit, period)
        if filing is None or filing.state != "filed":
            raise NotYetApproved(count=1, units=desk.tree.names.get(unit, unit))
        filing.state, filing.version, filing.updated_at = "approved", filing.version + 1, desk.at
    session.add(FilingApproval(dataset_id=desk.dataset.id, period=period, unit_id=unit, at=desk.at, by=desk.actor_id))
    note_event(session, desk, unit, period, "approved")
    session.flush()


def _must_be_approved(session: Session, desk: Desk, below: Sequence[str], period: str) -> None:
    done = approved_units(session, desk.dataset.id, period)
    free = exempted(session, desk.dataset.id, period)
    files = set(desk.dataset.units)
    lacking = []
    for child in below:
        leaves = desk.tree.leaves_below(child)
        expected = [leaf for leaf in leaves if leaf not in free and (not files or leaf in files)]
        if expected and child not in done:
            lacking.append(child)
    if lacking:
        names = [desk.tree.names.get(one, one) for one in lacking[:20]]
        raise NotYetApproved(count=len(lacking), units="、".join(names) + ("…" if len(lacking) > len(names) else ""))


def take_back(session: Session, desk: Desk, unit: str, period: str, note: str = "") -> None:
    """Take an approval back, the highest first; a leaf is filed again and may be returned."""
    own_turn(session, desk)
    done = approved_units(session, desk.dataset.id, period)
    if unit not in done:
        raise InputInvalid(field="unit", detail=f"{unit} is not approved", how="choose an approved unit")
    upper = next((above for above in desk.tree.above(unit) if above in done), None)
    if upper is not None:
        raise FilingLocked(unit=unit, period=period, why=f"{upper} above is approved")
    where = (FilingApproval.dataset_id == desk.dataset.id, FilingApproval.period == period)
    session.execute(delete(FilingApproval).where(*where, FilingApproval.unit_id == unit))
    filing = get_filing(session, desk, unit, period)
    if filing is not None and filing.state == "approved":
        filing.state, filing.version, filing.updated_at = "filed", filing.version + 1, desk.at
    note_event(session, desk, unit, period, "taken_back", note=note)
    session.flush()


def exempt(session: Session, desk: Desk, unit: str, period: str, reason: str) -> None:
    """Free a unit from a period (empty: from all); not one that is approved."""
    desk.tree.must_have(unit)
    if len(reason.strip()) < 2:
        raise InputInvalid(field="reason", detail="is missing", how="say why the unit need not file")
    own_turn(session, desk)
    if period and unit in approved_units(session, desk.dataset.id, period):
        raise FilingLocked(unit=unit, period=period, why="it is approved")
    session.merge(
        FilingExemption(
            dataset_id=desk.dataset.id, unit_id=unit, period=period, reason=reason[:500], by=desk.actor_id, at=desk.at
        )
    )
    note_event(session, desk, unit, period, "exempted", note=reason)
    mark_stale(session, desk, unit, period)
