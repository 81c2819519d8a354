"""Answers about rules, plans, duty and indicators."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from events.indicators.counting import IndicatorQuestion
from events.indicators.evaluation import IndicatorLine


class ShiftRow(TypedDict):
    """A shift of the roster."""

    shift_id: str
    duty_id: str
    department_id: str
    department_name: str
    department_name_en: str
    post: str
    role: str
    user_id: str
    user_name: str
    substitute_for: str | None
    substitute_for_name: str | None
    starts_at: datetime
    ends_at: datetime
    handed_over_at: datetime | None
    handed_over_to: str | None
    handed_over_to_name: str | None
    handover_note: str
    note: str


class Roster(TypedDict):
    """Shifts in order of their beginning."""

    items: list[ShiftRow]
    next: None


class ShiftId(TypedDict):
    """The shift."""

    shift_id: str


class PlanTaskRow(TypedDict):
    """A task of an emergency plan that was started."""

    task_id: str
    run_id: str
    title: str
    department_id: str | None
    department_name: str | None
    department_name_en: str | None
    user_id: str | None
    user_name: str | None
    site_id: str | None
    site_name: str | None
    cameras: list[str]
    due_at: datetime | None
    state: str
    done_at: datetime | None
    note: str
    case_id: NotRequired[str]
    case_number: NotRequired[str]
    case_title: NotRequired[str]


class PlanTasks(TypedDict):
    """Tasks of plans."""

    items: list[PlanTaskRow]
    next: None


class StartedTasks(TypedDict):
    """The tasks that the plan's start made."""

    tasks: list[PlanTaskRow]


class PlanRow(TypedDict):
    """An emergency plan."""

    plan_id: str
    name: str
    level: int
    version: int
    enabled: bool
    body: dict[str, Any]
    updated_at: datetime
    updated_by: str
    updated_by_name: str | None


class PlanRunRow(TypedDict):
    """A plan that was started for a case."""

    run_id: str
    plan_id: str
    plan_name: str
    case_id: str
    case_number: str
    started_at: datetime
    started_by: str
    started_by_name: str | None
    ended_at: datetime | None
    tasks: list[PlanTaskRow]


class PlanList(TypedDict):
    """The plans, the newest runs, the asked case's tasks."""

    items: list[PlanRow]
    runs: list[PlanRunRow]
    tasks: list[PlanTaskRow]
    next: None


class PlanVersion(TypedDict):
    """The plan's new version."""

    plan_id: str
    version: int


class RuleRow(TypedDict):
    """A rule in force."""

    rule_id: str
    kind: str
    name: str
    applies_to: list[str]
    params: dict[str, Any]
    draft: dict[str, Any]
    enabled: bool
    version: int
    updated_at: datetime
    updated_by: str | None
    updated_by_name: NotRequired[str | None]


class RuleKind(TypedDict):
    """A kind of rule and the JSON Schema of its parameters."""

    kind: str
    title: str
    params: dict[str, Any]


class RuleList(TypedDict):
    """The rules in force, the kinds there are, the happenings a rule may name."""

    items: list[RuleRow]
    kinds: list[RuleKind]
    happenings: list[str]
    next: None


class FormulaRow(TypedDict):
    """An indicator: the upper count over the lower one."""

    id: str
    name: Any
    formula: str
    over: str
    under: str
    better: str


class IndicatorTable(TypedDict):
    """A line per group, all together, and the formulas."""

    items: list[IndicatorLine]
    total: IndicatorLine
    definitions: list[FormulaRow]
    question: IndicatorQuestion


class RuleTrial(TypedDict):
    """Which cases a past period would have opened under a rule, and where they would have gone."""

    since: datetime
    until: datetime
    observations: int
    findings: int
    cases: list[dict[str, Any]]
    cases_in_all: int
    by_rule: dict[str, int]
    by_department: dict[str, int]
    by_severity: dict[str, int]
    merged_reports: int
    busiest_10_min: int
    problems: list[Any]
    seconds: float
