"""Drones (无人机): drop a folder, see where each picture looked, give a place to those that do not say theirs."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update

from core.clock import BEIJING
from core.errors import InputInvalid
from dashboard.components import DropZone
from dashboard.drones import features
from dashboard.i18n import words
from dashboard.pages.frame import Page, Visit, in_thread, tell
from dashboard.pages.tables import chip, column, parts, table
from storage.drones import DroneStore, FileView, FlightView

PAGE = Page(
    path="/drone", zh="无人机", en="Drones", order=65,
    roles=("admin", "operator", "dispatcher", "manager", "viewer", "drone"),
)  # fmt: skip
CREW = ("admin", "operator", "drone")


def layout(visit: Visit) -> Any:
    """Drop zone above; flights at the left, the picked flight's files at the right, the picked file below."""
    t = visit.t
    return html.Div(
        [
            html.H1(t("page.drone")),
            DropZone(id="drone-zone") if visit.principal.has(*CREW) else None,
            dcc.Store(id="drone-arrived"), dcc.Store(id="drone-flight"), dcc.Store(id="drone-file"),
            dmc.Group(
                [
                    html.Div(_flights(visit), style={"flex": "1 1 380px", "minWidth": 0}),
                    html.Div(_files(visit), style={"flex": "2 1 520px", "minWidth": 0}),
                ],
                align="flex-start", gap="md", mt="md",
            ),
            html.Div(id="drone-picked"),
        ]
    )  # fmt: skip


def _flights(visit: Visit) -> Any:
    t = visit.t
    columns = [
        column("name", t("drone.flight"), minWidth=120), column("aircraft", t("drone.aircraft"), minWidth=120),
        column("first", t("drone.taken"), width=180), column("placed", t("drone.placed"), width=110),
    ]  # fmt: skip
    return table(visit, "drone-flights", columns, [], key="flight_id", height="320px")


def _files(visit: Visit) -> Any:
    t = visit.t
    columns = [
        column("name", t("drone.file"), minWidth=150), column("taken", t("drone.taken"), width=180),
        column("gsd", t("drone.gsd"), width=100), column("sure", t("drone.sure"), width=100),
        column("problems", t("drone.problems"), cellRenderer="Parts"),
    ]  # fmt: skip
    return table(visit, "drone-files", columns, [], key="file_id", height="320px")


@PAGE.callback(Output("drone-flights", "rowData"), Input("drone-arrived", "data"))
async def flights(visit: Visit, _at: Any) -> list[dict[str, Any]]:
    """Every flight, the newest first."""
    return [_flight_row(flight) for flight in await in_thread(DroneStore(visit.services.engine).flights)]


def _flight_row(flight: FlightView) -> dict[str, Any]:
    first = flight.first_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if flight.first_at else "—"
    return {
        "flight_id": flight.flight_id, "name": flight.name, "aircraft": flight.aircraft or "—", "first": first,
        "placed": f"{flight.placed} / {flight.files}",
    }  # fmt: skip


@PAGE.callback(Output("drone-files", "rowData"), Input("drone-flights", "cellClicked"), Input("drone-arrived", "data"))
async def files(visit: Visit, clicked: dict[str, Any] | None, _at: Any) -> list[dict[str, Any]]:
    """The picked flight's files, else the newest of all."""
    flight = str(clicked["rowId"]) if clicked and clicked.get("rowId") else None
    found = await in_thread(DroneStore(visit.services.engine).files, flight, None, 1000)
    return [_file_row(visit, file) for file in found]


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


@PAGE.callback(
    Output("drone-picked", "children"), Output("drone-file", "data"), Input("drone-files", "cellClicked"), True
)
async def picked(visit: Visit, clicked: dict[str, Any] | None) -> Any:
    """Picture, place and problems of one file."""
    if not clicked or not clicked.get("rowId"):
        return None, None
    file = await in_thread(DroneStore(visit.services.engine).file, str(clicked["rowId"]))
    return _card(visit, file), file.file_id


def _card(visit: Visit, file: FileView) -> Any:
    t, place = visit.t, file.place
    lines = [html.B(file.name), html.Div(file.camera)]
    if place:
        lon, lat = place["centre"]
        lines.append(html.Div(f"{lat:.6f}, {lon:.6f}"))
        width = features.width_m(file)
        lines.append(html.Div(t("drone.width", metres=round(width)) if width else t("drone.point")))
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
