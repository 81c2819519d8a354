"""The run of a benefit that is on: who is entitled in the period, what is new, what is gone, what is handed over.

A run is idempotent: a record has one grant a period.  It goes in parts with a transaction each, so a run that is cut
off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.codes.masking import mask_name
from core.ids import new_id
from records.benefits.refusing import refused_by
from records.benefits.rules import Benefit, Explanation, Judge, explain, last_day, period_of_day, periods_before
from records.benefits.simulating import changes_of, counts_on, values_on
from records.ports import PayerCases
from storage.session import read_scope, session_scope
from storage.tables.items import BenefitFile, BenefitGrant
from storage.tables.records import RegisterRecord

MOST_CASES = 200  # opened in one run: the rest follows with the next
STANDING = ("proposed", "confirmed")
_PART = 1000


@dataclass
class BenefitRun:
    """What a run did; ``over``: entitled people whose case waits for the next run."""

    period: str
    entitled: int = 0
    new: int = 0
    gone: int = 0
    refused: int = 0
    opened: int = 0
    over: int = 0


@dataclass
class _Round:
    """What the parts of one run share."""

    benefit: Benefit
    period: str
    at: datetime
    cases: PayerCases | None
    done: BenefitRun
    judge: Judge = field(init=False)

    def __post_init__(self) -> None:
        self.judge = Judge(self.benefit)

    @property
    def day(self) -> date:
        return last_day(self.period)


def run_benefit(
    engine: Engine, benefit: Benefit, period: str, at: datetime, cases: PayerCases | None = None,
    only: Collection[str] | None = None,
) -> BenefitRun:  # fmt: skip
    """Judge the register (or the records ``only``) for ``period`` as of its last day; see the module."""
    round_ = _Round(benefit, period, at, cases, BenefitRun(period))
    with session_scope(engine) as session:
        open_file(session, benefit.id, period, at)
    for ids in _ids(engine, benefit.register, only):
        with session_scope(engine) as session:
            _part(session, round_, ids)
    return round_.done


def open_file(session: Session, benefit_id: str, period: str, at: datetime) -> BenefitFile:
    """The payer's list of the period."""
    row = session.get(BenefitFile, (benefit_id, period))
    if row is None:
        row = BenefitFile(benefit_id=benefit_id, period=period, opened_at=at)
        session.add(row)
        session.flush()
    return row


def ended_periods(session: Session, benefit: Benefit, today: date) -> list[str]:
    """Periods whose list is open although they are over, the oldest first: judged once more, then closed."""
    sql = select(BenefitFile.period).where(BenefitFile.benefit_id == benefit.id, BenefitFile.state == "open")
    now = period_of_day(benefit, today)
    return sorted(period for period in session.scalars(sql) if period < now)


def close_file(session: Session, benefit_id: str, period: str, at: datetime) -> None:
    """The period was judged a last time; its list can be handed over."""
    row = open_file(session, benefit_id, period, at)
    row.state, row.closed_at = "closed", at


def _ids(engine: Engine, register: str, only: Collection[str] | None) -> Iterator[list[str]]:
    """Ids of active records, and of those that have a grant: what ended or was restricted must be seen as gone."""
    if only is not None:
        wanted = sorted(only)
        yield from (wanted[at : at + _PART] for at in range(0, len(wanted), _PART))
        return
    last = ""
    while True:
        sql = select(RegisterRecord.record_id).where(
            RegisterRecord.register_id == register, RegisterRecord.state == "active", RegisterRecord.record_id > last
        )
        with read_scope(engine) as session:
            ids = list(session.scalars(sql.order_by(RegisterRecord.record_id).limit(_PART)))
        if not ids:
            break
        yield ids
        last = ids[-1]
    with read_scope(engine) as session:
        gone = (
            select(BenefitGrant.record_id)
            .join(RegisterRecord, BenefitGrant.record_id == RegisterRecord.record_id)
            .where(RegisterRecord.register_id == register, RegisterRecord.state != "active")
            .where(BenefitGrant.state.in_(STANDING))
            .distinct()
        )
        ids = list(session.scalars(gone))
    yield from (ids[at : at + _PART] for at in range(0, len(ids), _PART))


def _part(session: Session, round_: _Round, ids: Sequence[str]) -> None:
    benefit = round_.benefit
    own = RegisterRecord.register_id == benefit.register
    rows = list(session.scalars(select(RegisterRecord).where(RegisterRecord.record_id.in_(ids), own)))
    history = changes_of(session, [row.record_id for row in rows])
    grants, refused = _grants(session, benefit.id, round_.period, ids), refused_by(session, benefit.id)
    for row in rows:
        events = history.get(row.record_id, [])
        values = values_on(row.data, events, round_.day) if events else row.data
        stands = row.state == "active" and counts_on(row, round_.day)
        amount = round_.judge(values, round_.day) if stands else None
        grant = grants.get(row.record_id)
        if amount is None:
            round_.done.gone += _taken_back(session, round_, grant, "gone", "lapse")
            continue
        round_.done.entitled += 1
        if row.record_id in refused:
            round_.done.refused += 1
            _taken_back(session, round_, grant, "refused", "decline")
        elif grant is None or grant.state in ("gone", "refused"):
            _grant(session, round_, row, values, amount, grant)
        elif grant.state in STANDING and grant.amount != amount:
            grant.amount, grant.changed_at = amount, round_.at
            grant.why = explain(benefit, values, round_.day).conditions
    session.flush()


def _grants(session: Session, benefit_id: str, period: str, ids: Sequence[str]) -> dict[str, BenefitGrant]:
    sql = select(BenefitGrant).where(
        BenefitGrant.benefit_id == benefit_id, BenefitGrant.period == period, BenefitGrant.record_id.in_(ids)
    )
    return {grant.record_id: grant for grant in session.scalars(sql)}


def _taken_back(session: Session, round_: _Round, grant: BenefitGrant | None, state: str, command: str) -> bool:
    if grant is None or grant.state not in STANDING:
        return False
    grant.state, grant.changed_at = state, round_.at
    if grant.case_id and round_.cases is not None:
        round_.cases.end(session, grant.case_id, command, round_.benefit.zh)
    return True


def _grant(
    session: Session, round_: _Round, row: RegisterRecord, values: Mapping[str, Any], amount: float,
    grant: BenefitGrant | None,
) -> None:  # fmt: skip
    """A new grant, or one that stands again.  A case is opened once: later periods go on with its answer."""
    benefit, state, case_id = round_.benefit, "proposed", None
    why = explain(benefit, values, round_.day)
    if benefit.then == "case" and round_.cases is not None:
        state, case_id = _before(session, round_, row)
        if case_id is None:
            if round_.done.opened >= MOST_CASES:
                round_.done.over += 1
                return
            case_id = round_.cases.open(session, _title(benefit, row), benefit.payer, _body(round_, why, row))
            round_.done.opened += 1
    if grant is None:
        grant = BenefitGrant(grant_id=new_id(), benefit_id=benefit.id, record_id=row.record_id, period=round_.period,
                             made_at=round_.at)  # fmt: skip
        session.add(grant)
    grant.record_version, grant.digest, grant.day, grant.amount = row.version, benefit.digest, round_.day, amount
    grant.why, grant.state, grant.case_id, grant.changed_at = why.conditions, state, case_id, round_.at
    round_.done.new += 1


def _before(session: Session, round_: _Round, row: RegisterRecord) -> tuple[str, str | None]:
    """What the payer said of this record in this or the period before, as long as it stands.

    What was found not to be so stays so until the record changes; a case that went away asks anew.
    """
    periods = [round_.period, *periods_before(round_.benefit, round_.day, 1)]
    sql = select(BenefitGrant).where(
        BenefitGrant.benefit_id == round_.benefit.id, BenefitGrant.record_id == row.record_id,
        BenefitGrant.period.in_(periods), BenefitGrant.case_id.is_not(None),
    )  # fmt: skip
    last = session.scalars(sql.order_by(BenefitGrant.period.desc()).limit(1)).first()
    if last is None:
        return "proposed", None
    if last.state == "rejected" and last.record_version == row.version:
        return "rejected", last.case_id
    if last.state in ("confirmed", "handed"):
        return "confirmed", last.case_id
    return ("proposed", last.case_id) if last.state == "proposed" else ("proposed", None)


def _title(benefit: Benefit, row: RegisterRecord) -> str:
    return f"{benefit.zh}：{mask_name(row.name)}"[:200]


def _body(round_: _Round, why: Explanation, row: RegisterRecord) -> dict[str, Any]:
    """The fields of the payer's case: which rule, which record, how much, each reason with what it saw."""
    benefit = round_.benefit
    lines = [f"{c['zh']}（{'、'.join(f'{k}={v}' for k, v in c['facts'].items())}）" for c in why.conditions]
    return {
        "benefit": benefit.id, "benefit_name": benefit.zh, "record_id": row.record_id, "period": round_.period,
        "amount": why.amount, "reasons": "；".join(lines)[:4000], "person": mask_name(row.name),
    }  # fmt: skip
