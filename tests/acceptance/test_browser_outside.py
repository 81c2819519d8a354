"""The outside door in a real browser: a daughter asks for help for her mother, in both languages, in large text."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, select

from core.clock import SystemClock
from dashboard.outside.application import create_outside_app
from dashboard.outside.settings import OutsideSettings
from storage.session import read_scope
from storage.tables.cases import Case
from tests.acceptance.browserkit import Visit, visit
from tests.conftest import free_port
from tests.unit.dashboard.outside.door import BesideDoor, door_beside, publish_guides, small_town

pytestmark = pytest.mark.browser
WECHAT = (
    "Mozilla/5.0 (Linux; Android 10; V1838A) AppleWebKit/537.36 Chrome/107.0 Mobile Safari/537.36 MicroMessenger/8.0.40"
)


@pytest.fixture
def outside(engine: Engine, tmp_path: Path) -> Iterator[tuple[str, BesideDoor]]:
    small_town(engine)
    door = door_beside(engine, SystemClock(), tmp_path)
    port = free_port()
    settings = OutsideSettings(host="127.0.0.1", port=port, url=f"http://127.0.0.1:{port}", secret="s" * 20)
    server = uvicorn.Server(
        uvicorn.Config(create_outside_app(settings, door), host="127.0.0.1", port=port, log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}", door
    server.should_exit = True
    thread.join(20)


def answered(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=False).first.fill(text)


def test_help_is_asked_for_in_large_text_and_followed(
    chromium: Browser, outside: tuple[str, BesideDoor], engine: Engine
) -> None:
    base, _ = outside
    made: Visit = visit(chromium, base, 390, 844, locale="zh-CN", user_agent=WECHAT, is_mobile=True, has_touch=True)
    page = made.page
    page.goto(f"{base}/h")
    page.get_by_role("button", name="大字版").click()
    expect(page.locator(".tile").first).to_contain_text("请人帮办")  # in this mode help comes first
    assert page.evaluate("getComputedStyle(document.querySelector('.tile b')).fontSize") >= "24px"
    page.locator(".tile").first.click()
    page.get_by_text("我的家人").click()
    answered(page, "需要帮助的人", "李秀兰")
    page.get_by_text("养老待遇").click()
    answered(page, "请说明情况", "老人不便出门，请上门办理")
    page.get_by_label("街道（镇）").select_option("220105001")
    page.get_by_label("社区（村）").select_option("220105001002")
    answered(page, "地址", "公平社区3栋2单元")
    answered(page, "您的称呼", "王小红")
    answered(page, "您的手机号", "13812345678")
    page.get_by_text("我已知悉").click()
    page.get_by_role("button", name="提交").click()
    code = page.locator(".code").get_attribute("data-code", timeout=60_000)
    assert code and re.fullmatch(r"([0-9A-Z]{4}-){4}[0-9A-Z]{4}", code)
    page.get_by_role("link", name="查看进度").click()
    expect(page.locator("main")).to_contain_text("138****5678")
    expect(page.locator("main")).not_to_contain_text("13812345678")
    page.get_by_role("button", name="English").click()
    expect(page.locator("main")).to_contain_text("Follow up")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it does not fit the phone"
    assert made.context.cookies() == []
    with read_scope(engine) as session:
        assert session.scalars(select(Case)).one().definition_id == "help_request"
    made.assert_clean()
    made.context.close()


def test_a_report_with_photograph_and_place_and_the_guides(
    chromium: Browser, outside: tuple[str, BesideDoor], engine: Engine, tmp_path: Path
) -> None:
    base, door = outside
    made = visit(
        chromium, base, 390, 844, locale="en-GB", permissions=["geolocation"],
        geolocation={"latitude": 43.87, "longitude": 125.38},
    )  # fmt: skip
    page = made.page
    page.goto(f"{base}/h#/report")
    page.get_by_text("Water on the road").click()
    answered(page, "Describe it", "deep water under the bridge")
    Image.new("RGB", (2400, 1800), (30, 80, 150)).save(tmp_path / "p.jpg")
    page.set_input_files("input[type=file]", tmp_path / "p.jpg")
    expect(page.locator(".yf-files")).to_contain_text("p.jpg")
    page.get_by_role("button", name="Use my position").click()
    expect(page.get_by_placeholder("Latitude")).to_have_value("43.870000")
    page.get_by_text("I have read this").click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".code")).to_be_visible(timeout=60_000)
    observation = next(h for h in door.handled if h.observations).observations[0]
    assert observation.kind == "waterlogging" and len(observation.evidence) == 1
    made.assert_clean()
    publish_guides(engine, SystemClock().now())
    page.goto(f"{base}/h#/guides")
    expect(page.locator(".tile")).to_have_count(34)
    page.get_by_role("searchbox").fill(page.locator(".tile b").first.inner_text()[:4])
    page.locator(".tile[href^='#/guides/']").first.click()
    expect(page.locator("main dl")).to_be_visible()
    page.goto(f"{base}/h#/guides")
    page.locator(".tile[href^='#/bundle/']").first.click()
    expect(page.locator("main ol li").nth(1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it does not fit the phone"
    page.goto(f"{base}/h#/progress/0000-0000-0000-0000-0000")
    expect(page.locator("main .bad")).to_contain_text("no such code")
    made.context.close()
