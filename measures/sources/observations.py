"""Observations (what cameras, devices, people and platforms reported) as a source."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, false, func, true
from sqlalchemy.orm import Session

from core.records import Actor
from events.cases.access import SEE_ALL
from measures.conditions import Field
from measures.source import Asked, Shown, Source, beijing_hour
from storage.tables.observations import ObservationRow as Row
from storage.tables.registry import Site


def fields(asked: Asked) -> Mapping[str, Field]:
    """What observations are filtered and grouped by."""
    return {
        "kind": Field(Row.kind, "text", "现象", "kind"),
        "state": Field(Row.state, "text", "状态", "state"),
        "source": Field(Row.source_type, "text", "来源", "source"),
        "observed": Field(Row.observed_at, "time", "发生时间", "observed"),
        "site_kind": Field(Site.kind, "text", "点位类型", "kind of site"),
        "street": Field(func.substr(Site.division_code, 1, 9), "text", "街镇", "street"),
        "hour": Field(beijing_hour(asked, Row.observed_at), "text", "小时", "hour"),
    }


def _visible(_session: Session, actor: Actor) -> ColumnElement[bool]:
    """Command-centre roles; whoever sees only a department's or a division's cases sees no raw observations."""
    return true() if SEE_ALL & set(actor.roles) else false()


SOURCE = Source(
    id="observations", zh="感知信号", en="observations",
    table=Row.__table__.outerjoin(Site.__table__, Site.site_id == Row.site_id),
    key=Row.observation_id, fields=fields, visible=_visible, newest=Row.observed_at,
    shown=(
        Shown("observed", Row.observed_at, "发生时间", "observed"), Shown("kind", Row.kind, "现象", "kind"),
        Shown("source_id", Row.source_id, "来源", "source"), Shown("state", Row.state, "状态", "state"),
    ),
    words={"kind": "kind", "source": "source", "site_kind": "sitekind"},
)  # fmt: skip
