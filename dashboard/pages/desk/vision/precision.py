"""How well do we see?  Precision by camera and algorithm from judged cases, and what is learnt from it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Input, Output, State, dcc, html, no_update

from core.errors import NotFound
from dashboard.desk.learning import Mask, Threshold, apply_mask, apply_threshold, keep_hard_negative
from dashboard.pages.choices import word
from dashboard.pages.desk.vision.base import PAGE
from dashboard.pages.desk.vision.nightly import nightly, thresholds
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.tables import CHART, column, parts, table
from events.learning import precision
from storage.session import read_scope


def draw(visit: Visit) -> Any:
    """The table at the left; what to do about the line that was picked at the right."""
    t = visit.t
    right: dict[str, Any] = {"type": "rightAligned", "width": 110}
    columns = [
        column("camera", t("case.camera"), cellRenderer="Parts", minWidth=160),
        column("algorithm", t("vision.algorithms"), minWidth=120), column("closed", t("vision.closed"), **right),
        column("false_alarms", t("vision.false"), **right), column("precision", t("vision.precision_col"), **right),
        column("interval", t("vision.interval"), width=120), column("threshold", t("fact.threshold"), **right),
        column("suggestion", t("vision.suggestion"), minWidth=150),
    ]  # fmt: skip
    grid = table(visit, "prec-table", columns, [], key="key", height="calc(100vh - 250px)",
                 options={"overlayNoRowsTemplate": t("vision.no_closed")})  # fmt: skip
    side = html.Aside(html.P(t("vision.pick_line"), className="quiet"), id="prec-panel", className="split-side")
    return html.Div(
        [
            html.P(t("vision.precision_note"), className="quiet"),
            dcc.Store(id="prec-at"), dcc.Store(id="prec-changed"),
            html.Div([html.Div(grid, className="split-main"), side], className="split"),
        ]
    )  # fmt: skip


@PAGE.callback(Output("prec-table", "rowData"), Input("prec-changed", "data"))
async def listed(visit: Visit, _changed: Any) -> Any:
    """All lines, the worst first."""
    return [row_of(r, visit) for r in await in_thread(_lines, visit)]


@PAGE.callback(Output("prec-at", "data"), Input("prec-table", "cellClicked"), True)
async def picked(_visit: Visit, cell: dict[str, Any] | None) -> Any:
    """The line that was picked."""
    return cell["rowId"] if cell and cell.get("rowId") else no_update


@PAGE.callback(Output("prec-panel", "children"), Input("prec-at", "data"), Input("prec-changed", "data"), True)
async def panel(visit: Visit, key: str | None, _changed: Any) -> Any:
    """The line with its interval, the suggestion, and the buttons for it."""
    line = await in_thread(_line, visit, key) if key else None
    if line is None:
        return no_update
    t, links = visit.t, line["false_case_ids"][-3:]
    return html.Div(
        [
            html.H2(f"{line['camera_name']} · {word(visit, 'kind', line['algorithm'])}"), _interval(line),
            html.P(word(visit, "suggestion", line["suggestion"])), _mask_words(visit, line), _buttons(visit, line),
            html.P(id="prec-said", role="status"), thresholds(visit, line["thresholds"]),
            *await in_thread(nightly, visit, line),
            dmc.Group([html.A(t("vision.see"), href=f"/cases/{quote(c)}", className="button") for c in links]),
        ],
        className="desk-stack",
    )  # fmt: skip


def _interval(line: dict[str, Any]) -> Any:
    """The share of true alarms with its 95 % interval."""
    value, low, high = (100 * line[n] for n in ("precision", "low", "high"))
    figure = go.Figure(go.Scatter(
        x=[value], y=[""], mode="markers", marker={"size": 13, "color": "#2f9fd6"}, hoverinfo="skip",
        error_x={"type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low],
                 "thickness": 3, "color": "#7f97b0"},
    ))  # fmt: skip
    figure.update_layout(**CHART | {"margin": {"l": 8, "r": 8, "t": 4, "b": 28}}, height=90,
                         xaxis={"range": [0, 100], "ticksuffix": " %"})  # fmt: skip
    return dcc.Graph(figure=figure, config={"displayModeBar": False, "responsive": True})


def _mask_words(visit: Visit, line: dict[str, Any]) -> Any:
    mask = line["mask"]
    if not mask:
        return None
    said = visit.t("vision.mask_try", dropped=mask["false_dropped"], kept=mask["false_kept"], lost=mask["true_lost"])
    return html.P(said, className="quiet")


def _buttons(visit: Visit, line: dict[str, Any]) -> Any:
    t, who = visit.t, visit.principal
    admin, threshold = who.has("admin"), line["threshold"]
    wanted = [
        (threshold is not None, "prec-try", t("vision.try", value=f"{threshold or 0:.2f}")),
        (threshold is not None and admin and bool(line["parameters"]), "prec-apply", t("vision.apply")),
        (bool(line["mask"]) and admin, "prec-mask", t("vision.mask_apply")),
        (bool(line["false_case_ids"]) and who.has("admin", "operator"), "prec-hard", t("vision.hard_all")),
    ]
    return dmc.Group([dmc.Button(label, id=key, size="xs", variant="default") for on, key, label in wanted if on])


@PAGE.callback(Output("prec-said", "children"), Input("prec-try", "n_clicks"), State("prec-at", "data"), True)
async def tried(visit: Visit, clicks: int | None, key: str | None) -> Any:
    """What the suggested threshold would have done."""
    line = await in_thread(_line, visit, key) if clicks and key else None
    if line is None:
        return no_update
    found = await in_thread(_what_if, visit, line)
    return visit.t("vision.what_if", dropped=found["false_dropped"], kept=found["false_kept"], lost=found["true_lost"],
                   stay=found["true_kept"])  # fmt: skip


@PAGE.callback(Output("prec-changed", "data"), Input("prec-apply", "n_clicks"), State("prec-at", "data"), True)
async def raised(visit: Visit, clicks: int | None, key: str | None) -> Any:
    """The suggested threshold as the right parameter of that algorithm on that camera."""
    line = await in_thread(_line, visit, key) if clicks and key else None
    if line is None:
        return no_update
    wish = Threshold(camera_id=line["camera_id"], algorithm=line["algorithm"], threshold=line["threshold"])
    made = await in_thread(apply_threshold, visit.services, visit.principal, wish)
    tell(visit.t("vision.saved"))
    return made["revision"]


@PAGE.callback(Output("prec-changed", "data", allow_duplicate=True), Input("prec-mask", "n_clicks"),
               State("prec-at", "data"), True)  # fmt: skip
async def masked(visit: Visit, clicks: int | None, key: str | None) -> Any:
    """The suggested place is left out from now on."""
    line = await in_thread(_line, visit, key) if clicks and key else None
    if line is None or not line["mask"]:
        return no_update
    polygon = tuple((float(x), float(y)) for x, y in line["mask"]["polygon"])
    wish = Mask(camera_id=line["camera_id"], algorithm=line["algorithm"], polygon=polygon)
    made = await in_thread(apply_mask, visit.services, visit.principal, wish)
    tell(visit.t("vision.saved"))
    return made["revision"]


@PAGE.callback(Output("prec-said", "children", allow_duplicate=True), Input("prec-hard", "n_clicks"),
               State("prec-at", "data"), True)  # fmt: skip
async def learnt(visit: Visit, clicks: int | None, key: str | None) -> Any:
    """The clean pictures of the false alarms go into the next training."""
    line = await in_thread(_line, visit, key) if clicks and key else None
    if line is None:
        return no_update
    kept = await in_thread(_keep_all, visit, line["false_case_ids"])
    return visit.t("vision.hard_kept", n=kept) if kept else visit.t("vision.hard_none")


def _keep_all(visit: Visit, case_ids: list[str]) -> int:
    """How many pictures were kept; cases without one (blurred, expired) are passed over."""
    kept = 0
    for case_id in case_ids:
        try:
            kept += keep_hard_negative(visit.services, visit.principal, case_id)["pictures"]
        except NotFound:
            continue
    return kept


def _lines(visit: Visit) -> list[dict[str, Any]]:
    with read_scope(visit.services.engine) as session:
        return precision.by_camera(session)


def _line(visit: Visit, key: str) -> dict[str, Any] | None:
    return next((line for line in _lines(visit) if f"{line['camera_id']}:{line['algorithm']}" == key), None)


def _what_if(visit: Visit, line: dict[str, Any]) -> dict[str, Any]:
    with read_scope(visit.services.engine) as session:
        return precision.what_if(session, line["camera_id"], line["algorithm"], line["threshold"])


def row_of(r: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """A line as the table shows it."""
    link = {"text": r["camera_name"], "c": "", "href": f"/vision?tab=zones&camera={quote(r['camera_id'])}"}
    return {
        "key": f"{r['camera_id']}:{r['algorithm']}", **parts("camera", link),
        "algorithm": word(visit, "kind", r["algorithm"]), "closed": r["closed"], "false_alarms": r["false_alarms"],
        "precision": f"{100 * r['precision']:.0f} %", "interval": f"{100 * r['low']:.0f}–{100 * r['high']:.0f} %",
        "threshold": "—" if r["threshold"] is None else f"{r['threshold']:.2f}",
        "suggestion": word(visit, "suggestion", r["suggestion"]),
    }  # fmt: skip
