"""My grid (我的网格): what a grid worker or inspector needs of the own division, small enough to be kept on a phone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.deed import LONGEST, Told, judged
from core.forms.model import form_json
from core.records import GeoPoint, Severity
from dashboard.registers.desk import ChainAudit, RegisterDesk
from events.cases.drafts import CaseDraft
from records.registers.access import DIVISION_ROLES, visible_records
from records.registers.asking import correction_form, visit_form
from records.registers.definition import Register, shipped_registers
from records.registers.search import Query, below, count, page
from storage.session import read_scope
from storage.tables.records import RegisterRecord
from storage.tables.registry import Division

_ABOUT = ("floor", "room", "address", "use", "floors", "kind")  # where it is: never a number, never health or care
_CASE_OF_VISIT = "city_management"


@dataclass(frozen=True)
class FieldDesk(RegisterDesk):
    """The registers as they are used on the street: the own division only, whatever else one may read."""

    @property
    def division(self) -> str:
        """The person's own division; empty for whoever has none."""
        return self.actor.division_code or ""

    def own_registers(self) -> list[Register]:
        """The registers that are kept by division and of which this person sees the own one."""
        if not self.division or not set(self.actor.roles) & DIVISION_ROLES:
            return []
        return [one for one in self.registers() if any(one.of_type("division", "grid"))]

    def summary(self) -> dict[str, Any]:
        """Divisions, registers with counts and what is due, and the forms of a visit and of a correction."""
        known = self.own_registers()
        with read_scope(self.services.engine) as session:
            totals = self._counts(session, None)
            due = self._counts(session, self.today)
            names = session.execute(select(Division.code, Division.name).where(_of(self.division))).tuples().all()
        return {
            "division": self.division,
            "divisions": [{"code": code, "name": name} for code, name in names],
            "today": self.today,
            "registers": [
                {
                    "register_id": one.id, "zh": one.zh, "en": one.en, "title": one.title, "key": one.key,
                    "count": totals.get(one.id, 0), "due": due.get(one.id, 0), "visited": one.visit is not None,
                    "visit_form": form_json(visit_form(one)) if one.visit else None,
                    "correction_form": form_json(correction_form(one)),
                    "fields": [
                        {"name": f.name, "zh": f.zh, "en": f.en, "sensitive": f.sensitive, "choices": f.choices,
                         "choices_en": f.choices_en}
                        for f in one.fields
                    ],
                }
                for one in known
            ],
        }  # fmt: skip

    def _counts(self, session: Session, until: date | None) -> dict[str, int]:
        ids = [one.id for one in self.own_registers()]
        sql = (
            select(RegisterRecord.register_id, func.count())
            .where(RegisterRecord.register_id.in_(ids), RegisterRecord.state == "active", below(self.division))
            .where(visible_records(self.actor, shipped_registers()))
            .group_by(RegisterRecord.register_id)
        )
        if until is not None:
            sql = sql.where(RegisterRecord.visit_due <= until)
        return dict(session.execute(sql).tuples().all()) if ids else {}

    def own_records(self, query: Query) -> tuple[list[dict[str, Any]], int]:
        """The least of each record: what a list shows and a search without a network needs; no number at all."""
        allowed = {one.id for one in self.own_registers()}
        if query.register_id not in allowed:
            self.register(str(query.register_id) if query.register_id else "?")
            return [], 0
        seen = visible_records(self.actor, shipped_registers())
        own = replace(query, division=self.division, may_see=seen, due_before=query.due_before)
        with read_scope(self.services.engine) as session:
            rows = page(session, own, self.seal)
            return [_least(row) for row in rows], count(session, own, self.seal)

    def note_visit(
        self, record_id: str, visit_id: str, answers: Mapping[str, Any], result: str, told: Told | None
    ) -> dict[str, Any]:
        """A visit on the day on which it was made; one with result ``exception`` opens a case with its place."""
        now = self.services.clock.now()
        with self._writing(record_id) as (session, row, register):
            deed = judged(told or Told(), now, now - LONGEST)
            done, fresh = self.noted(session, row, register, visit_id, answers, result, deed.recorded_at)
            case_id = self._exception(session, row, register, answers) if fresh and result == "exception" else None
            return {"visit_id": done.visit_id, "next_due": done.next_due, "case_id": case_id}

    def _exception(
        self, session: Session, row: RegisterRecord, register: Register, answers: Mapping[str, Any]
    ) -> str | None:
        """The case names register and community, never the person; the record is found by its id."""
        place = session.get(Division, row.division_code)
        named = "" if register.confidentiality == "personal" else f" {row.name}"
        at = GeoPoint(lon=row.lon, lat=row.lat) if row.lon is not None and row.lat is not None else None
        draft = CaseDraft(
            title=f"走访异常：{register.zh}{named} {place.name if place else row.division_code}"[:200],
            definition_id=_CASE_OF_VISIT, severity=Severity.BLUE, description=str(answers.get("note") or "")[:2000],
            location=at, division_code=row.division_code or None, grid_code=row.grid_code or None,
            source_type="visit", source_id=row.record_id, why={"visit": {"register": register.id}},
        )  # fmt: skip
        case_id = self.services.cases.open_case(session, draft).case_id
        body = {"record_id": row.record_id, "case_id": case_id}
        ChainAudit().append(session, self.services.clock.now(), self.actor.user_id, "record_visit_case", body)
        return case_id


def _of(division: str) -> Any:
    return Division.code.startswith(division or "-", autoescape=True)


def _least(row: RegisterRecord) -> dict[str, Any]:
    fields = {field.name: field for field in shipped_registers()[row.register_id].fields}
    told = {name: row.data[name] for name in _ABOUT if name in row.data and not fields[name].sensitive}
    return {
        "record_id": row.record_id, "register_id": row.register_id, "name": row.name, "pinyin": row.pinyin,
        "initials": row.initials, "version": row.version, "division_code": row.division_code,
        "grid_code": row.grid_code, "building": row.building_id or str(row.data.get("number") or ""),
        "visit_due": row.visit_due, "lon": row.lon, "lat": row.lat, "about": told,
    }  # fmt: skip
