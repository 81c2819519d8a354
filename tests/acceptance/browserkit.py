"""Fixtures of the browser tests: Debian's Chromium, a page that refuses the outside world, the fake web process."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from core.settings import load_settings
from dashboard import vendor
from tests.conftest import free_port
from tests.fake_api import FakeCity, create_fake_app

FLAGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
READY_MS = 90_000


def skip_or_fail(reason: str) -> None:
    """Skip, unless ``YIWANG_FORBID_SKIPS=1`` (continuous integration installs what is needed)."""
    if os.environ.get("YIWANG_FORBID_SKIPS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium with software GL (a module's: Playwright's loop must not outlive it)."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        skip_or_fail("Chromium is not installed (apt install chromium)")
    if not vendor.is_current():
        skip_or_fail("the front end's libraries are not installed (python -m dashboard.vendor)")
    with sync_playwright() as playwright:
        expect.set_options(timeout=60_000)  # software GL on a shared machine; the one place where it is set
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page and what it did: requests to elsewhere, errors of scripts, words that are missing."""

    page: Page
    context: BrowserContext
    base: str
    external: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def log_in(self, login: str = "admin", password: str = "secret") -> None:
        answer = self.context.request.post(f"{self.base}/api/login", data={"login": login, "password": password})
        assert answer.ok, answer.text()

    def open(self, path: str, ready: bool = True) -> None:
        self.page.goto(self.base + path)
        if ready:
            self.page.wait_for_function("() => window.__yiwangReady === true", timeout=READY_MS)

    def until(self, holds: Callable[[], bool], seconds: float = 15.0) -> None:
        """Wait until ``holds``; the page goes on meanwhile."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it never came true"
            self.page.wait_for_timeout(50)

    def assert_clean(self) -> None:
        assert self.external == [], "the page asked other hosts"
        assert self.errors == [], f"scripts failed: {self.errors[:3]}"


def visit(browser: Browser, base: str, width: int, height: int, **options: Any) -> Visit:
    """A fresh context at ``base`` that records every request to another host and every script error."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    page = context.new_page()
    page.set_default_timeout(60_000)
    made = Visit(page=page, context=context, base=base)
    host = urlsplit(base).netloc

    def asked(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != host:
            made.external.append(request.url)

    context.on("request", asked)
    page.on("pageerror", lambda error: made.errors.append(str(error)))
    page.on(
        "console", lambda m: made.errors.append(m.text) if "no words for" in m.text or "Content Sec" in m.text else 0
    )
    return made


@dataclass
class Fake:
    """The fake web process that runs beside the test."""

    base: str
    city: FakeCity


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    """The real pages over invented data, on a free port."""
    settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path / "data")})
    city = FakeCity()
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(create_fake_app(settings, city), port=port, log_level="error", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.started
    yield Fake(f"http://127.0.0.1:{port}", city)
    server.should_exit = True
    thread.join(10)
