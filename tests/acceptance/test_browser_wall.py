"""The command centre page in a real browser: map, list, panel, live updates, deep links, languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.browserkit import Fake, Visit, visit

pytestmark = pytest.mark.browser


@pytest.fixture
def wall(chromium: Browser, fake: Fake) -> Iterator[Visit]:
    made = visit(chromium, fake.base, 1280, 720)
    yield made
    made.context.close()


def _push(visit: Visit, severity: int) -> str:
    answer = visit.context.request.post(f"{visit.base}/fake/new?severity={severity}")
    case_id: str = answer.json()["case_id"]
    return case_id


def test_without_a_session_the_wall_sends_to_the_login_page_and_back(wall: Visit, fake: Fake) -> None:
    wall.open("/?severity=4", ready=False)
    wall.page.wait_for_url("**/login?next=*")
    wall.page.fill("input[name=login]", "admin")
    wall.page.fill("input[name=password]", "wrong")
    wall.page.click("button[type=submit]")
    expect(wall.page.locator(".form-error")).to_have_text("账号或密码不正确")
    wall.page.fill("input[name=password]", "secret")
    wall.page.click("button[type=submit]")
    wall.page.wait_for_url("**/?severity=4*")
    expect(wall.page.locator("li.case").first).to_be_visible()
    wall.assert_clean()


def test_wall_shows_cases_updates_live_and_keeps_the_camera(wall: Visit, fake: Fake) -> None:
    wall.log_in()
    wall.open("/")
    page = wall.page
    total = sum(c["open"] for c in fake.city.cases.values())
    expect(page.locator(".list-total")).to_have_text(f"共 {total} 件")
    page.evaluate("() => window.__yiwangMap.jumpTo({center: [125.4, 43.87], zoom: 14.2})")
    before = page.evaluate("() => [window.__yiwangMap.getZoom(), window.__yiwangMap.getCenter().toArray()]")
    new = _push(wall, 4)
    expect(page.locator(f'li.case[data-case="{new}"]')).to_be_visible()
    expect(page.locator(".list-total")).to_have_text(f"共 {total + 1} 件")
    page.wait_for_function(
        "(id) => window.__yiwangMap.querySourceFeatures('cases').some((f) => f.properties.case_id === id) || "
        "window.__yiwangMap.getSource('cases')._data",
        arg=new,
    )
    after = page.evaluate("() => [window.__yiwangMap.getZoom(), window.__yiwangMap.getCenter().toArray()]")
    assert after == before, "a live update moved the camera"
    wall.assert_clean()


def test_picking_on_the_map_opens_the_panel_and_a_command_moves_the_case(wall: Visit, fake: Fake) -> None:
    wall.log_in()
    chosen = next(c for c in fake.city.cases.values() if c["state"] == "dispatched")
    wall.open(f"/?q={chosen['number']}")
    page = wall.page
    expect(page.locator("li.case")).to_have_count(1)
    page.evaluate("(c) => window.__yiwangMap.jumpTo({center: c, zoom: 16, pitch: 0})", [chosen["lon"], chosen["lat"]])
    page.wait_for_function(
        "() => window.__yiwangMap.queryRenderedFeatures({layers: ['case']}).length > 0"
    )
    box = page.locator(".map-canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".panel-head h2")).to_have_text(chosen["title"])
    assert page.evaluate("() => location.pathname") == f"/cases/{chosen['case_id']}"
    expect(page.locator(".shot")).to_be_visible()
    page.click('[data-tab="why"]')
    expect(page.locator(".why > li")).not_to_have_count(0)
    page.click('[data-command="accept"]')
    page.click(".command-form button[type=submit]")
    expect(page.locator(".case-number .chip")).to_have_text("处置中")
    assert fake.city.commands[0]["name"] == "accept"
    assert fake.city.commands[0]["expected_version"] == 3
    wall.assert_clean()


def test_deep_link_language_and_filters(wall: Visit, fake: Fake) -> None:
    wall.log_in()
    wall.context.add_cookies([{"name": "yiwang_lang", "value": "en", "url": wall.base}])
    chosen = next(c for c in fake.city.cases.values() if c["state"] == "handling")
    wall.open(f"/cases/{chosen['case_id']}?severity={chosen['severity']}")
    page = wall.page
    # Titles come from the rules in Chinese: English shows the kind's word and the place, and keeps the original below.
    expect(page.locator(".panel-head h2")).to_contain_text(f" · {chosen['site_name']}")
    expect(page.locator(".original-title")).to_have_text(chosen["title"])
    expect(page.locator('[data-tab="open"]')).to_contain_text("Open")
    shown = page.locator("li.case").evaluate_all("(rows) => rows.map((r) => r.className)")
    assert shown and all(f"s{chosen['severity']}" in name for name in shown)
    assert 'aria-selected="true"' in page.locator(f'li.case[data-case="{chosen["case_id"]}"]').evaluate(
        "(n) => n.outerHTML"
    )
    page.keyboard.press("Escape")
    expect(page.locator(".tiles")).to_be_visible()
    assert "/cases/" not in page.evaluate("() => location.pathname")
    wall.assert_clean()


def test_lost_connection_is_said_and_healed(wall: Visit, fake: Fake) -> None:
    wall.log_in()
    wall.open("/")
    page = wall.page
    expect(page.locator(".connection.live")).to_be_visible()
    wall.context.set_offline(True)
    store = page.locator('link[href$="/ui/shared/store.mjs"]').get_attribute("href")
    page.evaluate("(store) => import(store).then((s) => s.drop())", store)
    expect(page.locator(".connection.lost")).to_be_visible(timeout=20_000)
    wall.context.set_offline(False)
    missed = _push(wall, 3)
    expect(page.locator(".connection.live")).to_be_visible(timeout=30_000)
    expect(page.locator(f'li.case[data-case="{missed}"]')).to_be_visible()
