"""My work in a real browser: business flow and mediation are started, answered and filed by clicks."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from core.settings import Settings
from tests.acceptance.deskkit import desk
from tests.acceptance.phonekit import Town, offline, sign_in, town
from tests.pictures import picture

pytestmark = pytest.mark.browser


def find(page: Page, label: str, text: str) -> None:
    """Search for ``text`` in the form's search ``label`` and take the first that is found."""
    box = page.locator(".yf-field", has=page.get_by_text(label, exact=True)).get_by_role("combobox")
    box.press_sequentially(text)
    page.locator(".yf-list li").first.click()


def give(page: Page, command: str, **answers: str) -> None:
    """Press a command's button, answer its questions, send it, wait until the form is gone."""
    page.locator(f'[data-command="{command}"]').click()
    form = page.locator(".work-form form")
    for label, text in answers.items():
        form.get_by_label(label).fill(text)
    form.locator("button[type=submit]").click()
    expect(form).to_be_hidden()


def state(page: Page, name: str) -> None:
    expect(page.locator(".work-head [data-state]")).to_have_text(name)


def test_a_business_flow_is_started_answered_and_filed_by_clicks(settings: Settings, chromium: Browser) -> None:
    with town(settings) as office:
        with desk(chromium, office, "fireman") as page:
            page.goto(f"{office.base}/work")
            page.locator("#work-new").click()
            page.get_by_role("menuitem", name="业务流转").click()
            page.locator(".work-form").get_by_label("标题").fill("核实消防供水")
            page.locator("[data-do=draft]").click()
            expect(page.get_by_text("草稿已保存")).to_be_visible()
            page.get_by_role("link", name="我的事项").first.click()
            page.get_by_role("link", name="核实消防供水").click()
            expect(page.locator(".work-form").get_by_label("标题")).to_have_value("核实消防供水")
            find(page, "部门", "dept-drainage")
            page.get_by_role("button", name="提交").click()
            page.wait_for_url(re.compile(r"/work/(?!draft|new)"))
            state(page, "待签收")
            address = page.url
        with desk(chromium, office, "drainer") as page:
            page.goto(f"{office.base}/work")
            page.get_by_role("link", name="核实消防供水").click()
            first = page.locator(".command-row [data-command]").first
            expect(first).to_have_attribute("data-command", "accept")  # the decisive one comes first
            expect(first).to_have_class(re.compile("primary"))
            give(page, "accept")
            state(page, "办理中")
            give(page, "reply", 答复="泵站今晨恢复供水")
            expect(page.locator(".work-words")).to_contain_text("泵站今晨恢复供水")
        with desk(chromium, office, "fireman") as page:
            page.goto(f"{office.base}/work")  # the turn is the requester's again
            page.locator(".ag-row", has_text="核实消防供水").get_by_role("checkbox").first.check()
            page.get_by_role("button", name="确认归档").click()
            page.get_by_role("button", name="确认归档（1 件）").click()
            expect(page.get_by_text("1 件已完成")).to_be_visible()
            page.locator("#work-q").fill("泵站")
            page.get_by_text("全部", exact=True).click()
            expect(page.locator(".ag-row", has_text="核实消防供水")).to_contain_text("已归档")
            page.goto(address)
            state(page, "已归档")
            with page.context.expect_page() as printed:
                page.get_by_role("link", name="打印").click()
            expect(printed.value.locator("body")).to_contain_text("泵站今晨恢复供水")


@pytest.mark.slow
def test_a_dispute_is_mediated_by_clicks(settings: Settings, chromium: Browser) -> None:
    with town(settings) as office:
        with desk(chromium, office, "boss") as page:
            page.goto(f"{office.base}/work/new/dispute_mediation")
            page.locator(".work-form").get_by_label("标题").fill("楼上漏水纠纷")
            find(page, "部门", "dept-fire")
            for n, name in enumerate(("inspector", "operator")):
                page.get_by_role("button", name="添加一项").first.click()
                page.locator(".yf-rowbox").nth(n).get_by_role("combobox").press_sequentially(name)
                page.locator(".yf-rowbox").nth(n).locator(".yf-list li").first.click()
            page.get_by_role("button", name="提交").click()
            page.wait_for_url(re.compile(r"/work/(?!new)"))
            address = page.url
        with desk(chromium, office, "fireman") as page:
            page.goto(address)
            give(page, "accept")
            give(page, "record", 调解笔录="双方各让一步")
            expect(page.locator(".work-words")).to_contain_text("双方各让一步")
            page.locator('[data-command="agree"]').click()
            page.get_by_label("协议").fill("三日内修好")
            file = {"name": "agreement.jpg", "mimeType": "image/jpeg", "buffer": picture()}
            page.locator(".work-form input[type=file]").set_input_files(file)
            expect(page.get_by_text("已上传")).to_be_visible()
            page.locator(".work-form button[type=submit]").click()
            state(page, "已达成协议")
            expect(page.locator(".work-words")).to_contain_text("三日内修好")
            give(page, "perform")
            state(page, "已履行")


def test_a_call_becomes_a_case_and_the_next_one_a_note_in_it(settings: Settings, chromium: Browser) -> None:
    with town(settings) as office, desk(chromium, office, "operator") as page:
        page.goto(f"{office.base}/intake")
        form = page.locator(".intake-said")
        form.get_by_label("发生了什么").fill("路口积水")
        form.get_by_label("来电号码").fill("13800138000")
        form.get_by_label(re.compile("类别")).first.press_sequentially("dljs")
        page.get_by_role("option").first.click()
        page.get_by_label("地点").press_sequentially("bridge")
        page.locator(".intake-places button").first.click()
        expect(page.locator("#intake-near")).to_contain_text("没有未结案件")
        page.locator("#intake-send").click()
        expect(page.locator("#intake-done")).to_contain_text("已建案")
        for emptied in (form.get_by_label("发生了什么"), form.get_by_label(re.compile("类别")).first,
                        page.get_by_label("地点")):  # fmt: skip
            expect(emptied).to_have_value("")  # the next call is of something else, somewhere else
        form.get_by_label("发生了什么").fill("水更深了")
        page.get_by_label("地点").press_sequentially("bridge")
        page.locator(".intake-places button").first.click()
        page.locator("#intake-near").get_by_role("button", name="是同一件").click()
        expect(page.locator("#intake-done")).to_contain_text("已记入")
        page.goto(f"{office.base}/work")
        page.get_by_text("全部", exact=True).click()
        page.locator(".ag-row", has_text="路口积水").get_by_role("link").first.click()
        expect(page.locator(".work")).to_contain_text("水更深了")


def test_a_filter_is_kept_and_taken_again(settings: Settings, chromium: Browser) -> None:
    with town(settings) as office:
        office.case("消防栓漏水", severity=4)
        office.case("路灯不亮", severity=1)
        with desk(chromium, office, "operator") as page:
            page.goto(f"{office.base}/work")
            page.get_by_text("全部", exact=True).click()
            rows = page.locator(".ag-center-cols-container .ag-row")
            expect(rows).to_have_count(2)
            page.locator("#work-severity").click()
            page.get_by_role("option", name="特别严重").click()
            expect(rows).to_have_count(1)
            page.get_by_label("筛选名称").fill("最急的")
            page.locator("#work-keep").click()
            expect(page.get_by_text("筛选“最急的”已保存")).to_be_visible()
            page.goto(f"{office.base}/work")
            page.locator("#work-kept").click()
            page.get_by_role("option", name="最急的").click()
            expect(rows).to_have_count(1)
            expect(rows).to_contain_text("消防栓漏水")


def handy(chromium: Browser, office: Town, login: str) -> Page:
    """A signed-in phone."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True)
    page = context.new_page()
    page.goto(f"{office.base}/m")
    sign_in(page, login)
    return page


@pytest.mark.long
def test_the_same_on_the_phone_without_a_network_too(settings: Settings, chromium: Browser) -> None:
    with town(settings) as office:
        page = handy(chromium, office, "fireman")
        page.evaluate("location.hash = '#/new/business_flow'")
        page.locator(".ask").get_by_label("标题").fill("核实消防供水")
        find(page, "部门", "dept-drainage")
        offline(page.context, page, True)
        page.locator(".ask button[type=submit]").click()  # kept on the phone until there is a network
        expect(page.locator(".queue")).to_be_visible()
        assert office.titles() == []
        offline(page.context, page, False)
        page.evaluate("location.hash = '#/work/started'")
        expect(page.locator(".queue")).to_be_hidden()
        page.reload()
        page.get_by_text("核实消防供水").wait_for()
        page.context.close()

        page = handy(chromium, office, "drainer")
        page.locator(".card", has_text="核实消防供水").click()
        page.locator('[data-do="accept"]').click()
        page.locator(".card", has_text="核实消防供水").click()
        page.locator('summary[data-do="reply"]').click()
        page.get_by_label("答复").fill("泵站今晨恢复供水")
        page.locator(".ask button[type=submit]").click()
        page.wait_for_function("() => location.hash === '#/'")
        page.context.close()

        page = handy(chromium, office, "fireman")
        page.locator(".card", has_text="核实消防供水").click()
        expect(page.locator(".words")).to_contain_text("泵站今晨恢复供水")
        page.locator('summary[data-do="confirm"]').click()
        page.locator(".ask button[type=submit]").click()
        page.wait_for_function("() => location.hash === '#/'")
        expect(page.locator(".card", has_text="核实消防供水")).to_have_count(0)
        page.context.close()
