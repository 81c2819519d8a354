"""Queue and appointments of the hall: draw a number, book a time, call the next, end."""

from __future__ import annotations

from datetime import date
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, ctx, dcc, html, no_update

from core.errors import InputInvalid
from dashboard.items.queue import ENDS, QueueDesk
from dashboard.pages.desk.counter.page import PAGE
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.tables import chip, column, parts, table

_TONES = {"waiting": "warn", "booked": "", "called": "good", "served": "off", "missed": "bad", "cancelled": "off"}


def hall_panel(visit: Visit) -> Any:
    """Numbers of today in the order in which they are called."""
    t = visit.t
    slots = [f"{hour:02d}:{minute}" for hour in range(8, 17) for minute in ("00", "30")]
    columns = [
        column("number", t("counter.number"), width=110), column("kind", t("counter.kind"), width=120),
        column("slot", t("counter.slot"), width=110), column("holder", t("counter.holder"), width=160),
        column("state", t("items.state"), cellRenderer="Parts", width=130), column("window", t("counter.window")),
    ]  # fmt: skip
    return html.Div([
        dmc.Group([
            dmc.TextInput(id="hall-holder", label=t("counter.holder"), w=150, value=""),
            dmc.Button(t("counter.draw"), id="hall-draw"),
            dmc.DateInput(id="hall-day", label=t("counter.day"), value=_desk(visit).today.isoformat(), w=140),
            dmc.Select(id="hall-slot", label=t("counter.slot"), data=slots, value="09:00", w=110, allowDeselect=False),
            dmc.Button(t("counter.book"), id="hall-book", variant="default"),
            dmc.TextInput(id="hall-window", label=t("counter.window"), w=100, value="1"),
            dmc.Button(t("counter.call"), id="hall-call"),
            *[dmc.Button(t(f"counter.state.{s}"), id=f"hall-{s}", variant="default") for s in ENDS],
        ], align="flex-end", gap="xs", mb="sm"),
        table(visit, "hall-table", columns, _rows(visit), key="ticket_id", height="calc(100vh - 300px)"),
        dcc.Store(id="hall-picked"),
    ])  # fmt: skip


def _desk(visit: Visit) -> QueueDesk:
    return QueueDesk(visit.services, visit.principal.actor)


def _rows(visit: Visit) -> list[dict[str, Any]]:
    t = visit.t
    return [
        {"ticket_id": r["ticket_id"], "number": r["number"], "kind": t(f"counter.kind.{r['kind']}"), "slot": r["slot"],
         "holder": r["holder"], "window": r["window"],
         **parts("state", chip(t(f"counter.state.{r['state']}"), _TONES[r["state"]]))}
        for r in _desk(visit).listed()
    ]  # fmt: skip


@PAGE.callback(Output("hall-picked", "data"), Input("hall-table", "cellClicked"), True)
async def chosen(_visit: Visit, cell: dict[str, Any] | None) -> Any:
    """The number that was clicked."""
    return str(cell["rowId"]) if cell and cell.get("rowId") else no_update


@PAGE.callback(
    Output("hall-table", "rowData"), Input("hall-draw", "n_clicks"), Input("hall-book", "n_clicks"),
    Input("hall-call", "n_clicks"), *(Input(f"hall-{s}", "n_clicks") for s in ENDS), State("hall-holder", "value"),
    State("hall-day", "value"), State("hall-slot", "value"), State("hall-window", "value"),
    State("hall-picked", "data"), True,
)  # fmt: skip
async def moved(visit: Visit, *given: Any) -> Any:
    """Draw, book, call, end."""
    holder, day, slot, window, picked = given[-5:]
    if not any(given[:-5]):
        return no_update
    desk, what = _desk(visit), str(ctx.triggered_id).removeprefix("hall-")
    if what == "draw":
        done = await in_thread(desk.draw, "walk_in", holder or "")
    elif what == "book":
        done = await in_thread(desk.draw, "appointment", holder or "", "", date.fromisoformat(str(day)[:10]), slot)
    elif what == "call":
        done = await in_thread(desk.call, window or "")
    elif picked:
        done = await in_thread(desk.end, picked, what)
    else:
        raise InputInvalid(field=visit.t("counter.number"), detail="—", how=visit.t("items.pick"))
    tell(f"{done['number']} {visit.t('counter.state.' + done['state'])} {done['window']}")
    return await in_thread(_rows, visit)
