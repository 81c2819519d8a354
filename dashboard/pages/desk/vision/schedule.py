"""When a zone is watched (shifts, holidays, suppression windows with their reason), and its corners as numbers."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from dash import ALL, Input, Output, State, ctx, no_update

from core.clock import BEIJING
from core.errors import InputInvalid, YiwangError
from dashboard.pages.desk.vision import schedule_form as form
from dashboard.pages.desk.vision.base import PAGE
from dashboard.pages.desk.vision.draft import Draft, changed_zone
from dashboard.pages.desk.vision.zones import DRAFT
from dashboard.pages.frame import Visit
from dashboard.pages.moments import moment_of
from dashboard.pages.presses import pressed
from dashboard.pages.schema_form import changed_lines
from vision.judging.arm_schedule import check_schedule

LISTS = {"shift": "shifts", "holiday": "holiday_shifts", "suppress": "suppress"}
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


@PAGE.callback(
    Output("zone-dialog", "opened"), Output("zone-dialog-held", "children"),
    Input({"zone": ALL, "part": "schedule"}, "n_clicks"), State(DRAFT, "data"), True,
)  # fmt: skip
async def asked(visit: Visit, _clicks: Any, draft: Draft | None) -> Any:
    """The form of the zone whose button was pressed."""
    button, _ = pressed()
    if not draft or not button:
        return no_update, no_update
    zone = next(z for z in draft["zones"] if z["zone_id"] == button["zone"])
    return True, form.dialog(visit, zone)


@PAGE.callback(
    Output("sched-rows", "children"), Input({"sched-add": ALL}, "n_clicks"),
    Input({"sched-drop": ALL, "n": ALL}, "n_clicks"), State({"sched": ALL, "n": ALL, "part": ALL}, "value"),
    State("sched-base", "data"), True,
)  # fmt: skip
async def changed(visit: Visit, _adds: Any, _drops: Any, _values: Any, base: dict[str, Any] | None) -> Any:
    """A row more or less in one of the three lists."""
    button, _ = pressed()
    if not base or not button:
        return no_update
    held = rows_of(ctx.states_list[0])
    group = button.get("sched-add") or button["sched-drop"]
    if "sched-add" in button:
        held[group].append(fresh(group, visit.services.clock.now()))
    else:
        held[group].pop(min(int(button["n"]), len(held[group]) - 1))
    return form.rows(visit, held, base)


@PAGE.callback(
    Output("sched-corners", "rowData"), Input("sched-corner-add", "n_clicks"), Input("sched-corner-drop", "n_clicks"),
    State("sched-corners", "rowData"), State("sched-corners", "cellClicked"), True,
)  # fmt: skip
async def cornered(_visit: Visit, adds: int | None, drops: int | None, rows: Any, at: Any) -> Any:
    """A corner more or less."""
    if not adds and not drops:
        return no_update
    return changed_lines(rows or [], at or {}, drop=ctx.triggered_id == "sched-corner-drop")


@PAGE.callback(
    Output(DRAFT, "data", allow_duplicate=True), Output("zone-dialog", "opened", allow_duplicate=True),
    Output("sched-wrong", "children"), Input("sched-apply", "n_clicks"),
    State({"sched": ALL, "n": ALL, "part": ALL}, "value"), State("sched-holidays", "value"),
    State("sched-base", "data"), State("sched-corners", "rowData"), State(DRAFT, "data"), True,
)  # fmt: skip
async def applied(visit: Visit, clicks: int | None, _values: Any, days: str | None, *rest: Any) -> Any:
    """The zone joins the draft as the form says."""
    base, corners, draft = rest
    if not clicks or not draft or not base:
        return no_update, no_update, no_update
    try:
        made = schedule_of(rows_of(ctx.states_list[0]), days or "", base)
        changes = {"schedule": made, "polygon": polygon_of(corners or [])}
    except YiwangError as error:
        return no_update, no_update, error.told(visit.language)
    return changed_zone(draft, base["zone_id"], **changes), False, ""


def rows_of(entries: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The rows of the three lists as their fields hold them."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for entry in entries:
        key = (entry["id"]["sched"], int(entry["id"]["n"]))
        found.setdefault(key, {})[entry["id"]["part"]] = entry.get("value")
    return {group: [row for (name, _), row in sorted(found.items()) if name == group] for group in LISTS}


def fresh(group: str, now: datetime) -> dict[str, Any]:
    """A new row of ``group``."""
    if group == "suppress":
        local = now.astimezone(BEIJING)
        return {"from": f"{local:%Y-%m-%dT%H:%M}", "to": f"{local + timedelta(hours=2):%Y-%m-%dT%H:%M}", "reason": ""}
    begins, ends = ("08:00", "20:00") if group == "shift" else ("00:00", "24:00")
    return {"days": [str(d) for d in EVERY_DAY], "from": begins, "to": ends, "min_staff": ""}


def schedule_of(rows: dict[str, list[dict[str, Any]]], days: str, base: dict[str, Any]) -> dict[str, Any]:
    """The schedule of the form; windows that were not touched keep their author.

    Raises:
        InputInvalid: a day that is none, a window without reason or that ends before it begins, a time that is none.
    """
    made: dict[str, Any] = {"timezone": base["timezone"]} if base.get("timezone") else {}
    if rows["shift"]:
        made["shifts"] = [_shift(row) for row in rows["shift"]]
    holidays = [_day(text) for text in re.split(r"[,，、\s]+", days) if text]
    if holidays:
        made |= {"holidays": holidays, "holiday_shifts": [_shift(row) for row in rows["holiday"]]}
    if rows["suppress"]:
        made["suppress"] = [_window(row, base.get("suppress") or []) for row in rows["suppress"]]
    check_schedule(made)
    return made


def _shift(row: dict[str, Any]) -> dict[str, Any]:
    days = sorted(int(d) for d in row.get("days") or EVERY_DAY)
    shift: dict[str, Any] = {} if days == EVERY_DAY else {"days": days}
    shift |= {"from": (row.get("from") or "").strip(), "to": (row.get("to") or "").strip()}
    if row.get("min_staff") not in (None, ""):
        shift["min_staff"] = int(row["min_staff"])
    return shift


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InputInvalid(field="holidays", detail=f"{text!r} is no day", how="write days as 2026-10-01") from error


def _window(row: dict[str, Any], before: list[dict[str, Any]]) -> dict[str, Any]:
    reason, texts = (row.get("reason") or "").strip(), (row.get("from"), row.get("to"))
    for window in before:
        if (form.local(window["from"]), form.local(window["to"]), window.get("reason")) == (*texts, reason):
            return window
    start, end = moment_of(texts[0], "suppress"), moment_of(texts[1], "suppress")
    if end <= start or not reason:
        how = "let it end after it begins, and say why"
        raise InputInvalid(field="suppress", detail="a window has no reason, or ends before it begins", how=how)
    return {"from": start.isoformat(), "to": end.isoformat(), "reason": reason}


def polygon_of(rows: list[dict[str, Any]]) -> list[list[float]]:
    """Corners from the table of percentages."""
    try:
        corners = [[round(float(r["x"]) / 100, 4), round(float(r["y"]) / 100, 4)] for r in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise InputInvalid(field="corners", detail="a corner has no place", how="give x and y in per cent") from error
    if len(corners) < 3 or any(not 0 <= v <= 1 for corner in corners for v in corner):
        raise InputInvalid(field="corners", detail="fewer than three, or outside", how="give three from 0 to 100 %")
    return corners
