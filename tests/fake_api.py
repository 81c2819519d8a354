"""A small web process with the REST shapes of docs/architecture.md and invented cases, for tests of the pages.

It needs no bus and no worker: ``FakeCity`` holds sites, cameras and cases in memory, ``create_fake_app`` mounts the
real pages over it.  ``python -m tests.fake_api PORT [DATA_DIR]`` serves it by hand (with tiles of DATA_DIR, if any).
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import create_engine

from core.settings import Settings, load_settings
from dashboard.pages.mount import mount
from events.cases.definition_check import shipped_definitions
from layers.tiles import load_tilesets
from tests.fake_wall import SignedIn, add_wall

CITY = shipped_definitions()["city_management"]
CENTRE = (125.39, 43.866)
COOKIE = "yiwang_session"
DEPARTMENTS = [
    {"department_id": "dept-fire", "name": "消防救援大队", "name_en": "Fire and Rescue"},
    {"department_id": "dept-drainage", "name": "排水管理处", "name_en": "Drainage"},
    {"department_id": "dept-emergency", "name": "应急管理局", "name_en": "Emergency Management"},
    {"department_id": "dept-urban", "name": "城市管理局", "name_en": "Urban Management"},
]
KINDS = [
    ("flame_smoke", "发现烟火", 4, "dept-fire"),
    ("absence", "消控室离岗", 2, "dept-fire"),
    ("water_level_m", "道路积水", 3, "dept-drainage"),
    ("fire_alarm", "火灾报警", 3, "dept-fire"),
    ("device_fault", "消防设施故障", 1, "dept-fire"),
    ("fire_lane", "消防通道占用", 2, "dept-urban"),
    ("camera_health", "摄像机离线", 1, "dept-emergency"),
]
STAGE_OF = {
    "reported": "collect",
    "pending_dispatch": "dispatch",
    "dispatched": "handle",
    "handling": "handle",
    "handle_finished": "feedback",
    "checking": "check",
    "closed": "evaluate",
}


def stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


class FakeCity:
    """Sites, cameras and cases; ``move`` pushes to every listener like the live hub does."""

    def __init__(self, cases: int = 40, cameras: int = 300, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.listeners: set[asyncio.Queue[tuple[str, dict[str, Any]]]] = set()
        self.commands: list[dict[str, Any]] = []
        self.seen_keys: set[str] = set()
        self.photos: list[str] = []
        self.loud: set[str] = set()  # cases whose alarm rings until it is acknowledged
        self.uploads: dict[str, bytes] = {}
        self.sites = [self._site(n) for n in range(40)]
        self.cameras = [self._camera(n) for n in range(cameras)]
        self.cases = {c["case_id"]: c for c in (self._case(n) for n in range(cases))}

    def _near(self, spread: float = 0.03) -> tuple[float, float]:
        return CENTRE[0] + self.random.gauss(0, spread), CENTRE[1] + self.random.gauss(0, spread * 0.7)

    def _site(self, n: int) -> dict[str, Any]:
        kinds = ("key_fire_site", "fuel_station", "waterlogging", "key_place", "warehouse")
        names = ("东盛商厦", "第3加油站", "下穿桥", "社区医院", "应急物资库")
        kind = n % 5
        lon, lat = self._near()
        return {
            "site_id": f"site-{n}",
            "name": f"{names[kind]}{n}",
            "name_en": f"Site {n}",
            "kind": kinds[kind],
            "address": f"吉林大路{n}号",
            "department_id": "dept-fire",
            "lon": lon,
            "lat": lat,
        }

    def _camera(self, n: int) -> dict[str, Any]:
        site = self.sites[n % len(self.sites)] if n < 80 else None
        lon, lat = (site["lon"] + 0.0003, site["lat"]) if site else self._near()
        return {
            "camera_id": f"cam-{n}",
            "name": f"{n}号摄像机",
            "category": "fire_control_room" if site else "traffic",
            "site_id": site["site_id"] if site else None,
            "enabled": site is not None,
            "state": "online" if n % 17 else "offline",
            "lon": lon,
            "lat": lat,
        }

    def _case(self, n: int) -> dict[str, Any]:
        kind, title, severity, department = KINDS[n % len(KINDS)]
        site = self.sites[(n * 7) % len(self.sites)]
        opened = datetime.now(UTC) - timedelta(minutes=self.random.randint(1, 240))
        state = self.random.choice(["pending_dispatch", "dispatched", "dispatched", "handling", "handling", "checking"])
        name = next(d["name"] for d in DEPARTMENTS if d["department_id"] == department)
        return {
            "case_id": f"01CASE{n:020d}",
            "number": f"220105-20261122-{n:04d}",
            "definition_id": "city_management",
            "version": 3,
            "stage": STAGE_OF[state],
            "state": state,
            "open": True,
            "severity": severity,
            "kind": kind,
            "class_code": "event-05-94",
            "class_version": "2013",
            "title": f"{site['name']} {title}",
            "site_id": site["site_id"],
            "site_name": site["name"],
            "division_code": "220105001002",
            "division_name": "公平社区",
            "grid_code": "220105001002001",
            "department_id": None if state == "pending_dispatch" else department,
            "department_name": None if state == "pending_dispatch" else name,
            "handler_id": None,
            "handler_name": None,
            "lon": site["lon"] + self.random.gauss(0, 0.0004),
            "lat": site["lat"] + self.random.gauss(0, 0.0003),
            "opened_at": stamp(opened),
            "updated_at": stamp(opened),
            "closed_at": None,
            "deadline_at": stamp(opened + timedelta(minutes=self.random.choice([60, 120, 240, 480]))),
            "confidence": 0.91,
            "source_type": "camera" if "level" not in kind else "device",
            "source_id": f"cam-{n % 80}" if "level" not in kind else "mqtt:gauge-1",
            "parent_case_id": None,
            "merged_into_id": None,
            "confidential": False,
        }

    def move(self, case: dict[str, Any], state: str) -> dict[str, Any]:
        case |= {
            "state": state,
            "stage": STAGE_OF[state],
            "version": case["version"] + 1,
            "open": state != "closed",
            "updated_at": stamp(datetime.now(UTC)),
        }
        self.push("case", dict(case))
        return case

    def push(self, event: str, data: dict[str, Any]) -> None:
        for queue in self.listeners:
            queue.put_nowait((event, data))

    def detail(self, case: dict[str, Any]) -> dict[str, Any]:
        opened = case["opened_at"]
        allowed = {
            "pending_dispatch": [("dispatch", ["department_id"], ["comment"]), ("cancel", ["reason"], [])],
            "dispatched": [("accept", [], ["comment"]), ("refuse", ["reason"], []), ("urge", ["reason"], [])],
            "handling": [("finish", [], ["comment", "no_photo_reason"]), ("suspend", ["reason"], ["until"])],
            "handle_finished": [("check_pass", [], ["comment"]), ("rework", ["reason"], [])],
            "checking": [("check_pass", [], ["comment"]), ("rework", ["reason"], [])],
        }.get(case["state"], [])
        moves = [("report", "", "reported"), ("register", "reported", "pending_dispatch")]
        moves += [("dispatch", "pending_dispatch", "dispatched")] if case["department_id"] else []
        evidence = [
            {
                "evidence_id": f"e{i}",
                "purpose": "finding",
                "kind": kind,
                "uri": f"{case['case_id']}-{kind}.jpg",
                "url": f"/media/{case['case_id']}-{kind}.jpg",
                "sha256": "ab" * 32,
                "media_type": "image/jpeg",
                "taken_at": opened,
                "added_at": opened,
                "added_by": "system",
                "size_bytes": 1,
            }
            for i, kind in enumerate(("snapshot", "annotated"))
        ]
        observation = {
            "observation_id": "o1",
            "kind": case["kind"],
            "state": "open",
            "observed_at": opened,
            "source_id": case["source_id"],
            "confidence": 0.91,
            "value": None,
            "unit": "",
            "zone": "值班区",
            "reason": {},
            "model": {"name": "nanodet_coco_416", "sha256": "3f" * 32, "version": "1"},
        }
        return {
            "case": case | {"description": "系统自动立案", "form": {}},
            "transitions": [
                {
                    "seq": i,
                    "command": c,
                    "from_state": f,
                    "to_state": to,
                    "actor_id": "system",
                    "actor_name": "Yiwang",
                    "at": opened,
                    "reason": "",
                    "data": {},
                }
                for i, (c, f, to) in enumerate(moves)
            ],
            "evidence": evidence,
            "assignments": [
                {
                    "assignment_id": "a1",
                    "department_id": case["department_id"],
                    "department_name": case["department_name"],
                    "role": "lead",
                    "state": case["state"],
                    "duty": "现场处置",
                    "dispatched_at": opened,
                    "accepted_at": None,
                    "finished_at": None,
                    "deadline_at": case["deadline_at"],
                    "user_id": None,
                    "user_name": None,
                    "score": None,
                }
            ]
            if case["department_id"]
            else [],
            "clocks": [
                {
                    "kind": "handling",
                    "limit_value": 1,
                    "limit_unit": "urgent_hour",
                    "started_at": opened,
                    "stopped_at": None,
                    "deadline_at": case["deadline_at"],
                    "suspended": False,
                    "overdue": False,
                    "extensions": [],
                    "suspensions": [],
                    "derivation": ["开始 2026-11-22 05:00", "加 1 紧急工作时（昼夜连续计算）", "截止 2026-11-22 06:00"],
                }
            ],
            "observations": [observation],
            "why": {
                "observation": observation,
                "rule": {
                    "rule_id": "flame-smoke",
                    "version": 1,
                    "steps": [
                        {"step": "confidence", "text": "置信度 0.91 ≥ 0.60"},
                        {"step": "k_of_n", "text": "5 帧中 4 帧"},
                    ],
                },
                "merge": {"text": "附近 80 米、10 分钟内没有同类在办案件：新立案"},
                "routing": {
                    "rule_id": "fire",
                    "lead": case["department_name"],
                    "steps": ["类别 event-05-94 命中规则 fire"],
                },
                "clock": {"limit_value": 1, "limit_unit": "urgent_hour", "deadline_at": case["deadline_at"]},
            },
            "allowed": [
                {"name": n, "label": {}, "required": r, "optional": o, "form": CITY.form(n), "ask": CITY.ask(n),
                 "forward": CITY.commands[n].forward, "rare": CITY.commands[n].rare}
                for n, r, o in allowed
            ],
            "children": [],
            "merged": [],
        }

    def points(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        features = [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [i["lon"], i["lat"]]},
                "properties": {k: v for k, v in i.items() if k not in ("lon", "lat")},
            }
            for i in items
        ]
        return {"type": "FeatureCollection", "features": features}


def picture(text: str, boxed: bool) -> bytes:
    """A drawn still, so that no real person is ever shown."""
    image = np.full((360, 640, 3), (58, 44, 34), np.uint8)
    cv2.rectangle(image, (0, 230), (640, 360), (70, 62, 55), -1)
    cv2.rectangle(image, (250, 120), (400, 300), (96, 110, 140), -1)
    cv2.putText(image, text, (16, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (220, 230, 240), 1, cv2.LINE_AA)
    if boxed:
        cv2.rectangle(image, (240, 110), (410, 310), (60, 80, 255), 3)
        cv2.putText(image, "0.91", (244, 104), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (60, 80, 255), 2, cv2.LINE_AA)
    return bytes(cv2.imencode(".jpg", image)[1].tobytes())


def create_fake_app(settings: Settings, city: FakeCity) -> FastAPI:  # noqa: C901 - a list of routes
    """The fake web process; log in with any account and the password ``secret``; ``another`` is another person."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    tilesets = load_tilesets(settings.tiles_dir)
    user = {
        "user_id": "u1",
        "login": "admin",
        "name": "值班员",
        "roles": ["admin", "staff"],
        "department_id": "dept-fire",
    }

    def signed_in(request: Request) -> None:
        if request.cookies.get(COOKIE) != "ok":
            raise HTTPException(401, "no session")

    def changing(request: Request) -> None:
        signed_in(request)
        if request.headers.get("x-csrf-token") != "token":
            raise HTTPException(403, "no csrf token")

    @app.post("/api/login")
    async def login(body: dict[str, Any], response: Response) -> dict[str, Any]:
        if body.get("password") != "secret":
            raise HTTPException(401, "wrong")
        user["user_id"] = "u2" if body.get("login") == "another" else "u1"
        response.set_cookie(COOKIE, "ok", httponly=True, samesite="lax")
        return {"user": user, "csrf_token": "token"}

    @app.post("/api/logout")
    async def logout(response: Response) -> dict[str, Any]:
        response.delete_cookie(COOKIE)
        return {}

    @app.get("/api/me")
    async def me(request: Request) -> dict[str, Any]:
        signed_in(request)
        return {"user": user, "csrf_token": "token"}

    @app.get("/api/departments")
    async def departments(request: Request) -> dict[str, Any]:
        signed_in(request)
        return {"items": DEPARTMENTS}

    @app.get("/api/cases")
    async def cases(request: Request) -> dict[str, Any]:
        signed_in(request)
        return {"items": [c for c in city.cases.values() if c["open"]], "next": None}

    @app.get("/api/tasks")
    async def tasks(request: Request) -> dict[str, Any]:
        signed_in(request)
        mine = [c for c in city.cases.values() if c["open"] and c["department_id"] == "dept-fire"]
        return {"items": [c for c in mine if c["state"] in ("dispatched", "handling")]}

    @app.get("/api/cases/{case_id}")
    async def case(case_id: str, request: Request) -> dict[str, Any]:
        signed_in(request)
        if case_id not in city.cases:
            raise HTTPException(404, "no such case")
        return city.detail(city.cases[case_id])

    @app.post("/api/cases/{case_id}/commands")
    async def command(case_id: str, body: dict[str, Any], request: Request) -> dict[str, Any]:
        changing(request)
        found = city.cases[case_id]
        key = f"{case_id}:{body.get('idempotency_key')}"
        if key in city.seen_keys:
            return found | {"replayed": True}
        city.seen_keys.add(key)
        city.commands.append({"case_id": case_id, **body})
        states = {"accept": "handling", "finish": "handle_finished", "dispatch": "dispatched", "check_pass": "closed"}
        if body["name"] == "dispatch":
            chosen = next(d for d in DEPARTMENTS if d["department_id"] == body["data"]["department_id"])
            found |= {"department_id": chosen["department_id"], "department_name": chosen["name"]}
        return city.move(found, states.get(body["name"], found["state"]))

    @app.post("/api/uploads")
    async def begin_upload(request: Request) -> Response:
        changing(request)
        upload_id = f"u{len(city.uploads)}"
        city.uploads[upload_id] = b""
        return Response(status_code=201, headers={"Location": f"/api/uploads/{upload_id}", "Upload-Offset": "0"})

    @app.patch("/api/uploads/{upload_id}")
    async def upload(upload_id: str, request: Request) -> Response:
        changing(request)
        city.uploads[upload_id] += await request.body()
        return Response(status_code=204, headers={"Upload-Offset": str(len(city.uploads[upload_id]))})

    @app.post("/api/cases/{case_id}/attachments")
    async def attach(case_id: str, body: dict[str, Any], request: Request) -> dict[str, Any]:
        changing(request)
        data = city.uploads[body["upload_id"]]
        city.photos.append(f"{case_id}:{len(data)}")
        return {"evidence_id": f"p{len(city.photos)}", "uri": "x.jpg", "size_bytes": len(data)}

    @app.get("/api/live")
    async def live(request: Request) -> StreamingResponse:
        signed_in(request)
        queue: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue(1000)
        city.listeners.add(queue)

        async def stream() -> AsyncIterator[str]:
            hello = {"server_time": stamp(datetime.now(UTC)), "instance": "fake"}
            yield f"event: hello\ndata: {json.dumps(hello)}\n\n"
            try:
                while True:
                    try:
                        event, data = await asyncio.wait_for(queue.get(), 5)
                    except TimeoutError:
                        event, data = "beat", {"server_time": stamp(datetime.now(UTC))}
                    yield f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
            finally:
                city.listeners.discard(queue)

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    @app.get("/api/map/style.json")
    async def style(request: Request) -> dict[str, Any]:
        signed_in(request)
        sources = {
            t.name: {
                "type": "vector",
                "tiles": [f"/tiles/{t.name}/{{z}}/{{x}}/{{y}}.pbf"],
                "minzoom": t.min_zoom,
                "maxzoom": t.max_zoom,
            }
            for t in tilesets.values()
        }
        return {"sources": sources, "metadata": {"center": CENTRE, "zoom": 12, "generated": True}}

    @app.get("/tiles/{name}/{z}/{x}/{y}.pbf")
    async def tile(name: str, z: int, x: int, y: int, request: Request) -> Response:
        signed_in(request)
        data = tilesets[name].get(z, x, y) if name in tilesets else None
        if data is None:
            return Response(status_code=204)
        return Response(
            data, media_type="application/x-protobuf", headers={"Content-Encoding": tilesets[name].encoding}
        )

    @app.get("/api/map/{layer}.geojson")
    async def layer(layer: str, request: Request) -> dict[str, Any]:
        signed_in(request)
        return city.points({"sites": city.sites, "cameras": city.cameras}.get(layer, []))

    @app.get("/api/cameras/{camera_id}/snapshot.jpg")
    async def snapshot(camera_id: str, request: Request) -> Response:
        signed_in(request)
        return Response(picture(camera_id, False), media_type="image/jpeg")

    @app.get("/media/{uri}")
    async def media(uri: str, request: Request) -> Response:
        signed_in(request)
        return Response(picture(uri[:20], "annotated" in uri), media_type="image/jpeg")

    @app.post("/fake/new")
    async def new(severity: int = 3) -> dict[str, Any]:
        made = city._case(len(city.cases)) | {"severity": severity, "state": "dispatched", "stage": "handle"}
        city.cases[made["case_id"]] = made
        city.loud.add(made["case_id"])
        city.push("case", made)
        return made

    add_wall(app, city, signed_in, changing)

    @app.get("/api/{path:path}")
    async def missing(path: str) -> None:
        raise HTTPException(404, path)

    # a database without a table: pages that read it themselves do without
    app.state.services = SimpleNamespace(settings=settings, engine=create_engine("sqlite://"))
    mount(app)
    app.add_middleware(SignedIn, user=user)
    return app


def main() -> None:
    """Serve by hand, on the port named first, with the tiles and places of the data folder named second."""
    import uvicorn

    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path("var")
    settings = load_settings({"YIWANG_DATA_DIR": str(folder)})
    city = FakeCity()
    if (folder / "yiwang.db").exists():
        _real_places(city, settings)
    uvicorn.run(create_fake_app(settings, city), port=int(sys.argv[1]), log_level="warning")


def _real_places(city: FakeCity, settings: Settings) -> None:
    """Use the imported city's sites and cameras instead of invented ones."""
    from sqlalchemy import select

    from storage.session import make_engine, read_scope
    from storage.tables.registry import Camera, Site

    def plain(row: Any) -> dict[str, Any]:
        wanted = (
            "site_id",
            "camera_id",
            "name",
            "name_en",
            "kind",
            "category",
            "address",
            "department_id",
            "enabled",
            "lon",
            "lat",
        )
        return {k: getattr(row, k) for k in wanted if hasattr(row, k)}

    with read_scope(make_engine(settings.database_url)) as session:
        city.sites = [plain(s) for s in session.scalars(select(Site))]
        city.cameras = [plain(c) | {"state": "online"} for c in session.scalars(select(Camera))]
    city.cases = {c["case_id"]: c for c in (city._case(n) for n in range(60))}


if __name__ == "__main__":
    main()
