"""The duty list (权责清单) of the register ``duty``: what is not on it is not released as an item."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.sealing import Seal
from records.items.catalogue import DutyListed
from records.registers.definition import shipped_registers
from records.registers.preparing import Preparer
from storage.tables.records import RegisterRecord

REGISTER = "duty"


def duty_list(session: Session, seal: Seal, today: date) -> DutyListed:
    """A function that says whether a basic code is a line of the duty list in force today."""
    preparer = Preparer(shipped_registers()[REGISTER], seal, today)

    def listed(basic: str) -> bool:
        key = preparer.natural_key({"number": basic}) if basic else None
        if key is None:
            return False
        row = session.scalar(
            select(RegisterRecord).where(
                RegisterRecord.register_id == REGISTER,
                RegisterRecord.natural_key == key,
                RegisterRecord.state == "active",
            )
        )
        if row is None:
            return False
        begun = row.valid_from is None or row.valid_from <= today
        return begun and (row.valid_to is None or today <= row.valid_to)

    return listed
