"""The drone page in a real browser: files are chosen, arrive, are listed with place and problem; a place by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.settings import Settings
from tests.acceptance.deskkit import desk
from tests.acceptance.phonekit import town
from tests.unit.ingest.drones.cards import DJI, photo, write, xmp

pytestmark = pytest.mark.browser


@pytest.fixture
def page(settings: Settings, chromium: Browser) -> Iterator[Page]:
    with town(settings) as office, desk(chromium, office, "operator") as page:
        yield page


def test_files_arrive_and_are_placed(page: Page, tmp_path: Path) -> None:
    good = write(tmp_path, "DJI_0001.JPG", photo(xmp(DJI)))
    blind = write(tmp_path, "IMG_0002.JPG", photo(None, gps=None))
    broken = write(tmp_path, "DJI_0003.JPG", b"\xff\xd8\xff" + bytes(400))
    page.goto("/drone")
    page.set_input_files("#drone-pick-files", [str(good), str(blind), str(broken)])
    expect(page.locator(".drop-all")).to_contain_text("3 / 3", timeout=60_000)
    expect(page.locator(".drop-refused")).to_contain_text("DJI_0003.JPG")
    expect(page.locator("#drone-files .ag-center-cols-container")).to_contain_text("无定位", timeout=60_000)
    page.set_input_files("#drone-pick-files", [str(good)])
    expect(page.locator(".drop-known")).to_contain_text("DJI_0001.JPG", timeout=60_000)
    page.locator("#drone-files .ag-row", has_text="IMG_0002.JPG").locator(".ag-cell").first.click()
    expect(page.locator("#drone-put")).to_be_visible(timeout=60_000)
    page.locator("#drone-lat").fill("43.87")
    page.locator("#drone-lon").fill("125.37")
    page.locator("#drone-put").click()
    expect(page.locator("#drone-files .ag-center-cols-container")).to_contain_text("人工定位", timeout=60_000)
