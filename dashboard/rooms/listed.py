"""The rooms of the API: modules of routes by where their addresses begin, imported when the first request comes.

A process that has just started answers its watcher and the pages' files; what a district never uses costs it neither
time nor memory.  :data:`ROOMS` is the whole list: a new module of routes is named there.
"""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send


@dataclass(frozen=True)
class ApiRoom:
    """``modules`` (below ``dashboard``) whose addresses begin with one of ``prefixes``; the longest one decides."""

    prefixes: tuple[str, ...]
    modules: tuple[str, ...]

    def fit(self, path: str) -> int:
        """Length of the longest prefix that is ``path`` or that it goes on below (``/…``, ``.csv``); 0: none."""
        below = (p for p in self.prefixes if path.startswith(p) and path[len(p) : len(p) + 1] in ("", "/", "."))
        return max(map(len, below), default=0)

    def routers(self) -> list[Any]:
        """The modules' routers; imports them."""
        return [importlib.import_module(f"dashboard.{module}").router for module in self.modules]


ROOMS = (
    ApiRoom(("/healthz", "/livez"), ("rooms.probes",)),
    ApiRoom(("/api/uploads",), ("uploads.routes",)),
    ApiRoom(
        (
            "/api/login", "/api/logout", "/api/me", "/api/users", "/api/identities", "/api/directory", "/auth/oidc",
            "/api/invitations", "/api/ratings", "/api/identity-provider",
            "/api/import/users", "/api/links", "/api/classes", "/api/positions", "/api/cases", "/api/tasks",
            "/api/work", "/api/audit", "/api/alarms", "/api/wall", "/api/departments", "/api/divisions", "/api/notices",
            "/api/channels", "/api/dead-letters",
        ),
        (
            "api.field", "api.accounts", "persons.routes", "persons.rating_routes", "persons.parties",
            "identity.routes", "identity.directory.routes", "identity.provider_routes", "api.session", "api.cases",
            "api.attachments", "api.records", "api.office", "api.channels", "interchange.cap", "wall.routes",
            "work.routes", "work.documents",
        ),
    ),
    ApiRoom(("/api/forms", "/api/import/form"), ("api.forms",)),
    ApiRoom(
        ("/api/cameras", "/api/camera-templates", "/api/vision", "/api/algorithms"),
        ("api.cameras", "api.fleet", "api.learning", "videowall.control"),
    ),
    ApiRoom(("/api/devices", "/api/sources", "/api/city-files", "/metrics"), ("api.devices", "api.operations")),
    ApiRoom(("/api/rules",), ("api.rules",)),
    ApiRoom(("/api/plans", "/api/plan-tasks"), ("api.plans",)),
    ApiRoom(("/api/duty",), ("api.duty",)),
    ApiRoom(("/api/indicators",), ("api.indicators",)),
    ApiRoom(("/api/boards",), ("boards.routes",)),
    ApiRoom(("/api/situation",), ("situation.routes",)),
    ApiRoom(("/api/keys",), ("interchange.keys",)),
    ApiRoom(("/api/layers", "/api/map", "/tiles"), ("layers.routes", "api.maps")),
    ApiRoom(  # before /media: the evidence files take every address below it
        ("/api/drone", "/pilot", "/manage/api", "/map/api", "/media/api", "/storage/api", "/wayline/api"),
        (
            "drones.routes", "drones.missions", "drones.aircraft", "drones.finding_routes", "drones.survey_routes",
            "drones.pilot.media", "drones.pilot.entry", "drones.pilot.socket", "drones.pilot.library", "drones.library",
        ),
    ),
    ApiRoom(("/media",), ("api.media",)),
    ApiRoom(("/api/live",), ("interchange.push",)),
    ApiRoom(("/api/push-subscriptions",), ("api.push_subscriptions",)),
    ApiRoom(("/api/sensorthings",), ("sensorthings.routes",)),
    ApiRoom(("/open311",), ("interchange.open311",)),
    ApiRoom(("/api/taxonomy",), ("api.taxonomy",)),
    ApiRoom(("/api/search",), ("search.routes",)),
    ApiRoom(
        ("/api/registers", "/api/records", "/api/record-changes", "/api/visits", "/api/building", "/api/me/grid"),
        ("registers.routes",),
    ),
    ApiRoom(("/api/filing", "/api/me/filing"), ("filing.routes",)),
    ApiRoom(("/api/items",), ("items.routes",)),
    ApiRoom(("/api/benefits",), ("benefits.routes",)),
    ApiRoom(("/api/campaigns",), ("campaigns.routes",)),
    ApiRoom(
        ("/api/exams", "/api/exam-attempts", "/api/tours", "/api/handbook", "/api/drills"),
        ("training.exam_routes", "training.guide_routes", "training.drill_routes"),
    ),
    ApiRoom(("/api/bundles", "/api/counter"), ("items.counter_routes",)),
    ApiRoom(("/ogc",), ("ogc.routes",)),
    ApiRoom(("/api/licences", "/api/entries", "/entries"), ("connections.people_routes",)),
    ApiRoom(("/api/connections",), ("connections.routes",)),
    ApiRoom(("/stac",), ("stac.routes",)),
    ApiRoom(("/api/video",), ("videowall.routes",)),
    ApiRoom(("/api/catalogue", "/api/share-requests", "/share/v1"), ("catalogue.routes",)),
    ApiRoom(("/api/openapi.json",), ("rooms.description",)),
)  # fmt: skip


def room_of(path: str) -> ApiRoom | None:
    """The room of the address ``path``."""
    best = max(ROOMS, key=lambda room: room.fit(path))
    return best if best.fit(path) else None


class LateRoom(BaseRoute):
    """Stands for a room in the list of routes until somebody asks for an address of it; then its routes stand there."""

    def __init__(self, app: FastAPI, room: ApiRoom) -> None:
        self._app, self.room = app, room

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        asked = scope["type"] in ("http", "websocket") and room_of(scope["path"]) is self.room
        return (Match.FULL if asked else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.to_thread(self.room.routers)
        self.settle()
        await self._app.router(scope, receive, send)

    def settle(self) -> None:
        """Put the room's routes into this place; runs in the event loop, so that nobody looks meanwhile."""
        routes = self._app.router.routes
        if self not in routes:
            return  # another request was faster
        end = len(routes)
        for router in self.room.routers():
            self._app.include_router(router)
        new = routes[end:]
        del routes[end:]
        place = routes.index(self)
        routes[place : place + 1] = new


def add_rooms(app: FastAPI, *, late: bool) -> None:
    """Add every room to ``app``, ``late``: as places that fill when they are asked for."""
    for room in ROOMS:
        if late:
            app.router.routes.append(LateRoom(app, room))
        else:
            for router in room.routers():
                app.include_router(router)


def settle_all(app: FastAPI) -> None:
    """Import what is still late (whoever describes the API needs all of it)."""
    for route in [route for route in app.router.routes if isinstance(route, LateRoom)]:
        route.settle()
