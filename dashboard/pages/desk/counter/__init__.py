"""The one counter (一平台办理): item or life event, applicant, one form, papers, notice; queue and appointments."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, dcc, html, no_update

from core.codes.resident import check_resident_id
from core.ids import new_id
from dashboard.components import CounterForm
from dashboard.items.counter import CounterDesk
from dashboard.items.offers import SOURCES
from dashboard.pages.desk.counter.hall import hall_panel
from dashboard.pages.desk.counter.page import PAGE
from dashboard.pages.frame import Visit, in_thread, tell
from dashboard.pages.presses import pressed
from dashboard.registers.desk import RegisterDesk
from records.registers.search import Query

__all__ = ["PAGE", "layout"]
_NOTED = ("ticket", "cross_province", "courier", "agent")
CARD = "card"  # instead of a record: the number that was typed
_LEFT = {"flex": "1 0 300px", "maxWidth": 420, "minWidth": 0, "maxHeight": "calc(100vh - 150px)", "overflow": "auto"}
_RIGHT = {"flex": "1 1 300px", "minWidth": 0}


def layout(visit: Visit) -> Any:
    """What is applied for at the left, the application in the middle; the queue as a tab."""
    t = visit.t
    offers = CounterDesk(visit.services, visit.principal.actor).offers()
    apply = dmc.Group([
        html.Div([
            dmc.TextInput(id="counter-text", placeholder=t("counter.search"), value="", mb="xs"),
            html.Div([_offer(visit, o) for o in offers] or html.P(t("counter.none"), className="quiet"),
                     id="counter-offers"),
        ], style=_LEFT),
        html.Div(html.P(t("counter.pick"), className="quiet"), id="counter-work", style=_RIGHT),
    ], align="flex-start", gap="md")  # fmt: skip
    return html.Div([
        html.H1(t("page.counter")),
        dmc.Tabs([
            dmc.TabsList([dmc.TabsTab(t(f"counter.{name}"), value=name) for name in ("apply", "hall")]),
            dmc.TabsPanel(apply, value="apply", pt="sm"), dmc.TabsPanel(hall_panel(visit), value="hall", pt="sm"),
        ], value="apply"),
        dcc.Store(id="counter-all", data=offers), dcc.Store(id="counter-picked"), dcc.Store(id="counter-sent"),
        dcc.Store(id="counter-request"),
    ])  # fmt: skip


def _offer(visit: Visit, offer: dict[str, Any]) -> Any:
    """One line of the list: an item with its promised limit, or a life event with how many items it links."""
    t = visit.t
    said = t("counter.items", n=offer["items"]) if offer["kind"] == "bundle" else offer["promised"]
    mark = html.Span(t("counter.bundle"), className="chip good") if offer["kind"] == "bundle" else None
    return html.Button(
        [html.B(offer["name"]), " ", mark, html.Br(), html.Span(said, className="quiet")],
        id={"type": "counter-offer", "kind": offer["kind"], "key": offer["key"]}, className="button counter-offer",
        style={"display": "block", "width": "100%", "textAlign": "left", "marginBottom": "6px", "height": "auto"},
    )  # fmt: skip


@PAGE.callback(
    Output("counter-offers", "children"), Input("counter-text", "value"), State("counter-all", "data"), True,
)  # fmt: skip
async def found(visit: Visit, text: str | None, offers: list[dict[str, Any]]) -> Any:
    """By name, pinyin or initials."""
    wanted = (text or "").strip().lower()
    hits = [o for o in offers if any(wanted in str(o[f]).lower() for f in ("name", "pinyin", "initials"))]
    return [_offer(visit, o) for o in hits] or html.P(visit.t("counter.none"), className="quiet")


@PAGE.callback(
    Output("counter-work", "children"), Output("counter-picked", "data"), Output("counter-request", "data"),
    Input({"type": "counter-offer", "kind": ALL, "key": ALL}, "n_clicks"), True,
)  # fmt: skip
async def picked(visit: Visit, _clicks: list[int | None]) -> Any:
    """The form and the papers of what was picked; a fresh request."""
    button, _ = pressed()
    if not button:
        return no_update, no_update, no_update
    chosen = {"kind": button["kind"], "key": button["key"]}
    desk = CounterDesk(visit.services, visit.principal.actor)
    offer = await in_thread(desk.form, chosen["kind"], chosen["key"])
    return _work(visit, offer, {}, {}), chosen, new_id()


def _work(visit: Visit, offer: dict[str, Any], answers: dict[str, Any], licences: dict[str, Any]) -> list[Any]:
    """Applicant, papers, what is noted, the form; its button takes the application."""
    t = visit.t
    limits = [html.Li(f"{i['name']}：{t('counter.promised')} {i['promised']}，{t('counter.legal')} {i['legal']}")
              for i in offer["items"]]  # fmt: skip
    saved = t(
        "counter.saved", q=offer["questions"], asked=offer["asked"], p=len(offer["papers"]), wanted=offer["wanted"]
    )
    noted = [dmc.TextInput(id={"type": "counter-noted", "name": n}, label=t(f"counter.{n}"), w=170, value="")
             for n in _NOTED]  # fmt: skip
    form = CounterForm(id="counter-form", form=offer["form"], prefill=answers, target="counter-sent",
                       submit=t("counter.submit"))  # fmt: skip
    return [
        html.H2(offer["name"]), html.Ul(limits, className="quiet"),
        html.P(saved, className="quiet") if len(offer["items"]) > 1 else None,
        dmc.Group([
            dmc.TextInput(id="counter-who", label=t("counter.applicant"), placeholder=t("counter.who"), w=260,
                          value=""),
            dmc.Button(t("counter.look"), id="counter-look", variant="default"),
            html.Div(id="counter-people"),
        ], align="flex-end", gap="sm"),
        html.H3(t("counter.papers")),
        html.Div([_paper(visit, p, licences) for p in offer["papers"]], id="counter-papers"),
        dmc.Group(noted, gap="sm", my="sm"),
        html.Div(form, id="counter-form-box", key=json.dumps(answers, sort_keys=True, default=str)),
        html.Div(id="counter-result", **{"aria-live": "polite"}),
    ]  # fmt: skip


def _paper(visit: Visit, paper: dict[str, Any], licences: dict[str, Any]) -> Any:
    """A paper with where it comes from; a licence that was found is chosen already."""
    t, proof = visit.t, licences.get(paper["name"])
    choices = [{"value": "", "label": "—"}, *({"value": s, "label": t(f"counter.from.{s}")} for s in SOURCES)]
    value = "licence" if proof else "other_item" if paper["made_by"] else ""
    marks = [t(f"counter.need.{paper['need']}")] + ([proof["number"]] if proof else [])
    return dmc.Group([
        dmc.Select(id={"type": "counter-paper", "name": paper["name"]}, data=choices, value=value, w=150,
                   allowDeselect=False, **{"aria-label": paper["name"]}),
        dcc.Store(id={"type": "counter-number", "name": paper["name"]}, data=proof["number"] if proof else ""),
        html.Span(paper["name"]), html.Span("；".join(marks), className="quiet"),
    ], gap="sm", mb=4)  # fmt: skip


@PAGE.callback(
    Output("counter-people", "children"), Input("counter-look", "n_clicks"), State("counter-who", "value"), True
)
async def people(visit: Visit, clicks: int | None, text: str | None) -> Any:
    """Records of people and enterprises that the clerk may see; masked."""
    if not clicks or not (text or "").strip():
        return no_update
    desk, typed = RegisterDesk(visit.services, visit.principal.actor), str(text).strip()
    if check_resident_id(typed, date.today()).valid:
        return html.Button(visit.t("counter.card", last=typed[-4:]), className="button",
                           id={"type": "counter-person", "id": CARD})  # fmt: skip
    hits = []
    for register in ("enterprise", "person"):
        if register in {r.id for r in desk.registers()}:
            items, _ = await in_thread(desk.listed, Query(register, typed[:60], limit=5))
            hits += items
    if not hits:
        return html.Span(visit.t("counter.nobody"), className="quiet")
    return dmc.Group([
        html.Button(f"{h['name']} {h['values'].get('code') or h['values'].get('id_number') or ''}",
                    id={"type": "counter-person", "id": h["record_id"]}, className="button")
        for h in hits
    ], gap="xs")  # fmt: skip


@PAGE.callback(
    Output("counter-work", "children", allow_duplicate=True),
    Input({"type": "counter-person", "id": ALL}, "n_clicks"), State("counter-picked", "data"),
    State("counter-who", "value"), True,
)  # fmt: skip
async def prefilled(visit: Visit, _clicks: list[int | None], chosen: dict[str, str], typed: str | None) -> Any:
    """The form with what the registers answer, and the papers that licences prove."""
    button, _ = pressed()
    if not button:
        return no_update
    desk = CounterDesk(visit.services, visit.principal.actor)
    card = button["id"] == CARD
    find = desk.presented if card else desk.prefill
    given = await in_thread(find, chosen["kind"], chosen["key"], str(typed or "") if card else button["id"])
    offer = await in_thread(desk.form, chosen["kind"], chosen["key"])
    tell(visit.t("counter.prefilled", n=len(given["answers"]), name=given["name"] or "—"))
    return _work(visit, offer, given["answers"], given["licences"])


@PAGE.callback(
    Output("counter-result", "children"), Input("counter-sent", "data"), State("counter-picked", "data"),
    State("counter-request", "data"), State({"type": "counter-paper", "name": ALL}, "id"),
    State({"type": "counter-paper", "name": ALL}, "value"), State({"type": "counter-number", "name": ALL}, "data"),
    State({"type": "counter-noted", "name": ALL}, "id"), State({"type": "counter-noted", "name": ALL}, "value"), True,
)  # fmt: skip
async def taken(
    visit: Visit, sent: Any, chosen: Any, request: str, names: Any, froms: Any, numbers: Any, noted: Any, values: Any
) -> Any:
    """Take the application; the notice is shown to be printed."""
    if not sent:
        return no_update
    papers = {n["name"]: {"from": f, "number": x or ""} for n, f, x in zip(names, froms, numbers, strict=True) if f}
    body = {"answers": sent["answers"], "papers": papers, "accept": True, "request_id": request,
            **{n["name"]: v for n, v in zip(noted, values, strict=True)}}  # fmt: skip
    desk = CounterDesk(visit.services, visit.principal.actor)
    done = await in_thread(desk.take, chosen["kind"], chosen["key"], body)
    return _notice(visit, done)


def _notice(visit: Visit, done: dict[str, Any]) -> Any:
    """The acceptance notice and the cases."""
    t, notice = visit.t, done["notice"] or {}
    lines = [html.P(text) for text in notice.get("paragraphs", [])]
    children = [html.Li(html.A(f"{c['number']} {c['title']}", href=f"/work/{c['case_id']}")) for c in done["items"]]
    download = []
    if notice:
        path = f"/api/cases/{done['case_id']}/documents/{notice['document_id']}"
        download = [html.A(t("counter.docx"), href=path, className="button"),
                    html.Button(t("boards.print"), className="button", **{"data-print": ""})]  # fmt: skip
    return html.Section([
        html.H2(notice.get("title", done["number"])), html.P(notice.get("number", ""), className="quiet"), *lines,
        html.P(notice.get("date", ""), className="quiet"), html.Ul(children),
        dmc.Group([html.A(f"{t('counter.case')} {done['number']}", href=f"/work/{done['case_id']}", className="button"),
                   *download], gap="xs"),
    ], className="counter-notice")  # fmt: skip
