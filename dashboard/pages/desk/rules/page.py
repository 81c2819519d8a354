"""The page ``/rules?rule=…`` and its callbacks."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, quote

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update

from core.errors import InputInvalid, NotFound, YiwangError
from core.legal_time.limits import Limit
from dashboard.desk.rules import RuleBody, SimulateBody, rule_kinds, rule_list, save_rule, try_rule
from dashboard.pages import schema_form
from dashboard.pages.desk.rules import outcome as trial
from dashboard.pages.desk.rules.editor import FORM, editor, editor_states, read, schema_of, title_of
from dashboard.pages.faults import files_at_fault
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.moments import moment_of
from dashboard.pages.tables import chip, column, named, parts, table
from events.rules.findings import DraftSpec

PAGE = Page(path="/rules", zh="规则", en="Rules", roles=("admin", "manager", "dispatcher"), order=30)
NEW = "new-rule"  # the form of a new rule's parameters
_trying = asyncio.Semaphore(1)  # a replay reads half a million rows: one at a time


def layout(visit: Visit) -> Any:
    """The rules at the left, the one that was picked at the right."""
    t = visit.t
    columns = [
        column("name", t("fact.name"), cellRenderer="Parts", minWidth=220),
        column("kind", t("rules.kind"), width=120),
        column("applies", t("rules.applies"), cellRenderer="Parts", minWidth=170, autoHeight=True),
        column("severity", t("fact.severity"), cellRenderer="Parts", width=110),
        column("limit", t("fact.limit"), width=140),
        column("state", t("fact.state"), cellRenderer="Parts", width=100),
    ]
    grid = table(visit, "rules-table", columns, [], key="rule_id", height="calc(100vh - 210px)",
                 options={"rowHeight": 50, "pagination": False})  # fmt: skip
    new = dmc.Button(t("rules.new"), id="rules-new", variant="default", mb="sm")
    return html.Div(
        [
            html.H1(t("page.rules")), files_at_fault(visit, "plugins/rules"),
            dcc.Store(id="rules-changed"), dcc.Store(id="rule-at"), dcc.Store(id="rules-picked"),
            dcc.Download(id="rule-file"), dcc.Store(id="rule-found"),
            html.Div([
                html.Div([new if visit.principal.has("admin") else None, grid], className="split-main"),
                html.Aside(html.P(t("rules.pick"), className="quiet"), id="rules-editor", className="split-side"),
            ], className="split"),
            dmc.Modal(id="rules-dialog", title=t("rules.new"), children=_new_rule(visit), size="lg"),
        ]
    )  # fmt: skip


def _new_rule(visit: Visit) -> Any:
    t = visit.t
    kinds = [{"value": k["kind"], "label": t(f"whystep.{k['kind']}")} for k in rule_kinds(visit.services)]
    return dmc.Stack(
        [
            dmc.TextInput(id="new-rule-id", label=t("fact.number"), description="a-z 0-9 - _", withAsterisk=True),
            dmc.TextInput(id="new-rule-name", label=t("fact.name"), description=t("rules.name_hint"),
                          withAsterisk=True),
            dmc.TagsInput(id="new-rule-applies", label=t("rules.applies"), description="flame_smoke, water_level_m …"),
            dmc.TextInput(id="new-rule-class", label=t("fact.class"), value="event-06-85"),
            dmc.Select(id="new-rule-kind", label=t("rules.kind"), data=kinds, allowDeselect=False,
                       value="state_alarm" if any(k["value"] == "state_alarm" for k in kinds) else None),
            html.Div(id="new-rule-params"),
            html.P(t("rules.new_note"), className="quiet"),
            html.P(id="new-rule-wrong", className="form-error", role="alert"),
            dmc.Button(t("act.save"), id="new-rule-save"),
        ]
    )  # fmt: skip


@PAGE.callback(
    Output("rules-table", "rowData"), Output("rules-table", "selectedRows"), Output("rules-editor", "children"),
    Output("rule-at", "data"), Input("url", "search"), Input("rules-changed", "data"),
)  # fmt: skip
async def shown(visit: Visit, search: str | None, _changed: Any) -> Any:
    """The list, and the editor of the rule that the address names."""
    found = await in_thread(rule_list, visit.services, visit.principal)
    rows = [row_of(rule, visit) for rule in found["items"]]
    wanted = (parse_qs((search or "").lstrip("?")).get("rule") or [""])[0]
    rule = next((r for r in found["items"] if r["rule_id"] == wanted), None)
    if rule is None:
        return rows, [], no_update, None
    return rows, {"ids": [wanted]}, editor(visit, rule, found["happenings"]), wanted


@PAGE.callback(
    Output("rules-picked", "data"), Output("url", "search", allow_duplicate=True),
    Input("rules-table", "cellClicked"), State("rule-at", "data"), True,
)  # fmt: skip
async def picked(_visit: Visit, cell: dict[str, Any] | None, at: str | None) -> Any:
    """The address follows the row."""
    if not cell or not cell.get("rowId") or cell["rowId"] == at:
        return no_update, no_update
    return cell["rowId"], f"?rule={quote(cell['rowId'])}"


def row_of(rule: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """A rule as the list shows it."""
    t, draft = visit.t, rule["draft"] or {}
    severity, limit = int(draft.get("severity") or 2), draft.get("limit")
    on = chip(t("rules.on"), "good") if rule["enabled"] else chip(t("rules.off"), "off")
    badge = {"text": t(f"severity.{severity}"), "c": f"badge s{severity}"}
    return {
        "rule_id": rule["rule_id"], "kind": t(f"whystep.{rule['kind']}"),
        "limit": f"{limit['value']:g} {t('unit.' + limit['unit'])}" if limit else "—",
        **named("name", title_of(rule["name"], visit.language), f"{rule['rule_id']} · v{rule['version']}"),
        **parts("applies", *(chip(t(f"kind.{k}")) for k in rule["applies_to"])),
        **parts("severity", badge, sort=severity), **parts("state", on),
    }  # fmt: skip


def _named(visit: Visit, rule_id: str | None) -> dict[str, Any]:
    items = rule_list(visit.services, visit.principal)["items"]
    found = next((dict(r) for r in items if r["rule_id"] == rule_id), None)
    if found is None:
        raise NotFound(what="rule", key=rule_id or "")
    return found


@PAGE.callback(
    Output("rules-changed", "data"), Output({"form": FORM, "param": ALL, "part": "said"}, "children"),
    Output("rule-wrong", "children"), Input("rule-save", "n_clicks"), State("rule-at", "data"), *editor_states(), True,
)  # fmt: skip
async def save(visit: Visit, clicks: int | None, at: str | None, name: Any, applies: Any, on: Any, *_: Any) -> Any:
    """Keep the rule; what is wrong stands beside its field."""
    if not clicks:
        return no_update, [no_update for _ in ctx.outputs_list[1]], no_update
    said = [entry["id"]["param"] for entry in ctx.outputs_list[1]]
    try:
        rule = await in_thread(_named, visit, at)
        body = read(visit, rule, (name, applies, on), ctx.states_list[4:])
        made = await in_thread(save_rule, visit.services, visit.principal, rule["rule_id"], body)
    except YiwangError as error:
        return no_update, *_beside(visit, error, said)
    tell(visit.t("vision.saved"))
    return made["version"], ["" for _ in said], ""


def _beside(visit: Visit, error: YiwangError, names: list[str]) -> tuple[list[str], str]:
    """The error at the field that it names, else below all of them."""
    text, field = error.told(visit.language), schema_form.field_named(error, names)
    return [text if name == field else "" for name in names], visit.t("rules.wrong_field") if field else text


@PAGE.callback(
    Output("rule-outcome", "children"), Output("rule-found", "data"), Input("rule-try", "n_clicks"),
    State("rule-at", "data"), *editor_states(), State("rule-from", "value"), State("rule-to", "value"), True,
    running=[(Output("rule-try", "loading"), True, False)],
)  # fmt: skip
async def tried(visit: Visit, clicks: int | None, at: str | None, name: Any, applies: Any, on: Any, *rest: Any) -> Any:
    """What the rule as it stands in the editor would have opened in the period; nothing is kept."""
    if not clicks:
        return no_update, no_update
    rule = await in_thread(_named, visit, at)
    body = read(visit, rule, (name, applies, on), ctx.states_list[4:])
    start, end = moment_of(rest[-2], "from"), moment_of(rest[-1], "to")
    async with _trying:
        wish = SimulateBody(start=start, end=end, rule=body, rule_id=rule["rule_id"])
        found = await in_thread(try_rule, visit.services, visit.principal, wish)
    return trial.outcome(visit, found), trial.as_csv(found["cases"])


@PAGE.callback(Output("rule-file", "data"), Input("rule-csv", "n_clicks"), State("rule-found", "data"), True)
async def exported(_visit: Visit, clicks: int | None, found: str | None) -> Any:
    """The cases of the last trial as a file."""
    return {"content": found, "filename": "simulation.csv", "type": "text/csv"} if clicks and found else no_update


@PAGE.callback(Output("rules-dialog", "opened"), Input("rules-new", "n_clicks"), True)
async def asked(_visit: Visit, clicks: int | None) -> Any:
    """Ask for a new rule."""
    return True if clicks else no_update


@PAGE.callback(Output("new-rule-params", "children"), Input("new-rule-kind", "value"))
async def parameters(visit: Visit, kind: str | None) -> Any:
    """The parameters of the kind that was chosen."""
    if not kind:
        return no_update
    return schema_form.Form(visit, NEW, "rule", kind, schema_of(visit.services, kind)).draw({})


@PAGE.callback(
    Output("new-rule-wrong", "children"), Output("rules-dialog", "opened", allow_duplicate=True),
    Output("rules-changed", "data", allow_duplicate=True), Output("url", "search", allow_duplicate=True),
    Input("new-rule-save", "n_clicks"), *(State(f"new-rule-{n}", "value") for n in ("id", "name", "kind", "applies",
    "class")), *schema_form.states(NEW), True,
)  # fmt: skip
async def made(
    visit: Visit, clicks: int | None, rule_id: Any, name: Any, kind: Any, applies: Any, code: Any, *_: Any
) -> Any:
    """A new rule, switched off until it was tried, then its editor."""
    if not clicks:
        return no_update, no_update, no_update, no_update
    try:
        body = fresh(visit, kind, name, applies, code, schema_form.answers(ctx.states_list[5:8]))
        kept = await in_thread(save_rule, visit.services, visit.principal, (rule_id or "").strip(), body)
    except YiwangError as error:
        return error.told(visit.language), no_update, no_update, no_update
    return "", False, f"{kept['rule_id']} 1", f"?rule={quote(kept['rule_id'])}"


def fresh(
    visit: Visit, kind: str | None, name: str | None, applies: list[str] | None, code: str | None,
    given: dict[str, Any],
) -> RuleBody:  # fmt: skip
    """A rule of ``kind``, switched off; the case that it opens is set in its editor."""
    if not kind or not (name or "").strip():
        raise InputInvalid(field="name", detail="is empty", how="give the rule a name and a kind")
    draft = DraftSpec(happening="equipment", class_code=(code or "").strip(), title=f"{{place}} {name}", severity=1,
                      limit=Limit(value=4, unit="work_hour"))  # fmt: skip
    params = schema_form.collect(schema_of(visit.services, kind), given, sparse=True)
    return RuleBody(kind=kind, name=(name or "").strip(), applies_to=list(applies or []), draft=draft, params=params,
                    enabled=False)  # fmt: skip


schema_form.wire_lines(PAGE, FORM)
schema_form.wire_lines(PAGE, NEW)
