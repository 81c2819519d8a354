"""The phone inside the web views of WeChat, Alipay, DingTalk and a government app on an old Android: what they lack is
done without, and no link carries a session."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from core.settings import Settings
from tests.acceptance.browserkit import visit
from tests.acceptance.phonekit import offline, sign_in, town
from tests.fake_api import picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ANDROID = "Mozilla/5.0 (Linux; Android 10; V1838A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 {engine} "
VIEWS = {
    "wechat": ANDROID.format(engine="Chrome/100.0.4896.127") + "Mobile Safari/537.36 MicroMessenger/8.0.40 NetType/4G",
    "alipay": ANDROID.format(engine="Chrome/100.0") + "Mobile Safari/537.36 AliApp(AP/10.5.50) AlipayClient/10.5.50",
    "dingtalk": ANDROID.format(engine="Chrome/100.0") + "Mobile Safari/537.36 AliApp(DingTalk/7.5.5) com.alibaba",
    "government": ANDROID.format(engine="Chrome/100.0") + "Mobile Safari/537.36 jishiban/3.2.1",
}
# What a web view of Chrome 100 does not have, or its host keeps from pages.
WITHOUT = """
    delete AbortSignal.timeout; delete AbortSignal.any;
    for (const name of ['serviceWorker', 'storage', 'geolocation']) delete Navigator.prototype[name];
    for (const name of ['PushManager', 'Notification', 'BroadcastChannel', 'BarcodeDetector']) delete globalThis[name];
    for (const name of ['toSorted', 'toReversed', 'toSpliced', 'with']) delete Array.prototype[name];
    delete Object.groupBy; delete Promise.withResolvers; delete URL.canParse;
"""


@pytest.mark.parametrize("name", ["wechat", *(pytest.param(name, marks=pytest.mark.long) for name in list(VIEWS)[1:])])
def test_a_case_is_finished_in_every_web_view(chromium: Browser, settings: Settings, name: str) -> None:
    photo = {"name": "after.jpg", "mimeType": "image/jpeg", "buffer": picture("after", False)}
    agent = VIEWS[name]
    with town(settings) as city:
        case_id = city.case(f"Smoke {name}")
        made = visit(chromium, city.base, 390, 844, has_touch=True, is_mobile=True, user_agent=agent)
        made.context.add_init_script(WITHOUT)
        asked: list[str] = []
        made.context.on("request", lambda request: asked.append(request.url))
        made.open("/m")
        page = made.page
        sign_in(page, "fireman")
        page.tap(f'a.card[data-case="{case_id}"]')
        page.tap('[data-do="accept"]')
        made.until(lambda: city.moves(case_id)[-1][0] == "accept", 40)
        offline(made.context, page, True)  # the page stays open: what is done waits in it
        page.set_input_files('[data-do="photo"]', [photo])  # type: ignore[list-item]
        page.tap('[data-do="finish"]')
        expect(page.locator(".queue")).to_contain_text("2")
        offline(made.context, page, False)
        made.until(lambda: city.moves(case_id)[-1][0] == "finish", 60)
        secrets = [cookie["value"] for cookie in made.context.cookies() if cookie["httpOnly"]]
        assert secrets and not [url for url in (*asked, page.url) for secret in secrets if secret in url]
        made.assert_clean()
        stranger = visit(chromium, city.base, 390, 844, has_touch=True, is_mobile=True, user_agent=agent)
        stranger.context.add_init_script(WITHOUT)
        stranger.open("/m" + f"#{urlsplit(page.url).fragment}")  # the link, sent on to somebody else
        expect(stranger.page.locator("input[name=password]")).to_be_visible()
        stranger.context.close()
        made.context.close()
