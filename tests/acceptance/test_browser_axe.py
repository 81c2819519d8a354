"""axe-core (WCAG 2.2 A and AA) over the pages: a few at each run, all × languages × themes in the long tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser

from core.settings import load_settings
from dashboard.pages.frame import pages
from scripts.accessibility import keyboard, zoomed
from tests.acceptance.phonekit import Town, town
from tests.unit.dashboard.web import PASSWORD

pytestmark = pytest.mark.browser
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RUN = "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
RESTS = """() => document.readyState === 'complete' && !document.title.startsWith('Updating')
    && !document.querySelector('.map-wait, ._dash-loading')
    && (!document.getElementById('page') || document.getElementById('page').childElementCount > 0)"""
QUICK = ("/login", "/work", "/video", "/admin", "/boards/network")
THEMES = ("night", "day", "contrast")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path_factory.mktemp("axe"))})
    with town(settings) as office:
        office.case("井盖丢失")
        yield office


def violations(chromium: Browser, office: Town, paths: list[str], language: str, theme: str) -> list[str]:
    """What axe finds, as ``path: rule: element: why``."""
    screen = {"width": 1366, "height": 768}
    context = chromium.new_context(viewport=screen, base_url=office.base, reduced_motion="reduce")
    context.add_init_script(f"localStorage.setItem('yiwang_theme', '{theme}')")
    context.add_cookies([{"name": "yiwang_lang", "value": language, "url": office.base}])
    assert context.request.post("/api/login", data={"login": "boss", "password": PASSWORD}).ok
    found: list[str] = []
    for path in paths:
        page = context.new_page()
        page.set_default_timeout(90_000)
        page.goto(path)
        page.wait_for_function(RESTS)
        page.evaluate(AXE)
        told: dict[str, Any] = page.evaluate(RUN)
        for _ in range(4):  # what a page shows while it draws is no violation: it counts when it stays
            if not told["violations"]:
                break
            page.wait_for_timeout(1500)
            told = page.evaluate(RUN)
        for rule in told["violations"]:
            for node in rule["nodes"][:4]:
                why = (node["any"] or node["all"] or node["none"] or [{"message": ""}])[0]["message"]
                found.append(f"{path}: {rule['id']}: {node['target']}: {why}")
        page.close()
    context.close()
    return found


@pytest.mark.slow
def test_a_few_pages_have_no_violation(chromium: Browser, office: Town) -> None:
    found = violations(chromium, office, list(QUICK), "zh", "day")
    assert not found, "\n".join(found)


@pytest.mark.long
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_has_a_violation(chromium: Browser, office: Town, language: str, theme: str) -> None:
    every = ["/", "/?view=wall", "/login", "/m", "/m#/new", "/m#/me", *sorted(pages()), "/boards/openness"]
    found = violations(chromium, office, [*every, "/boards/operations"], language, theme)
    assert not found, "\n".join(found)


@pytest.mark.long
def test_every_page_is_worked_by_keyboard_and_at_200_percent(chromium: Browser, office: Town) -> None:
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, base_url=office.base)
    assert context.request.post("/api/login", data={"login": "boss", "password": PASSWORD}).ok
    found: list[str] = []
    for path in ["/login", *sorted(pages())]:
        page = context.new_page()
        page.set_default_timeout(90_000)
        page.goto(path)
        page.wait_for_function(RESTS)
        found += [str(fault) for check in (keyboard, zoomed) for fault in check(page, path)]
        page.close()
    context.close()
    assert not found, "\n".join(found)
