"""The zones and algorithms of a camera as lists beside its picture."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import html

from core import plugins
from core.errors import YiwangError
from dashboard.pages.choices import choices, word
from dashboard.pages.desk.vision.draft import Draft
from dashboard.pages.frame import Visit
from dashboard.pages.schema_form import param_title

COLOURS = ("#38c6f4", "#f5c518", "#3ddc97", "#ff8a1f", "#c9b6ff", "#ff5cf0", "#9be28c", "#ff8b97")
PURPOSES = ("", "duty", "fire_lane", "work_area", "water", "road", "exit", "restricted", "mask")


def zone_rows(visit: Visit, draft: Draft, now: datetime) -> Any:
    """A row a zone: colour, name, purpose, when it is watched."""
    t, off = visit.t, not visit.principal.has("admin")
    purposes = choices({p: word(visit, "zonepurpose", p or "any") for p in PURPOSES})
    rows = []
    for i, zone in enumerate(draft["zones"]):
        key, colour = zone["zone_id"], COLOURS[i % len(COLOURS)]
        fields = [
            dmc.TextInput(id={"zone": key, "part": "name"}, value=zone["name"], debounce=True, disabled=off, size="xs",
                          style={"flex": "1 1 70px"}, **{"aria-label": t("fact.name")}),
            dmc.Select(id={"zone": key, "part": "purpose"}, data=purposes, value=zone.get("purpose") or "",
                       allowDeselect=False, disabled=off, size="xs", w=96, **{"aria-label": t("vision.purpose")}),
        ]  # fmt: skip
        buttons = [
            dmc.Button(t("vision.schedule"), id={"zone": key, "part": "schedule"}, size="compact-xs",
                       variant="default"),
            dmc.Button("×", id={"zone": key, "part": "drop"}, size="compact-xs", variant="default",
                       **{"aria-label": f"{t('act.delete')} {zone['name']}"}),
        ]  # fmt: skip
        row = [*fields, scheduled(visit, zone, now), *([] if off else buttons)]
        rows.append(html.Div(row, className="zone-row", style={"--c": colour}))
    return html.Div([html.H2(t("vision.zones_of")), *(rows or [html.P(t("vision.whole"), className="quiet")])],
                    className="zone-list")  # fmt: skip


def scheduled(visit: Visit, zone: dict[str, Any], now: datetime) -> Any:
    """Whether the zone has a schedule, or is suppressed now."""
    schedule = zone.get("schedule") or {}
    for window in schedule.get("suppress", []):
        if datetime.fromisoformat(window["from"]) <= now < datetime.fromisoformat(window["to"]):
            return html.Span(visit.t("vision.suppressed_now"), className="chip bad")
    return html.Span(visit.t("vision.scheduled"), className="chip") if schedule else None


def algorithm_rows(visit: Visit, draft: Draft) -> Any:
    """A row an algorithm: its title, where it watches, what differs from its defaults."""
    t, admin = visit.t, visit.principal.has("admin")
    rows = []
    for i, config in enumerate(draft["algorithms"]):
        name = [html.B(word(visit, "kind", config["kind"])), trial(visit, config["kind"])]
        below = html.Small([places(visit, config, draft["zones"]), summary(visit, config)], className="quiet")
        buttons = [
            dmc.Button(t("act.edit"), id={"algorithm": i, "part": "edit"}, size="compact-xs", variant="default"),
            dmc.Button("×", id={"algorithm": i, "part": "drop"}, size="compact-xs", variant="default",
                       **{"aria-label": f"{t('act.delete')} {word(visit, 'kind', config['kind'])}"}),
        ]  # fmt: skip
        rows.append(html.Div([html.Div([*name, below], className="grow"), *(buttons if admin else [])],
                             className="zone-row"))  # fmt: skip
    add = dmc.Button(t("vision.new_algorithm"), id="algorithm-new", size="xs", variant="default") if admin else None
    return html.Div([html.H2(t("vision.algorithms")), *rows, add], className="zone-list")


def trial(visit: Visit, kind: str, told: bool = False) -> Any:
    """A mark where the plug-in says of itself that it is experimental; ``told``: and on what it was tried."""
    try:
        words = plugins.about("algorithm", kind).experimental
    except YiwangError:
        return html.Span(visit.t("vision.gone"), className="chip bad")
    text = words.zh if visit.language == "zh" else words.en
    if not text:
        return None
    if told:
        return html.P(text, className="warn-text")
    return html.Span(visit.t("vision.experimental"), className="chip warn", title=text)


def places(visit: Visit, config: dict[str, Any], zones: list[dict[str, Any]]) -> str:
    """The zones that an algorithm watches, then the places that it leaves out."""
    known = {z["zone_id"]: z for z in zones}
    chosen = [known.get(key, {"name": key}) for key in config.get("zones") or []]
    watched = "、".join(z["name"] for z in chosen if z.get("purpose") != "mask") or visit.t("vision.whole")
    masked = "、".join(z["name"] for z in chosen if z.get("purpose") == "mask")
    return f"{watched} − {masked}" if masked else watched


def summary(visit: Visit, config: dict[str, Any]) -> str:
    """The parameters that differ from the defaults."""
    items = (config.get("params") or {}).items()
    named = [(param_title(visit.language, "algorithm", config["kind"], name)[0], value) for name, value in items]
    return "".join(f" · {title} {'…' if isinstance(value, dict | list) else value}" for title, value in named)
