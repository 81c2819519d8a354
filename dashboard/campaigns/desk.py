"""What pages and routes ask of the campaigns; judged by who asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.errors import Forbidden, InputInvalid, NotFound
from core.forms.model import form_json
from core.ids import new_id
from core.records import JSON, Actor, Command
from dashboard.registers.desk import ChainAudit
from dashboard.services import Services
from records.campaigns.campaign import CampaignPlan, checked_answers, parse_plan, problems_of, report_of
from records.campaigns.errors import CampaignMoveIllegal
from records.registers.access import visible_records
from records.registers.definition import shipped_registers
from records.registers.disclosure import must_have_reason
from records.registers.search import below
from storage.session import read_scope, session_scope
from storage.tables.filing import Campaign, CampaignVisit
from storage.tables.records import RegisterRecord

MAKERS = frozenset({"admin", "manager"})
VISITORS = frozenset({"admin", "manager", "staff", "inspector"})
MOST_VISITS = 2000
KIND = "supervision_visit"


@dataclass(frozen=True)
class CampaignDesk:
    """The campaigns as one person may use them: those of the own department; the command centre and admins all."""

    services: Services
    actor: Actor

    @property
    def today(self) -> date:
        return self.services.clock.now().astimezone(BEIJING).date()

    def _may(self, row: Campaign) -> bool:
        roles = set(self.actor.roles)
        return bool(roles & {"admin", "operator", "dispatcher", "inspector"}) or (
            bool(roles & {"manager", "staff"}) and self.actor.department_id == row.department_id
        )

    def _get(self, session: Session, campaign_id: str) -> tuple[Campaign, CampaignPlan]:
        row = session.get(Campaign, campaign_id)
        if row is None or not self._may(row):
            raise NotFound(what="campaign", key=campaign_id)
        return row, parse_plan(row.body)

    @contextmanager
    def _writing(self, campaign_id: str, roles: frozenset[str]) -> Iterator[tuple[Session, Campaign, CampaignPlan]]:
        if not set(self.actor.roles) & roles:
            raise Forbidden(action="work on campaigns")
        with session_scope(self.services.engine) as session:
            row, plan = self._get(session, campaign_id)
            if row.state != "open":
                raise CampaignMoveIllegal(campaign=plan.zh, state=row.state)
            yield session, row, plan

    def _note(self, session: Session, action: str, body: Mapping[str, Any]) -> None:
        now = self.services.clock.now()
        ChainAudit().append(session, now, self.actor.user_id, f"campaign_{action}", dict(body))

    def make(self, body: Mapping[str, Any], due: date) -> str:
        """A campaign of one's own department; answers its id."""
        if not set(self.actor.roles) & MAKERS:
            raise Forbidden(action="make a campaign")
        plan = parse_plan(body)
        if due < self.today:
            raise InputInvalid(field="due", detail=f"{due} has passed", how="name a day that is to come")
        campaign_id = new_id()
        with session_scope(self.services.engine) as session:
            session.add(
                Campaign(campaign_id=campaign_id, body=dict(body), department_id=self.actor.department_id or "",
                         due=due, made_at=self.services.clock.now(), made_by=self.actor.user_id)
            )  # fmt: skip
            self._note(session, "made", {"campaign": campaign_id, "id": plan.id, "due": due.isoformat()})
        return campaign_id

    def add(self, campaign_id: str, places: Sequence[Mapping[str, Any]], division: str = "", count: int = 0) -> int:
        """Lines of the visit list: ``places`` by name, and records of the campaign's register in ``division`` that
        the person may see (at most ``count``), each once; answers how many are new."""
        with self._writing(campaign_id, MAKERS) as (session, row, plan):
            sql = select(CampaignVisit.record_id).where(CampaignVisit.campaign_id == campaign_id)
            known = set(session.scalars(sql))
            lines = [_line(place) for place in places] + self._records(session, plan, division, count, known)
            if len(known) + len(lines) > MOST_VISITS:
                raise InputInvalid(field="count", detail="too many visits", how=f"a list has at most {MOST_VISITS}")
            for line in lines:
                session.add(
                    CampaignVisit(visit_id=new_id(), campaign_id=row.campaign_id, answers={}, problems=[], **line)
                )
            return len(lines)

    def _records(
        self, session: Session, plan: CampaignPlan, division: str, count: int, known: set[str | None]
    ) -> list[dict[str, Any]]:
        if not plan.register or count < 1:
            return []
        sql = select(RegisterRecord).where(
            RegisterRecord.register_id == plan.register, RegisterRecord.state == "active",
            visible_records(self.actor, shipped_registers()),
        )  # fmt: skip
        sql = sql.where(below(division)) if division else sql
        found = session.scalars(sql.order_by(RegisterRecord.name, RegisterRecord.record_id).limit(MOST_VISITS))
        fresh = [row for row in found if row.record_id not in known][: min(count, MOST_VISITS)]
        return [
            {"record_id": row.record_id, "name": row.name, "address": str(row.data.get("address") or "")[:200],
             "division_code": row.division_code} for row in fresh
        ]  # fmt: skip

    def visit(self, campaign_id: str, visit_id: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        """The check-list of one visit; its problems become a supervision case with a case for each of them."""
        with self._writing(campaign_id, VISITORS) as (session, row, plan):
            kept = checked_answers(plan, answers, self.today.isoformat())
            done = session.get(CampaignVisit, visit_id)
            if (
                done is not None
                and (done.state, done.visited_by, done.answers) == ("visited", self.actor.user_id, kept)
                and done.campaign_id == campaign_id
            ):  # the answer to the first time was lost
                return {"visit_id": visit_id, "problems": done.problems, "case_id": done.case_id}
            line = self._visit(session, row, visit_id)
            line.answers, line.problems = kept, problems_of(plan, kept, row.department_id)
            line.state, line.visited_at, line.visited_by = "visited", self.services.clock.now(), self.actor.user_id
            if line.problems:
                line.case_id = self._case(session, row, plan, line)
            return {"visit_id": visit_id, "problems": line.problems, "case_id": line.case_id}

    def _visit(self, session: Session, row: Campaign, visit_id: str) -> CampaignVisit:
        line = session.get(CampaignVisit, visit_id, with_for_update=True)
        if line is None or line.campaign_id != row.campaign_id:
            raise NotFound(what="visit", key=visit_id)
        if line.state != "planned":
            raise CampaignMoveIllegal(campaign=line.name, state=line.state)
        return line

    def _case(self, session: Session, row: Campaign, plan: CampaignPlan, line: CampaignVisit) -> str:
        told = "；".join(p["title"] for p in line.problems)[:4000]
        data: dict[str, JSON] = {
            "title": f"{plan.zh}：{line.name}"[:200], "place": line.name, "campaign": plan.zh, "problems_text": told,
            "department_id": row.department_id, "division_code": line.division_code or None, "letter": plan.letter,
        }  # fmt: skip
        why: dict[str, JSON] = {"campaign": {"id": row.campaign_id, "visit": line.visit_id}}
        case_id = self.services.cases.open_for(session, KIND, data, self.actor, why).case_id
        problems: list[JSON] = [
            {"title": f"{line.name}：{p['title']}"[:200], "department_id": p["department_id"]} for p in line.problems
        ]
        body: dict[str, JSON] = {"problems": problems, "findings": str(line.answers.get("note") or told)}
        command = Command(name="list_problems", case_id=case_id, actor_id=self.actor.user_id, data=body)
        self.services.cases.execute_in(session, command, self.actor)
        return case_id

    def letter(self, campaign_id: str, visit_id: str) -> dict[str, Any]:
        """The warning letter of a visit with problems, issued in its case; answers the case."""
        with self._writing(campaign_id, VISITORS) as (session, _row, plan):
            line = session.get(CampaignVisit, visit_id)
            if line is None or line.campaign_id != campaign_id or not line.case_id:
                raise NotFound(what="visit with problems", key=visit_id)
            told = "；".join(p["title"] for p in line.problems)[:4000]
            body: dict[str, JSON] = {"problems_text": told, "letter": plan.letter, "campaign": plan.zh}
            command = Command(name="warn", case_id=line.case_id, actor_id=self.actor.user_id, data=body)
            self.services.cases.execute_in(session, command, self.actor)
            return {"visit_id": visit_id, "problems": line.problems, "case_id": line.case_id}

    def waive(self, campaign_id: str, visit_id: str, reason: str) -> None:
        """A place that is not visited, with the reason."""
        text = must_have_reason(reason)
        with self._writing(campaign_id, MAKERS) as (session, row, _plan):
            line = self._visit(session, row, visit_id)
            line.state, line.note = "waived", text

    def close(self, campaign_id: str, reason: str) -> None:
        """End the campaign; what is still planned stays in the report as not visited."""
        text = must_have_reason(reason)
        with self._writing(campaign_id, MAKERS) as (session, row, _plan):
            row.state = "closed"
            self._note(session, "closed", {"campaign": campaign_id, "reason": text})

    def listed(self) -> list[dict[str, Any]]:
        """The campaigns that the person may see, the newest first, with their figures."""
        with read_scope(self.services.engine) as session:
            rows = [r for r in session.scalars(select(Campaign).order_by(Campaign.made_at.desc())) if self._may(r)]
            return [self._whole(session, row, parse_plan(row.body)) for row in rows[:200]]

    def one(self, campaign_id: str) -> dict[str, Any]:
        """A campaign with check-list, visits and report."""
        with read_scope(self.services.engine) as session:
            row, plan = self._get(session, campaign_id)
            found = self._whole(session, row, plan)
            return {**found, "form": form_json(plan.form), "visits": _visits(session, row)}

    def _whole(self, session: Session, row: Campaign, plan: CampaignPlan) -> dict[str, Any]:
        return {
            "campaign_id": row.campaign_id, "zh": plan.zh, "en": plan.en, "register": plan.register,
            "department_id": row.department_id, "due": row.due, "state": row.state,
            "report": report_of(plan, _visits(session, row), self.today.isoformat()),
        }  # fmt: skip


def _visits(session: Session, row: Campaign) -> list[dict[str, Any]]:
    sql = select(CampaignVisit).where(CampaignVisit.campaign_id == row.campaign_id)
    sql = sql.order_by(CampaignVisit.division_code, CampaignVisit.name, CampaignVisit.visit_id)
    return [
        {"visit_id": v.visit_id, "record_id": v.record_id, "name": v.name, "address": v.address,
         "division_code": v.division_code, "state": v.state, "due": row.due, "answers": v.answers,
         "problems": v.problems, "note": v.note, "visited_at": v.visited_at, "case_id": v.case_id}
        for v in session.scalars(sql)
    ]  # fmt: skip


def _line(place: Mapping[str, Any]) -> dict[str, Any]:
    name = str(place.get("name") or "").strip()[:200]
    if not name:
        raise InputInvalid(field="places", detail="a place has no name", how="give each a name")
    return {"name": name, "address": str(place.get("address") or "")[:200], "record_id": None,
            "division_code": str(place.get("division_code") or "")[:12]}  # fmt: skip
