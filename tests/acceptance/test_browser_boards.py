"""Boards in a real browser: figures, the rows behind one, the next board, the editor with a mistake and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from core.clock import SystemClock
from core.settings import Settings
from storage.session import session_scope
from storage.tables.records import RegisterRecord
from tests.acceptance.deskkit import desk
from tests.acceptance.phonekit import town

pytestmark = pytest.mark.browser
MINE = "board: {id: economy, zh: 我的经济, en: Mine, tiles: [{kind: number, measure: projects, width: 6}]}"


@pytest.fixture
def page(settings: Settings, chromium: Browser) -> Iterator[Page]:
    with town(settings) as office:
        now = SystemClock().now()
        with session_scope(office.office.engine) as session:
            for number, stage in enumerate(("building", "building", "planned")):
                session.add(
                    RegisterRecord(record_id=f"{number:026d}", register_id="project", name=f"项目{number}",
                                   data={"stage": stage, "investment": 10000}, created_at=now, updated_at=now)
                )  # fmt: skip
        with desk(chromium, office, "boss") as page:
            yield page


def test_a_board_is_read_drilled_into_and_edited(page: Page) -> None:
    page.goto("/boards/economy")
    figure = page.locator(".board-tile", has=page.get_by_role("heading", name="在建项目", exact=True))
    expect(figure.locator(".board-figure b")).to_have_text("2")
    empty = page.locator(".board-tile", has=page.get_by_role("heading", name="有效证照", exact=True))
    expect(empty.locator(".board-figure b")).to_have_text("—")
    figure.locator(".board-figure").click()
    expect(page.locator("#board-grid")).to_contain_text("项目0")
    expect(page.locator("#board-grid")).not_to_contain_text("项目2")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="公共管理").click()
    expect(page.get_by_role("heading", name="公共管理", exact=True)).to_be_visible(timeout=20_000)
    page.goto("/board-editor/economy")
    text = page.locator("#edit-text")
    expect(text).to_be_visible(timeout=20_000)
    text.fill(MINE.replace("projects", "projectz"))
    page.locator("#edit-check").click()
    expect(page.locator("#edit-told")).to_contain_text("did you mean projects")
    text.fill(MINE)
    page.locator("#edit-save").click()
    expect(page.locator("#edit-told")).to_contain_text("已保存为第")
    page.goto("/boards/economy")
    expect(page.get_by_role("heading", name="我的经济", exact=True)).to_be_visible(timeout=20_000)
    expect(page.locator(".board-figure b")).to_have_text("2")
