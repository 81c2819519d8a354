"""The fields of a zone's schedule and corners."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html

from core.clock import BEIJING
from dashboard.pages.frame import Visit
from dashboard.pages.tables import locale_text

Rows = dict[str, list[dict[str, Any]]]
STAFFED = ("", "duty")  # purposes of a zone in which people are counted


def dialog(visit: Visit, zone: dict[str, Any]) -> Any:
    """The form of one zone."""
    t, schedule = visit.t, zone.get("schedule") or {}
    base = {"zone_id": zone["zone_id"], "staffed": (zone.get("purpose") or "") in STAFFED, **schedule}
    return html.Div(
        [
            html.H2(f"{zone['name']} · {t('vision.schedule')}"),
            html.Div(rows(visit, held_of(schedule), base), id="sched-rows"),
            dcc.Store(id="sched-base", data=base), corners(visit, zone),
            html.P(id="sched-wrong", className="form-error", role="alert"),
            dmc.Button(t("act.apply"), id="sched-apply"),
        ],
        className="desk-stack",
    )  # fmt: skip


def held_of(schedule: dict[str, Any]) -> Rows:
    """A schedule as the fields hold it."""

    def shifts(name: str) -> list[dict[str, Any]]:
        return [
            {"days": [str(d) for d in s.get("days") or range(1, 8)], "from": s.get("from", "00:00"),
             "to": s.get("to", "24:00"), "min_staff": s.get("min_staff", "")}
            for s in schedule.get(name, [])
        ]  # fmt: skip

    windows = [
        {"from": local(w["from"]), "to": local(w["to"]), "reason": w.get("reason", "")}
        for w in schedule.get("suppress", [])
    ]
    return {"shift": shifts("shifts"), "holiday": shifts("holiday_shifts"), "suppress": windows}


def local(moment: str) -> str:
    """An instant as a field for date and time holds it."""
    return f"{datetime.fromisoformat(moment).astimezone(BEIJING):%Y-%m-%dT%H:%M}"


def rows(visit: Visit, held: Rows, base: dict[str, Any]) -> list[Any]:
    """The three lists with their buttons."""
    t, staffed = visit.t, bool(base.get("staffed"))
    authors = {(local(w["from"]), local(w["to"])): w.get("author", "") for w in base.get("suppress") or []}
    holidays = dmc.TextInput(
        id="sched-holidays", label=t("schedule.holidays"), description=t("schedule.holidays_hint"),
        value=" ".join(base.get("holidays") or []), placeholder="2026-10-01 2026-10-02",
    )  # fmt: skip
    return [
        html.H3(t("schedule.shifts")), html.P(t("schedule.shifts_hint"), className="quiet"),
        *(_shift(visit, "shift", n, row, staffed) for n, row in enumerate(held["shift"])),
        _add(visit, "shift", "schedule.add_shift"),
        html.H3(t("schedule.holidays")), holidays,
        *(_shift(visit, "holiday", n, row, staffed) for n, row in enumerate(held["holiday"])),
        _add(visit, "holiday", "schedule.add_holiday_shift"),
        html.H3(t("schedule.suppress")), html.P(t("schedule.suppress_hint"), className="quiet"),
        *(_window(visit, n, row, authors.get((row["from"], row["to"]), "")) for n, row in enumerate(held["suppress"])),
        _add(visit, "suppress", "schedule.add_suppress"),
    ]  # fmt: skip


def _id(group: str, n: int, part: str) -> dict[str, Any]:
    return {"sched": group, "n": n, "part": part}


def _add(visit: Visit, group: str, word: str) -> Any:
    return dmc.Button(visit.t(word), id={"sched-add": group}, size="compact-xs", variant="default", mt=4)


def _drop(visit: Visit, group: str, n: int) -> Any:
    return dmc.Button("×", id={"sched-drop": group, "n": n}, size="compact-xs", variant="default",
                      **{"aria-label": f"{visit.t('act.delete')} {n + 1}"})  # fmt: skip


def _shift(visit: Visit, group: str, n: int, row: dict[str, Any], staffed: bool) -> Any:
    t = visit.t
    days = [dmc.Chip(t(f"schedule.day{d}"), value=str(d), size="xs") for d in range(1, 8)]
    parts: list[Any] = [
        dmc.ChipGroup(dmc.Group(days, gap=4), id=_id(group, n, "days"), multiple=True, value=row["days"]),
        *(dmc.TextInput(id=_id(group, n, key), value=row[key], size="xs", w=70, placeholder="HH:MM",
                        **{"aria-label": t(f"schedule.{key}")}) for key in ("from", "to")),
    ]  # fmt: skip
    if staffed:
        parts.append(dmc.NumberInput(id=_id(group, n, "min_staff"), value=row["min_staff"], min=1, max=100, size="xs",
                                     w=110, placeholder=t("aparam.min_staff"),
                                     **{"aria-label": t("aparam.min_staff")}))  # fmt: skip
    return dmc.Group([*parts, _drop(visit, group, n)], gap=8, mt=4)


def _window(visit: Visit, n: int, row: dict[str, Any], author: str) -> Any:
    t = visit.t
    moments = [
        dmc.TextInput(id=_id("suppress", n, key), value=row[key], size="xs", inputProps={"type": "datetime-local"},
                      **{"aria-label": t(f"schedule.{key}")})
        for key in ("from", "to")
    ]  # fmt: skip
    reason = dmc.TextInput(id=_id("suppress", n, "reason"), value=row["reason"], size="xs", w=200,
                           placeholder=t("schedule.reason"), **{"aria-label": t("schedule.reason")})  # fmt: skip
    by = html.Small(t("schedule.by", who=author), className="quiet") if author else None
    return dmc.Group([*moments, reason, by, _drop(visit, "suppress", n)], gap=8, mt=4)


def corners(visit: Visit, zone: dict[str, Any]) -> Any:
    """The corners as numbers, for whoever works by keyboard."""
    t = visit.t
    held = [{"id": str(i), "x": round(100 * x, 2), "y": round(100 * y, 2)} for i, (x, y) in enumerate(zone["polygon"])]
    grid = dag.AgGrid(
        id="sched-corners", rowData=held, getRowId="params.data.id", className="desk-grid",
        columnDefs=[{"field": "x", "headerName": "x %"}, {"field": "y", "headerName": "y %"}],
        defaultColDef={"flex": 1, "editable": True, "sortable": False, "cellDataType": "number"},
        dashGridOptions={"domLayout": "autoHeight", "singleClickEdit": True, "stopEditingWhenCellsLoseFocus": True,
                         "localeText": locale_text(visit, "lines"),
                         "rowHeight": 32, "headerHeight": 32},
        style={"height": None, "width": "100%"},
    )  # fmt: skip
    tools = [
        dmc.Button(t("rules.add_line"), id="sched-corner-add", size="compact-xs", variant="default"),
        dmc.Button(t("rules.drop_line"), id="sched-corner-drop", size="compact-xs", variant="default"),
    ]
    summary = html.Summary(t("vision.corners", n=len(held)))
    return html.Details([summary, grid, dmc.Group(tools, mt=6)], className="section")
