"""What pages and routes ask of the benefits; judged by who asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.codes.masking import mask_name
from core.errors import Forbidden, InputInvalid, NotFound
from core.language.reading import own_name
from core.records import Actor
from core.sealing import Seal
from dashboard.benefits.cases import CasesOfPayers
from dashboard.items.desk import department_names, person_names
from dashboard.registers.desk import ChainAudit, RegisterDesk
from dashboard.services import Services
from records.benefits.errors import BenefitMoveIllegal
from records.benefits.refusing import ALL, Refuser, end_refusal, refusals_of, refuse
from records.benefits.rules import Benefit, benefits_in, period_of_day, periods_before
from records.benefits.simulating import explained, simulate
from records.benefits.switching import MOVES, keep_simulation, may_pay, may_run, move, state_of
from records.registers.definition import shipped_registers
from records.registers.disclosure import export_csv, must_have_reason
from records.registers.storing import Origin
from storage.session import read_scope, session_scope
from storage.tables.items import BenefitFile, BenefitGrant, BenefitSwitch
from storage.tables.records import RegisterRecord

NOTERS = frozenset({"admin", "manager", "staff", "operator", "grid_worker", "inspector"})  # who may note a refusal
MOST_PERIODS = 36
MOST_HANDED = 20_000


@dataclass(frozen=True)
class BenefitDesk:
    """The benefits as one person may use them."""

    services: Services
    actor: Actor

    @property
    def today(self) -> date:
        return self.services.clock.now().astimezone(BEIJING).date()

    def _benefits(self) -> dict[str, Benefit]:
        return benefits_in(self.services.settings.data_dir / "benefits")

    def benefit(self, benefit_id: str) -> Benefit:
        """A benefit; :class:`NotFound`."""
        found = self._benefits().get(benefit_id)
        if found is None:
            raise NotFound(what="benefit", key=benefit_id)
        return found

    @contextmanager
    def _writing(self, benefit_id: str) -> Iterator[tuple[Session, Benefit]]:
        with session_scope(self.services.engine) as session:
            yield session, self.benefit(benefit_id)

    def listed(self) -> list[dict[str, Any]]:
        """Every benefit: rule, state, simulation, the figures of the period that runs, the payer's lists."""
        with read_scope(self.services.engine) as session:
            benefits = self._benefits().values()
            names = department_names(session, {b.payer for b in benefits})
            return [self._line(session, benefit, names.get(benefit.payer, benefit.payer)) for benefit in benefits]

    def one(self, benefit_id: str) -> dict[str, Any]:
        """One line of the list."""
        with read_scope(self.services.engine) as session:
            benefit = self.benefit(benefit_id)
            names = department_names(session, {benefit.payer})
            return self._line(session, benefit, names.get(benefit.payer, benefit.payer))

    def _line(self, session: Session, benefit: Benefit, payer: str) -> dict[str, Any]:
        row, period = session.get(BenefitSwitch, benefit.id), period_of_day(benefit, self.today)
        state = state_of(row, benefit)
        people = person_names(session, {n for n in (row.asked_by, row.decided_by) if n}) if row else {}
        return {
            "benefit_id": benefit.id, "zh": benefit.zh, "en": benefit.en, "register": benefit.register,
            "period": benefit.period, "payer": benefit.payer, "payer_name": payer, "then": benefit.then,
            "source": own_name(benefit.source, benefit.source_en),
            "amount": benefit.amount.text, "digest": benefit.digest,
            "conditions": [{"zh": c.zh, "en": c.en, "holds": c.holds.text} for c in benefit.conditions],
            "state": state, "simulation": list(row.simulation) if row and state != "changed" else [],
            "simulated_at": row.simulated_at if row else None, "asked_at": row.asked_at if row else None,
            "asked_by": people.get(row.asked_by, row.asked_by) if row else "",
            "decided_by": people.get(row.decided_by, row.decided_by) if row else "",
            "decided_at": row.decided_at if row else None, "reason": row.reason if row else "",
            "evaluated_at": row.evaluated_at if row else None, "current": period,
            "figures": _figures(session, benefit.id, period), "files": _files(session, benefit),
            "allowed": self._allowed(benefit, row, state), "sees_people": may_pay(self.actor, benefit),
        }  # fmt: skip

    def _allowed(self, benefit: Benefit, row: BenefitSwitch | None, state: str) -> list[str]:
        """The moves that this person may make now."""
        if not may_run(self.actor, benefit):
            return []
        found = ["simulate", *(name for name, states in MOVES.items() if state in states)]
        if "admin" not in self.actor.roles and "on" in found:
            found.remove("on")
        if row is not None and row.asked_by == self.actor.user_id and "confirm" in found:
            found.remove("confirm")
        return found

    def simulate(self, benefit_id: str, periods: int) -> dict[str, Any]:
        """What the rule would have given in the last ``periods``; kept, so that it can be switched on."""
        benefit = self.benefit(benefit_id)
        if not may_run(self.actor, benefit):
            raise Forbidden(action=f"simulate {benefit_id}")
        if not 1 <= periods <= MOST_PERIODS:
            raise InputInvalid(field="periods", detail=str(periods), how=f"ask for 1 to {MOST_PERIODS}")
        with read_scope(self.services.engine) as session:
            found = simulate(session, benefit, periods_before(benefit, self.today, periods))
        with session_scope(self.services.engine) as session:
            keep_simulation(session, benefit, found, self.actor, self.services.clock.now())
        return {"benefit_id": benefit_id, "periods": [asdict(each) for each in found]}

    def move(self, benefit_id: str, action: str, reason: str) -> dict[str, Any]:
        """ask, confirm, refuse, on or off."""
        with self._writing(benefit_id) as (session, benefit):
            row = move(session, benefit, action, reason, self.actor, self.services.clock.now(), ChainAudit())
            return {"benefit_id": benefit_id, "state": state_of(row, benefit)}

    def grants(
        self, benefit_id: str, period: str, state: str, limit: int = 200, offset: int = 0
    ) -> tuple[list[dict[str, Any]], int]:
        """Who gets it in a period and why, for whoever pays; names are masked."""
        benefit = self.benefit(benefit_id)
        if not may_pay(self.actor, benefit):
            raise Forbidden(action=f"see who gets {benefit_id}")
        wanted = period or period_of_day(benefit, self.today)
        where = [BenefitGrant.benefit_id == benefit_id, BenefitGrant.period == wanted]
        where += [BenefitGrant.state == state] if state else []
        sql = (
            select(BenefitGrant, RegisterRecord)
            .join(RegisterRecord, RegisterRecord.record_id == BenefitGrant.record_id)
            .where(*where).order_by(BenefitGrant.grant_id).limit(limit).offset(offset)
        )  # fmt: skip
        with read_scope(self.services.engine) as session:
            total = session.scalar(select(func.count()).select_from(BenefitGrant).where(*where)) or 0
            return [_grant(grant, row) for grant, row in session.execute(sql)], total

    def explained(self, benefit_id: str, record_id: str, day: date | None) -> dict[str, Any]:
        """Why a record that the person may see is entitled on ``day`` (or today) or not; its periods, refusals."""
        benefit = self.benefit(benefit_id)
        self._must_see(benefit, record_id)
        with read_scope(self.services.engine) as session:
            said = explained(session, benefit, record_id, day or self.today)
            sql = select(BenefitGrant).where(BenefitGrant.benefit_id == benefit_id, BenefitGrant.record_id == record_id)
            grants = session.scalars(sql.order_by(BenefitGrant.period.desc()).limit(24)).all()
            refusals = [r for r in refusals_of(session, record_id) if r.benefit_id in (benefit_id, ALL)]
            return {
                "benefit_id": benefit_id, "record_id": record_id, "day": day or self.today, **asdict(said),
                "periods": [{"period": g.period, "state": g.state, "amount": g.amount, "case_id": g.case_id}
                            for g in grants],
                "refusals": [{"benefit_id": r.benefit_id, "reason": r.reason, "channel": r.channel, "at": r.at,
                              "ended_at": r.ended_at, "ended_reason": r.ended_reason} for r in refusals],
            }  # fmt: skip

    def _must_see(self, benefit: Benefit, record_id: str) -> None:
        """Whoever pays sees the records of the grants, everybody else what the registers show."""
        if may_pay(self.actor, benefit):
            with read_scope(self.services.engine) as session:
                sql = select(BenefitGrant.grant_id).where(
                    BenefitGrant.benefit_id == benefit.id, BenefitGrant.record_id == record_id
                )
                if session.scalars(sql.limit(1)).first():
                    return
        RegisterDesk(self.services, self.actor).must_exist(record_id)

    def refuse(
        self, benefit_id: str, record_id: str, reason: str, channel: str, *, all_benefits: bool = False,
        end: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        """Note that the person wants none (of any, ``all_benefits``), or ``end`` that; open cases of it end with it."""
        if not set(self.actor.roles) & NOTERS:
            raise Forbidden(action="note a refusal")
        benefit, which = self.benefit(benefit_id), ALL if all_benefits else benefit_id
        self._must_see(benefit, record_id)
        by = Refuser(self.actor.user_id, self.services.clock.now(), channel)
        with session_scope(self.services.engine) as session:
            if end:
                end_refusal(session, which, record_id, reason, by)
                self._again(session, which)
                taken = []
            else:
                taken = refuse(session, which, record_id, reason, by)
                cases = CasesOfPayers(self.services.cases)
                for grant in taken:
                    if grant.case_id:
                        cases.end(session, grant.case_id, "decline", reason)
            body = {"benefit": which, "record_id": record_id, "channel": channel, "reason": reason[:300]}
            name = "benefit_refusal_ended" if end else "benefit_refused"
            ChainAudit().append(session, by.at, self.actor.user_id, name, body)
            return {"record_id": record_id, "refused": not end, "taken_back": [g.period for g in taken]}

    def _again(self, session: Session, which: str) -> None:
        """The next look of the worker judges the register anew."""
        sql = select(BenefitSwitch).where(BenefitSwitch.state == "on")
        for row in session.scalars(sql):
            if which in (ALL, row.benefit_id):
                row.evaluated_on = None

    def hand_over(self, benefit_id: str, period: str, reason: str, whole: bool) -> bytes:
        """The payer's list of a period that is over, as CSV, each grant once; numbers in full only when ``whole``.

        Raises:
            BenefitMoveIllegal: the period still runs, or nothing is ready.
        """
        with self._writing(benefit_id) as (session, benefit):
            if not may_pay(self.actor, benefit):
                raise Forbidden(action=f"hand {benefit_id} over")
            must_have_reason(reason)
            kept = session.get(BenefitFile, (benefit_id, period))
            if kept is None or kept.state != "closed":
                how = "hand it over once the period has ended and was judged a last time"
                raise BenefitMoveIllegal(benefit=benefit_id, state=f"open in {period}", detail="no list yet", how=how)
            ready = self._ready(session, benefit, period)
            if not ready:
                raise BenefitMoveIllegal(
                    benefit=benefit_id, state="handed over", detail="nothing is ready", how="confirm the open cases"
                )
            body = self._csv(session, benefit, ready, reason, whole)
            kept.handed_at, kept.handed_by = self.services.clock.now(), self.actor.user_id
            for grant, _ in ready:
                grant.state, grant.changed_at = "handed", kept.handed_at
            return body

    def _ready(self, session: Session, benefit: Benefit, period: str) -> list[tuple[BenefitGrant, RegisterRecord]]:
        state = "proposed" if benefit.then == "file" else "confirmed"
        sql = (
            select(BenefitGrant, RegisterRecord)
            .join(RegisterRecord, RegisterRecord.record_id == BenefitGrant.record_id)
            .where(BenefitGrant.benefit_id == benefit.id, BenefitGrant.period == period, BenefitGrant.state == state)
            .order_by(BenefitGrant.grant_id).limit(MOST_HANDED)
        )  # fmt: skip
        return [(grant, row) for grant, row in session.execute(sql)]

    def _csv(
        self, session: Session, benefit: Benefit, ready: list[tuple[BenefitGrant, RegisterRecord]], reason: str,
        whole: bool,
    ) -> bytes:  # fmt: skip
        before: dict[str, dict[str, Any]] = {
            "政策": {g.record_id: benefit.zh for g, _ in ready}, "期间": {g.record_id: g.period for g, _ in ready},
            "金额（元）": {g.record_id: g.amount for g, _ in ready},
            "依据": {g.record_id: "；".join(c["zh"] for c in g.why) for g, _ in ready},
        }  # fmt: skip
        origin = Origin(self.actor.user_id, self.services.clock.now(), "benefit")
        seal = Seal(self.services.settings.records_key)
        return export_csv(
            session, [row for _, row in ready], shipped_registers()[benefit.register], reason, self.actor, origin,
            seal, ChainAudit(), whole, before,
        )  # fmt: skip


def _figures(session: Session, benefit_id: str, period: str) -> dict[str, dict[str, float]]:
    sql = (
        select(BenefitGrant.state, func.count(), func.sum(BenefitGrant.amount))
        .where(BenefitGrant.benefit_id == benefit_id, BenefitGrant.period == period)
        .group_by(BenefitGrant.state)
    )
    return {state: {"count": n, "amount": float(total or 0)} for state, n, total in session.execute(sql)}


def _files(session: Session, benefit: Benefit) -> list[dict[str, Any]]:
    sql = select(BenefitFile).where(BenefitFile.benefit_id == benefit.id).order_by(BenefitFile.period.desc()).limit(12)
    return [
        {"period": f.period, "state": f.state, "closed_at": f.closed_at, "handed_at": f.handed_at,
         "figures": _figures(session, benefit.id, f.period)} for f in session.scalars(sql)
    ]  # fmt: skip


def _grant(grant: BenefitGrant, row: RegisterRecord) -> dict[str, Any]:
    personal = shipped_registers()[row.register_id].confidentiality == "personal"
    return {
        "grant_id": grant.grant_id, "record_id": grant.record_id, "period": grant.period, "amount": grant.amount,
        "name": mask_name(row.name) if personal else row.name, "division_code": row.division_code, "why": grant.why,
        "state": grant.state, "case_id": grant.case_id, "made_at": grant.made_at, "changed_at": grant.changed_at,
    }  # fmt: skip
