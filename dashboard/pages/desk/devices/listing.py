"""The list of devices: filtered by the server, kept up to date, a row picked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dash import Input, Output, State, no_update

from dashboard import queries
from dashboard.pages.address import address, asked
from dashboard.pages.choices import own, word
from dashboard.pages.desk.devices.page import PAGE
from dashboard.pages.frame import Visit, in_thread
from dashboard.pages.moments import shown
from dashboard.pages.tables import chip, named, parts
from storage.session import read_scope

MOST = 5000
TONES = {"online": "good", "silent": "bad", "offline": "bad", "never": "off"}
FILTERS = tuple(Input(f"dev-{name}", "value") for name in ("source", "state", "department", "text"))


@PAGE.callback(
    Output("dev-table", "rowData"), Output("dev-since", "data"), Output("dev-total", "children"), *FILTERS,
    Input("dev-refresh", "n_clicks"), Input("dev-changed", "data"), State("dev-tab", "data"),
)  # fmt: skip
async def listed(visit: Visit, source: Any, state: Any, department: Any, text: Any, *rest: Any) -> Any:
    """The devices that fit the filters."""
    wanted = wish(source, state, department, text, rest[-1])
    found, total = await in_thread(_page, visit, wanted)
    now = visit.services.clock.now().isoformat()
    return [row_of(d, visit) for d in found], now, visit.t("kit.total", n=total)


@PAGE.callback(
    Output("dev-table", "rowTransaction"), Output("dev-since", "data", allow_duplicate=True),
    Input("dev-tick", "n_intervals"), State("dev-since", "data"), State("dev-tab", "data"),
    *(State(i.component_id, "value") for i in FILTERS), True,
)  # fmt: skip
async def moved(visit: Visit, _ticks: Any, since: str | None, tab: str | None, *held: Any) -> Any:
    """Only the rows of devices that were heard, or changed their state, since the last time."""
    if not since or not tab:
        return no_update, no_update
    found, _ = await in_thread(_page, visit, wish(held[0], held[1], held[2], held[3], tab))
    fresh = [row_of(d, visit) for d in found if _after(d["heard_at"], since) or _after(d["since"], since)]
    now = visit.services.clock.now().isoformat()
    return ({"update": fresh}, now) if fresh else (no_update, now)


@PAGE.callback(
    Output("dev-at", "data"), Output("url", "search", allow_duplicate=True), Input("dev-table", "cellClicked"),
    State("url", "search"), True,
)  # fmt: skip
async def picked(_visit: Visit, cell: dict[str, Any] | None, search: str | None) -> Any:
    """The address follows the row."""
    if not cell or not cell.get("rowId"):
        return no_update, no_update
    return cell["rowId"], address(search, device=cell["rowId"])


@PAGE.callback(
    Output("dev-at", "data", allow_duplicate=True), Output("dev-table", "selectedRows"), Input("dev-open", "data"),
    State("url", "search"), State("dev-at", "data"), True,
)  # fmt: skip
async def linked(_visit: Visit, _tab: str | None, search: str | None, at: str | None) -> Any:
    """The device that a link names is open from the beginning."""
    wanted = asked(search).get("device")
    return (wanted, {"ids": [wanted]}) if wanted and wanted != at else (no_update, no_update)


def wish(source: Any, state: Any, department: Any, text: Any, tab: Any) -> dict[str, Any]:
    """The filters as the query wants them."""
    wanted: dict[str, Any] = {
        "source": source or None, "state": state or None, "department": department or None,
        "q": (text or "").strip()[:100] or None,
    }  # fmt: skip
    return wanted | ({"status": "quarantine"} if tab == "quarantine" else {})


def _page(visit: Visit, wanted: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    with read_scope(visit.services.engine) as session:
        return queries.device_page(session, visit.principal.actor, visit.services.hub.states, wanted, MOST, 0)


def row_of(d: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """A device as the list shows it."""
    kind = word(visit, "devicetype", d["device_type"]) if d["device_type"] else "—"
    return {
        "device_id": d["device_id"], "site": d["site_name"] or "—", "heard": shown(d["heard_at"], "%m-%d %H:%M:%S"),
        "refused": d["refused_count"],
        **named("name", own(visit, d) or d["device_id"], d["device_id"]),
        **named("type", kind, word(visit, "protocol", d["source"])),
        **parts("state", *state_chips(d, visit)), **parts("values", *last_values(d, visit)),
    }  # fmt: skip


def state_chips(d: dict[str, Any], visit: Visit) -> list[dict[str, str]]:
    """State with its reason, quarantine, standing alarms."""
    state = d["state"] or "never"
    found = [chip(word(visit, "devstate", state), TONES.get(state, "warn"), d["reason"] or "")]
    if d["status"] != "accepted":
        found.append(chip(word(visit, "devstatus", d["status"]), "warn"))
    if d["standing"]:
        found.append(chip(visit.t("devices.alarms", n=len(d["standing"])), "bad"))
    return found


def last_values(d: dict[str, Any], visit: Visit) -> list[dict[str, str]]:
    """Up to three newest values with unit and name."""
    found = []
    for key, value in list((d["values"] or {}).items())[:3]:
        text = f"{figure(value.get('value'))} {value.get('unit') or ''}".strip()
        found.append({"text": text, "c": "strong-value", "title": word(visit, "kind", key.split("/")[0])})
        found.append({"text": word(visit, "kind", key.split("/")[0]), "c": "unit"})
    return found or [{"text": "—", "c": "quiet"}]


def figure(value: Any) -> str:
    """A value to three decimals, without needless noughts."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else "—" if value is None else str(value)


def _after(moment: Any, since: str) -> bool:
    if not moment:
        return False
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return bool((at if at.tzinfo else at.replace(tzinfo=UTC)) > datetime.fromisoformat(since))
