"""Connections: other platforms connected, tried and watched by an administrator, without a restart."""

from __future__ import annotations

import json
from typing import Any

import dash_mantine_components as dmc
import yaml
from dash import ALL, Input, Output, State, dcc, html, no_update

from core.errors import InputInvalid
from dashboard.connections import desk, trial
from dashboard.connections.live import with_live
from dashboard.connections.suggest import suggest
from dashboard.pages.desk.connections import parts
from dashboard.pages.faults import files_at_fault
from dashboard.pages.frame import Page, Visit, in_thread, tell
from ingest.connections.starter import starters
from ingest.yamltext import read_yaml

PAGE = Page(path="/connections", zh="接入", en="Connections", roles=("admin",), order=92)
_ALL = {"type": "conn-param", "name": ALL, "as": ALL}
_FORM = (State(_ALL, "id"), State(_ALL, "value"), State(_ALL, "checked"))
_NARROW = {"flex": "1 1 360px", "maxWidth": "560px", "minWidth": 0}
_WIDE = {"flex": "2 1 480px", "minWidth": 0}


def layout(visit: Visit) -> Any:
    """New connection and list at the left, the editor of the picked one at the right."""
    t, kinds = visit.t, desk.kinds(visit.language)
    begin = [{"value": f"starter:{name}", "label": s["title"][visit.language]} for name, s in starters().items()]
    begin += [{"value": f"kind:{k['kind']}", "label": k["title"]} for k in kinds]
    left = [
        html.P(t("conn.help"), className="quiet"),
        dmc.Group([
            dmc.Select(id="conn-begin", data=begin, placeholder=t("conn.begin"), searchable=True, w=230,
                       **{"aria-label": t("conn.begin")}),
            dmc.TextInput(id="conn-id", placeholder=t("conn.id"), w=150, **{"aria-label": t("conn.id")}),
            dmc.Button(t("conn.make"), id="conn-make"),
        ], gap="xs", mb="sm"),
        parts.listing(visit, _rows(visit)),
    ]  # fmt: skip
    editor = html.Div(html.P(t("conn.pick"), className="quiet"), id="conn-editor", style=_WIDE)
    return html.Div(
        [
            html.H1(t("page.connections")), files_at_fault(visit, "plugins/connections"),
            dcc.Store(id="conn-picked"), dcc.Store(id="conn-saved"), dcc.Interval(id="conn-tick", interval=3000),
            dmc.Group([html.Div(left, style=_NARROW), editor], align="flex-start"),
        ]
    )  # fmt: skip


def _rows(visit: Visit) -> list[dict[str, Any]]:
    titles = {k["kind"]: k["title"] for k in desk.kinds(visit.language)}
    items = [with_live(visit.services, row) for row in desk.connection_list(visit.services, visit.principal)]
    return parts.rows_of(items, titles, visit)


@PAGE.callback(Output("conn-table", "rowData"), Input("conn-tick", "n_intervals"), Input("conn-saved", "data"))
async def refreshed(visit: Visit, _tick: int | None, _saved: Any) -> Any:
    """The list as it stands now."""
    return await in_thread(_rows, visit)


@PAGE.callback(
    Output("conn-picked", "data"), Input("conn-make", "n_clicks"), State("conn-begin", "value"),
    State("conn-id", "value"),
)  # fmt: skip
async def make(visit: Visit, clicks: int | None, begin: str | None, given: str | None) -> Any:
    """A new connection from a starter or a kind; its editor opens."""
    if not clicks:
        return no_update
    how, _, name = (begin or "").partition(":")
    if not name:
        raise InputInvalid(field=visit.t("conn.begin"), detail=visit.t("conn.nothing"), how=visit.t("conn.begin"))
    starter = starters().get(name) if how == "starter" else None
    kind = starter["kind"] if starter else name
    title = starter["title"][visit.language] if starter else (given or "")
    sent = desk.NewConnection(connection_id=(given or "").strip(), name=title, kind=kind)
    made = await in_thread(desk.make, visit.services, visit.principal, sent)
    return {"id": made["connection_id"], "starter": name if starter else ""}


@PAGE.callback(Output("conn-picked", "data", allow_duplicate=True), Input("conn-table", "cellClicked"), True)
async def picked(visit: Visit, cell: dict[str, Any] | None) -> Any:
    """The connection that was clicked."""
    return {"id": str(cell["rowId"]), "starter": ""} if cell and cell.get("rowId") else no_update


@PAGE.callback(Output("conn-editor", "children"), Input("conn-picked", "data"))
async def editor(visit: Visit, wanted: dict[str, str] | None) -> Any:
    """The editor of one connection."""
    if not wanted:
        return no_update
    found = await in_thread(desk.connection, visit.services, visit.principal, wanted["id"])
    kind = next(k for k in desk.kinds(visit.language) if k["kind"] == found["kind"])
    starter = starters().get(wanted.get("starter") or "", {})
    params, mapping = found.get("params", starter.get("params", {})), found.get("mapping", starter.get("mapping", {}))
    interval = found.get("interval_s") or starter.get("interval_s") or kind["interval_s"] or 60
    return [_head(visit, found, kind), _tabs(visit, found, kind, params, mapping, interval)]


def _head(visit: Visit, found: dict[str, Any], kind: dict[str, Any]) -> Any:
    t = visit.t
    buttons: list[Any] = [
        dmc.Button(t("conn.save"), id="conn-save"),
        dmc.Switch(id="conn-on", label=t("conn.on"), checked=found["enabled"]),
    ]
    if kind["transport"] == "push":
        buttons += [dmc.Button(t("conn.make_key"), id="conn-key", variant="default"),
                    dmc.Button(t("conn.revoke_key"), id="conn-revoke", variant="default", color="red")]  # fmt: skip
    return html.Div([
        html.H2(f"{found['name']} · {kind['title']}"), html.P(kind["help"], className="quiet"),
        dmc.Group(buttons, gap="sm"), html.P(id="conn-said", **{"aria-live": "polite"}),
    ])  # fmt: skip


def _tabs(visit: Visit, found: dict[str, Any], kind: dict[str, Any], params: Any, mapping: Any, interval: float) -> Any:
    t = visit.t
    sender = [
        *parts.param_fields(kind, params, visit), *parts.secret_fields(kind, found["secrets"], visit),
        dmc.NumberInput(id="conn-interval", label=t("conn.interval"), value=interval, min=1),
        dmc.TextInput(id="conn-account", label=t("conn.account"), value=found["account"]),
    ]  # fmt: skip
    area = {"autosize": True, "minRows": 14, "maxRows": 22, "styles": {"input": {"fontFamily": "monospace"}}}
    mapped = [
        html.P(t("conn.mapping_help"), className="quiet"),
        dmc.Group([
            dmc.Button(t("conn.test"), id="conn-test", variant="default"),
            dmc.Button(t("conn.suggest"), id="conn-suggest", variant="default"),
            dmc.Button(t("conn.try"), id="conn-try", variant="default"),
        ], gap="xs"),
        dmc.SimpleGrid([
            dmc.Textarea(id="conn-sample", label=t("conn.sample"), **area),
            dmc.Textarea(id="conn-mapping", label=t("conn.mapping"), value=parts.as_yaml(mapping), **area),
        ], cols={"base": 1, "md": 2}),
        html.Div(id="conn-result"),
    ]  # fmt: skip
    return dmc.Tabs([
        dmc.TabsList([dmc.TabsTab(t(f"conn.tab.{name}"), value=name) for name in ("sender", "mapping", "history")]),
        dmc.TabsPanel(dmc.Stack(sender, gap="xs", maw=620), value="sender"),
        dmc.TabsPanel(dmc.Stack(mapped, gap="xs"), value="mapping"),
        dmc.TabsPanel(html.Div(id="conn-history"), value="history"),
    ], value="sender", id="conn-tabs")  # fmt: skip


@PAGE.callback(
    Output("conn-sample", "value"), Output("conn-said", "children"), Input("conn-test", "n_clicks"),
    State("conn-picked", "data"), *_FORM, State({"type": "conn-secret", "name": ALL}, "id"),
    State({"type": "conn-secret", "name": ALL}, "value"), State("conn-mapping", "value"),
)  # fmt: skip
async def test(visit: Visit, clicks: int | None, on: Any, names: Any, values: Any, checked: Any, *rest: Any) -> Any:
    """Ask the sender once, with what stands in the form; secrets that were typed are kept first."""
    if not clicks:
        return no_update, no_update
    secret_names, secret_values, mapping = rest
    await in_thread(_keep_secrets, visit, on["id"], secret_names, secret_values)
    version = desk.Version(params=_params(names, values, checked), mapping=_mapping(mapping))
    answer = await trial.test(visit.services, visit.principal, on["id"], version)
    if not answer["ok"]:
        return no_update, answer["detail"]
    sample = json.dumps(answer["sample"], ensure_ascii=False, indent=1)
    return sample, visit.t("conn.tested", items=answer["items"], seconds=answer["seconds"])


@PAGE.callback(Output("conn-mapping", "value"), Input("conn-suggest", "n_clicks"), State("conn-sample", "value"))
async def suggested(visit: Visit, clicks: int | None, sample: str | None) -> Any:
    """A first mapping from the sample."""
    if not clicks:
        return no_update
    return parts.as_yaml(suggest(_json(sample))) or no_update


@PAGE.callback(
    Output("conn-result", "children"), Input("conn-try", "n_clicks"), State("conn-picked", "data"),
    State("conn-sample", "value"), State("conn-mapping", "value"),
)  # fmt: skip
async def tried(visit: Visit, clicks: int | None, on: Any, sample: str | None, mapping: str | None) -> Any:
    """The dry run."""
    if not clicks:
        return no_update
    sent = trial.Trial(mapping=_mapping(mapping), sample=sample or "")
    return parts.result(visit, await in_thread(trial.try_mapping, visit.services, visit.principal, on["id"], sent))


@PAGE.callback(
    Output("conn-saved", "data"), Output("conn-said", "children", allow_duplicate=True),
    Output({"type": "conn-secret", "name": ALL}, "value"), Input("conn-save", "n_clicks"),
    State("conn-picked", "data"), *_FORM, State({"type": "conn-secret", "name": ALL}, "id"),
    State({"type": "conn-secret", "name": ALL}, "value"), State("conn-mapping", "value"),
    State("conn-interval", "value"), State("conn-account", "value"), True,
)  # fmt: skip
async def save(visit: Visit, clicks: int | None, on: Any, names: Any, values: Any, checked: Any, *rest: Any) -> Any:
    """A new version, in force within seconds; typed secrets leave the page."""
    if not clicks:
        return no_update, no_update, [no_update] * len(rest[0])
    secret_names, secret_values, mapping, interval, account = rest
    await in_thread(_keep_secrets, visit, on["id"], secret_names, secret_values)
    sent = desk.Version(params=_params(names, values, checked), mapping=_mapping(mapping),
                        interval_s=float(interval or 60), account=(account or "").strip())  # fmt: skip
    saved = await in_thread(desk.save, visit.services, visit.principal, on["id"], sent)
    said = visit.t("conn.saved", version=saved["version"])
    return {"version": saved["version"]}, said, [""] * len(secret_names)


@PAGE.callback(
    Output("conn-saved", "data", allow_duplicate=True), Input("conn-on", "checked"), State("conn-picked", "data"), True
)
async def switched(visit: Visit, checked: bool | None, on: Any) -> Any:
    """On or off."""
    found = await in_thread(desk.connection, visit.services, visit.principal, on["id"])
    if checked is None or found["enabled"] == checked:
        return no_update
    await in_thread(desk.switch, visit.services, visit.principal, on["id"], checked)
    tell(visit.t("conn.is_on" if checked else "conn.is_off"))
    return {"on": checked}


@PAGE.callback(
    Output("conn-said", "children", allow_duplicate=True), Input("conn-key", "n_clicks"),
    State("conn-picked", "data"), True,
)  # fmt: skip
async def keyed(visit: Visit, clicks: int | None, on: Any) -> Any:
    """A key, shown this once."""
    if not clicks:
        return no_update
    made = await in_thread(desk.make_key, visit.services, visit.principal, on["id"])
    return visit.t("conn.key_is", path=made["path"], secret=made["key"])


@PAGE.callback(
    Output("conn-said", "children", allow_duplicate=True), Input("conn-revoke", "n_clicks"),
    State("conn-picked", "data"), True,
)  # fmt: skip
async def revoked(visit: Visit, clicks: int | None, on: Any) -> Any:
    """The key ends."""
    if not clicks:
        return no_update
    await in_thread(desk.revoke_key, visit.services, visit.principal, on["id"])
    return visit.t("conn.key_revoked")


@PAGE.callback(
    Output("conn-history", "children"), Input("conn-tabs", "value"), Input("conn-tick", "n_intervals"),
    State("conn-picked", "data"), True,
)  # fmt: skip
async def history(visit: Visit, tab: str | None, _tick: int | None, on: Any) -> Any:
    """Runs, refusals, orders with errors and versions, while their tab is open."""
    if tab != "history" or not on:
        return no_update
    found = await in_thread(desk.connection, visit.services, visit.principal, on["id"])
    return parts.history(visit, with_live(visit.services, found, whole=True))


def _params(names: list[dict[str, str]], values: list[Any], checked: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for ident, value, on in zip(names, values, checked, strict=True):
        if on is not None:
            found[ident["name"]] = bool(on)
        elif ident["as"] == "object":
            found[ident["name"]] = _mapping(value)
        elif ident["as"] == "array":
            found[ident["name"]] = [word.strip() for word in (value or "").split(",") if word.strip()]
        elif value not in (None, ""):
            found[ident["name"]] = value
    return {name: value for name, value in found.items() if value not in ({}, [])}


def _mapping(text: str | None) -> dict[str, Any]:
    try:
        found = read_yaml(text or "") or {}
    except yaml.YAMLError as error:
        raise InputInvalid(field="mapping", detail=str(error), how="correct the YAML at that line") from error
    if not isinstance(found, dict):
        raise InputInvalid(field="mapping", detail="is no mapping of names to values", how="write name: value")
    return found


def _json(text: str | None) -> Any:
    try:
        return json.loads(text or "")
    except ValueError as error:
        raise InputInvalid(field="sample", detail=str(error), how="paste JSON, or test the connection") from error


def _keep_secrets(visit: Visit, connection_id: str, names: list[dict[str, str]], values: list[Any]) -> None:
    typed = {i["name"]: v for i, v in zip(names, values, strict=True) if v}
    if typed:
        desk.keep_secrets(visit.services, visit.principal, connection_id, desk.Secrets(values=typed))
