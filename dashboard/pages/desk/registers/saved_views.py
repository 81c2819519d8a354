"""Saved views: a list's filters under a name of one's own."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, no_update

from dashboard.pages.desk.registers.base import PAGE
from dashboard.pages.desk.registers.map_filter import box_of
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.registers.keeping import KeepingDesk


def saved_controls(visit: Visit) -> list[Any]:
    """Choose a view, or save the filters as they stand."""
    t = visit.t
    return [
        dmc.Select(id="reg-view", data=[], clearable=True, searchable=True, w=150, placeholder=t("registers.views"),
                   **{"aria-label": t("registers.views")}),
        dmc.Popover(
            [
                dmc.PopoverTarget(dmc.Button(t("registers.view_save"), variant="subtle", id="reg-view-save")),
                dmc.PopoverDropdown(
                    dmc.Group([
                        dmc.TextInput(id="reg-view-name", placeholder=t("registers.view_name"), value="",
                                      **{"aria-label": t("registers.view_name")}),
                        dmc.Button(t("act.save"), id="reg-view-keep"),
                        dmc.Button(t("registers.view_remove"), id="reg-view-remove", variant="subtle", color="red"),
                    ], gap="xs")
                ),
            ],
            trapFocus=True, withArrow=True, position="bottom",
        ),
    ]  # fmt: skip


@PAGE.callback(Output("reg-view", "data"), Input("reg-register", "value"), Input("reg-saved", "data"))
async def listed(visit: Visit, register_id: str | None, _saved: int) -> Any:
    """The visitor's views of this register."""
    if not register_id:
        return []
    return [{"value": row["name"], "label": row["name"]} for row in await in_thread(_desk(visit).views, register_id)]


@PAGE.callback(
    Output("reg-text", "value", allow_duplicate=True), Output("reg-division", "value", allow_duplicate=True),
    Output("reg-bbox", "value", allow_duplicate=True), Input("reg-view", "value"), State("reg-register", "value"), True,
)  # fmt: skip
async def chosen(visit: Visit, name: str | None, register_id: str | None) -> Any:
    """The filters of the view that was chosen."""
    if not name or not register_id:
        return no_update, no_update, no_update
    rows = await in_thread(_desk(visit).views, register_id)
    filters: dict[str, str] = next((row["filters"] for row in rows if row["name"] == name), {})
    return filters.get("q", ""), filters.get("division", ""), filters.get("bbox", "")


@PAGE.callback(
    Output("reg-saved", "data"), Input("reg-view-keep", "n_clicks"), State("reg-view-name", "value"),
    State("reg-filters", "data"), State("reg-saved", "data"), True,
)  # fmt: skip
async def kept(visit: Visit, clicks: int | None, name: str | None, filters: dict[str, Any] | None, saved: int) -> Any:
    """Save the filters as they stand."""
    if not clicks or not filters:
        return no_update
    box = ",".join(str(value) for value in filters.get("box") or ())
    body = {"q": filters["text"], "division": filters["division"], "bbox": box if box_of(box) else ""}
    row = await in_thread(_desk(visit).save_view, filters["register"], name or "", body)
    tell(visit.t("registers.view_saved", name=row["name"]))
    return saved + 1


@PAGE.callback(
    Output("reg-saved", "data", allow_duplicate=True), Output("reg-view", "value"),
    Input("reg-view-remove", "n_clicks"), State("reg-view", "value"), State("reg-register", "value"),
    State("reg-saved", "data"), True,
)  # fmt: skip
async def removed(visit: Visit, clicks: int | None, name: str | None, register_id: str | None, saved: int) -> Any:
    """Remove the view that is chosen."""
    if not clicks or not name or not register_id:
        return no_update, no_update
    await in_thread(_desk(visit).remove_view, register_id, name)
    return saved + 1, None


def _desk(visit: Visit) -> KeepingDesk:
    return KeepingDesk(visit.services, visit.principal.actor)
