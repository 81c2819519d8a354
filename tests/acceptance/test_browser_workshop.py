"""The workshop in a real browser: an Excel form with problems, a clean one, edited, tried, published."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from core.settings import Settings
from dashboard.factory import create_app
from tests.unit.dashboard.web import PASSWORD, make_office
from tests.unit.forms.sample_forms import sample_workbook, workbook_of

pytestmark = pytest.mark.browser


@dataclass
class Desk:
    page: Page
    base: str
    folder: Path

    def workbook(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)


@pytest.fixture
def desk(settings: Settings, chromium: Browser, tmp_path: Path) -> Iterator[Desk]:
    make_office(settings).engine.dispose()
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings), host="127.0.0.1", port=settings.web_port, log_level="error")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    base = f"http://127.0.0.1:{settings.web_port}"
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    assert context.request.post(f"{base}/api/login", data={"login": "boss", "password": PASSWORD}).ok
    page = context.new_page()
    refused: list[str] = []
    page.on(
        "console",
        lambda m: refused.append(m.text) if "Content Security" in m.text or "Callback error" in m.text else None,
    )
    yield Desk(page, base, tmp_path)
    context.close()
    server.should_exit = True
    thread.join(20)
    assert refused == []


def _cell(page: Page, row: int, column: str) -> None:
    page.locator(f'#form-questions [row-index="{row}"] [col-id="{column}"]').click()


def test_from_excel_to_a_published_form_by_clicks(desk: Desk) -> None:
    page = desk.page
    page.goto(f"{desk.base}/forms")
    broken = workbook_of([["type", "name", "label", "relevant"], ["text", "a", "甲", "${zz} = 1"]], [])
    page.locator("#form-file").set_input_files(desk.workbook("bad.xlsx", broken))
    problems = page.locator("#form-problem-rows")
    expect(problems.get_by_text("没有题目 zz")).to_be_visible()
    expect(page.locator("#form-versions").get_by_text("bad")).to_have_count(0)
    page.locator("#form-file").set_input_files(desk.workbook("ok.xlsx", sample_workbook("household")))
    page.get_by_role("link", name="打开草稿").click()
    expect(page.get_by_role("heading", name="household表")).to_be_visible()
    _cell(page, 0, "label_zh")
    page.keyboard.press("Control+a")
    page.keyboard.type("家庭住址")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存（修订 2）")).to_be_visible()
    page.get_by_role("button", name="发布启用").click()
    expect(page.get_by_text("第 1 版 · 启用")).to_be_visible()
    expect(page.get_by_role("button", name="保存")).to_be_hidden()
    page.goto(f"{desk.base}/trial/household/1")
    page.get_by_label("家庭住址").fill("东盛大街")
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".form-json")).to_contain_text("东盛大街")
    page.goto(f"{desk.base}/forms/household/1")
    page.get_by_role("button", name="以此新建草稿").click()
    expect(page.get_by_text("第 2 版 · 草稿")).to_be_visible()


def test_a_row_is_added_and_its_problem_is_named(desk: Desk) -> None:
    page = desk.page
    page.goto(f"{desk.base}/forms")
    page.locator("#form-new-id").fill("own")
    page.locator("#form-new-title").fill("自己的表")
    page.get_by_role("button", name="新建", exact=True).click()
    expect(page.get_by_role("heading", name="自己的表")).to_be_visible()
    page.get_by_role("button", name="在下方加一行").click()
    for column, text in (("type", "integer"), ("name", "rs"), ("label_zh", "人数"), ("relevant", "${nope} > 1")):
        _cell(page, 0, column)
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存（修订 2）")).to_be_visible()
    page.get_by_role("tab", name="问题").click()
    expect(page.locator("#form-problems").get_by_text("没有题目 nope")).to_be_visible()
    page.get_by_role("button", name="发布启用").click()
    expect(page.get_by_text("有 1 个问题")).to_be_visible()


@pytest.mark.slow
def test_a_kind_of_case_is_drawn_and_a_change_to_it_is_checked(desk: Desk) -> None:
    page = desk.page
    page.goto(f"{desk.base}/kinds")
    page.get_by_role("link", name="民间纠纷调解").or_(page.locator(".workshop a").first).first.click()
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    page.get_by_role("tab", name="操作").click()
    expect(page.locator('#kind-commands [row-index="0"]').first).to_be_visible()
    page.get_by_role("tab", name="检查与比较").click()
    page.get_by_role("button", name="检查", exact=True).click()
    expect(page.get_by_text("有 0 处差异")).to_be_visible()
    text = page.locator("#kind-json")
    text.fill(text.input_value().replace('"initial": "', '"initial": "no_'))
    page.get_by_role("button", name="检查", exact=True).click()
    expect(page.locator("#kind-found")).to_contain_text("初始状态")
