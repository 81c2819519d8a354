"""A new kind of case by clicks: from an Excel form, tried, published by somebody else, begun on desk and phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.settings import Settings
from dashboard.accounts.users import add_user
from storage.session import session_scope
from tests.acceptance.phonekit import Town, town
from tests.acceptance.test_browser_work import desk, find, give, handy, state
from tests.unit.dashboard.web import _HASH
from tests.unit.forms.sample_forms import workbook_of

pytestmark = pytest.mark.browser
SURVEY = [
    ["type", "name", "label", "required", "relevant", "constraint", "constraint_message", "calculation"],
    ["select_one kinds", "species", "树种", "yes", "", "", "", ""],
    ["integer", "trees", "棵数", "yes", "", ". > 0", "至少一棵", ""],
    ["decimal", "price", "每棵费用", "", "${species} = 'poplar'", "", "", ""],
    ["calculate", "total", "", "", "", "", "", "${trees} * coalesce(${price}, 10)"],
]
CHOICES = [["list_name", "name", "label"], ["kinds", "poplar", "杨树"], ["kinds", "elm", "榆树"]]


def second_boss(office: Town) -> None:
    with session_scope(office.office.engine) as session:
        other = add_user(session, login="chief", name="chief", roles=["admin"], department_id="dept-command")
        other.password_hash = _HASH


def cell(page: Page, grid: str, row: int, column: str, text: str) -> None:
    """Type into one cell of an editable table."""
    page.locator(f'#draft-{grid} [row-index="{row}"] [col-id="{column}"]').click()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def make(page: Page, base: str, folder: Path) -> None:
    """From a workbook and the table of states to a draft."""
    page.goto(f"{base}/kinds")
    book = folder / "trees.xlsx"
    book.write_bytes(workbook_of(SURVEY, CHOICES))
    page.locator("#kind-form-import input[type=file]").set_input_files(str(book))
    expect(page.locator("#kind-new-form")).to_have_value(re.compile("trees"))
    page.locator("#kind-new-id").fill("tree_care")
    page.locator("#kind-new-zh").fill("树木养护")
    page.locator("#kind-new-en").fill("Tree care")
    page.locator("#kind-new").click()
    page.wait_for_url(re.compile("/kinds/draft/"))
    expect(page.get_by_role("heading", name="树木养护")).to_be_visible()


def pressed(page: Page, name: str) -> None:
    page.locator("#trial-commands").get_by_role("button", name=name, exact=True).click()


def step(page: Page, n: int, text: str) -> None:
    expect(page.locator(f'#trial-rows .ag-row:has([col-id="step"]:text-is("{n}"))')).to_contain_text(text)


def act_as(page: Page, name: str, key: str) -> None:
    page.locator("#trial-person").click()
    page.get_by_role("option", name=name, exact=True).click()
    expect(page.locator(f'#trial-commands [data-person="{key}"]')).to_be_visible()


def edited(page: Page) -> None:
    """A cell that cannot be read is named; one that names something unknown is a problem; then all is well."""
    page.get_by_role("tab", name="时限", exact=True).click()
    cell(page, "clocks", 0, "limit", "three days")
    page.locator("#draft-save").click()
    expect(page.locator("#draft-said")).to_contain_text("1 个单元格无法读取")
    cell(page, "clocks", 0, "limit", "3 工作日")
    page.get_by_role("tab", name="状态", exact=True).click()
    cell(page, "states", 1, "turn", "staff/manager @neighbour")
    page.locator("#draft-save").click()
    expect(page.locator("#draft-said")).to_contain_text("有 1 个问题")
    page.get_by_role("tab", name="问题", exact=True).click()
    expect(page.locator("#draft-problem-rows")).to_contain_text("没有关系“neighbour”")
    page.get_by_role("tab", name="状态", exact=True).click()
    cell(page, "states", 1, "turn", "staff/manager @lead_department")
    page.locator("#draft-save").click()
    expect(page.locator("#draft-said")).to_be_empty()


def tried(page: Page) -> None:
    """As one department's clerk it is reported, the other's takes it on, waits too long, is refused, finishes."""
    page.get_by_role("tab", name="试办", exact=True).click()
    page.locator("#trial-play").click()
    act_as(page, "staff · dept-command", "staff-1")
    pressed(page, "登记")
    form = page.locator("#trial-form")
    form.get_by_label("标题").fill("三棵枯树")
    find(page, "部门", "dept-drainage")
    form.get_by_label("榆树").check()
    form.get_by_label("棵数").fill("3")
    form.locator("button[type=submit]").click()
    step(page, 1, "待受理")
    step(page, 1, "三棵枯树")  # the notice
    act_as(page, "● staff · dept-drainage", "staff-2")
    pressed(page, "受理")
    form.locator("button[type=submit]").click()
    step(page, 2, "办理中")
    page.locator("#trial-wait").fill("4 work_day")
    page.locator("#trial-waits").click()
    step(page, 3, "超期")
    pressed(page, "办结")
    form.get_by_label("办理结果").fill("已补种")
    form.locator("button[type=submit]").click()
    step(page, 4, "已办结")
    page.get_by_text("脚本（python -m app try 可用）").click()
    expect(page.locator("#trial-seen pre")).to_contain_text("work_day")


@pytest.mark.long
def test_a_new_kind_is_made_tried_published_by_another_and_used(
    settings: Settings, chromium: Browser, tmp_path: Path
) -> None:
    with town(settings) as office:
        second_boss(office)
        with desk(chromium, office, "boss") as page:
            make(page, office.base, tmp_path)
            expect(page.locator("#draft-course .js-plotly-plot")).to_be_visible()
            edited(page)
            tried(page)
            page.locator("#draft-propose").click()
            expect(page.get_by_text("须由另一位管理员")).to_be_visible()
            expect(page.locator("#draft-publish")).to_be_hidden()
            address = page.url
        with desk(chromium, office, "chief") as page:
            page.goto(f"{office.base}/kinds")
            page.locator("#kind-drafts").get_by_role("link", name="树木养护").click()
            page.wait_for_url(address)
            page.get_by_role("tab", name="与现行版比较").click()
            expect(page.locator("#draft-diff")).to_contain_text("commands")
            page.locator("#draft-publish").click()
            page.wait_for_url(re.compile("/kinds/tree_care"))
            expect(page.get_by_role("heading", name="树木养护 · 第 1 版")).to_be_visible()
        used(chromium, office)


def used(chromium: Browser, office: Town) -> None:
    with desk(chromium, office, "fireman") as page:
        page.goto(f"{office.base}/work")
        page.locator("#work-new").click()
        page.get_by_role("menuitem", name="树木养护").click()
        form = page.locator(".work-form")
        form.get_by_label("标题").fill("路边枯树")
        find(page, "部门", "dept-drainage")
        form.get_by_label("杨树").check()
        form.get_by_label("棵数").fill("0")
        form.get_by_label("每棵费用").fill("20")
        page.get_by_role("button", name="提交").click()
        expect(form).to_contain_text("至少一棵")
        form.get_by_label("棵数").fill("2")
        page.get_by_role("button", name="提交").click()
        page.wait_for_url(re.compile(r"/work/(?!draft|new)"))
        state(page, "待受理")
        expect(page.locator(".work-words")).to_contain_text("40")  # worked out
        address = page.url
    page = handy(chromium, office, "drainer")
    page.locator(".card", has_text="路边枯树").click()
    page.locator('summary[data-do="to_handled"]').click()
    page.locator(".ask button[type=submit]").click()
    page.wait_for_function("() => location.hash === '#/'")
    page.evaluate("location.hash = '#/new/tree_care'")
    page.locator(".ask").get_by_label("标题").fill("桥头树枝")
    find(page, "部门", "dept-drainage")
    page.locator(".ask").get_by_label("榆树").check()
    page.locator(".ask").get_by_label("棵数").fill("1")
    page.locator(".ask button[type=submit]").click()
    expect(page.locator(".ask")).to_have_count(0)
    page.context.close()
    with desk(chromium, office, "drainer") as page:
        page.goto(f"{office.base}/work")
        expect(page.get_by_role("link", name="桥头树枝")).to_be_visible()
        page.goto(address)
        state(page, "办理中")
        give(page, "to_done", 办理结果="已补种")
        state(page, "已办结")
