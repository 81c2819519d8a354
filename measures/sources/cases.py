"""Cases as a source: what is open, how grave, whose, how long it took, whether it was in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, cast, func, or_, select
from sqlalchemy.orm import Session

from events.cases.access import visible_cases
from events.cases.kinds_in_force import definitions_in_force
from events.taxonomy.classes import class_names
from events.taxonomy.codesets import CURRENT
from measures.conditions import Field
from measures.source import (
    Asked,
    Shown,
    Source,
    beijing_hour,
    beijing_weekday,
    department_names,
    division_names,
)
from storage.tables.cases import Case, CaseClock
from storage.tables.registry import Site

GONE = ("cancelled", "rejected", "merged")
HASTY_H = 1.0  # decided sooner than anybody can have looked at it


def fields(asked: Asked) -> Mapping[str, Field]:
    """What cases are filtered and grouped by.

    ``in_time`` is empty while an open case still has time: such a case counts neither way.  A closed one is in time
    when it was closed before the last of its clocks would have run out (the limit of the whole).
    """
    late_open = and_(Case.open, Case.deadline_at < asked.now)
    limits = select(func.max(CaseClock.deadline_at)).where(CaseClock.case_id == Case.case_id).correlate(Case)
    due = func.coalesce(Case.deadline_at, limits.scalar_subquery())  # a closed case shows no deadline any more
    late_closed = and_(Case.closed_at.is_not(None), Case.closed_at > due)
    hasty = and_(Case.closed_at.is_not(None), _hours(asked) < HASTY_H)
    in_time = case(
        (or_(late_open, late_closed), False), (and_(Case.closed_at.is_not(None), due.is_not(None)), True)
    )
    return {
        "open": Field(Case.open, "flag", "在办", "open"),
        "gone": Field(Case.state.in_(GONE), "flag", "作废或并案", "cancelled or merged"),
        "state": Field(Case.state, "text", "状态", "state"),
        "stage": Field(Case.stage, "text", "阶段", "stage"),
        "definition": Field(Case.definition_id, "text", "案件类型", "kind of case"),
        "severity": Field(Case.severity, "number", "级别", "severity"),
        "kind": Field(Case.kind, "text", "来由", "what was seen"),
        "class": Field(Case.class_code, "text", "事部件类别", "class"),
        "source": Field(Case.source_type, "text", "来源", "source"),
        "department": Field(Case.department_id, "text", "部门", "department"),
        "street": Field(func.substr(Case.division_code, 1, 9), "text", "街镇", "street"),
        "community": Field(Case.division_code, "text", "社区", "community"),
        "site_kind": Field(Site.kind, "text", "点位类型", "kind of site"),
        "by_people": Field(Case.reporter_id.is_not(None), "flag", "人工上报", "reported by people"),
        "false_alarm": Field(
            func.coalesce(Case.form["false_alarm"].as_boolean(), False), "flag", "误报", "false alarm"
        ),
        "late": Field(or_(late_open, late_closed), "flag", "超期", "late"),
        "in_time": Field(in_time, "flag", "按期", "in time"),
        "irregular": Field(
            or_(Case.state == "force_closed", Case.reopened > 1, hasty), "flag", "异常", "irregular"
        ),
        "reopened": Field(Case.reopened, "number", "重开次数", "times reopened"),
        "reworks": Field(Case.reworks, "number", "返工次数", "times sent back"),
        "bounces": Field(Case.bounces, "number", "推诿次数", "times passed on"),
        "urged": Field(Case.urged, "number", "督办次数", "times urged"),
        "opened": Field(Case.opened_at, "time", "上报时间", "opened"),
        "closed": Field(Case.closed_at, "time", "结案时间", "closed"),
        "registered": Field(Case.registered_at, "time", "立案时间", "registered"),
        "dispatched": Field(Case.dispatched_at, "time", "派遣时间", "dispatched"),
        "deadline": Field(Case.deadline_at, "time", "期限", "deadline"),
        "hours": Field(_hours(asked), "number", "用时（小时）", "hours taken"),
        "hour": Field(beijing_hour(asked, Case.opened_at), "text", "小时", "hour"),
        "weekday": Field(beijing_weekday(asked, Case.opened_at), "text", "星期", "weekday"),
    }


def _hours(asked: Asked) -> ColumnElement[Any]:
    if asked.postgres:
        return cast(func.extract("epoch", Case.closed_at - Case.opened_at), Float) / 3600.0
    days: ColumnElement[float] = func.julianday(Case.closed_at) - func.julianday(Case.opened_at)
    return days * 24.0


def _classes(_session: Session, _language: str) -> dict[str, str]:
    return {code: name for (code, of), name in class_names().items() if of == CURRENT}


def _definitions(_session: Session, language: str) -> dict[str, str]:
    return {name: kind.name[language] for name, kind in definitions_in_force().items()}


SOURCE = Source(
    id="cases", zh="案卷", en="cases",
    table=Case.__table__.outerjoin(Site.__table__, Site.site_id == Case.site_id),
    key=Case.case_id, fields=fields, link="/cases/{key}",
    visible=lambda _session, actor: visible_cases(actor),
    shown=(
        Shown("number", Case.number, "编号", "number"), Shown("title", Case.title, "标题", "title"),
        Shown("severity", Case.severity, "级别", "severity"), Shown("state", Case.state, "状态", "state"),
        Shown("department", Case.department_id, "部门", "department"),
        Shown("opened", Case.opened_at, "上报时间", "opened"), Shown("deadline", Case.deadline_at, "期限", "deadline"),
        Shown("closed", Case.closed_at, "结案时间", "closed"),
    ),
    names={"department": department_names, "street": division_names, "community": division_names,
           "class": _classes, "definition": _definitions},
    words={"state": "state", "stage": "stage", "kind": "kind", "severity": "severity", "source": "source",
           "weekday": "boards.weekday", "site_kind": "sitekind"},
)  # fmt: skip
