"""A newcomer connects a sender in the browser with the page's own help; the steps are counted."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from core.settings import Settings
from dashboard.factory import create_app
from ingest.simulate.platforms import senders
from ingest.simulate.platforms.server import Platform
from storage.connections import read_connections
from storage.session import make_engine, read_scope
from tests.unit.dashboard.web import PASSWORD, make_office

pytestmark = pytest.mark.browser
MOST_STEPS = 15


@dataclass
class Newcomer:
    """Counts what a person does."""

    page: Page
    steps: int = 0

    def click(self, name: str) -> None:
        self.steps += 1
        self.page.get_by_role("button", name=name, exact=True).click()

    def tab(self, name: str) -> None:
        self.steps += 1
        self.page.get_by_role("tab", name=name).click()

    def type(self, label: str, text: str) -> None:
        self.steps += 1
        self.page.get_by_label(re.compile(rf"^{label}[ *]*$")).fill(text)


@pytest.fixture
def desk(settings: Settings, chromium: Browser) -> Iterator[tuple[Page, str, Settings]]:
    settings = settings.with_(connection_networks="127.0.0.0/8")
    make_office(settings).engine.dispose()
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=settings.web_port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    base = f"http://127.0.0.1:{settings.web_port}"
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    assert context.request.post(f"{base}/api/login", data={"login": "boss", "password": PASSWORD}).ok
    page = context.new_page()
    wrong: list[str] = []
    page.on(
        "console",
        lambda m: wrong.append(m.text) if "Content Security" in m.text or "Callback error" in m.text else None,
    )
    yield page, base, settings
    context.close()
    server.should_exit = True
    thread.join(20)
    assert wrong == []


def test_a_newcomer_connects_a_sender(desk: tuple[Page, str, Settings]) -> None:
    page, base, settings = desk
    person = Newcomer(page)
    with Platform(senders.gas()) as there:
        page.goto(f"{base}/connections")
        page.get_by_role("textbox", name="从这里开始").click()
        page.get_by_role("option", name="接口拉取（REST）").click()
        person.steps += 2
        person.type("标识", "gas")
        person.click("新建")
        person.type("接口地址", f"{there.url}/gas/v1/stations")
        person.type("令牌", senders.TOKEN)
        person.tab("映射")
        person.click("测试连接并取样")
        expect(page.locator("#conn-said")).to_contain_text("连接正常：1 条")
        person.click("按样例建议")
        expect(page.locator("#conn-mapping")).to_have_value("""items: result[]
device: stationCode
time:
  path: collectTime
values:
- path: inPressure
  quantity: in_pressure
- path: outPressure
  quantity: out_pressure
- path: gasLel
  quantity: gas_lel
- path: leak
  quantity: leak
""")
        person.click("试算")
        expect(page.locator("#conn-summary")).to_contain_text("3 条：数值 12")
        person.click("保存")
        expect(page.locator("#conn-said")).to_contain_text("已保存第 1 版")
        person.steps += 1
        page.get_by_text("启用", exact=True).click()
        expect(page.get_by_text("已启用")).to_be_visible()
    assert person.steps <= MOST_STEPS, person.steps
    engine = make_engine(settings.database_url)
    with read_scope(engine) as session:
        found = read_connections(session)[0]
    engine.dispose()
    assert found.enabled and found.secrets(settings.records_key) == {"token": senders.TOKEN}
    assert senders.TOKEN not in page.content()
