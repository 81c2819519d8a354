"""The registers' page in Chromium: links, filters, a box on the map, saved views."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from core.sealing import Seal
from core.settings import Settings
from storage.session import session_scope
from storage.tables.registry import Division
from tests.acceptance.browserkit import Visit, visit
from tests.acceptance.phonekit import Town, town
from tests.unit.dashboard.registers.test_api_register_map import BUILDING, HERE, THERE, _cell, _write
from tests.unit.dashboard.web import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def city(settings: Settings) -> Iterator[Town]:
    with town(settings) as made:
        seal = Seal(made.office.settings.records_key)
        with session_scope(made.office.engine) as session:
            for code in (HERE, THERE):
                session.add(Division(code=code, name=code, level="community"))
            session.flush()
            _cell(session, HERE + "001", 125.345)
            _write(session, seal, "building", [BUILDING])
            people = [{"name": f"居民{n}", "building": "B1", "division": HERE, "grid": HERE + "001"} for n in range(3)]
            _write(session, seal, "person", [*people, {"name": "别处的人", "division": THERE}])
        yield made


@pytest.fixture
def desk(chromium: Browser, city: Town) -> Iterator[Visit]:
    made = visit(chromium, city.base, 1366, 768)
    made.log_in("boss", PASSWORD)
    yield made
    made.context.close()


@pytest.mark.slow
def test_a_link_filters_a_view_is_kept_and_a_box_narrows(desk: Visit, city: Town) -> None:
    page = desk.page
    desk.open("/registers?register=person&building=B1")
    rows = page.locator("#reg-table .ag-center-cols-container .ag-row")
    expect(rows).to_have_count(3)
    expect(page.locator("#reg-total")).to_contain_text("3")
    page.fill("#reg-building", "")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(4)
    page.click("#reg-map-open")
    expect(page.locator("#reg-map .main-svg").first).to_be_visible()
    page.fill("#reg-bbox", "125.34,43.8,125.36,43.9")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(3)
    page.click("#reg-view-save")
    page.fill("#reg-view-name", "幸福里")
    page.click("#reg-view-keep")
    expect(page.locator(".mantine-Notification-root")).to_contain_text("幸福里")
    desk.open("/registers?register=person")
    expect(rows).to_have_count(4)
    page.click("#reg-view")
    page.get_by_role("option", name="幸福里").click()
    expect(rows).to_have_count(3)
    desk.assert_clean()


def test_a_file_is_mapped_tried_and_taken(desk: Visit, city: Town) -> None:
    page = desk.page
    desk.open("/registers?register=special_place")
    expect(page.locator("#reg-register")).to_have_value("九小场所和重点场所")
    page.click("#reg-import-open")
    body = f"编码,店名,归属社区\nS9,乙饭店,{HERE}\nS10,丙旅馆,火星\n".encode()
    page.set_input_files("#reg-file input[type=file]", [{"name": "s.csv", "mimeType": "text/csv", "buffer": body}])
    fields = page.locator("#reg-import-map table tbody tr")
    expect(fields).to_have_count(3)
    for heading, field in (("编码", "场所编号"), ("店名", "场所名称"), ("归属社区", "所属社区")):
        chosen = page.locator("#reg-import-map").get_by_role("textbox", name=heading)
        chosen.click()
        page.get_by_role("option", name=field).click()
    page.fill("#reg-map-name", "商户表")
    page.get_by_role("button", name="保存对应关系").click()
    expect(page.locator(".mantine-Notification-root").last).to_contain_text("商户表")
    page.get_by_role("button", name="试导入").click()
    report = page.locator("#reg-import-report")
    expect(report).to_contain_text("将新增 1")
    expect(report).to_contain_text("火星")
    page.locator("label", has_text="有错误时也导入正确的行").click()
    page.get_by_role("button", name="正式导入").click()
    expect(report).to_contain_text("已导入")
    kept = desk.context.request.get(f"{city.base}/api/registers/special_place/records").json()
    assert [item["name"] for item in kept["items"]] == ["乙饭店"]
    desk.assert_clean()
