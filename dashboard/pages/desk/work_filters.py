"""The filters above the lists of work: what is shown, and the filters that a person keeps under a name."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc

from dashboard.desk import case_filters
from dashboard.desk.case_filters import PERIODS, Chosen
from dashboard.pages import choices
from dashboard.pages.frame import Visit
from dashboard.pages.workshop.titles import label

FIELDS = ("view", "q", "kind", "state", "severity", "department", "period", "late")
"""The fields of :class:`Chosen` in the order of their components, whose ids are ``work-<field>``."""
SWITCHED = "late"


def first_row(visit: Visit, views: list[dict[str, str]]) -> list[Any]:
    """View, words, kind."""
    t = visit.t
    named = visit.services.cases.definitions.items()
    kinds = [{"value": key, "label": label(kind.name, visit, key)} for key, kind in named]
    return [
        dmc.SegmentedControl(id="work-view", value="turn", data=views),
        dmc.TextInput(id="work-q", placeholder=t("work.search"), debounce=400, w=240, value="",
                      **{"aria-label": t("work.search")}),
        _choice("work-kind", kinds, t("work.every_kind"), 210),
    ]  # fmt: skip


def second_row(visit: Visit) -> list[Any]:
    """State, severity, department, period, late ones; the kept filters."""
    t = visit.t
    states = [{"value": value, "label": t(f"work.filter.{value}")} for value in ("open", "closed")]
    severities = [
        {"value": str(n), "label": t("work.filter.at_least", name=t(f"severity.{n}")) if n < 4 else t("severity.4")}
        for n in (4, 3, 2)
    ]
    periods = [{"value": name, "label": t(f"work.period.{name}")} for name in PERIODS]
    return [
        _choice("work-state", states, t("work.filter.any_state"), 130),
        _choice("work-severity", severities, t("work.filter.any_severity"), 150),
        _choice("work-department", choices.departments(visit), t("work.filter.any_department"), 190),
        _choice("work-period", periods, t("work.filter.any_period"), 130),
        dmc.Switch(id="work-late", label=t("work.filter.late"), checked=False),
        _choice("work-kept", kept_names(visit), t("work.filter.kept"), 170),
        dmc.TextInput(id="work-kept-name", placeholder=t("work.filter.name"),
                      w=150, value="", **{"aria-label": t("work.filter.name")}),
        dmc.Button(t("work.filter.keep"), id="work-keep", variant="default", n_clicks=0),
        dmc.Button(t("work.filter.drop"), id="work-drop", variant="subtle", n_clicks=0, disabled=True),
    ]  # fmt: skip


def _choice(identifier: str, data: list[dict[str, str]], empty: str, width: int) -> Any:
    return dmc.Select(id=identifier, data=data, placeholder=empty, clearable=True, searchable=True, w=width,
                      **{"aria-label": empty})  # fmt: skip


def kept_names(visit: Visit) -> list[dict[str, str]]:
    """The person's own filters as choices."""
    return [{"value": name, "label": name} for name in case_filters.kept(visit.services, visit.principal)]


def values_of(found: Chosen) -> list[Any]:
    """The values of the components that show ``found``, in the order of :data:`FIELDS`."""
    return [getattr(found, name) or (False if name == SWITCHED else "" if name == "q" else None) for name in FIELDS]


def chosen(values: list[Any]) -> Chosen:
    """What the components' values say."""
    view, q, kind, state, severity, department, period, late = values
    return case_filters.chosen_of({
        "view": view or "turn", "q": (q or "").strip()[:100], "kind": kind or None, "state": state or None,
        "severity": severity or None, "department": department or None, "period": period or None, "late": bool(late),
    })  # fmt: skip
