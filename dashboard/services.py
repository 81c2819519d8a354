"""What the routes of the web process share, made once by :func:`dashboard.factory.create_app`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from core.clock import Clock
from core.media import MediaStore
from core.settings import Settings
from dashboard.auth import Accounts
from dashboard.form_watch import FormWatch
from dashboard.health import Health
from dashboard.identity.provider import Provider
from dashboard.live import LiveHub
from dashboard.security import SessionCache
from dashboard.video import VideoRooms
from events.cases.service import CaseService
from events.runtime.city_rules import CityRules
from layers.tiles import TileSet


@dataclass
class Services:
    """Handed to every route as ``request.app.state.services``."""

    settings: Settings
    engine: Engine
    clock: Clock
    accounts: Accounts
    sessions: SessionCache
    cases: CaseService
    media: MediaStore
    hub: LiveHub
    health: Health
    video: VideoRooms
    forms: FormWatch
    city: CityRules
    identity: Provider | None = None  # of oidc.json
    tilesets: dict[str, TileSet] = field(default_factory=dict)
    counters: dict[str, Any] = field(default_factory=dict)
