"""Filings as a source: which unit filed which period, in time or not."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from core.records import Actor
from measures.conditions import Field
from measures.source import Asked, Shown, Source
from records.filing.access import OWNERS
from storage.tables.filing import Filing, FilingDataset, FilingUnit


def fields(_asked: Asked) -> Mapping[str, Field]:
    """What filings are filtered and grouped by."""
    return {
        "dataset": Field(Filing.dataset_id, "text", "报表", "data set"),
        "unit": Field(Filing.unit_id, "text", "单位", "unit"),
        "town": Field(FilingUnit.parent_id, "text", "上级单位", "unit above"),
        "period": Field(Filing.period, "text", "报告期", "period"),
        "state": Field(Filing.state, "text", "状态", "state"),
        "on_time": Field(Filing.on_time, "flag", "按时", "on time"),
        "filed": Field(Filing.filed_at, "time", "报送时间", "filed"),
        "updated": Field(Filing.updated_at, "time", "更新时间", "changed"),
    }


def _visible(_session: Session, actor: Actor) -> ColumnElement[bool]:
    """Owners see all; a unit itself and what is directly below it."""
    if set(actor.roles) & OWNERS:
        return true()
    own = actor.division_code
    return or_(Filing.unit_id == own, FilingUnit.parent_id == own) if own else false()


def _units(session: Session, _language: str) -> dict[str, str]:
    return {row.unit_id: row.name for row in session.execute(select(FilingUnit.unit_id, FilingUnit.name))}


def _datasets(session: Session, language: str) -> dict[str, str]:
    rows = session.execute(select(FilingDataset.dataset_id, FilingDataset.body).order_by(FilingDataset.version))
    return {row.dataset_id: str(row.body.get(language) or row.dataset_id) for row in rows}


SOURCE = Source(
    id="filings", zh="填报", en="filings",
    table=Filing.__table__.join(FilingUnit.__table__, FilingUnit.unit_id == Filing.unit_id),
    key=Filing.filing_id, fields=fields, visible=_visible, newest=Filing.updated_at,
    sets="dataset",
    shown=(
        Shown("dataset", Filing.dataset_id, "报表", "data set"), Shown("unit", FilingUnit.name, "单位", "unit"),
        Shown("period", Filing.period, "报告期", "period"), Shown("state", Filing.state, "状态", "state"),
        Shown("on_time", Filing.on_time, "按时", "on time"), Shown("filed", Filing.filed_at, "报送时间", "filed"),
    ),
    names={"unit": _units, "town": _units, "dataset": _datasets}, words={"state": "filing.state"},
)  # fmt: skip
