"""An algorithm on a camera: its zones and its parameters, from the schema and titles of the plug-in."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update

from core import plugins
from core.errors import YiwangError
from dashboard.desk.cameras import algorithm_kinds
from dashboard.pages import schema_form
from dashboard.pages.choices import choices, word
from dashboard.pages.desk.vision.base import PAGE
from dashboard.pages.desk.vision.draft import Draft
from dashboard.pages.desk.vision.lists import trial
from dashboard.pages.desk.vision.zones import DRAFT
from dashboard.pages.frame import Visit
from dashboard.pages.presses import pressed

FORM = "algorithm"


def schema_of(visit: Visit, kind: str) -> schema_form.Schema:
    """The JSON Schema of a kind's parameters; without properties where the plug-in is gone."""
    found = (dict(a["params"]) for a in algorithm_kinds(visit.services) if a["kind"] == kind)
    return next(found, {"properties": {}})


def first_of(kinds: list[str]) -> str:
    """What the form of a new algorithm begins with: never an experimental one."""
    return next(kind for kind in kinds if not plugins.about("algorithm", kind).experimental.en)


def dialog(visit: Visit, draft: Draft, index: int | None) -> Any:
    """The algorithm at ``index``, or a new one."""
    t = visit.t
    config = draft["algorithms"][index] if index is not None else {}
    kinds = [a["kind"] for a in algorithm_kinds(visit.services)]
    if config and config["kind"] not in kinds:
        kinds.append(config["kind"])
    names = {k: word(visit, "kind", k) for k in kinds}
    masked = f" ({word(visit, 'zonepurpose', 'mask')})"
    zones = {z["zone_id"]: z["name"] + masked * (z.get("purpose") == "mask") for z in draft["zones"]}
    return [
        html.H2(names[config["kind"]] if config else t("vision.new_algorithm")),
        dmc.Select(id="algorithm-kind", label=t("fact.kind"), data=choices(names), disabled=bool(config),
                   value=config.get("kind") or first_of(kinds), allowDeselect=False, searchable=True),
        dmc.MultiSelect(id="algorithm-zones", label=t("vision.zones_only"), data=choices(zones), mt="sm",
                        value=[z for z in config.get("zones") or [] if z in zones],
                        description=t("vision.whole_hint")),
        html.P(t("vision.default_hint"), className="quiet mt"),
        html.Div(id="algorithm-fields"), dcc.Store(id="algorithm-index", data=index),
        html.P(id="algorithm-wrong", className="form-error", role="alert"),
        dmc.Button(t("act.apply"), id="algorithm-apply", mt="md"),
    ]  # fmt: skip


@PAGE.callback(
    Output("algorithm-dialog", "opened"), Output("algorithm-dialog-held", "children"),
    Input("algorithm-new", "n_clicks"), Input({"algorithm": ALL, "part": "edit"}, "n_clicks"), State(DRAFT, "data"),
    True,
)  # fmt: skip
async def asked(visit: Visit, _new: int | None, _edits: Any, draft: Draft | None) -> Any:
    """The form of an algorithm."""
    button, _ = pressed()
    if not draft or not button or not visit.principal.has("admin"):
        return no_update, no_update
    return True, dialog(visit, draft, button["algorithm"] if isinstance(button, dict) else None)


@PAGE.callback(
    Output("algorithm-fields", "children"), Input("algorithm-kind", "value"), State("algorithm-index", "data"),
    State(DRAFT, "data"),
)  # fmt: skip
async def fields(visit: Visit, kind: str | None, index: int | None, draft: Draft | None) -> Any:
    """The parameters of the kind that was chosen."""
    if not kind or not draft:
        return no_update
    given = draft["algorithms"][index].get("params") or {} if index is not None else {}
    form = schema_form.Form(visit, FORM, "algorithm", kind, schema_of(visit, kind))
    return [trial(visit, kind, told=True), form.draw(given)]


@PAGE.callback(
    Output(DRAFT, "data", allow_duplicate=True), Output("algorithm-dialog", "opened", allow_duplicate=True),
    Output("algorithm-wrong", "children"), Input("algorithm-apply", "n_clicks"), State("algorithm-kind", "value"),
    State("algorithm-zones", "value"), State("algorithm-index", "data"), State(DRAFT, "data"),
    *schema_form.states(FORM), True,
)  # fmt: skip
async def applied(
    visit: Visit, clicks: int | None, kind: str, zones: Any, index: int | None, draft: Draft | None, *_: Any
) -> Any:
    """The algorithm joins the draft; the server judges it when the camera is saved."""
    if not clicks or not draft:
        return no_update, no_update, no_update
    try:
        given = schema_form.answers(ctx.states_list[4:7])
        params = schema_form.collect(schema_of(visit, kind), given, sparse=True)
    except YiwangError as error:
        return no_update, no_update, error.told(visit.language)
    return placed(draft, index, {"kind": kind, "zones": list(zones or []), "params": params}), False, ""


def placed(draft: Draft, index: int | None, config: dict[str, Any]) -> Draft:
    """The draft with ``config`` at ``index``, or last; what no field shows (a schedule) stays."""
    algorithms = list(draft["algorithms"])
    if index is None:
        algorithms.append(config)
    else:
        schedule = (algorithms[index].get("params") or {}).get("schedule")
        more = {"schedule": schedule} if schedule else {}
        algorithms[index] = {**config, "params": {**more, **config["params"]}}
    return {**draft, "algorithms": algorithms, "dirty": True}


@PAGE.callback(Output(DRAFT, "data", allow_duplicate=True), Input({"algorithm": ALL, "part": "drop"}, "n_clicks"),
               State(DRAFT, "data"), True)  # fmt: skip
async def dropped(_visit: Visit, _clicks: Any, draft: Draft | None) -> Any:
    """An algorithm is taken away."""
    button, _ = pressed()
    if not draft or not button:
        return no_update
    kept = [a for i, a in enumerate(draft["algorithms"]) if i != button["algorithm"]]
    return {**draft, "algorithms": kept, "dirty": True}


schema_form.wire_lines(PAGE, FORM)
