"""Save, file, return: what may be changed when, and every change marks the totals above as stale."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.ids import new_id
from records.filing.errors import FilingChanged, FilingIncomplete, FilingLocked
from records.filing.period_state import Desk, as_json, exempted, mark_stale, note_event, own_turn
from records.filing.periods import bounds
from records.filing.timeliness import timeliness
from records.filing.validation import CellProblem, cell_problems
from storage.tables.filing import Filing, FilingValue

EDITABLE = frozenset({"saved", "returned"})


def get_filing(session: Session, desk: Desk, unit: str, period: str) -> Filing | None:
    """The unit's filing of the period, if there is one."""
    return session.scalar(
        select(Filing)
        .where(Filing.dataset_id == desk.dataset.id, Filing.period == period, Filing.unit_id == unit)
        .with_for_update()
        .execution_options(populate_existing=True)  # as it stands now, not as this session may have seen it before
    )


def values_of_filing(session: Session, filing_id: str) -> dict[str, Any]:
    """Question → value."""
    rows = session.execute(select(FilingValue.question, FilingValue.value).where(FilingValue.filing_id == filing_id))
    return {question: json.loads(value) for question, value in rows if value is not None}


def remarks_of(session: Session, filing_id: str) -> dict[str, Any]:
    """``{comments: {question: comment}, returned: [question that was sent back]}``."""
    rows = session.execute(
        select(FilingValue.question, FilingValue.comment, FilingValue.returned).where(
            FilingValue.filing_id == filing_id
        )
    ).all()
    return {"comments": {q: text for q, text, _ in rows if text}, "returned": sorted(q for q, _, sent in rows if sent)}


def save(
    session: Session,
    desk: Desk,
    unit: str,
    period: str,
    cells: Mapping[str, Any],
    *,
    expected_version: int | None = None,
    comments: Mapping[str, str] | None = None,
    source: str = "typed",
) -> Filing:
    """Set cells (None empties one).  :class:`FilingLocked` once filed, approved, expired or exempt."""
    unknown = sorted(set(cells) - set(desk.dataset.questions))
    if unknown:
        raise InputInvalid(field=unknown[0], detail="is no question of the data set", how="load the form again")
    kept = _as_kept(session, desk, unit, period, cells, comments or {}) if expected_version is not None else None
    if kept is not None:
        return kept
    filing = _open(session, desk, unit, period)
    if expected_version is not None and filing.version != expected_version:
        raise FilingChanged(version=filing.version, expected=expected_version)
    before = values_of_filing(session, filing.filing_id)
    for question, value in cells.items():
        comment = (comments or {}).get(question, "")
        if before.get(question) == value and not comment:
            continue
        session.merge(
            FilingValue(
                filing_id=filing.filing_id, question=question, value=None if value is None else as_json(value),
                comment=comment[:500], source=source, returned=False,
            )
        )  # fmt: skip
        note_event(session, desk, unit, period, "cell", question, before.get(question), value)
    filing.version, filing.updated_at = filing.version + 1, desk.at
    session.flush()
    return filing


def _as_kept(
    session: Session, desk: Desk, unit: str, period: str, cells: Mapping[str, Any], comments: Mapping[str, str]
) -> Filing | None:
    """The filing that holds all of this already: a change whose answer was lost comes again and changes nothing."""
    filing = get_filing(session, desk, unit, period)
    if filing is None:
        return None
    sql = select(FilingValue.question, FilingValue.value, FilingValue.comment)
    rows = session.execute(sql.where(FilingValue.filing_id == filing.filing_id))
    known = {question: (None if value is None else json.loads(value), comment) for question, value, comment in rows}
    same = all(known.get(q, (None, ""))[0] == value for q, value in cells.items())
    told = all(known.get(q, (None, ""))[1] == comment[:500] for q, comment in comments.items())
    return filing if same and told and cells else None


def _open(session: Session, desk: Desk, unit: str, period: str) -> Filing:
    """The unit's editable filing; a new one when there is none yet."""
    _must_file(session, desk, unit, period)
    _, end = bounds(desk.dataset.period, period)
    filing = get_filing(session, desk, unit, period)
    if filing is None:  # two who begin it at the same moment begin one
        own_turn(session, desk)
        filing = get_filing(session, desk, unit, period)
    if timeliness(end, None, desk.dataset.rule, desk.today).locked and (filing is None or filing.state != "returned"):
        raise FilingLocked(unit=unit, period=period, why="its time has run out")
    if filing is None:
        filing = Filing(
            filing_id=new_id(), dataset_id=desk.dataset.id, dataset_version=desk.dataset.version, unit_id=unit,
            period=period, state="saved", version=0, updated_at=desk.at,
        )  # fmt: skip
        session.add(filing)
        session.flush()
    if filing.state not in EDITABLE:
        raise FilingLocked(unit=unit, period=period, why=f"it is {filing.state}")
    return filing


def _must_file(session: Session, desk: Desk, unit: str, period: str) -> None:
    desk.tree.must_have(unit)
    if unit in desk.tree.children or (desk.dataset.units and unit not in desk.dataset.units):
        raise InputInvalid(field="unit", detail=f"{unit} does not file this data set", how="choose a unit that files")
    if unit in exempted(session, desk.dataset.id, period):
        raise FilingLocked(unit=unit, period=period, why="the unit is exempt")


def problems_of(session: Session, desk: Desk, unit: str, period: str, values: Mapping[str, Any]) -> list[CellProblem]:
    """The problems of ``values`` beside the unit's last twelve filings."""
    rows = session.scalars(
        select(Filing)
        .where(Filing.dataset_id == desk.dataset.id, Filing.unit_id == unit, Filing.period < period,
               Filing.state.in_(("filed", "approved")))
        .order_by(Filing.period.desc())
        .limit(12)
    ).all()  # fmt: skip
    earlier = [values_of_filing(session, row.filing_id) for row in rows]
    return cell_problems(desk.dataset, values, earlier, desk.today.isoformat())


def submit(session: Session, desk: Desk, unit: str, period: str, expected_version: int | None = None) -> Filing:
    """File: no blocking problem, and a comment on every warned cell."""
    own_turn(session, desk)
    done = get_filing(session, desk, unit, period)
    if done is not None and done.state == "filed" and done.filed_by == desk.actor_id:
        return done  # the answer to the first time was lost
    filing = _open(session, desk, unit, period)
    if expected_version is not None and filing.version != expected_version:
        raise FilingChanged(version=filing.version, expected=expected_version)
    values = values_of_filing(session, filing.filing_id)
    rows = session.execute(
        select(FilingValue.question).where(FilingValue.filing_id == filing.filing_id, FilingValue.comment != "")
    )
    explained = {question for (question,) in rows}
    open_problems = [
        p
        for p in problems_of(session, desk, unit, period, values)
        if p.severity == "block" or p.question not in explained
    ]
    if open_problems:
        raise FilingIncomplete(count=len(open_problems), problems=[p.as_dict() for p in open_problems])
    _, end = bounds(desk.dataset.period, period)
    judged = timeliness(end, desk.today, desk.dataset.rule, desk.today)
    filing.state, filing.filed_at, filing.filed_by = "filed", desk.at, desk.actor_id
    filing.on_time = judged.on_time if filing.on_time is None else filing.on_time  # the first filing counts
    filing.version, filing.updated_at, filing.note = filing.version + 1, desk.at, ""
    note_event(session, desk, unit, period, "filed")
    mark_stale(session, desk, unit, period)
    return filing


def send_back(session: Session, desk: Desk, unit: str, period: str, note: str, questions: Sequence[str] = ()) -> Filing:
    """Return a filed filing with a note and the cells that are meant; an approved one is taken back first."""
    own_turn(session, desk)
    filing = get_filing(session, desk, unit, period)
    if filing is None or filing.state != "filed":
        state = filing.state if filing else "not filed"
        raise FilingLocked(unit=unit, period=period, why=f"it is {state}")
    if len(note.strip()) < 2:
        raise InputInvalid(field="note", detail="is missing", how="say what is to be corrected")
    filing.state, filing.note, filing.version, filing.updated_at = "returned", note[:500], filing.version + 1, desk.at
    if questions:
        where = (FilingValue.filing_id == filing.filing_id, FilingValue.question.in_(questions))
        session.execute(update(FilingValue).where(*where).values(returned=True))
    note_event(session, desk, unit, period, "returned", note=note)
    mark_stale(session, desk, unit, period)
    return filing
