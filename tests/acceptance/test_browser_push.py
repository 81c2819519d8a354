"""Web Push on the phone page in a real browser: opting in and out, and what the service worker makes of a message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.acceptance.browserkit import Fake, Visit, visit

pytestmark = pytest.mark.browser
KEY = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
# No push service is reached in a test: the browser's own part is played here, the rest of the page is real.
BROWSER = """
    let kept = null;
    PushManager.prototype.getSubscription = async () => kept;
    PushManager.prototype.subscribe = async (options) => {
      const json = { endpoint: 'https://push.example.org/abc', expirationTime: null, keys: { p256dh: 'p', auth: 'a' } };
      const unsubscribe = async () => { kept = null; return true; };
      kept = { endpoint: json.endpoint, options, toJSON: () => json, unsubscribe };
      window.__asked = { visible: options.userVisibleOnly, bytes: options.applicationServerKey.length };
      return kept;
    };
"""


class Server:
    """``/api/push-subscriptions`` of the server."""

    def __init__(self, enabled: bool) -> None:
        self.enabled, self.asked = enabled, list[tuple[str, str, Any]]()

    def __call__(self, route: Route) -> None:
        request = route.request
        self.asked.append((request.method, request.url.rpartition("/")[2], request.post_data_json))
        answer = {"enabled": self.enabled, "public_key": KEY if self.enabled else None, "items": [], "ok": True}
        route.fulfill(status=201 if request.method == "POST" else 200, json=answer)


@pytest.fixture
def phone(chromium: Browser, fake: Fake) -> Iterator[Visit]:
    made = visit(chromium, fake.base, 390, 844, permissions=["notifications"])
    made.page.add_init_script(BROWSER)
    yield made
    made.context.close()


def test_opt_in_and_out(phone: Visit) -> None:
    server = Server(enabled=True)
    phone.context.route("**/api/push-subscriptions**", server)
    phone.log_in()
    phone.open("/m#/me")
    button = phone.page.locator("[data-push]")
    expect(button).to_have_attribute("data-push", "off")
    button.click()
    expect(button).to_have_attribute("data-push", "on")
    assert phone.page.evaluate("window.__asked") == {"visible": True, "bytes": 65}
    assert [body for method, _, body in server.asked if method == "POST"][-1]["keys"] == {"p256dh": "p", "auth": "a"}
    button.click()
    expect(button).to_have_attribute("data-push", "off")
    removed = [last for method, last, _ in server.asked if method == "DELETE"]
    assert len(removed) == 1
    assert len(removed[0]) == 64
    phone.assert_clean()


def test_who_opted_in_is_entered_anew_at_the_next_login_and_nobody_else(phone: Visit) -> None:
    server = Server(enabled=True)
    phone.context.route("**/api/push-subscriptions**", server)
    phone.log_in("staff")
    phone.open("/m#/me")
    page, button = phone.page, phone.page.locator("[data-push]")
    button.click()
    expect(button).to_have_attribute("data-push", "on")
    for login, entered in (("another", False), ("staff", True)):
        page.locator("[data-do=logout]").click()
        server.asked.clear()
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", "secret")
        page.click("button[type=submit]")
        expect(page.locator(".tasks")).to_be_visible()
        if entered:  # on the list already, without a visit to the screen of oneself
            phone.until(lambda: any(method == "POST" for method, _, _ in server.asked))
        else:
            page.wait_for_timeout(1000)
            assert server.asked == []
        page.goto(phone.base + "/m#/me")
        expect(button).to_have_attribute("data-push", "on" if entered else "off")
    phone.assert_clean()


def test_where_the_server_has_none_there_is_no_button(phone: Visit) -> None:
    server = Server(enabled=False)
    phone.context.route("**/api/push-subscriptions**", server)
    phone.log_in()
    phone.open("/m#/me")
    phone.until(lambda: bool(server.asked))
    expect(phone.page.locator(".me")).to_be_visible()
    assert phone.page.locator("[data-push]").count() == 0


def test_a_message_is_shown_and_a_repeat_replaces_it(phone: Visit) -> None:
    phone.context.route("**/api/push-subscriptions**", Server(enabled=True))
    phone.log_in()
    phone.open("/m")
    page = phone.page
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    session = phone.context.new_cdp_session(page)
    found: list[dict[str, Any]] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
    session.send("ServiceWorker.enable")
    phone.until(lambda: bool(found))
    message = {"id": "n1", "title": "新任务: 积水", "body": "30 cm", "severity": 3, "case_id": "c1"}
    for data in (json.dumps(message), json.dumps(message), "no json"):
        session.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": phone.base, "registrationId": found[-1]["registrationId"], "data": data},
        )
    shown = """navigator.serviceWorker.ready.then((r) => r.getNotifications()).then((all) =>
               all.map((n) => [n.tag, n.title, n.body, n.data.case_id]).sort())"""
    phone.until(lambda: len(page.evaluate(shown)) >= 2)
    assert page.evaluate(shown) == [["n1", "新任务: 积水", "30 cm", "c1"], ["yiwang", "一网统管 / Yiwang", "", None]]
