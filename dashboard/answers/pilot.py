"""Answers to the controller's page."""

from __future__ import annotations

from typing import TypedDict


class PilotEntry(TypedDict):
    """What the page tells Pilot's bridge; the password is shown this once and ends the one before."""

    workspace_id: str
    platform: str
    token: str
    api_host: str
    mqtt_host: str
    mqtt_user: str
    mqtt_password: str
    app_id: str
    app_key: str
    app_license: str
