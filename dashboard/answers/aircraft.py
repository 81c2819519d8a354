"""Answers about aircraft and their controllers."""

from __future__ import annotations

from typing import Any, TypedDict


class AircraftList(TypedDict):
    """Registered aircraft and gateways; one that flies has place, heading, height, battery and footprint."""

    items: list[dict[str, Any]]


class ControllerCredential(TypedDict):
    """What is typed into the controller: the broker's user and password."""

    device_id: str
    user: str
    password: str


class RegisteredAircraft(TypedDict):
    """The aircraft's device and camera."""

    device_id: str
    camera_id: str


class LiveOrder(TypedDict):
    """What became of it: ``code`` "" done, no_gateway, no_answer, refused with DJI's ``result``."""

    code: str
    detail: str
    result: int | None
    camera_id: str
