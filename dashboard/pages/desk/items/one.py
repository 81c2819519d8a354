"""One item: elements with what the upper item fixes, problems, versions, the difference between two, and the moves."""

from __future__ import annotations

from datetime import date
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, dcc, html, no_update

from dashboard.pages.desk.items.page import PAGE, TONES, day, desk_of, moment
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.presses import pressed
from dashboard.pages.tables import chip, column, parts, table


def item_page(visit: Visit, item_id: str) -> Any:
    """The item's head, then its tabs."""
    return html.Div([
        dcc.Store(id="item-id", data=item_id), dcc.Store(id="item-head"),
        html.Div(_body(visit, item_id), id="item-body"),
    ])  # fmt: skip


def _body(visit: Visit, item_id: str) -> list[Any]:
    t, found = visit.t, desk_of(visit).item(item_id)
    panels = {
        "elements": _elements(visit, found), "problems": _problems(visit, found), "versions": _versions(visit, found),
    }  # fmt: skip
    names = {"problems": f"{t('items.tab.problems')} {len(found['problems'])}"}
    chips = [html.Span(t(f"items.state.{found['state']}"), className=f"chip {TONES.get(found['state'], '')}")]
    if found["version_state"] != found["state"]:
        said = t("items.newest", n=found["version"], state=t(f"items.state.{found['version_state']}"))
        chips.append(html.Span(said, className=f"chip {TONES.get(found['version_state'], '')}"))
    if found["generated"]:
        chips.append(html.Span(t("items.generated"), className="chip off"))
    return [
        dcc.Link(f"← {t('page.items')}", href="/items"),
        dmc.Group([html.H1(found["name"]), *chips], gap="sm"),
        dmc.Group(_facts(visit, found), gap="md"),
        _moves(visit, found),
        dmc.Tabs([
            dmc.TabsList([dmc.TabsTab(names.get(n, t(f"items.tab.{n}")), value=n) for n in panels]),
            *[dmc.TabsPanel(content, value=name, pt="sm") for name, content in panels.items()],
        ], value="elements"),
    ]  # fmt: skip


def _facts(visit: Visit, found: dict[str, Any]) -> list[Any]:
    t, parent = visit.t, found["parent"]
    said: dict[str, Any] = {
        "code": found["code"], "basic": found["basic"], "level": t(f"items.level.{found['level']}"),
        "department": found["department_name"] or "—", "live": f"v{found['live']}" if found["live"] else "—",
        "parent": dcc.Link(parent["name"], href=f"/items/{parent['item_id']}") if parent else "—",
    }  # fmt: skip
    if found["answer_due"]:
        said["answer_due"] = t("items.must_answer", day=day(found["answer_due"]))
    if found["lower"]:
        said["lower"] = t("items.n_lower", n=len(found["lower"]))
    return [
        html.Span([html.Span(f"{t(f'items.fact.{name}')} ", className="quiet"), value], className="strong-value")
        for name, value in said.items()
    ]


def _moves(visit: Visit, found: dict[str, Any]) -> Any:
    """The moves that this person may make now; a note, and the days of a release."""
    t, allowed = visit.t, found["allowed"]
    buttons = [
        dmc.Button(t(f"items.move.{name}"), id={"type": "item-move", "name": name},
                   variant="filled" if name in ("submit", "approve", "publish", "adopt") else "default")
        for name in allowed if name != "save"
    ]  # fmt: skip
    if not buttons:
        return html.Div([dmc.TextInput(id="item-note", value="", style={"display": "none"}),
                         dcc.Store(id="item-from"), dcc.Store(id="item-to")])  # fmt: skip
    days: list[Any] = [dcc.Store(id="item-from"), dcc.Store(id="item-to")]
    if "publish" in allowed:
        today = desk_of(visit).today.isoformat()
        days = [dmc.DateInput(id="item-from", label=t("items.valid_from"), value=today, w=150),
                dmc.DateInput(id="item-to", label=t("items.valid_to"), w=150, clearable=True)]  # fmt: skip
    note = dmc.TextInput(id="item-note", label=t("items.note"), w=280, value="")
    return dmc.Group([note, *days, *buttons], gap="sm", align="flex-end", my="sm")


def _elements(visit: Visit, found: dict[str, Any]) -> Any:
    """All elements; those that are fixed by the upper item are marked and cannot be edited."""
    t, english = visit.t, visit.language == "en"
    wrong = {p["element"].split("/")[0]: p for p in found["problems"]}
    rows = [
        {"element": e["element"], "title": e["en"] if english else e["zh"], "value": e["value"],
         "fixed": e["locked"] or e["type"] in ("rows", "count"), **_marks(visit, e, wrong.get(e["element"]))}
        for e in found["elements"]
    ]  # fmt: skip
    editable = "save" in found["allowed"]
    columns = [
        column("title", t("items.element"), width=210),
        column("value", t("items.value"), minWidth=360, wrapText=True, autoHeight=True,
               editable={"function": "!params.data.fixed"} if editable else False,
               cellEditor="agLargeTextCellEditor", cellEditorPopup=True, cellEditorParams={"maxLength": 20000}),
        column("marks", t("items.marks"), cellRenderer="Parts", width=330),
        column("element", t("items.field"), width=170),
    ]  # fmt: skip
    grid = table(visit, "item-elements", columns, rows, key="element", height="calc(100vh - 330px)",
                 options={"pagination": False, "stopEditingWhenCellsLoseFocus": True})  # fmt: skip
    if not editable:
        return grid
    return [dmc.Group([dmc.Button(t("items.save"), id="item-save"), html.Span(t("items.edit_hint"), className="quiet")],
                      gap="sm", mb="xs"), grid]  # fmt: skip


def _marks(visit: Visit, element: dict[str, Any], problem: dict[str, Any] | None) -> dict[str, Any]:
    shown = [chip(visit.t("items.locked"), "off")] if element["locked"] else []
    if problem:
        said = problem["message_en"] if visit.language == "en" else problem["message"]
        shown.append(chip(f"{problem['rule']} {said}", "bad" if problem["severity"] == "block" else "warn", said))
    return parts("marks", *shown)


def _problems(visit: Visit, found: dict[str, Any]) -> Any:
    t, english = visit.t, visit.language == "en"
    rows = [
        {"key": f"{p['element']} {p['rule']}", "element": p["element"], "remedy": p["remedy"],
         "state": t(f"items.problem.{p['state']}"),
         **parts("message", chip(p["rule"], "bad" if p["severity"] == "block" else "warn"),
                 {"text": p["message_en"] if english else p["message"]})}
        for p in found["problems"]
    ]  # fmt: skip
    columns = [
        column("message", t("items.problem"), cellRenderer="Parts", minWidth=340),
        column("element", t("items.field"), width=220), column("remedy", t("items.remedy"), width=260),
        column("state", t("items.state"), width=110),
    ]  # fmt: skip
    return table(visit, "item-problems", columns, rows, key="key", height="calc(100vh - 330px)",
                 options={"pagination": False})  # fmt: skip


def _versions(visit: Visit, found: dict[str, Any]) -> Any:
    """The versions, and the difference between two of them (or to what the upper item fixes)."""
    t = visit.t
    rows = [
        {"version": v["version"], **parts("state", chip(t(f"items.state.{v['state']}"), TONES.get(v["state"], ""))),
         "made": f"{v['made_by']} {moment(v['made_at'])}", "reviewed": f"{v['reviewed_by']} {moment(v['reviewed_at'])}"
         if v["reviewed_by"] else "—", "valid": f"{day(v['valid_from'])} … {day(v['valid_to'])}"
         if v["valid_from"] else "—", "note": " / ".join(n for n in (v["note"], v["review_note"]) if n)}
        for v in found["versions"]
    ]  # fmt: skip
    columns = [
        column("version", t("items.version"), width=80),
        column("state", t("items.state"), cellRenderer="Parts", width=110),
        column("made", t("items.made"), width=220), column("reviewed", t("items.reviewed"), width=220),
        column("valid", t("items.valid"), width=220), column("note", t("items.note"), minWidth=160),
    ]  # fmt: skip
    numbers = [{"value": str(v["version"]), "label": f"v{v['version']}"} for v in found["versions"]]
    before = [{"value": "0", "label": t("items.upper")}] if found["parent"] else []
    newest = numbers[0]["value"]
    older = numbers[1]["value"] if len(numbers) > 1 else (before or numbers)[0]["value"]
    return [
        table(visit, "item-versions", columns, rows, key="version", height="210px", options={"pagination": False}),
        dmc.Group([
            html.Span(t("items.compare")),
            dmc.Select(id="item-old", data=[*before, *numbers], value=older, w=160, allowDeselect=False,
                       **{"aria-label": t("items.compare_old")}),
            dmc.Select(id="item-new", data=numbers, value=newest, w=100, allowDeselect=False,
                       **{"aria-label": t("items.compare_new")}),
        ], gap="sm", my="sm"),
        html.Div(id="item-diff"),
    ]  # fmt: skip


@PAGE.callback(
    Output("item-diff", "children"), Input("item-old", "value"), Input("item-new", "value"), State("item-id", "data"),
)  # fmt: skip
async def compared(visit: Visit, old: str | None, new: str | None, item_id: str) -> Any:
    """What two versions differ in."""
    if old is None or new is None:
        return no_update
    found = await in_thread(desk_of(visit).diff, item_id, int(old), int(new))
    t, english = visit.t, visit.language == "en"
    if not found:
        return html.P(t("items.no_difference"), className="quiet")
    columns = [column("title", t("items.element"), width=200),
               column("old", t("items.before"), wrapText=True, autoHeight=True),
               column("new", t("items.after"), wrapText=True, autoHeight=True)]  # fmt: skip
    rows = [
        {"title": (c.en if english else c.zh) + (" 🔒" if c.locked else ""), "old": c.old or "—", "new": c.new or "—"}
        for c in found
    ]
    return table(visit, "item-diff-table", columns, rows, key="title", height="300px", options={"pagination": False})


@PAGE.callback(
    Output("item-body", "children"), Input("item-save", "n_clicks"), State("item-elements", "rowData"),
    State("item-id", "data"), State("item-note", "value"), True,
)  # fmt: skip
async def saved(visit: Visit, clicks: int | None, rows: list[dict[str, Any]] | None, item_id: str, note: Any) -> Any:
    """Save what was edited, as a draft."""
    if not clicks:
        return no_update
    found = await in_thread(desk_of(visit).item, item_id)
    before = {e["element"]: e["value"] for e in found["elements"]}
    values = {
        r["element"]: r["value"] or ""
        for r in rows or []
        if not r["fixed"] and (r["value"] or "") != before.get(r["element"])
    }
    if values:
        done = await in_thread(desk_of(visit).save, item_id, values, found["head"], note or "")
        tell(visit.t("items.saved", n=done["version"]))
    return await in_thread(_body, visit, item_id)


@PAGE.callback(
    Output("item-body", "children", allow_duplicate=True), Input({"type": "item-move", "name": ALL}, "n_clicks"),
    State("item-id", "data"), State("item-note", "value"), State("item-from", "value"), State("item-to", "value"), True,
)  # fmt: skip
async def moved(visit: Visit, _clicks: list[int | None], item_id: str, note: Any, begins: Any, ends: Any) -> Any:
    """Make the move whose button was pressed."""
    button, _ = pressed()
    if not button:
        return no_update
    name = str(button["name"])
    days = [date.fromisoformat(str(each)[:10]) if each else None for each in (begins, ends)]
    await in_thread(desk_of(visit).move, item_id, name, note or "", *days)
    tell(visit.t(f"items.did.{name}"))
    return await in_thread(_body, visit, item_id)
