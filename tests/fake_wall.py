"""The wall's routes of the fake web process: alarms with names, live values, surroundings, situation, replay."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, HTTPException, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from core.records import Actor
from dashboard.auth import Principal

if TYPE_CHECKING:
    from tests.fake_api import FakeCity

LEVELS = [
    {"at": 0.05, "severity": 1, "name": "关注"},
    {"at": 0.15, "severity": 2, "name": "III级"},
    {"at": 0.27, "severity": 3, "name": "II级"},
    {"at": 0.4, "severity": 4, "name": "I级"},
]


class SignedIn:
    """Puts the signed-in person into every request, as the gate of the real process does (pages ask for rights)."""

    def __init__(self, app: ASGIApp, user: dict[str, Any]) -> None:
        self.app = app
        actor = Actor(user["user_id"], user["name"], tuple(user["roles"]), user["department_id"])
        self._principal = Principal(actor, user["login"], "token", "", "zh", "", must_change_password=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            scope.setdefault("state", {})["principal"] = self._principal
        await self.app(scope, receive, send)


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def value_of(case: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A flood that rises, or a camera that grows sure."""
    water = "water" in case["kind"]
    top = 0.42 if water else 93.0
    points = [(now.timestamp() - 60 * (179 - n), round(top / (1 + math.exp((120 - n) / 14)), 3)) for n in range(180)]
    step = {"seq": 4, "at": _stamp(now), "before": 2, "after": 3, "value": 0.28, "unit": "m", "limit": 0.27}
    return {
        "case_id": case["case_id"], "quantity": case["kind"] if water else "confidence", "value": points[-1][1],
        "unit": "m" if water else "%", "at": _stamp(now), "trend": points[-1][1] - points[-11][1], "direction": "above",
        "points": points[::3] + [points[-1]], "levels": LEVELS if water else [], "escalations": [step] if water else [],
        "cleared_at": None, "repeats": None,
    }  # fmt: skip


def add_wall(app: FastAPI, city: FakeCity, signed_in: Any, changing: Any) -> None:
    """Mount the routes."""
    told: dict[tuple[str, int], dict[str, Any]] = {}

    def alarm(case: dict[str, Any]) -> dict[str, Any]:
        base = {
            "case_id": case["case_id"], "raised_seq": 1, "severity": case["severity"], "cause": "new",
            "from_severity": None, "raised_at": case["opened_at"], "acknowledged_by": None, "acknowledged_name": None,
            "acknowledged_at": None, "waited_s": None,
        }  # fmt: skip
        return base | told.get((case["case_id"], case["severity"]), {})

    @app.get("/api/alarms")
    async def alarms(request: Request) -> dict[str, Any]:
        signed_in(request)
        grave = [c for c in city.cases.values() if c["open"] and c["severity"] >= 3 and c["case_id"] in city.loud]
        return {"items": [alarm(c) for c in grave], "server_time": _stamp(datetime.now(UTC)), "may": True}

    @app.post("/api/alarms/{case_id}/acknowledge")
    async def acknowledge(case_id: str, body: dict[str, Any], request: Request) -> dict[str, Any]:
        changing(request)
        case = city.cases[case_id]
        if body["severity"] != case["severity"]:
            raise HTTPException(409, {"error": "alarm_risen"})
        at = _stamp(datetime.now(UTC))
        name = {"acknowledged_by": "admin", "acknowledged_name": "管理员", "acknowledged_at": at, "waited_s": 9.0}
        told.setdefault((case_id, case["severity"]), name)
        city.push("alarm", {"case_id": case_id})
        return alarm(case)

    @app.get("/api/wall/values")
    async def values(request: Request) -> dict[str, Any]:
        signed_in(request)
        ids = request.query_params.get("cases", "").split(",")
        now = datetime.now(UTC)
        return {"items": [value_of(city.cases[i], now) for i in ids if i in city.cases and _measured(city.cases[i])]}

    @app.get("/api/cases/{case_id}/surroundings")
    async def surroundings(case_id: str, request: Request) -> dict[str, Any]:
        signed_in(request)
        case = city.cases[case_id]
        cameras = [
            {
                "camera_id": c["camera_id"], "name": c["name"], "category": c["category"], "distance_m": 40.0 * n,
                "bearing_deg": 90, "own": n == 0, "at_site": n < 2, "has_video": True, "state": "online",
                "seen_at": _stamp(datetime.now(UTC)), "lon": c["lon"], "lat": c["lat"],
            }
            for n, c in enumerate(city.cameras[:5])
        ]  # fmt: skip
        near = [c | {"distance_m": 120 * (n + 1)} for n, c in enumerate(list(city.cases.values())[:3])]
        return {
            "cameras": cameras,
            "near": [c for c in near if c["case_id"] != case["case_id"]],
            "alike": [],
            "earlier": [],
        }

    @app.get("/api/wall/situation")
    async def situation(request: Request) -> dict[str, Any]:
        signed_in(request)
        now = _stamp(datetime.now(UTC))
        rain = {"rain_mm_1h": {"value": 24.6, "unit": "mm", "at": now}}
        fresh = {"cameras_online": 281, "cameras_analysed": 148, "cameras": 300, "devices_online": 41, "devices": 43}
        return {
            "duty": {"people": 14, "leader": {"name": "值班长 甲", "post": "leader", "department": "指挥中心"}},
            "weather": rain, "warnings": [], "freshness": fresh | {"newest_at": now},
        }  # fmt: skip

    @app.get("/api/wall/replay")
    async def replay(request: Request) -> dict[str, Any]:
        signed_in(request)
        end = datetime.now(UTC)
        cases = [
            c | {"severities": [(datetime.fromisoformat(c["opened_at"]).timestamp(), c["severity"])]}
            for c in city.cases.values()
        ]
        return {
            "from": _stamp(end - timedelta(days=1)),
            "to": _stamp(end),
            "cases": cases,
            "readings": [],
            "cameras": {},
            "cut": [],
        }


def _measured(case: dict[str, Any]) -> bool:
    return "water" in case["kind"] or case["source_type"] == "camera"
