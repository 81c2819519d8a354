"""Cameras that a flight is planned for: nominal pixels, focal length and the numbers of aircraft and payload in WPML.

Nominal values of the makers' tables; a picture's own calibrated focal length goes before them once it is flown.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InputInvalid


@dataclass(frozen=True, slots=True)
class SurveyCamera:
    """Pixels of a full picture and focal length in pixels; ``seconds``: between two photos at least."""

    key: str
    name: str
    width: int
    height: int
    focal_px: float
    seconds: float
    drone: int
    drone_sub: int
    payload: int


_CAMERAS = (
    SurveyCamera("m3e", "Mavic 3E", 5280, 3956, 3751.0, 0.7, 77, 0, 66),
    SurveyCamera("m3t", "Mavic 3T", 4000, 3000, 2780.0, 2.0, 77, 1, 67),
    SurveyCamera("m30t", "Matrice 30T", 4000, 3000, 2780.0, 2.0, 67, 1, 53),
    SurveyCamera("m4e", "Matrice 4E", 5280, 3956, 3725.0, 0.5, 99, 0, 88),
)


def survey_cameras() -> dict[str, SurveyCamera]:
    """Every camera by its key."""
    return {camera.key: camera for camera in _CAMERAS}


def survey_camera(key: str) -> SurveyCamera:
    """The camera ``key``; :class:`InputInvalid` names those there are."""
    found = survey_cameras().get(key)
    if found is None:
        raise InputInvalid(field="camera", detail=f"{key[:40]!r} is unknown", how=f"use {', '.join(survey_cameras())}")
    return found
