"""One device: state and reason, readings as a chart, newest values, what was refused, facts, history."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Input, Output, State, dcc, html, no_update

from core.clock import BEIJING
from dashboard.desk.devices import SeriesWanted, one_device, readings_of
from dashboard.pages.choices import choices, own, word
from dashboard.pages.desk.devices.listing import figure, state_chips
from dashboard.pages.desk.devices.page import PAGE
from dashboard.pages.desk.devices.tools import tools
from dashboard.pages.frame import Visit, in_thread
from dashboard.pages.moments import shown
from dashboard.pages.tables import CHART, chip, column, table

SPANS = {
    "6": ("devices.hours", 6), "24": ("devices.hours", 24), "168": ("devices.days", 7), "2160": ("devices.days", 90),
}  # fmt: skip
AUTO = {"domLayout": "autoHeight", "pagination": False, "rowHeight": 34}


@PAGE.callback(Output("dev-panel", "children"), Input("dev-at", "data"), Input("dev-changed", "data"), True)
async def panel(visit: Visit, device_id: str | None, _changed: Any) -> Any:
    """Everything about the device that was picked."""
    if not device_id:
        return no_update
    d = await in_thread(one_device, visit.services, visit.principal, device_id)
    known = quantities(d)
    names = {q: word(visit, "kind", q) for q in known}
    spans = {key: visit.t(name, n=n) for key, (name, n) in SPANS.items()}
    pick = [
        dmc.Select(id="dev-quantity", data=choices(names), value=known[0], allowDeselect=False, w=190, size="xs",
                   **{"aria-label": visit.t("devices.quantity")}),
        dmc.SegmentedControl(id="dev-span", data=choices(spans), value="24", size="xs"),
    ] if known else [html.P(visit.t("devices.no_readings"), className="quiet")]  # fmt: skip
    return html.Div(
        [
            html.H2(own(visit, d) or d["device_id"]), html.Div(live(visit, d), id="dev-live"), tools(visit, d),
            dmc.Group(pick, gap="xs"), html.Div(id="dev-chart"), refused(visit, d), facts(visit, d),
            *history(visit, d),
        ],
        className="desk-stack",
    )  # fmt: skip


@PAGE.callback(Output("dev-live", "children"), Input("dev-tick", "n_intervals"), State("dev-at", "data"), True)
async def beat(visit: Visit, _ticks: Any, device_id: str | None) -> Any:
    """What changes by itself."""
    if not device_id:
        return no_update
    return live(visit, await in_thread(one_device, visit.services, visit.principal, device_id))


@PAGE.callback(
    Output("dev-chart", "children"), Input("dev-quantity", "value"), Input("dev-span", "value"),
    State("dev-at", "data"),
)  # fmt: skip
async def charted(visit: Visit, quantity: str | None, hours: str | None, device_id: str | None) -> Any:
    """The series of a quantity: raw up to a day, then by the hour and the day with their range."""
    if not quantity or not device_id or hours not in SPANS:
        return no_update
    end, span = visit.services.clock.now(), int(hours)
    step = 0 if span <= 24 else 3600 if span <= 168 else 86400
    wanted = SeriesWanted(start=end - timedelta(hours=span), end=end, quantity=quantity, step=step, limit=5000)
    found = await in_thread(readings_of, visit.services, visit.principal, device_id, wanted)
    d = await in_thread(one_device, visit.services, visit.principal, device_id)
    if not found["points"]:
        return html.P(visit.t("devices.no_points"), className="quiet")
    return dcc.Graph(figure=drawn(visit, d, quantity, found["points"], step),
                     config={"displayModeBar": False, "responsive": True})  # fmt: skip


def drawn(visit: Visit, d: dict[str, Any], quantity: str, points: list[Any], step: int) -> go.Figure:
    """The line with its gaps, the band of roll-ups, the limits of the device."""
    longest = timedelta(seconds=max(3 * (d["expected_interval_s"] or 600), 3 * step))
    unit = next((r.unit for r in d["latest"] if r.quantity == quantity), "") or ""
    chart = go.Figure()
    if step:
        at = [p.at.astimezone(BEIJING) for p in points]
        chart.add_scatter(x=at, y=[p.maximum for p in points], mode="lines", line_width=0, hoverinfo="skip")
        chart.add_scatter(x=at, y=[p.minimum for p in points], mode="lines", line_width=0, fill="tonexty",
                          fillcolor="rgba(88,199,243,.25)", hoverinfo="skip")  # fmt: skip
    x, y = with_gaps([(p.at.astimezone(BEIJING), p.value) for p in points], longest)
    chart.add_scatter(x=x, y=y, mode="lines+markers" if len(points) < 60 else "lines", line_color="#2f9fd6",
                      hovertemplate=f"%{{y:.4~g}} {unit}<br>%{{x|%m-%d %H:%M:%S}}<extra></extra>")  # fmt: skip
    low_high = (d["ranges"] or {}).get(quantity) or ()
    for value, name in zip(low_high, ("low", "high"), strict=False):
        chart.add_hline(y=value, line={"color": "#e07b10", "dash": "dash"}, annotation_text=visit.t(f"devices.{name}"))
    chart.update_layout(**CHART | {"margin": {"l": 52, "r": 12, "t": 12, "b": 36}}, height=240, showlegend=False,
                        yaxis={"title": unit})  # fmt: skip
    return chart


def with_gaps(points: list[tuple[datetime, float]], longest: timedelta) -> tuple[list[datetime], list[float | None]]:
    """The points with a hole wherever two lie further apart than ``longest``: no line over silence."""
    x: list[datetime] = []
    y: list[float | None] = []
    for at, value in points:
        if x and at - x[-1] > longest:
            x.append(x[-1] + (at - x[-1]) / 2)
            y.append(None)
        x.append(at)
        y.append(value)
    return x, y


def quantities(d: dict[str, Any]) -> list[str]:
    """What the device measures, what is live first."""
    return list(dict.fromkeys([*(k.split("/")[0] for k in d["values"] or {}), *(r.quantity for r in d["latest"])]))


def live(visit: Visit, d: dict[str, Any]) -> Any:
    """State, reason, count of refusals, newest values."""
    marks = state_chips(d, visit)
    if d["refused"]["count"]:
        marks.append(chip(visit.t("devices.refused_n", n=d["refused"]["count"]), "warn"))
    chips = [html.Span(c["text"], className=c["c"], title=c["title"] or None) for c in marks]
    reason = html.P(d["reason"], className="warn-text") if d["reason"] else None
    return [dmc.Group(chips, gap=6), reason, latest(visit, d)]


def latest(visit: Visit, d: dict[str, Any]) -> Any:
    """The newest value of each quantity and channel."""
    t = visit.t
    rows = [
        {"id": f"{r.quantity}/{r.channel}", "quantity": f"{word(visit, 'kind', r.quantity)} {r.channel}".strip(),
         "value": f"{figure(r.value) if r.value is not None else r.text or '—'} {r.unit or ''}".strip(),
         "quality": word(visit, "quality", getattr(r.quality, "value", r.quality)), "at": shown(r.observed_at)}
        for r in d["latest"][:30]
    ]  # fmt: skip
    columns = [
        column("quantity", t("devices.quantity"), minWidth=110), column("value", t("fact.value"), width=110),
        column("quality", t("devices.quality"), width=90), column("at", t("fact.observed_at"), width=160),
    ]  # fmt: skip
    return table(visit, "dev-latest", columns, rows, key="id", height="auto", options=AUTO) if rows else None


def refused(visit: Visit, d: dict[str, Any]) -> Any:
    """How many of the device's messages were refused, why, and the last of them."""
    found = d["refused"]
    if not found["count"]:
        return html.P(visit.t("devices.nothing_refused"), className="quiet")
    lines = [
        html.Li([
            html.B(str(entry.get("code", ""))), f" · {shown(entry.get('at'))} · {entry.get('bytes', '')} B",
            html.P(f"{entry.get('detail', '')} {entry.get('where') or ''}".strip(), className="warn-text"),
            html.Pre(str(entry.get("message") or entry.get("message_hex") or "")),
        ])
        for entry in found["last"]
    ]  # fmt: skip
    head = html.Summary(visit.t("devices.refused_last", n=len(lines)))
    return html.Details([head, html.Ul(lines)], className="section refused", open=True)


def facts(visit: Visit, d: dict[str, Any]) -> Any:
    """What is registered of the device."""
    t = visit.t
    place = f"{d['lon']:.5f}, {d['lat']:.5f} ({d['coord_sys'] or 'wgs84'})" if d["lon"] is not None else None
    kind = word(visit, "devicetype", d["device_type"]) if d["device_type"] else "—"
    rows = [
        (t("fact.number"), d["device_id"]), (t("devices.type"), f"{kind} · {word(visit, 'protocol', d['source'])}"),
        (t("fact.site"), d["site_name"]), (t("fact.department"), d["department_name"]), (t("fact.position"), place),
        (t("devices.interval"), f"{d['expected_interval_s']:g} s" if d["expected_interval_s"] else None),
        (t("devices.first_seen"), d["first_seen_at"] and shown(d["first_seen_at"])),
        (t("devices.heard"), d["heard_at"] and shown(d["heard_at"])),
        (t("devices.since"), d["since"] and shown(d["since"])),
        (t("devices.accepted_at"), d["accepted_at"] and shown(d["accepted_at"])),
        *((t("devices.rain", span=span), f"{mm:.1f} mm") for span, mm in (d.get("rain_sums_mm") or {}).items()),
    ]  # fmt: skip
    shown_rows = [part for name, value in rows if value for part in (html.Dt(name), html.Dd(value))]
    return html.Dl(shown_rows, className="facts")


def history(visit: Visit, d: dict[str, Any]) -> Any:
    """Earlier states, and the commands that were sent."""
    t = visit.t
    spells = [{"id": str(i), "at": shown(s.since), "state": word(visit, "devstate", s.state), "why": s.reason}
              for i, s in enumerate(d["health_history"])]  # fmt: skip
    sent = [{"id": c.command_id, "at": shown(c.requested_at), "name": word(visit, "devcommand", c.name),
             "answer": "…" if c.ok is None else f"{t('devices.ok') if c.ok else t('devices.failed')} {c.detail or ''}"}
            for c in d["commands"]]  # fmt: skip
    health = [column("at", t("admin.when"), width=160), column("state", t("fact.state"), width=110),
              column("why", t("fact.reason"), wrapText=True, autoHeight=True)]  # fmt: skip
    orders = [column("at", t("admin.when"), width=160), column("name", t("devices.command"), width=110),
              column("answer", t("fact.result"), wrapText=True, autoHeight=True)]  # fmt: skip
    tables = [("health", t("devices.health_history"), health, spells), ("sent", t("devices.commands"), orders, sent)]
    return [
        html.Details([html.Summary(f"{title} · {len(rows)}"),
                      table(visit, f"dev-{name}", columns, rows, key="id", height="auto", options=AUTO)],
                     className="section")
        for name, title, columns, rows in tables if rows
    ]  # fmt: skip
