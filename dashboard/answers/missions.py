"""Answers about missions of the drone team."""

from __future__ import annotations

from typing import TypedDict

from storage.missions import MissionView


class MissionList(TypedDict):
    """Missions, the newest first."""

    items: list[MissionView]


class SurveyCameraAnswer(TypedDict):
    """A camera that a flight can be planned for; pixels and focal length in pixels."""

    key: str
    name: str
    width: int
    height: int
    focal_px: float


class SurveyCameraList(TypedDict):
    """Cameras that a flight can be planned for."""

    items: list[SurveyCameraAnswer]
