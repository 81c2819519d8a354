"""One record beside the list: its fields, masked, its numbers for a reason, its history."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from core.clock import BEIJING
from dashboard.pages.frame import Visit
from records.registers.definition import Register

ACTIONS = frozenset({"created", "changed", "corrected", "merged", "unmerged", "restricted", "lifted"})


def record_of(found: dict[str, Any], register: Register, visit: Visit) -> Any:
    """The panel of one record."""
    t = visit.t
    parts: list[Any] = [html.H2(found["name"]), facts_of(found["values"], register, visit)]
    if register.sensitive & set(found["values"]):
        parts += [
            dmc.Group([dmc.TextInput(id="reg-reason", placeholder=t("registers.reason"), style={"flex": 1}),
                       dmc.Button(t("registers.unmask"), id="reg-unmask", variant="light")], gap="xs"),
            html.Div(id="reg-numbers", **{"aria-live": "polite"}),
        ]  # fmt: skip
    lines = [html.Li(line_of(line, register, visit)) for line in found["history"][:40]]
    return [*parts, html.H3(t("registers.history")), html.Ul(lines, className="quiet")]


def facts_of(values: dict[str, Any], register: Register, visit: Visit) -> Any:
    """Fields and values as a list of terms."""
    terms: list[Any] = []
    for field in register.fields:
        if field.name in values:
            shown = field.shown(values[field.name], visit.language)
            terms += [html.Dt(field.heading(visit.language)), html.Dd(str(shown))]
    return html.Dl(terms, className="facts")


def line_of(line: dict[str, Any], register: Register, visit: Visit) -> str:
    """One line of the history: when, who, which field, from what to what."""
    when = f"{line['at'].astimezone(BEIJING):%Y-%m-%d %H:%M}"
    names = {field.name: field.heading(visit.language) for field in register.fields}
    what = visit.t(f"registers.did_{line['action']}") if line["action"] in ACTIONS else line["action"]
    change = "" if line["hidden"] or not line["field"] else f"：{line['old'] or '—'} → {line['new'] or '—'}"
    return f"{when} {line['actor']} {what} {names.get(line['field'], line['field'])}{change} {line['source']}"
