"""What is known of a file once it was located: its facts, its place on the ground, what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.drones.facts import Facts
from ingest.drones.problems import Note


@dataclass(frozen=True, slots=True)
class Place:
    """Corners (lon, lat) from the picture's upper left, clockwise; metres.

    ``ellipse`` is one sigma of the centre along and across the line of sight, and the line's bearing; ``uncertainty_m``
    the radius of 95 % for a point anywhere in the picture, turned by the compass's error.
    """

    corners: tuple[tuple[float, float], ...]
    centre: tuple[float, float]
    height_m: float
    gsd_cm: float
    uncertainty_m: float
    ellipse: tuple[float, float, float]
    method: str


@dataclass(frozen=True, slots=True)
class Located:
    """One file: what it says and where it looks; ``place`` None with the reason in ``notes``."""

    file: str
    kind: str
    facts: Facts | None
    place: Place | None
    notes: tuple[Note, ...] = field(default=())
