"""The phone's list on a weak phone and a weak line: until fifty tasks can be read, cold and warm; what it weighs.

A real web process, Chromium at 390×844 with a CPU slowed four times and a line of 400 kbit/s (``--latency`` ms a round
trip), somebody signed in with fifty tasks.  Cold: nothing kept, no service worker; warm: opened again in the same
browser.  The time is the page's own, from the navigation to the first card drawn; ``ready``: until a task can be
opened, too.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench.viewers import settings_in
from core.clock import SystemClock
from core.settings import Settings

CARD = """() => {
  window.__card = window.__ready = 0;
  let ready = false;
  Object.defineProperty(window, "__yiwangReady", {
    get: () => ready, set: (value) => { ready = value; window.__ready ||= performance.now(); },
  });
  const look = () => { window.__card ||= performance.now(); };
  new MutationObserver(() => {
    if (!window.__card && document.querySelector('a.card')) requestAnimationFrame(look);
  }).observe(document, { childList: true, subtree: true });
}"""
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "locale": "zh-CN",
}
PASSWORD = secrets.token_urlsafe(18)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu", type=float, default=4.0, help="how many times slower the CPU is")
    parser.add_argument("--kbit", type=float, default=400.0)
    parser.add_argument("--latency", type=float, default=50.0, help="ms a request waits besides")


def run(args: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder))
        _prepare(settings, args.tasks)
        web = subprocess.Popen([sys.executable, "-m", "app", "serve", "web"], env=os.environ)
        base = f"http://127.0.0.1:{settings.web_port}"
        try:
            _wait(base)
            path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
                try:
                    return _measure(browser, base, args)
                finally:
                    browser.close()
        finally:
            web.terminate()
            web.wait(20)


def _wait(base: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{base}/livez", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass  # still starting
        time.sleep(0.2)


def _prepare(settings: Settings, tasks: int) -> None:
    from dashboard.accounts.users import add_user, hash_password
    from events.cases.drafts import CaseDraft, Part, Route
    from events.cases.service import CaseService
    from storage.schema import create_all
    from storage.session import make_engine, session_scope
    from storage.tables.registry import Department, Site

    engine = make_engine(settings.database_url)
    create_all(engine)
    service = CaseService(engine, SystemClock())
    with session_scope(engine) as session:
        session.add(Department(department_id="d", name="消防救援大队"))
        session.flush()
        session.add(Site(site_id="s", name="欧亚卖场", kind="key_fire_site", lon=125.37, lat=43.88))
        handler = add_user(session, login="handler", name="王建国", roles=["staff"], department_id="d")
        handler.password_hash = hash_password(PASSWORD)
    with session_scope(engine) as session:
        for n in range(tasks):
            draft = CaseDraft(
                title=f"欧亚卖场 {n} 号消防通道被占用", kind="fire_lane", site_id="s", source_type="device",
                source_id="d", auto_register=True, route=Route(lead=Part(department_id="d")),
            )  # fmt: skip
            service.open_case(session, draft)
    engine.dispose()


def _measure(browser: Browser, base: str, args: argparse.Namespace) -> dict[str, object]:
    cold: list[float] = []
    warm: list[float] = []
    ready: list[float] = []
    weight = requests = 0
    for n in range(args.rounds + 1):
        context = browser.new_context(**PHONE)
        answer = context.request.post(f"{base}/api/login", data={"login": "handler", "password": PASSWORD})
        if not answer.ok:
            raise RuntimeError(answer.text())
        page, sizes = _weak(context, args)
        first = _opened(page, base)
        before = sum(size for size, at in sizes if at <= first["wall"])
        count = len([1 for _, at in sizes if at <= first["wall"]])
        page.wait_for_function("() => window.__ready > 0", timeout=120_000)
        usable = float(page.evaluate("() => window.__ready"))
        page.wait_for_function("() => navigator.serviceWorker.ready.then(() => true)", timeout=120_000)
        page.wait_for_timeout(4000)  # the shell is kept, the first list, too
        second = _opened(page, base)
        context.close()
        if n:  # the first round reads the server's own files from disk
            cold.append(first["ms"])
            warm.append(second["ms"])
            ready.append(usable)
            weight, requests = before, count
    return {
        "tasks": args.tasks, "cold_s": _middle(cold), "warm_s": _middle(warm), "cold_ready_s": _middle(ready),
        "cold_all_s": _rounded(cold), "warm_all_s": _rounded(warm),
        "cold_kb_before_list": round(weight / 1000, 1), "cold_requests": requests,
        "cpu": args.cpu, "kbit": args.kbit, "latency_ms": args.latency,
    }  # fmt: skip


def _weak(context: BrowserContext, args: argparse.Namespace) -> tuple[Page, list[tuple[int, float]]]:
    page = context.new_page()
    sizes: list[tuple[int, float]] = []
    page.add_init_script(f"({CARD})()")
    link = context.new_cdp_session(page)
    link.send("Network.enable")
    rate = args.kbit * 1000 / 8
    link.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": args.latency, "downloadThroughput": rate, "uploadThroughput": rate,
    })  # fmt: skip
    link.send("Emulation.setCPUThrottlingRate", {"rate": args.cpu})
    link.on("Network.loadingFinished", lambda e: sizes.append((int(e["encodedDataLength"]), time.monotonic())))
    return page, sizes


def _opened(page: Page, base: str) -> dict[str, float]:
    page.goto(f"{base}/m", wait_until="commit")
    page.wait_for_function("() => window.__card > 0", timeout=120_000)
    return {"ms": float(page.evaluate("() => window.__card")), "wall": time.monotonic()}


def _middle(values: list[float]) -> float:
    return round(statistics.median(values) / 1000, 2)


def _rounded(values: list[Any]) -> list[float]:
    return [round(v / 1000, 2) for v in values]
