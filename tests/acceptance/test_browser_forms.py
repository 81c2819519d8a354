"""The form renderer in a real browser, by keyboard and mouse: relevance, rows, errors, drafts, languages, sizes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from core.forms.model import form_json
from core.forms.xlsform.importing import import_xlsform
from tests.unit.forms.sample_forms import sample_workbook

pytestmark = pytest.mark.browser
STATIC = Path(__file__).parents[2] / "dashboard" / "static"
POLICY = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:"
PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/static/forms/forms.css"></head><body><main id="here"></main>
<script type="module" src="/start.mjs"></script></body></html>"""
START = """import { renderForm } from "/static/forms/render.mjs";
const people = [{ id: "p1", label: "张三（公平社区）" }, { id: "p2", label: "张四" }];
window.sent = []; window.changes = [];
window.show = (form, options = {}) => {
  window.view?.destroy();
  window.view = renderForm(document.getElementById("here"), form, {
    ...options,
    onChange: (values) => window.changes.push(values),
    upload: async (file) => ({ id: "up-" + file.name, name: file.name }),
    lookup: async (item, text) => people.filter((one) => one.label.includes(text)),
    onSubmit: async (values) => { if (window.refuse) throw new Error(window.refuse); window.sent.push(values); },
  });
};
window.ready = true;"""
Show = Callable[..., Page]


@pytest.fixture
def show(chromium: Browser) -> Iterator[Show]:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix("http://forms.test")
        headers = {"Content-Security-Policy": POLICY}
        if path == "/":
            route.fulfill(body=PAGE, content_type="text/html", headers=headers)
        elif path == "/start.mjs":
            route.fulfill(body=START, content_type="text/javascript", headers=headers)
        elif (STATIC / path.removeprefix("/static/")).is_file():
            kind = "text/css" if path.endswith(".css") else "text/javascript"
            route.fulfill(body=(STATIC / path.removeprefix("/static/")).read_text(), content_type=kind, headers=headers)
        else:
            route.fulfill(status=204)

    page.route("**/*", serve)
    page.goto("http://forms.test/")

    def showing(form: Any, **options: Any) -> Page:
        page.wait_for_function("() => window.ready")
        body = form if isinstance(form, dict) else form_json(import_xlsform(sample_workbook(form)).form)
        given = {"form": body, "hash": "h", "today": "2026-11-28", "calendar": {}}
        page.evaluate("([form, options]) => window.show(form, options)", [given, options])
        return page

    yield showing
    assert errors == []
    context.close()


def test_a_household_is_filled_in_row_by_row(show: Show) -> None:
    page = show("household")
    page.get_by_label("地址").fill("东盛大街 1 号")
    for name, age, income in (("张三", "70", "1200"), ("张小", "5", None)):
        page.get_by_role("button", name="添加一项").click()
        row = page.locator(".yf-rowbox").last
        row.get_by_label("姓名").fill(name)
        row.get_by_label("年龄").fill(age)
        if income:
            row.get_by_label("月收入").fill(income)
        else:
            expect(row.get_by_label("月收入")).to_be_hidden()
    expect(page.locator(".yf-noted")).to_have_text("人均 600 元，低于标准")
    page.locator(".yf-rowbox").last.get_by_label("年龄").fill("200")
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".yf-error:visible")).to_have_text("0 到 130")
    expect(page.locator(".yf-rowbox").last.get_by_label("年龄")).to_be_focused()
    page.locator(".yf-rowbox").last.get_by_label("年龄").fill("5")
    page.get_by_role("button", name="提交").click()
    page.wait_for_function("() => window.sent.length === 1")
    assert page.evaluate("() => window.sent[0]") == {
        "addr": "东盛大街 1 号",
        "cy": [{"xm": "张三", "nl": 70, "sr": 1200}, {"xm": "张小", "nl": 5}],
        "rs": 2, "zsr": 1200, "rj": 600,
    }  # fmt: skip
    remove = page.locator(".yf-remove").first
    remove.click()
    remove.click()
    expect(page.locator(".yf-rowbox")).to_have_count(1)
    expect(page.locator(".yf-rowbox").get_by_label("姓名")).to_have_value("张小")


def test_a_choice_that_is_no_longer_offered_must_be_chosen_again(show: Show) -> None:
    page = show("cascade")
    page.get_by_text("东盛街道").click()
    page.get_by_text("公平社区").click()
    page.get_by_text("吉林街道").click()
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".yf-error:visible")).to_have_text("请从所列选项中选择")
    expect(page.get_by_text("光荣社区")).to_be_hidden()
    page.get_by_text("新村社区").click()
    page.get_by_role("button", name="提交").click()
    page.wait_for_function("() => window.sent.length === 1")
    assert page.evaluate("() => window.sent[0]") == {"jd": "002", "sq": "002001"}


def test_a_draft_survives_the_page_and_a_refusal(show: Show) -> None:
    page = show("household", draftKey="u1/household")
    page.get_by_label("地址").fill("吉林大路 9 号")
    page.wait_for_function("() => localStorage.length === 1")
    page.reload()
    page = show("household", draftKey="u1/household")
    expect(page.get_by_label("地址")).to_have_value("吉林大路 9 号")
    expect(page.get_by_text("已恢复未提交的草稿")).to_be_visible()
    page.evaluate("() => { window.refuse = '没有网络'; }")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert").first).to_contain_text("没有网络")
    assert page.evaluate("() => localStorage.length") == 1
    page.evaluate("() => { window.refuse = ''; }")
    page.get_by_role("button", name="提交").click()
    page.wait_for_function("() => window.sent.length === 1 && localStorage.length === 0")
    page = show("household", draftKey="u1/household", values={"addr": "甲"})
    expect(page.get_by_label("地址")).to_have_value("甲")


def test_defaults_prefill_and_calculated_answers(show: Show) -> None:
    page = show("fire", prefill={"dw": "二道商场"})
    expect(page.get_by_label("单位名称")).to_have_value("二道商场")
    expect(page.get_by_label("灭火器数量")).to_have_value("0")
    page.get_by_text("否", exact=True).click()
    expect(page.get_by_label("整改期限")).to_have_value("2026-12-04")
    assert page.get_by_label("整改期限").evaluate("node => node.readOnly")


def test_places_files_people_and_order(show: Show) -> None:
    form = {
        "default_language": "zh",
        "questions": [
            {"type": "person", "name": "who", "label": {"zh": "对象"}, "required": True},
            {"type": "image", "name": "photo", "label": {"zh": "照片"}},
            {"type": "geopoint", "name": "at", "label": {"zh": "位置"}},
            {"type": "rank", "list": "l", "name": "order", "label": {"zh": "次序"}},
            {"type": "range", "name": "r", "label": {"zh": "满意度"}, "parameters": {"start": "1", "end": "5"}},
            {"type": "acknowledge", "name": "ok", "label": {"zh": "告知"}, "required": True},
        ],
        "choices": {"l": [{"name": "a", "label": {"zh": "甲"}}, {"name": "b", "label": {"zh": "乙"}}]},
    }  # fmt: skip
    page = show(form)
    page.get_by_role("combobox").fill("张")
    page.get_by_role("option", name="张四").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("input[type=file]").first.set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"x"})
    page.get_by_text("已上传").wait_for()
    page.get_by_label("纬度").fill("43.88")
    page.get_by_label("经度").fill("125.37")
    page.get_by_role("button", name="上移 乙").click()
    page.get_by_role("slider").press("ArrowRight")
    page.get_by_text("我已知悉").click()
    page.get_by_role("button", name="提交").click()
    page.wait_for_function("() => window.sent.length === 1")
    sent = page.evaluate("() => window.sent[0]")
    assert sent["r"] > 1 and {k: v for k, v in sent.items() if k != "r"} == {
        "who": "p2", "photo": ["up-a.jpg"], "at": "43.88 125.37", "order": ["b", "a"], "ok": True,
    }  # fmt: skip


def test_both_languages_and_text_never_becomes_markup(show: Show) -> None:
    form = {
        "questions": [{"type": "text", "name": "a", "label": {"zh": "甲<b>x</b>", "en": "First"}, "required": True}]
    }
    page = show(form, textSize="larger")
    expect(page.locator(".yf-title")).to_have_text("甲<b>x</b>")
    assert page.evaluate("() => parseFloat(getComputedStyle(document.querySelector('.yf')).fontSize)") > 20
    page.evaluate("() => window.view.setLanguage('en')")
    expect(page.get_by_label("First")).to_be_visible()
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".yf-error:visible")).to_have_text("Please answer")
    assert page.get_by_label("First").get_attribute("aria-invalid") == "true"


def test_every_sample_form_is_drawn_without_an_error_and_fits_a_phone(show: Show) -> None:
    for name in ("population", "nested", "fixed_rows", "exam", "aid", "inspection", "rural", "odd_text"):
        page = show(name)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), name
    page = show("fixed_rows")
    page.get_by_label("车辆数").fill("3")
    expect(page.locator(".yf-rowbox")).to_have_count(3)
    page.get_by_label("车辆数").fill("1")
    expect(page.locator(".yf-rowbox")).to_have_count(1)


def test_three_hundred_questions_stay_quick(show: Show) -> None:
    page = show("big")
    took = page.evaluate("""() => { const input = document.querySelector("input"); const begin = performance.now();
        for (let i = 0; i < 10; i += 1) { input.value = String(i); input.dispatchEvent(new Event("input")); }
        return (performance.now() - begin) / 10; }""")
    assert json.dumps(took) and took < 150, f"{took} ms an answer"
