"""Drones (无人机): drop a folder, see where each picture looked, what was found and what changed; places by hand."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update

from core.clock import BEIJING
from core.errors import InputInvalid
from dashboard.components import DropZone, FlightMap
from dashboard.drones import features, surveys
from dashboard.drones.summary import changes_of, summary
from dashboard.i18n import words
from dashboard.pages.flight_card import flight_card, focus_of, links
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.presses import pressed
from dashboard.pages.tables import chip, column, parts, table
from storage.drones import DroneStore, FileView, FlightView

PAGE = Page(
    path="/drone", zh="无人机", en="Drones", order=65,
    roles=("admin", "operator", "dispatcher", "manager", "viewer", "drone"),
)  # fmt: skip
CREW = ("admin", "operator", "drone")


def layout(visit: Visit) -> Any:
    """Drop zone above; flights with the card of the picked one at the left, its map, picked file and files beside."""
    t = visit.t
    return html.Div(
        [
            dmc.Group([html.H1(t("page.drone")), links(visit)], justify="space-between"),
            DropZone(id="drone-zone") if visit.principal.has(*CREW) else None,
            *(dcc.Store(id=f"drone-{name}") for name in ("arrived", "flight", "file", "looked", "seen")),
            _beside(
                html.Div([_flights(visit), html.Div(id="drone-card")]),
                html.Div([FlightMap(id="drone-map"), html.Div(id="drone-picked"), _files(visit)]),
            ),
        ]
    )  # fmt: skip


def _beside(left: Any, right: Any) -> Any:
    return dmc.Group(
        [
            html.Div(left, className="drone-left", style={"flex": "1 1 340px", "minWidth": 0, "maxWidth": "100%"}),
            html.Div(right, className="drone-right", style={"flex": "2 1 480px", "minWidth": 0, "maxWidth": "100%"}),
        ],
        align="flex-start", gap="md", mt="md",
    )  # fmt: skip


def _flights(visit: Visit) -> Any:
    t = visit.t
    columns = [
        column("name", t("drone.flight"), minWidth=120), column("aircraft", t("drone.aircraft"), minWidth=120),
        column("first", t("drone.taken"), width=180), column("placed", t("drone.placed"), width=110),
    ]  # fmt: skip
    return table(visit, "drone-flights", columns, [], key="flight_id", height="200px", options={"pagination": False})


def _files(visit: Visit) -> Any:
    t = visit.t
    columns = [
        column("name", t("drone.file"), minWidth=150), column("taken", t("drone.taken"), width=180),
        column("gsd", t("drone.gsd"), width=100), column("sure", t("drone.sure"), width=100),
        column("problems", t("drone.problems"), cellRenderer="Parts"),
    ]  # fmt: skip
    return table(visit, "drone-files", columns, [], key="file_id", height="300px", options={"pagination": False})


@PAGE.callback(Output("drone-flights", "rowData"), Input("drone-arrived", "data"), Input("drone-looked", "data"))
async def flights(visit: Visit, _at: Any, _looked: Any) -> list[dict[str, Any]]:
    """Every flight, the newest first."""
    return [_flight_row(flight) for flight in await in_thread(DroneStore(visit.services.engine).flights)]


def _flight_row(flight: FlightView) -> dict[str, Any]:
    first = flight.first_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if flight.first_at else "—"
    return {
        "flight_id": flight.flight_id, "name": flight.name, "aircraft": flight.aircraft or "—", "first": first,
        "placed": f"{flight.placed} / {flight.files}",
    }  # fmt: skip


@PAGE.callback(
    Output("drone-flight", "data"), Output("drone-seen", "data"), Input("drone-flights", "cellClicked"),
    Input("drone-flights", "rowData"), State("drone-flight", "data"), State("drone-seen", "data"),
)  # fmt: skip
async def flight(
    _visit: Visit, clicked: dict[str, Any] | None, rows: list[dict[str, Any]] | None, held: Any, seen: Any
) -> Any:
    """The picked flight: the one that was clicked, else the newest, and one that has just arrived."""
    there = [row["flight_id"] for row in rows or []]
    if clicked and any("cellClicked" in each["prop_id"] for each in ctx.triggered):
        return clicked.get("rowId") or no_update, there
    return shown_flight(there, held, seen), there


def shown_flight(there: list[str], held: str | None, seen: list[str] | None) -> Any:
    """The newest flight where none is shown or it was not there before, else no change."""
    fresh = seen is not None and bool(there) and there[0] not in seen
    if held in there and not fresh:
        return no_update
    return there[0] if there else None


@PAGE.callback(Output("drone-files", "rowData"), Input("drone-flight", "data"), Input("drone-looked", "data"))
async def files(visit: Visit, flight_id: str | None, _looked: Any) -> list[dict[str, Any]]:
    """The picked flight's files."""
    if not flight_id:
        return []
    found = await in_thread(DroneStore(visit.services.engine).files, flight_id, None, 1000)
    return [_file_row(visit, file) for file in found]


@PAGE.callback(
    Output("drone-card", "children"), Output("drone-map", "flight"), Output("drone-map", "at"),
    Input("drone-flight", "data"), Input("drone-looked", "data"), Input("drone-arrived", "data"),
)  # fmt: skip
async def card(visit: Visit, flight_id: str | None, looked: Any, arrived: Any) -> Any:
    """What is known of the picked flight, beside its map."""
    if not flight_id:
        return html.P(visit.t("drone.none"), className="quiet"), None, None
    told = await in_thread(summary, visit.services, flight_id)
    changed = await in_thread(changes_of, visit.services.settings, flight_id)
    return flight_card(visit, told, changed or None), flight_id, f"{looked} {arrived}"


@PAGE.callback(
    Output("drone-looked", "data"), Input({"drone-survey": ALL}, "n_clicks"), State("drone-flight", "data"), True
)  # fmt: skip
async def survey(visit: Visit, _clicks: Any, flight_id: str | None) -> Any:
    """Ask for the survey-grade product of the shown flight, or cancel it."""
    button, value = pressed()
    if not value or not flight_id or not visit.principal.has(*CREW):
        return no_update
    await in_thread(_survey, visit, button["drone-survey"], flight_id)
    return f"{button['drone-survey']} {value}"


def _survey(visit: Visit, what: str, flight_id: str) -> None:
    use = visit.services
    if what == "stop":
        surveys.cancel(use.settings, flight_id)
    else:
        surveys.ask_for(use, flight_id, f"user:{visit.principal.actor.user_id}")


@PAGE.callback(Output("drone-map", "focus"), Input("drone-roads", "cellClicked"), True)
async def road(_visit: Visit, clicked: dict[str, Any] | None) -> Any:
    """Look at the road that was clicked."""
    return focus_of(str(clicked["rowId"])) if clicked and clicked.get("rowId") else no_update


@PAGE.callback(Output("drone-map", "focus", allow_duplicate=True), Input("drone-changes", "cellClicked"), True)
async def change(_visit: Visit, clicked: dict[str, Any] | None) -> Any:
    """Look at the change that was clicked."""
    return focus_of(str(clicked["rowId"])) if clicked and clicked.get("rowId") else no_update


def _file_row(visit: Visit, file: FileView) -> dict[str, Any]:
    place = file.place
    told = [chip(_problem(visit, p), "warn", p["message"]) for p in file.problems]
    if file.placed_by:
        told.append(chip(visit.t("drone.by_hand")))
    return {
        "file_id": file.file_id, "name": file.name,
        "taken": file.taken_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S") if file.taken_at else "—",
        "gsd": f"{place['gsd_cm']:.2f} cm" if place.get("gsd_cm") else "—",
        "sure": f"± {place['uncertainty_m']:.1f} m" if place.get("uncertainty_m") else "—",
        **parts("problems", *told),
    }  # fmt: skip


def _problem(visit: Visit, problem: dict[str, Any]) -> str:
    code = problem["code"]
    return str(words(visit.language).get(f"drone.problem.{code}", code))


@PAGE.callback(Output("drone-file", "data"), Input("drone-files", "cellClicked"), True)
async def clicked_file(_visit: Visit, clicked: dict[str, Any] | None) -> Any:
    """The clicked row's file is the picked one, as is a footprint that is clicked on the map."""
    return clicked.get("rowId") or no_update if clicked else no_update


@PAGE.callback(
    Output("drone-picked", "children"), Output("drone-map", "file"), Input("drone-file", "data"),
    Input("drone-flight", "data"),
)  # fmt: skip
async def picked(visit: Visit, file_id: str | None, flight_id: str | None) -> Any:
    """Picture, place and problems of one file of the shown flight."""
    file = await in_thread(DroneStore(visit.services.engine).file, file_id) if file_id else None
    if file is None or file.flight_id != flight_id:
        return None, None
    return _card(visit, file), file.file_id


def _card(visit: Visit, file: FileView) -> Any:
    t, place = visit.t, file.place
    lines = [html.B(file.name), html.Div(file.camera)]
    if place:
        lon, lat = place["centre"]
        lines.append(html.Div(f"{lat:.6f}, {lon:.6f}"))
        width = features.width_m(file)
        lines.append(html.Div(t("drone.width", metres=round(width)) if width else t("drone.point")))
        if place.get("residual_m") is not None:
            lines.append(html.Div(t("drone.refined", metres=place["residual_m"])))
    lines += [
        html.Div([html.Strong(_problem(visit, p)), html.Div(p["message"], className="quiet")]) for p in file.problems
    ]
    shown = html.Img(
        src=f"/api/drone/files/{file.file_id}/picture", alt=file.name, style={"maxWidth": "480px", "width": "100%"}
    )
    right = html.Div([*lines, *(_by_hand(visit, file) if visit.principal.has(*CREW) else [])])
    return dmc.Group([shown, right] if file.kind in ("jpeg", "tiff") else [right], align="flex-start", mt="md")


def _by_hand(visit: Visit, file: FileView) -> list[Any]:
    t = visit.t
    at = file.place.get("centre") or file.position or ["", ""]
    return [
        html.H2(t("drone.place")),
        dmc.Group(
            [
                dmc.NumberInput(id="drone-lat", label=t("drone.lat"), value=at[1], w=150, decimalScale=7),
                dmc.NumberInput(id="drone-lon", label=t("drone.lon"), value=at[0], w=150, decimalScale=7),
                dmc.NumberInput(id="drone-radius", label=t("drone.radius"), value=20, min=1, max=5000, w=110),
                dmc.Button(t("drone.put"), id="drone-put", mt=24),
            ]
        ),
    ]  # fmt: skip


@PAGE.callback(
    Output("drone-arrived", "data"), Input("drone-put", "n_clicks"), State("drone-file", "data"),
    State("drone-lat", "value"), State("drone-lon", "value"), State("drone-radius", "value"), True,
)  # fmt: skip
async def put(visit: Visit, clicks: int | None, file_id: str | None, lat: Any, lon: Any, radius: Any) -> Any:
    """A place by hand for the picked file."""
    if not clicks or not file_id:
        return no_update
    numbers = [value for value in (lat, lon, radius) if isinstance(value, int | float)]
    if len(numbers) != 3 or abs(numbers[0]) > 90 or abs(numbers[1]) > 180 or not 0 < numbers[2] <= 5000:
        raise InputInvalid(field="lon, lat", detail="is no place on Earth", how="give degrees in WGS 84")
    place = features.by_hand(float(numbers[1]), float(numbers[0]), float(numbers[2]))
    by = f"user:{visit.principal.actor.user_id}"
    await in_thread(DroneStore(visit.services.engine).put_place, file_id, place, by)
    tell(visit.t("drone.put_done"))
    return clicks
