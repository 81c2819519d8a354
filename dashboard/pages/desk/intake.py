"""Cases by telephone: who calls, what happened, where it is, whether it stands already; one button opens the case."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import msgspec
from dash import ALL, Input, Output, State, dcc, html, no_update

from core.ids import new_id
from dashboard.components import GroundMap
from dashboard.desk import intake
from dashboard.desk.intake import SOURCES, NearCase, PhoneCall, Place
from dashboard.i18n.case_titles import case_title
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.presses import pressed
from dashboard.pages.workshop.titles import label
from dashboard.search.places import Places, SearchHit, find
from events.taxonomy.edit import lines
from storage.session import read_scope

PAGE = Page(
    path="/intake", zh="电话受理", en="By telephone", roles=("operator", "dispatcher", "manager", "admin"), order=4
)
_KINDS = ("site", "street", "division", "camera")
_MOST_PLACES = 8
_EMPTIED: dict[str, str | None] = {  # fields of a call → what they hold when the next one comes
    "title": "", "description": "", "number": "", "phone": "", "name": "", "class_code": None, "severity": "1",
}  # fmt: skip
_FIELDS = ("source", "number", "name", "phone", "title", "description", "class_code", "severity")


def layout(visit: Visit) -> Any:
    """Left the caller and what he says; right the place and what is reported there already."""
    return html.Div(
        [
            html.H1(visit.t("intake.title")),
            html.Div([html.Div(_caller(visit), className="intake-said"), html.Div(_place(visit))], className="intake"),
            dcc.Store(id="intake-key", data=new_id()), dcc.Store(id="intake-at"), dcc.Store(id="intake-ground"),
            dcc.Store(id="intake-found", data=[]),
        ]
    )  # fmt: skip


def _caller(visit: Visit) -> list[Any]:
    t = visit.t
    sources = [{"value": name, "label": t(f"intake.source.{name}")} for name in SOURCES]
    severities = [{"value": str(n), "label": t(f"severity.{n}")} for n in (1, 2, 3, 4)]
    return [
        dmc.Group([
            dmc.SegmentedControl(id={"intake": "source"}, value="12345", data=sources),
            dmc.TextInput(id={"intake": "number"}, label=t("intake.number"), value="", w=170),
        ], align="end"),
        dmc.Group([
            dmc.TextInput(id={"intake": "phone"}, label=t("intake.phone"), value="", w=170),
            dmc.TextInput(id={"intake": "name"}, label=t("intake.name"), value="", w=170),
        ]),
        dmc.TextInput(id={"intake": "title"}, label=t("intake.what"), value="", required=True),
        dmc.Textarea(id={"intake": "description"}, label=t("intake.said"), value="", autosize=True, minRows=3,
                     maxRows=8),
        dmc.Select(id={"intake": "class_code"}, label=t("intake.class"), data=_classes(visit, ""), searchable=True,
                   clearable=True, filter={"function": "asTheServerFound"}, value=None),
        dmc.Stack([dmc.Text(t("fact.severity"), size="sm", fw=500),
                   dmc.SegmentedControl(id={"intake": "severity"}, value="1", data=severities)], gap=2),
        dmc.Group([dmc.Button(t("intake.open"), id="intake-send", size="md", n_clicks=0),
                   html.Div(id="intake-done", role="status")], mt="md"),
    ]  # fmt: skip


def _place(visit: Visit) -> list[Any]:
    t = visit.t
    return [
        dmc.TextInput(id="intake-where", label=t("intake.where"), placeholder=t("intake.where_help"), value="",
                      debounce=False),
        html.Ul(id="intake-places", className="intake-places"),
        html.P(t("intake.no_place"), id="intake-chosen", className="quiet", role="status"),
        GroundMap(id="intake-map", target="intake-ground", pins=[], view=None, focus=None, zoom=12.2),
        html.Div(id="intake-near"),
    ]  # fmt: skip


def _classes(visit: Visit, typed: str) -> list[dict[str, str]]:
    with read_scope(visit.services.engine) as session:
        known = {
            line.class_code: {"code": line.class_code, "name": line.standard.small_name}
            for line in lines(session, version="2013")
        }
    found = intake.classes_like(list(known.values()), typed)
    return [{"value": line["code"], "label": f"{line['name']} {line['code']}", "found": typed} for line in found]


@PAGE.callback(
    Output({"intake": "class_code"}, "data"), Input({"intake": "class_code"}, "searchValue"),
    State({"intake": "class_code"}, "value"), State({"intake": "class_code"}, "data"), True,
)  # fmt: skip
async def classes(visit: Visit, typed: str | None, value: str | None, shown: list[dict[str, str]]) -> Any:
    """Classes by name, pinyin, initials or code; the chosen one stays among them."""
    if any(each["label"] == typed for each in shown):
        return no_update
    kept = [each for each in shown if each["value"] == value]
    found = await in_thread(_classes, visit, (typed or "")[:40])
    return [*kept, *(each for each in found if each["value"] != value)]


@PAGE.callback(
    Output("intake-places", "children"), Output("intake-found", "data"), Input("intake-where", "value"), True
)
async def places(visit: Visit, typed: str | None) -> Any:
    """Sites, streets, communities and cameras of that name, in Chinese, pinyin, initials or English."""
    found = [_entry(hit) for hit in await in_thread(_found, visit, (typed or "").strip()[:60])]
    buttons = [
        html.Li(html.Button(
            [html.Span(place["name"]), html.Span(visit.t(f"search.group_{place['kind']}"), className="quiet")],
            id={"intake-place": n}, n_clicks=0, type="button", className="tool",
        ))
        for n, place in enumerate(found)
    ]  # fmt: skip
    nothing = [html.Li(visit.t("intake.nothing_found"), className="quiet")] if (typed or "").strip() else []
    return buttons or nothing, found


def _found(visit: Visit, typed: str) -> list[SearchHit]:
    use = visit.services
    kept: Places = use.counters.setdefault("search_places", Places(use.engine, use.settings.data_dir))
    hits = (hit for hit in find(kept.entries(), typed) if hit.entry.kind in _KINDS and hit.entry.lon is not None)
    return [hit for hit, _ in zip(hits, range(_MOST_PLACES), strict=False)]


def _entry(hit: SearchHit) -> dict[str, Any]:
    entry = hit.entry
    site = entry.id if entry.kind == "site" else None
    return {"kind": entry.kind, "name": entry.name, "lon": entry.lon, "lat": entry.lat, "site_id": site}


@PAGE.callback(
    Output("intake-at", "data"), Output("intake-map", "pins"), Output("intake-map", "focus"),
    Output("intake-chosen", "children"), Output("intake-near", "children"), Input({"intake-place": ALL}, "n_clicks"),
    Input("intake-ground", "data"), State("intake-found", "data"), State("intake-at", "data"), True,
)  # fmt: skip
async def choose(
    visit: Visit, _clicks: list[int], ground: dict[str, Any] | None, found: list[dict[str, Any]], at: Any
) -> Any:
    """The place that was picked in the list, or clicked on the map (its name stays), and open cases around it."""
    button, _ = pressed()
    if isinstance(button, dict):
        place = msgspec.convert({k: v for k, v in found[button["intake-place"]].items() if k != "kind"}, Place)
        focus: Any = {"lon": place.lon, "lat": place.lat}
    elif button == "intake-ground" and ground:
        name = (at or {}).get("name", "")
        place, focus = Place(lon=ground["lon"], lat=ground["lat"], name=name), no_update
    else:
        return [no_update] * 5
    near = await in_thread(intake.near, visit.services, visit.principal, place)
    told = visit.t("intake.chosen", name=place.name or "—", lon=f"{place.lon:.5f}", lat=f"{place.lat:.5f}")
    pins = [{"n": "●", "lon": place.lon, "lat": place.lat}]
    return msgspec.to_builtins(place), pins, focus, told, _near(visit, near)


def _near(visit: Visit, found: list[NearCase]) -> Any:
    if not found:
        return html.P(visit.t("intake.none_near"), className="quiet")
    kinds = visit.services.cases.definitions
    lines = [
        html.Li([
            html.A(f"{each.case.number} {case_title(each.case, visit.language)}", href=f"/cases/{each.case.case_id}",
                   target="_blank"),
            f" · {_state(visit, kinds, each)} · {each.distance_m:.0f} m ",
            html.Button(visit.t("intake.same"), id={"intake-same": each.case.case_id}, n_clicks=0, className="tool"),
        ])
        for each in found
    ]  # fmt: skip
    return html.Section([html.H2(visit.t("intake.near")), html.Ul(lines)])


def _state(visit: Visit, kinds: Any, each: NearCase) -> str:
    kind = kinds.get(each.case.definition_id)
    known = kind.states.get(each.case.state) if kind is not None else None
    return label(known.name, visit, each.case.state) if known is not None else each.case.state


@PAGE.callback(
    Output("intake-done", "children"), Output("intake-key", "data"),
    *[Output({"intake": name}, "value") for name in _EMPTIED], Output("intake-where", "value"),
    Output("intake-at", "data", allow_duplicate=True), Output("intake-chosen", "children", allow_duplicate=True),
    Output("intake-near", "children", allow_duplicate=True), Output("intake-map", "pins", allow_duplicate=True),
    Input("intake-send", "n_clicks"), Input({"intake-same": ALL}, "n_clicks"), State("intake-key", "data"),
    State("intake-at", "data"), *[State({"intake": name}, "value") for name in _FIELDS], True,
    running=[(Output("intake-send", "loading"), True, False)],
)  # fmt: skip
async def send(visit: Visit, _send: int, _same: list[int], key: str, at: dict[str, Any] | None, *values: Any) -> Any:
    """Open the case, or note the call in the one that stands; then the form is empty for the next call.

    Place, class and severity too: the next caller speaks of something else.
    """
    button, _ = pressed()
    if not button:
        return [no_update] * (7 + len(_EMPTIED))
    given = {name: value for name, value in zip(_FIELDS, values, strict=True) if value not in (None, "")}
    call: PhoneCall = intake.checked({**given, "severity": int(given.get("severity", 1)), "place": at})
    if isinstance(button, dict):
        case = await in_thread(intake.note, visit.services, visit.principal, call, str(button["intake-same"]), key)
        told = visit.t("intake.noted", number=case.number)
    else:
        case = await in_thread(intake.take, visit.services, visit.principal, call, key)
        told = visit.t("intake.opened", number=case.number)
    tell(told)
    link = html.A(told, href=f"/cases/{case.case_id}", target="_blank")
    return link, new_id(), *_EMPTIED.values(), "", None, visit.t("intake.no_place"), None, []
