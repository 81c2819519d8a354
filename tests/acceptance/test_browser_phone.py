"""The phone page in a real browser at 390×844: three taps to finish, and nothing lost without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.browserkit import Fake, Visit, visit
from tests.fake_api import picture

pytestmark = pytest.mark.browser
PHOTO = {"name": "after.jpg", "mimeType": "image/jpeg", "buffer": picture("after", False)}


@pytest.fixture
def phone(chromium: Browser, fake: Fake) -> Iterator[Visit]:
    made = visit(
        chromium, fake.base, 390, 844, has_touch=True, is_mobile=True,
        geolocation={"longitude": 125.38, "latitude": 43.86}, permissions=["geolocation"],
    )  # fmt: skip
    yield made
    made.context.close()


def _task(fake: Fake, state: str) -> str:
    return next(
        c["case_id"] for c in fake.city.cases.values() if c["state"] == state and c["department_id"] == "dept-fire"
    )


def test_log_in_accept_navigate_photograph_finish(phone: Visit, fake: Fake) -> None:
    page = phone.page
    phone.open("/m")
    page.fill("input[name=login]", "staff")
    page.fill("input[name=password]", "secret")
    page.tap("button[type=submit]")
    case_id = _task(fake, "dispatched")
    page.tap(f'a.card[data-case="{case_id}"]')
    expect(page.locator(".go a").first).to_have_attribute("href", re.compile(r"^geo:43\."))
    expect(page.locator(".compass")).to_be_visible()
    page.tap('[data-do="accept"]')
    expect(page.locator("label[for=finish-photo]").first).to_be_visible()
    page.set_input_files('[data-do="photo"]', [PHOTO])
    page.tap('[data-do="finish"]')
    expect(page.locator(".tasks")).to_be_visible()
    phone.until(lambda: len(fake.city.commands) == 2)
    assert [c["name"] for c in fake.city.commands] == ["accept", "finish"]
    assert len(fake.city.photos) == 1 and fake.city.photos[0].startswith(case_id)
    assert fake.city.cases[case_id]["state"] == "handle_finished"
    phone.assert_clean()


def test_nothing_is_lost_offline_and_nothing_is_sent_twice(phone: Visit, fake: Fake) -> None:
    page = phone.page
    phone.log_in()
    phone.open("/m")
    case_id = _task(fake, "handling")
    expect(page.locator(f'a.card[data-case="{case_id}"]')).to_be_visible()
    page.wait_for_function("() => navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_timeout(1500)  # details of the tasks are being kept
    phone.context.set_offline(True)
    expect(page.locator(".net")).to_have_text("离线")  # said at once, not at the next screen
    page.reload()
    page.tap(f'a.card[data-case="{case_id}"]')
    page.set_input_files('[data-do="photo"]', [PHOTO])
    page.tap('[data-do="finish"]')
    expect(page.locator(".queue")).to_contain_text("2")
    assert fake.city.commands == []
    page.reload()
    expect(page.locator(".queue")).to_contain_text("2")
    phone.context.set_offline(False)
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    page.wait_for_function("() => !document.querySelector('.queue')")
    assert [c["name"] for c in fake.city.commands] == ["finish"]
    assert fake.city.commands[0]["idempotency_key"]
    assert len(fake.city.photos) == 1
    phone.assert_clean()


def test_targets_are_large_enough_for_gloves(phone: Visit, fake: Fake) -> None:
    phone.log_in()
    phone.open("/m")
    page = phone.page
    page.tap(f'a.card[data-case="{_task(fake, "dispatched")}"]')
    expect(page.locator('[data-do="accept"]')).to_be_visible()
    heights = page.locator(".actions .big:visible, .go .big:visible").evaluate_all(
        "(nodes) => nodes.map((n) => n.getBoundingClientRect().height)"
    )
    assert heights and min(heights) >= 48
    overflow = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, "the page scrolls sideways"
