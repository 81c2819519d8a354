"""Sources: counters of what each took in, and what it refused without knowing of which device."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, no_update

from dashboard.api.operations import source_counters
from dashboard.pages.choices import word
from dashboard.pages.desk.devices.page import PAGE, SOURCES_FOR
from dashboard.pages.frame import Visit
from dashboard.pages.moments import shown
from dashboard.pages.tables import parts
from dashboard.refusals import source_refusals


@PAGE.callback(
    Output("src-table", "rowData"), Output("src-refused", "rowData"), Input("dev-open", "data"),
    Input("dev-tick", "n_intervals"),
)  # fmt: skip
async def counted(visit: Visit, tab: str | None, _ticks: Any) -> Any:
    """Both tables anew, every few seconds."""
    if tab != "sources" or not visit.principal.has(*SOURCES_FOR):
        return no_update, no_update
    counters = [row_of(s, visit) for s in source_counters(visit.services)]
    return counters, refused_rows(visit)


def row_of(s: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """A source's counters."""
    return {
        "source": s["source"], "name": word(visit, "protocol", s["source"]),
        **{n: s[n] for n in ("messages", "refused", "connections")}, "heard": shown(s["last_at"]),
        **parts("errors", *_pairs(s["errors"])), **parts("events", *_pairs(s["events"])),
    }  # fmt: skip


def _pairs(counters: dict[str, Any]) -> list[dict[str, str]]:
    """Counters by name, as they stand in the metrics; noughts are left out."""
    return [{"text": f"{name.replace('_', ' ')} {n}", "c": "chip"} for name, n in counters.items() if n]


def refused_rows(visit: Visit) -> list[dict[str, Any]]:
    """The last messages that name no known device, the newest first."""
    found = [
        {
            "id": f"{s['source']}/{i}", "source": word(visit, "protocol", s["source"]), "at": shown(r.get("at")),
            "code": r.get("code", ""), "detail": f"{r.get('detail', '')} {r.get('where') or ''}".strip(),
            "message": str(r.get("message") or r.get("message_hex") or ""),
        }
        for s in source_refusals(visit.services.hub.states)
        for i, r in enumerate(s["last_refused"] or [])
    ]  # fmt: skip
    return sorted(found, key=lambda row: row["at"], reverse=True)
