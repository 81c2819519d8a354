"""The item catalogue in a real browser: find, edit, review by a second person, release, problem list."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from core.clock import SystemClock
from core.records import SYSTEM
from core.sealing import Seal
from core.settings import Settings
from dashboard.accounts.users import add_user
from dashboard.factory import create_app
from records.items.catalogue import ItemDesk
from records.items.generating import basics, duty_lines, item_of
from records.items.reading import ReadItems
from records.items.taking import take_items
from records.registers.definition import shipped_registers
from records.registers.generating import credit_number
from records.registers.preparing import Preparer
from records.registers.storing import Origin, write_batch
from storage.session import session_scope
from tests.unit.dashboard.web import _HASH, PASSWORD, make_office

pytestmark = pytest.mark.browser


@dataclass
class Hall:
    """The running pages, and a browser context for each person."""

    base: str
    chromium: Browser

    def page(self, login: str) -> Page:
        """A page of this person, signed in."""
        context = self.chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", base_url=self.base)
        assert context.request.post("/api/login", data={"login": login, "password": PASSWORD}).ok
        page = context.new_page()
        page.set_default_timeout(60_000)
        return page


@pytest.fixture
def hall(settings: Settings, chromium: Browser) -> Iterator[Hall]:
    office, now = make_office(settings), SystemClock().now()
    seal, register = Seal(settings.records_key), shipped_registers()["duty"]
    with session_scope(office.engine) as session:
        user = add_user(session, login="chief", name="chief", roles=["manager"], department_id="dept-fire")
        user.password_hash = _HASH
        preparer = Preparer(register, seal, now.date())
        lines = [(preparer.natural_key(line), line) for line in duty_lines(40)]
        write_batch(session, lines, register, preparer, seal, Origin("system", now, "test"))
        records = [item_of(basics()[n], "4", "dept-fire", 301) for n in range(12)]
        read = ReadItems(tuple((str(r["handling"]), r) for r in records))
        desk = ItemDesk(SYSTEM, now, lambda basic: True)
        take_items(session, desk, read, {"dept-fire": "dept-fire"}, source="test", in_force=True)
    office.engine.dispose()
    config = uvicorn.Config(create_app(settings), host="127.0.0.1", port=settings.web_port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield Hall(f"http://127.0.0.1:{settings.web_port}", chromium)
    for context in chromium.contexts:
        context.close()
    server.should_exit = True
    thread.join(20)


@pytest.mark.slow
def test_an_item_is_changed_reviewed_by_another_and_released(hall: Hall) -> None:
    page = hall.page("fireman")
    page.goto("/items")
    page.locator("#items-text").fill("spjyxkxb")
    expect(page.locator("#items-total")).to_have_text("共 1 项")
    expect(page.locator("#items-table .ag-row")).to_have_count(1)
    page.locator("#items-table .ag-row [col-id=name]").click()
    expect(page.get_by_role("heading", name="食品经营许可（新办）", exact=True)).to_be_visible()
    row = page.locator("#item-elements .ag-row[row-id=promise_day]")
    row.scroll_into_view_if_needed()
    row.locator("[col-id=value]").dblclick()
    editor = page.locator(".ag-popup-editor textarea")
    editor.fill("99")
    editor.press("Enter")
    page.locator("#item-save").click()
    expect(page.locator("#item-body")).to_contain_text("v2 草稿")
    page.get_by_role("tab", name="问题").click()
    expect(page.locator("#item-problems")).to_contain_text("R03")
    page.get_by_role("button", name="送审", exact=True).click()
    expect(page.locator("#item-body")).to_contain_text("v2 审核中")
    address = page.url
    chief = hall.page("chief")
    chief.goto(address)
    chief.get_by_role("tab", name="版本与对比").click()
    expect(chief.locator("#item-diff-table")).to_contain_text("承诺办结时限")
    expect(chief.locator("#item-diff-table")).to_contain_text("99")
    chief.locator("#item-note").fill("时限超过法定")
    chief.get_by_role("button", name="退回", exact=True).click()
    expect(chief.locator("#item-body")).to_contain_text("v2 已退回")
    chief.goto("/items/problems")
    chief.locator("#items-run").click()
    expect(chief.locator("#items-last")).to_contain_text("12")
    expect(chief.locator("#items-problem-table, #items-departments").first).to_contain_text("dept-fire")
    chief.locator("#items-departments .ag-row").first.locator("[col-id=department]").click()
    expect(chief.locator("#items-problem-table")).to_contain_text("R03")


@pytest.mark.slow
def test_a_clerk_takes_an_application_and_prints_its_notice(hall: Hall) -> None:
    page = hall.page("fireman")
    page.goto("/counter")
    page.locator("#counter-text").fill("xcyjyxk")
    expect(page.locator(".counter-offer")).to_have_count(1)
    page.locator(".counter-offer").click()
    form = page.locator("#counter-form")
    asked = {"市场主体名称": "春风小饭馆", "统一社会信用代码": credit_number(7), "法定代表人（负责人）": "张三",
             "经营场所": "东盛大街1号", "经营面积（平方米）": "60"}  # fmt: skip
    for label, value in asked.items():
        form.get_by_label(label, exact=False).first.fill(value)
    form.get_by_label("窗口领取", exact=True).check()
    for paper in ("营业执照", "居民身份证", "从业人员健康证明"):
        page.locator("#counter-papers").get_by_role("textbox", name=paper, exact=True).click()
        page.get_by_role("option", name="申请人提交", exact=True).locator("visible=true").click()
    form.get_by_role("button", name="受理并打印通知书", exact=True).click()
    notice = page.locator(".counter-notice")
    expect(notice.get_by_role("heading", name="受理通知书", exact=True)).to_be_visible()
    expect(notice).to_contain_text("5个工作日")
    page.get_by_role("tab", name="排队与预约", exact=True).click()
    page.locator("#hall-draw").click()
    expect(page.locator("#hall-table")).to_contain_text("A001")
    page.locator("#hall-call").click()
    expect(page.locator("#hall-table")).to_contain_text("办理中")
