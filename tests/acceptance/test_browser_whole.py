"""The whole way in real browsers against the real processes: an alarm on the bus becomes a case on the wall,
is accepted, photographed and finished on the phone, and checked on the wall."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from app.throwaway import environment, settings_of, throwaway
from core.bus import connect
from core.ids import new_id
from core.records import GeoPoint, Observation
from core.settings import Settings
from dashboard.accounts.users import add_user, set_password
from storage.migrate import migrate
from storage.session import make_engine, session_scope
from storage.tables.registry import Camera, Department, Device, Division, Site
from tests.acceptance.browserkit import visit
from tests.fake_api import picture

pytestmark = pytest.mark.browser
HOME = (125.36, 43.89)
PASSWORD = "a-long-test-password"


@dataclass
class Whole:
    """The running instance, and a loop on which its bus can be used."""

    settings: Settings
    call: Callable[[Coroutine[Any, Any, Any]], Any]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.settings.web_port}"

    def alarm(self) -> None:
        self.call(_observe(self.settings))


def _seed(settings: Settings) -> None:
    migrate(settings.database_url)
    engine = make_engine(settings.database_url)
    with session_scope(engine) as session:
        session.add(Division(code="220105", name="二道区", level="district"))
        for department_id, name in (("dept-fire", "消防救援大队"), ("dept-command", "指挥中心")):
            session.add(Department(department_id=department_id, name=name))
        session.flush()
        session.add(
            Site(
                site_id="site-1", name="东盛商厦", name_en="Dongsheng Mall", kind="key_fire_site", lon=HOME[0],
                lat=HOME[1], division_code="220105", department_id="dept-fire", attributes={},
            )
        )  # fmt: skip
        session.flush()
        session.add(Device(device_id="gb26875:1", source="gb26875", address="1", status="accepted", site_id="site-1"))
        session.add(Camera(camera_id="cam-1", name="消控室", category="fire_control_room", site_id="site-1"))
        for login, role, department in (("boss", "admin", "dept-command"), ("staff", "staff", "dept-fire")):
            user = add_user(session, login=login, name=login, roles=[role], department_id=department)
            set_password(session, user, PASSWORD, must_change=False)
    engine.dispose()


async def _observe(settings: Settings) -> None:
    now = datetime.now(UTC)
    bus = await connect(settings, "test")
    try:
        await bus.observe(
            Observation(
                observation_id=new_id(), kind="fire_alarm", state="open", source_type="device", source_id="gb26875:1",
                observed_at=now, received_at=now, site_id="site-1", location=GeoPoint(lon=HOME[0], lat=HOME[1]),
            )
        )  # fmt: skip
    finally:
        await bus.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """nats-server, worker and web on free ports in a folder of their own."""
    folder: Path = tmp_path_factory.mktemp("whole")
    env = environment(folder)
    settings = settings_of(env)
    _seed(settings)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def call(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(120)

    instance = throwaway(env, print, {"nats-server", "worker", "web"})
    call(instance.__aenter__())
    try:
        yield Whole(settings, call)
    finally:
        call(instance.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)


def test_from_an_alarm_to_a_checked_case(whole: Whole, chromium: Browser) -> None:
    wall = visit(chromium, whole.base, 1280, 720)
    phone = visit(chromium, whole.base, 390, 844, has_touch=True, is_mobile=True)
    try:
        wall.log_in("boss", PASSWORD)
        wall.open("/")
        expect(wall.page.locator(".connection.live")).to_be_visible(timeout=30_000)
        whole.alarm()
        row = wall.page.locator("li.case")
        expect(row).to_have_count(1)
        expect(row.locator(".case-title")).to_contain_text("火灾报警")
        expect(row.locator(".chip")).to_have_text("已派遣")

        phone.log_in("staff", PASSWORD)
        phone.open("/m")
        phone.page.tap("a.card")
        phone.page.tap('[data-do="accept"]')
        expect(row.locator(".chip")).to_have_text("处置中")
        phone.page.set_input_files(
            '[data-do="photo"]', [{"name": "after.jpg", "mimeType": "image/jpeg", "buffer": picture("after", False)}]
        )
        phone.page.tap('[data-do="finish"]')
        expect(phone.page.locator(".tasks")).to_be_visible()

        row.click()
        wall.page.wait_for_selector('[data-command="check_pass"]')
        expect(wall.page.locator(".evidence img").first).to_be_visible()
        wall.page.click('[data-command="check_pass"]')
        wall.page.click(".command-form button[type=submit]")
        expect(wall.page.locator('[data-command="check_pass"]')).to_have_count(0)
        wall.page.locator('[data-tab="history"]').click()
        timeline = wall.page.locator(".timeline")
        for word in ("上报", "派遣", "接收", "处置完成", "核查通过"):
            expect(timeline).to_contain_text(word)
        wall.assert_clean()
        phone.assert_clean()
    finally:
        wall.context.close()
        phone.context.close()


def test_another_departments_case_and_pages_without_a_session_are_refused(whole: Whole, chromium: Browser) -> None:
    stranger = visit(chromium, whole.base, 1280, 720)
    try:
        for path in (
            "/api/cases",
            "/api/live",
            "/tiles/buildings/13/6949/2982.pbf",
            "/media/aa/b.jpg",
            "/api/map/sites.geojson",
        ):
            assert stranger.context.request.get(whole.base + path).status == 401, path
        stranger.page.goto(f"{whole.base}/devices")
        expect(stranger.page).to_have_url(re.compile(r"/login\?next=(%2F|/)devices"))
    finally:
        stranger.context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_desk_pages_open_without_errors(whole: Whole, chromium: Browser, language: str) -> None:
    desk = visit(chromium, whole.base, 1280, 720)
    try:
        desk.log_in("boss", PASSWORD)
        desk.context.add_cookies([{"name": "yiwang_lang", "value": language, "url": whole.base}])
        for name in ("devices", "vision", "rules", "indicators", "plans", "admin", "boards", "video", "situation"):
            desk.open(f"/{name}")
            expect(desk.page.locator(".sheet h1")).to_be_visible()
            expect(desk.page.locator(".skeleton")).to_have_count(0)
        desk.assert_clean()
    finally:
        desk.context.close()
