"""The editor of one rule: name, what it applies to, parameters, the case it opens; read back as it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import dash_mantine_components as dmc
import msgspec
from dash import ALL, State, html

from core.errors import InputInvalid
from dashboard.desk.rules import TRIED_BY, RuleBody, rule_kinds
from dashboard.i18n import words
from dashboard.pages import schema_form
from dashboard.pages.frame import Visit
from dashboard.pages.moments import moment_field, shown
from dashboard.services import Services
from events.rules.findings import DraftSpec

FORM = "rule"
UNITS = ("work_hour", "work_day", "urgent_hour", "urgent_day")
SETS = ("2013", "2007")  # editions of the class code set
SWITCHES = ("auto_register", "recheck", "maintenance")
Rule = Mapping[str, Any]


def title_of(name: str, language: str) -> str:
    """A rule's name in one language: names are written ``中文 / English``."""
    zh, _, en = name.partition(" / ")
    return en or zh if language == "en" else zh


def params_form(visit: Visit, rule: Rule, *, off: bool) -> schema_form.Form:
    """The fields of the parameters of the rule's kind."""
    return schema_form.Form(visit, FORM, "rule", rule["kind"], schema_of(visit.services, rule["kind"]), off=off)


def schema_of(use: Services, kind: str) -> schema_form.Schema:
    """The JSON Schema of a kind's parameters; without properties where the plug-in is gone."""
    return next((dict(k["params"]) for k in rule_kinds(use) if k["kind"] == kind), {"properties": {}})


def editor(visit: Visit, rule: Rule, happenings: Sequence[str]) -> Any:
    """Everything about one rule; without the administrator's role it can only be read and tried."""
    t, off = visit.t, not visit.principal.has("admin")
    by = t("rules.shipped") if rule["updated_by"] == "defaults" else rule["updated_by_name"] or "—"
    names = _kind_words(visit)
    about = "、".join(names.get(k, k) for k in rule["applies_to"])
    return html.Div(
        [
            html.H2(title_of(rule["name"], visit.language)),
            html.P(t("rules.changed", who=by, when=shown(rule["updated_at"])), className="quiet"),
            dmc.TextInput(id="rule-name", label=t("fact.name"), description=t("rules.name_hint"), value=rule["name"],
                          disabled=off),
            dmc.TagsInput(id="rule-applies", label=t("rules.applies"), value=list(rule["applies_to"]),
                          data=sorted(names), limit=12, disabled=off, description=about),
            html.H3(t("fact.params")), params_form(visit, rule, off=off).draw(rule["params"]),
            html.H3(t("rules.draft")), draft_fields(visit, rule["draft"], happenings, off=off),
            dmc.Switch(id="rule-enabled", label=t("rules.on"), checked=rule["enabled"], disabled=off),
            html.P(id="rule-wrong", className="form-error", role="alert"),
            _tools(visit, off=off),
            html.P(t("rules.simulate_note"), className="quiet"),
            html.Div(id="rule-outcome", **{"aria-live": "polite"}),
        ],
        className="desk-stack",
    )  # fmt: skip


def _tools(visit: Visit, *, off: bool) -> Any:
    t, now = visit.t, visit.services.clock.now()
    save = html.Span(t("admin.only"), className="quiet") if off else dmc.Button(t("act.save"), id="rule-save")
    trial = [
        moment_field("rule-from", t("rules.from"), now - timedelta(days=7), size="xs"),
        moment_field("rule-to", t("rules.to"), now, size="xs"),
        dmc.Button(t("rules.simulate"), id="rule-try", variant="default"),
    ]
    return dmc.Group([*(trial if visit.principal.has(*TRIED_BY) else []), save], align="flex-end", gap="sm")


def draft_fields(visit: Visit, draft: Rule, happenings: Sequence[str], *, off: bool) -> Any:
    """What the rule opens."""
    t, limit = visit.t, draft.get("limit") or {}
    names = _kind_words(visit)

    def select(name: str, label: str, data: list[tuple[str, str]], value: str) -> Any:
        choices = [{"value": v, "label": w} for v, w in data]
        return dmc.Select(id=_id(name), label=label, data=choices, value=value, disabled=off, allowDeselect=False)

    levels = [(str(n), t(f"severity.{n}")) for n in range(1, 5)]
    plain = [
        dmc.TextInput(id=_id("title"), label=t("fact.title"), value=draft.get("title", ""), disabled=off),
        select("happening", t("rules.happening"), [(x, names.get(x, x)) for x in happenings], draft["happening"]),
        select("severity", t("fact.severity"), levels, str(draft.get("severity", 2))),
        dmc.TextInput(id=_id("class_code"), label=t("fact.class"), value=draft.get("class_code", ""), disabled=off),
        select("class_version", t("rules.class_version"), [(s, s) for s in SETS], draft.get("class_version", SETS[0])),
        dmc.NumberInput(id=_id("limit_value"), label=t("fact.limit"), value=limit.get("value", ""), min=0, disabled=off,
                        hideControls=True),
        select("limit_unit", t("fact.unit"), [(u, t(f"unit.{u}")) for u in UNITS], limit.get("unit", UNITS[0])),
    ]  # fmt: skip
    yes = [
        dmc.Switch(id={"draft": n, "part": "checked"}, label=t(f"rules.{n}"), disabled=off,
                   checked=bool(draft.get(n, n != "maintenance")))
        for n in SWITCHES
    ]  # fmt: skip
    said = html.Small(id="rule-draft-wrong", className="field-error", role="alert")
    return html.Div([html.Div(plain, className="desk-fields"), dmc.Stack(yes, gap="xs", mt="sm"), said])


def _id(name: str) -> dict[str, str]:
    return {"draft": name, "part": "value"}


def editor_states() -> list[State]:
    """What a callback asks for to read the editor: two plain values, then the form's lists, then the draft's."""
    return [
        State("rule-name", "value"), State("rule-applies", "value"), State("rule-enabled", "checked"),
        *schema_form.states(FORM),
        State({"draft": ALL, "part": "value"}, "value"), State({"draft": ALL, "part": "checked"}, "checked"),
    ]  # fmt: skip


def read(visit: Visit, rule: Rule, plain: tuple[Any, Any, Any], lists: Sequence[Any]) -> RuleBody:
    """The rule as the editor holds it; ``lists`` are the entries of ``ctx.states_list`` after the plain values."""
    name, applies, enabled = plain
    params = schema_form.collect(
        schema_of(visit.services, rule["kind"]), schema_form.answers(lists[:3]), sparse=False
    )  # fmt: skip
    held = {entry["id"]["draft"]: entry.get("value") for part in lists[3:5] for entry in part}
    return RuleBody(
        kind=rule["kind"], name=(name or "").strip(), applies_to=list(applies or []), params=params,
        draft=_draft(rule["draft"], held), enabled=bool(enabled), version=rule["version"],
    )  # fmt: skip


def _draft(before: Rule, held: dict[str, Any]) -> DraftSpec:
    value, unit = held.pop("limit_value", None), held.pop("limit_unit", UNITS[0])
    limit = None if value in (None, "") else {"value": value, "unit": unit}
    try:
        found = {**before, **held, "severity": int(held.get("severity") or 2), "limit": limit}
        return msgspec.convert(found, DraftSpec, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise InputInvalid(field="draft", detail=str(error), how="correct it") from error


def _kind_words(visit: Visit) -> dict[str, str]:
    return {k.removeprefix("kind."): w for k, w in words(visit.language).items() if k.startswith("kind.")}
