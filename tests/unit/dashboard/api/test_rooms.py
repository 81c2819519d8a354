"""Rooms of the API: each address has one, a late application answers like an eager one and loads nothing early."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from core.settings import Settings, load_settings
from dashboard.factory import create_app
from dashboard.reference import flat_routes
from dashboard.rooms.listed import ROOMS, LateRoom, room_of
from tests.databases import create_all

ROUTES = [(room, route) for room in ROOMS for router in room.routers() for route in flat_routes(router.routes)]


def test_every_address_belongs_to_its_own_room_alone() -> None:
    assert len(ROUTES) > 150
    for room, route in ROUTES:
        assert room_of(route.path) is room, f"{route.path} belongs to {room.modules}"


def test_every_module_of_routes_stands_in_a_room() -> None:
    package = Path(__file__).parents[4] / "dashboard"
    named = {module for room in ROOMS for module in room.modules}
    texts = {file: file.read_text(encoding="utf-8") for file in package.rglob("*.py")}
    for file, text in texts.items():
        inside = ".".join(file.relative_to(package).with_suffix("").parts)
        included = any(f"include_router({file.stem}.router)" in other for other in texts.values())
        if "\nrouter = APIRouter(" in text and not inside.startswith(("outside", "pages")) and not included:
            assert inside in named, f"name {inside} in dashboard/rooms/listed.py"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"YIWANG_DATA_DIR": str(tmp_path)})


def test_a_late_application_answers_like_an_eager_one(settings: Settings) -> None:
    late, eager = create_app(settings, late=True), create_app(settings)
    create_all(late.state.services.engine)
    here, there = TestClient(late, follow_redirects=False), TestClient(eager, follow_redirects=False)
    asked = ["/livez", "/api/nothing", "/ogc", "/ogc/conformance", "/ogc/nowhere", "/open311/v2/services.json"]
    asked += ["/login", "/api/cases", "/share/v1/x", "/m", "/tiles/layer/x/1/1/1.pbf", "/nowhere", "/"]
    for path in asked:
        for method in ("GET", "POST", "DELETE"):
            one, other = here.request(method, path), there.request(method, path)
            assert (one.status_code, one.text) == (other.status_code, other.text), (method, path)


def test_many_first_requests_at_once_settle_a_room_once(settings: Settings) -> None:
    app = create_app(settings, late=True)
    create_all(app.state.services.engine)
    with TestClient(app) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.get("/ogc/conformance").status_code, range(16)))
    assert set(answers) == {401}
    paths = [getattr(route, "path", "") for route in flat_routes(app.routes)]
    assert paths.count("/ogc/conformance") == 1
    assert sum(isinstance(route, LateRoom) for route in app.routes) >= len(ROOMS) - 2


HEAVY = ("dash", "plotly", "pandas", "numpy", "openpyxl", "pymupdf", "av", "cv2", "torch", "pypinyin")
_START = """
import sys
from fastapi.testclient import TestClient
from core.settings import load_settings
from dashboard.factory import create_app
from tests.databases import create_all
app = create_app(load_settings({"YIWANG_DATA_DIR": sys.argv[1]}), late=True)
create_all(app.state.services.engine)
client = TestClient(app, follow_redirects=False)
for path in ("/livez", "/login", "/m", "/m/sw.js", "/static/i18n/zh.json", "/", "/api/cases", "/ogc/conformance"):
    assert client.get(path).status_code < 500, path
print([name for name in sys.argv[2:] if name in sys.modules])
"""


def test_watchers_walls_phones_and_interfaces_load_no_heavy_library(tmp_path: Path) -> None:
    root = Path(__file__).parents[4]
    command = [sys.executable, "-c", _START, str(tmp_path), *HEAVY]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "[]"
