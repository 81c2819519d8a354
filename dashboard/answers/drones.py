"""Answers about flights of drones and their files."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from storage.drones import FlightView


class FlightList(TypedDict):
    """Flights with their counts, the newest first."""

    items: list[FlightView]


class KnownFiles(TypedDict):
    """Hashes (SHA-256) of files that are kept already."""

    known: list[str]


class Footprints(TypedDict):
    """GeoJSON (RFC 7946): one feature a file; the footprint, or the camera's position where there is none."""

    type: str
    features: list[dict[str, Any]]


class FlightChanges(TypedDict):
    """GeoJSON: ranked regions (rank, area_m2, contrast, guess, mapped) that differ from the flight before."""

    type: str
    features: list[dict[str, Any]]
    since_flight: str
    since_name: str
    since: str
    problem: NotRequired[str]
    residual_px: NotRequired[float]
    grid_m: NotRequired[float]
    compared_m2: NotRequired[float]
    changed_share: NotRequired[float]
    water_m2: NotRequired[float]
    mapped_water_m2: NotRequired[float]
