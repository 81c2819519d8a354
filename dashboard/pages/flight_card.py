"""What a flight's page says beside its map: how far the look is, counts, roads, how well it fits, changes, links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboard.drones import findings as words_of
from dashboard.drones.routes import CREW
from dashboard.drones.summary import FlightSummary, MosaicView
from dashboard.drones.surveys import OPEN
from dashboard.pages.frame import Visit
from dashboard.pages.tables import chip, column, parts, table

_GUESSES = ("vehicle", "water", "building", "heap")


def flight_card(visit: Visit, told: FlightSummary, changed: Mapping[str, Any] | None) -> Any:
    """The card of one flight; ``changed``: its changes as GeoJSON."""
    t = visit.t
    return html.Div(
        [
            html.H2(told.flight.name), _found(visit, told), _fit(visit, told), _mosaics(visit, told),
            _survey(visit, told),
            html.H2(t("drone.roads")), _roads(visit, told),
            html.H2(t("drone.changes")), _changes(visit, told, changed),
        ]
    )  # fmt: skip


def _found(visit: Visit, told: FlightSummary) -> Any:
    t, language = visit.t, visit.language
    counted = [f"{words_of.title(name, language)} {count}" for name, count in told.counts.items()]
    done = told.looked >= told.pictures
    said = ", ".join(counted) or (t("drone.nothing_found") if done else t("drone.not_yet"))
    more = [html.P(told_problem, className="quiet") for told_problem in told.problems[:3]]
    link = html.A(t("drone.judge"), href="/drone/findings", className="button")
    kept_out = html.P(words_of.word(words_of.NOT_LOOKED_FOR, language), className="quiet")
    return html.Div([html.P([html.Strong(t("aerial.found") + ": "), said, " ", link]), *more, kept_out])


def _fit(visit: Visit, told: FlightSummary) -> Any:
    if told.residual_m is None:
        return html.P(visit.t("drone.not_matched"), className="quiet")
    return html.P(visit.t("drone.residual", matched=told.matched, metres=told.residual_m, pixels=told.residual_px))


def _mosaics(visit: Visit, told: FlightSummary) -> Any:
    shown = [m for m in (told.mosaic, told.survey) if m is not None]
    return html.Ul([html.Li(_mosaic(visit, m)) for m in shown]) if shown else None


def _survey(visit: Visit, told: FlightSummary) -> Any:
    """The survey-grade product: the way to ask for it where a node is set up, and where it stands."""
    state, t = told.survey_state, visit.t
    if not visit.services.settings.nodeodm_url:
        return html.P(t("drone.survey.none"), className="quiet")
    shown: list[Any] = []
    if state is not None:
        shown.append(html.P([t(f"drone.survey.{state.state}", percent=round(state.progress)), " ", state.message]))
    if visit.principal.has(*CREW):
        busy = state is not None and state.state in OPEN
        word = "drone.survey.stop" if busy else "drone.survey.ask"
        shown.append(dmc.Button(t(word), id={"drone-survey": "stop" if busy else "ask"}, variant="default"))
    return html.Div(shown)


def _mosaic(visit: Visit, view: MosaicView) -> list[Any]:
    name = view.title.get(visit.language) or view.title.get("zh", "")
    west, south, east, north = view.bbox
    there = f"/#m=18/{(south + north) / 2:.6f}/{(west + east) / 2:.6f}"
    links = [" ", html.A(visit.t("drone.on_wall"), href=there)]
    if view.download:
        links += [" ", html.A(visit.t("drone.cog"), href=view.download)]
    return [name, *links]


def _roads(visit: Visit, told: FlightSummary) -> Any:
    t = visit.t
    if not told.roads:
        return html.P(t("drone.no_roads"), className="quiet")
    columns = [
        column("road", t("drone.road"), cellRenderer="Parts", minWidth=150),
        column("count", t("drone.vehicles"), width=90), column("large", t("drone.large"), width=90),
        column("density", t("drone.per_km"), width=110),
    ]  # fmt: skip
    rows = []
    for number, road in enumerate(told.roads):
        name = (road.name_en if visit.language == "en" else road.name) or t("drone.unnamed")
        dense = [chip(t("drone.dense"), "warn", t("drone.dense_why"))] if road.dense else []
        density = "—" if road.per_km is None else f"{road.per_km:.0f}"
        rows.append({"key": f"{road.lon},{road.lat},{number}", "count": road.vehicles, "large": road.large,
                     "density": density, **parts("road", {"text": name, "c": ""}, *dense)})  # fmt: skip
    return table(visit, "drone-roads", columns, rows, key="key", height="220px", options={"pagination": False})


def _changes(visit: Visit, told: FlightSummary, changed: Mapping[str, Any] | None) -> Any:
    t = visit.t
    if changed is None:
        return html.P(t("drone.no_before"), className="quiet")
    since = t("drone.since", name=changed.get("since_name", ""), date=str(changed.get("since", ""))[:10])
    if changed.get("problem"):
        return html.P([since, ": ", str(changed["problem"])], className="quiet")
    columns = [
        column("rank", t("drone.rank"), width=80), column("guess", t("drone.guess"), minWidth=100),
        column("area", t("drone.area"), width=110), column("contrast", t("drone.contrast"), width=100),
    ]  # fmt: skip
    rows = [_change_row(visit, feature) for feature in changed["features"]]
    told_residual = t("drone.change_fit", pixels=changed.get("residual_px", "—"))
    grid = table(visit, "drone-changes", columns, rows, key="key", height="220px", options={"pagination": False})
    return html.Div([html.P(f"{since}. {told_residual}", className="quiet"), grid])


def _change_row(visit: Visit, feature: Mapping[str, Any]) -> dict[str, Any]:
    about = feature["properties"]
    ring = feature["geometry"]["coordinates"][0]
    lon, lat = (sum(spot[axis] for spot in ring) / len(ring) for axis in (0, 1))
    guess = about.get("guess")
    return {
        "key": f"{lon:.7f},{lat:.7f},{about['rank']}", "rank": about["rank"], "area": f"{about['area_m2']:.0f} m²",
        "contrast": f"{about['contrast']:.2f}",
        "guess": visit.t(f"drone.guess.{guess}") if guess in _GUESSES else visit.t("drone.guess.unknown"),
    }  # fmt: skip


def focus_of(key: str) -> dict[str, float]:
    """The place that a row's key names, as the map takes it."""
    lon, lat, *_ = key.split(",")
    return {"lon": float(lon), "lat": float(lat)}


def links(visit: Visit) -> Any:
    """To the pages around the drone page."""
    shown = (("/drone/findings", "drone.to_findings"), ("/drone/missions", "drone.missions"), ("/", "drone.to_wall"))
    return dmc.Group([html.A(visit.t(key), href=path, className="button") for path, key in shown], gap="xs")
