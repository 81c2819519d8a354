"""Vision: zones and calibration on the camera's own picture, algorithms, how well we see, the processes at work."""

from __future__ import annotations

from dashboard.pages.desk.vision import algorithms, calibration, page, precision, schedule, zones
from dashboard.pages.desk.vision.base import PAGE
from dashboard.pages.desk.vision.page import layout

__all__ = ["PAGE", "algorithms", "calibration", "layout", "page", "precision", "schedule", "zones"]
