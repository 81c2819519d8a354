"""A desk against the real web process of :func:`phonekit.town`: signed in, and strict about what the page does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from tests.acceptance.phonekit import Town
from tests.unit.dashboard.web import PASSWORD


@contextmanager
def desk(chromium: Browser, office: Town, login: str) -> Iterator[Page]:
    """A signed-in desk; errors of scripts and callbacks, and requests to elsewhere, fail the test."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", base_url=office.base)
    assert context.request.post("/api/login", data={"login": login, "password": PASSWORD}).ok
    page = context.new_page()
    wrong: list[str] = []
    own = (office.base, office.base.replace("http", "ws", 1), "data:", "blob:")
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.append(m.text) if "Callback error" in m.text or "Security" in m.text else None)
    page.on("request", lambda r: None if r.url.startswith(own) else wrong.append(r.url))
    yield page
    context.close()
    assert wrong == []
