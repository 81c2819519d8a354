"""Missions in a real browser: one is made, planned on the chart, answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from core.settings import Settings
from tests.acceptance.deskkit import desk
from tests.acceptance.phonekit import town

pytestmark = pytest.mark.browser
WAIT = 90_000


@pytest.fixture
def page(settings: Settings, chromium: Browser) -> Iterator[Page]:
    with town(settings) as office, desk(chromium, office, "operator") as page:
        yield page


@pytest.mark.slow
def test_a_mission_is_made_planned_and_answered(page: Page) -> None:
    page.goto("/drone/missions")
    page.locator("#new-title").fill("汛前测绘")
    page.locator("#new-lat").fill("43.8708")
    page.locator("#new-lon").fill("125.3712")
    page.locator("#new-create").click()
    row = page.locator("#missions .ag-row", has_text="汛前测绘")
    expect(row).to_be_visible(timeout=WAIT)
    row.locator(".ag-cell").first.click()
    expect(page.locator("#mission-chart .main-svg").first).to_be_visible(timeout=WAIT)
    page.locator("#plan-make").click()
    expect(page.locator("#mission-card")).to_contain_text("112.5", timeout=WAIT)
    expect(page.locator("#mission-card")).to_contain_text("附近没有空域数据", timeout=WAIT)
    expect(page.locator("#mission-card a", has_text="KMZ")).to_be_visible()
    page.locator("#answer-text").fill("已完成")
    page.locator("#answer-send").click()
    expect(page.locator("#mission-card")).to_contain_text("已完成", timeout=WAIT)
    expect(page.locator("#missions .ag-row", has_text="已完成")).to_be_visible(timeout=WAIT)
