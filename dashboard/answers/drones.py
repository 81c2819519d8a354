"""Answers about flights of drones and their files."""

from __future__ import annotations

from typing import Any, TypedDict

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
