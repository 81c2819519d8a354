"""双公示 as one person may see it: the registers' decisions, judged today by the district's calendar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from core.records import Actor
from core.sealing import Seal
from dashboard.form_service import calendar_of
from dashboard.services import Services
from records.publicity.judging import PUBLICITY, JudgedDecision, judge
from records.registers.access import visible_records
from records.registers.definition import shipped_registers
from records.registers.storing import values_of
from storage.session import read_scope
from storage.tables.records import RegisterRecord

MOST = 20_000  # decisions of a register that are judged, the newest ones


@dataclass(frozen=True)
class PublicityDesk:
    """The decisions that a person may see."""

    services: Services
    actor: Actor

    def judged(self, kind: str) -> list[JudgedDecision]:
        """The newest :data:`MOST` decisions of ``kind`` (licence, penalty), in the order in which they came."""
        seal = Seal(self.services.settings.records_key)
        calendar = calendar_of(self.services)
        today = self.services.clock.now().astimezone(calendar.zone).date()
        return judge(kind, self._rows(PUBLICITY[kind].register_id, seal), today, calendar)

    def _rows(self, register_id: str, seal: Seal) -> list[tuple[str, dict[str, Any]]]:
        register = {register_id: shipped_registers()[register_id]}
        sql = (
            select(RegisterRecord)
            .where(
                RegisterRecord.register_id == register_id,
                RegisterRecord.state == "active",
                visible_records(self.actor, register),
            )
            .order_by(RegisterRecord.record_id.desc())
            .limit(MOST)
        )
        with read_scope(self.services.engine) as session:
            found = [(row.record_id, values_of(row, seal)) for row in session.scalars(sql)]
        return found[::-1]
