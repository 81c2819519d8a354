"""Filing in Chromium: last month's figures in a few presses, two who type at once, the superior's own layout."""

from __future__ import annotations

import io
from collections.abc import Iterator

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from playwright.sync_api import Browser, Page, expect

from core.clock import SystemClock
from core.settings import Settings
from dashboard.accounts.users import add_user
from records.filing.period_state import Desk
from records.filing.periods import before, period_of
from records.filing.store import take_dataset
from records.filing.tree import load_tree, save_units
from storage.session import session_scope
from storage.tables.registry import Division
from tests.acceptance.deskkit import desk
from tests.acceptance.phonekit import Town, town
from tests.unit.dashboard.web import _HASH
from tests.unit.records.test_filing import BODY, save, submit

pytestmark = pytest.mark.browser
STREET, VILLAGE = "220105001", "220105001201"


@pytest.fixture
def city(settings: Settings) -> Iterator[Town]:
    with town(settings) as made:
        now = SystemClock().now()
        with session_scope(made.office.engine) as session:
            for code, name, level in ((STREET, "示例街道", "street"), (VILLAGE, "一村", "community")):
                session.add(Division(code=code, name=name, level=level))
            session.flush()
            save_units(session, [("220105", "二道区", None), (STREET, "示例街道", "220105"), (VILLAGE, "一村", STREET)])
            dataset = take_dataset(session, BODY, now, "test")
            own = Desk(dataset, load_tree(session), "test", now, now.date())
            last = before("month", period_of("month", now.date()), 1)[0]
            save(session, own, VILLAGE, last, {"due": 17, "done": 16, "remark": "上月"})
            submit(session, own, VILLAGE, last)
            user = add_user(session, login="village", name="village", roles=["grid_worker"], department_id=None)
            user.password_hash, user.division_code = _HASH, VILLAGE
        yield made


def _pick(page: Page, period: str, unit: str = VILLAGE) -> None:
    page.goto("/filing", timeout=120_000)
    cell = page.locator(f"#fil-matrix .ag-row[row-id='{unit}'] [col-id='{period}']")
    expect(cell).to_be_visible(timeout=60_000)
    title = page.locator("#fil-title")
    for _ in range(20):  # a press before the callback is attached is lost
        cell.click()
        try:
            expect(title).to_contain_text(period, timeout=3_000)
            return
        except AssertionError:
            continue
    expect(title).to_contain_text(period)


def _value(page: Page, question: str) -> str:
    return page.locator(f"#fil-cells .ag-row[row-id='{question}'] [col-id=value]").inner_text()


def _type(page: Page, question: str, text: str) -> None:
    page.locator(f"#fil-cells .ag-row[row-id='{question}'] [col-id=value]").click()
    editor = page.locator("#fil-cells .ag-cell-inline-editing input")
    editor.fill(text)
    editor.press("Enter")


def _template() -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "上级表"
    book.active["A1"] = "防疫统计表"
    book.defined_names["yw_due"] = DefinedName("yw_due", attr_text="上级表!$B$3")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.long
def test_last_months_figures_two_who_type_and_the_superiors_layout(chromium: Browser, city: Town) -> None:
    now = period_of("month", SystemClock().now().date())
    with desk(chromium, city, "village") as page, desk(chromium, city, "boss") as owner:
        for one in (page, owner):
            one.set_default_timeout(60_000)
        _pick(page, now)
        page.locator("#fil-prefill").click()
        expect(page.locator("#fil-cells .ag-row[row-id=due] [col-id=value]")).to_have_text("17")
        _type(page, "done", "15")
        page.locator("#fil-save").click()
        expect(page.locator("#fil-title")).to_contain_text("填报中")
        _pick(owner, now)
        _type(owner, "done", "12")
        owner.locator("#fil-save").click()
        expect(owner.locator("#fil-cells .ag-row[row-id=done] [col-id=value]")).to_have_text("12")
        _type(page, "done", "14")
        page.locator("#fil-save").click()
        expect(page.locator("#fil-conflict")).to_be_visible()
        expect(page.locator("#fil-cells .ag-row[row-id=done] [col-id=theirs]")).to_have_text("12")
        assert _value(page, "done") == "14"
        page.locator("#fil-mine").click()
        expect(page.locator("#fil-conflict")).to_be_hidden()
        expect(page.locator("#fil-cells .ag-row[row-id=done] [col-id=value]")).to_have_text("14")
        page.locator("#fil-submit").click()
        expect(page.locator("#fil-title")).to_contain_text("已上报")
        _pick(owner, now, "220105")
        owner.locator("#fil-roll_up").click()
        expect(owner.locator("#fil-cells .ag-row[row-id=due] [col-id=total]")).to_contain_text("17")
        owner.locator("summary", has_text="上级版式").click()
        with owner.expect_download() as given:
            owner.locator("#fil-template input[type=file]").set_input_files(
                {"name": "上级.xlsx", "mimeType": "application/octet-stream", "buffer": _template()}
            )
        sheet = openpyxl.load_workbook(io.BytesIO(given.value.path().read_bytes()))["上级表"]
        assert (sheet["A1"].value, sheet["B3"].value) == ("防疫统计表", 17)
