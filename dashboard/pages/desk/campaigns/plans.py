"""An own plan for a campaign: its check-list as a table, typed or pasted, begun from one of the examples."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, html, no_update

from dashboard.campaigns.desk import CampaignDesk
from dashboard.pages.choices import departments
from dashboard.pages.desk.campaigns.page import PAGE
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.tables import column, table
from records.campaigns.campaign import example_plans
from records.registers.definition import shipped_registers

ROWS = 12
FIELDS = ("zh", "en", "severity", "department", "fault")


def plan_panel(visit: Visit) -> Any:
    """Title, register, letter and the check-list of an own plan."""
    t, english = visit.t, visit.language == "en"
    registers = [{"value": "", "label": "—"}]
    registers += [{"value": r.id, "label": r.en if english else r.zh} for r in shipped_registers().values()]
    severities = {"cellEditor": "agSelectCellEditor", "cellEditorParams": {"values": [1, 2, 3, 4]}}
    known = {"cellEditor": "agSelectCellEditor",
             "cellEditorParams": {"values": ["", *(d["value"] for d in departments(visit))]}}  # fmt: skip
    edit: dict[str, Any] = {"editable": True, "sortable": False, "filter": False}
    columns = [
        column("zh", t("camp.question_zh"), minWidth=220, **edit),
        column("en", t("camp.question_en"), minWidth=200, **edit),
        column("severity", t("camp.severity"), width=110, **edit, **severities),
        column("department", t("camp.department"), width=170, **edit, **known),
        column("fault", t("camp.fault"), minWidth=200, **edit),
    ]  # fmt: skip
    how = {"pagination": False, "singleClickEdit": True, "stopEditingWhenCellsLoseFocus": True}
    grid = table(visit, "camp-own-rows", columns, empty_rows(), key="at", height="300px", options=how)
    return html.Details([
        html.Summary(t("camp.own_plan")), html.P(t("camp.own_about"), className="quiet"),
        dmc.Group([
            dmc.TextInput(id="camp-own-zh", label=t("camp.title_zh"), value="", w=240),
            dmc.TextInput(id="camp-own-en", label=t("camp.title_en"), value="", w=240),
            dmc.Select(id="camp-own-register", label=t("camp.register"), data=registers, value="", w=200,
                       allowDeselect=False),
            dmc.TextInput(id="camp-own-letter", label=t("camp.letter_end"), value="", w=300),
            dmc.Button(t("camp.from_example"), id="camp-own-fill", size="xs", variant="light", n_clicks=0),
            dmc.Button(t("camp.make_own"), id="camp-own-make", size="xs", n_clicks=0),
        ], align="flex-end", mb="xs"),
        grid,
    ], style={"marginBottom": "12px"})  # fmt: skip


def empty_rows() -> list[dict[str, Any]]:
    """Lines to write into."""
    return [{"at": at, "zh": "", "en": "", "severity": 2, "department": "", "fault": ""} for at in range(ROWS)]


def plan_of(zh: str, en: str, register: str, letter: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The plan's data out of the table; lines without a question are left out."""
    questions = []
    for at, row in enumerate((row for row in rows if str(row.get("zh") or "").strip()), 1):
        question: dict[str, Any] = {"name": row.get("name") or f"q{at}", "zh": str(row["zh"]).strip()}
        question["severity"] = int(row.get("severity") or 2)
        for name in ("en", "department", "fault"):
            if str(row.get(name) or "").strip():
                question[name] = str(row[name]).strip()
        questions.append(question)
    return {"id": "own_plan", "zh": zh.strip(), "en": en.strip() or zh.strip(), "register": register,
            "letter": letter.strip(), "questions": questions}  # fmt: skip


@PAGE.callback(
    Output("camp-own-zh", "value"), Output("camp-own-en", "value"), Output("camp-own-register", "value"),
    Output("camp-own-letter", "value"), Output("camp-own-rows", "rowData"), Input("camp-own-fill", "n_clicks"),
    State("camp-plan", "value"), True,
)  # fmt: skip
async def begun(visit: Visit, clicks: int | None, plan: str | None) -> Any:
    """The example that is chosen above, to be changed."""
    del visit
    if not clicks or plan not in example_plans():
        return no_update, no_update, no_update, no_update, no_update
    body = example_plans()[plan].body
    rows = [{**blank, "name": row["name"], **{name: row.get(name, blank[name]) for name in FIELDS}}
            for blank, row in zip(_blanks(len(body["questions"])), body["questions"], strict=False)]  # fmt: skip
    return body["zh"], body.get("en", ""), body.get("register", ""), body.get("letter", ""), rows


def _blanks(count: int) -> list[dict[str, Any]]:
    return [{**empty_rows()[0], "at": at} for at in range(count + 3)]


@PAGE.callback(
    Output("camp-changed", "data", allow_duplicate=True), Input("camp-own-make", "n_clicks"),
    State("camp-own-zh", "value"), State("camp-own-en", "value"), State("camp-own-register", "value"),
    State("camp-own-letter", "value"), State("camp-own-rows", "rowData"), State("camp-days", "value"),
    State("camp-count", "value"), State("camp-changed", "data"), True,
)  # fmt: skip
async def make_own(
    visit: Visit, clicks: int | None, zh: str | None, en: str | None, register: str | None, letter: str | None,
    rows: list[dict[str, Any]] | None, days: float | None, count: float | None, changed: int | None,
) -> Any:  # fmt: skip
    """A campaign after the plan that was written here, with records of its register as its visit list."""
    if not clicks:
        return no_update
    desk = CampaignDesk(visit.services, visit.principal.actor)
    plan = plan_of(zh or "", en or "", register or "", letter or "", rows or [])
    made = await in_thread(desk.make, plan, desk.today + timedelta(days=int(days or 14)))
    added = await in_thread(desk.add, made, [], "", int(count or 1)) if register else 0
    tell(visit.t("camp.made", n=added))
    return (changed or 0) + 1
