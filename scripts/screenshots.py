"""Pictures of every page in both languages and three sizes: ``python -m scripts.screenshots URL FOLDER``.

The pages come from the registry of desk pages, the command centre and the phone.  Files are WebP, 1920×1080 halved, so
that all of them together stay small enough to be kept (docs/pictures/pages).  YIWANG_PASSWORD is the login's password.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext, Error, Page, sync_playwright

SIZES = {"1920x1080": (1920, 1080), "1366x768": (1366, 768), "390x844": (390, 844)}
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
SETTLE_S = 45.0  # the longest that a page may take to come to rest
PATIENCE_MS = 180_000  # of one picture: a map drawn without a graphics card on a busy machine takes its time
QUALITY = 55
BUSY = """() => document.title.startsWith('Updating')
    || !!document.querySelector('._dash-loading, .ag-overlay-loading-center, .map-wait')
    || !!document.querySelector('#page:empty, .board-tiles:empty')
    || !document.body.innerText.trim()"""
PHONE = ("/m", "/m#/new", "/m#/grid", "/m#/me", "/login")


@dataclass(frozen=True)
class Shot:
    """One picture: a page in a language at a size."""

    path: str
    language: str
    size: str
    title: str = ""

    @property
    def name(self) -> str:
        """File name without its ending: by ``title`` where the address holds somebody's id."""
        plain = "".join(c if c.isalnum() else "-" for c in (self.title or self.path).strip("/")).strip("-") or "desk"
        return f"{plain}.{self.language}.{self.size}"


def shots(paths: dict[str, str], languages: list[str], sizes: list[str]) -> list[Shot]:
    """Every page (address → title) at the desk's sizes; the phone's pages at the phone's size alone."""
    return [
        Shot(path, language, size, title)
        for size in sizes for language in languages for path, title in paths.items()
        if path not in PHONE or size.startswith("390") or path == "/login"
    ]  # fmt: skip


def all_paths(context: BrowserContext) -> dict[str, str]:
    """The command centre as desk and wall, every desk page, the boards, the phone; address → title of the picture.

    Pages of one thing (a case, its command screen, a form on trial) are taken with the first one that there is.
    """
    from dashboard.pages.frame import pages

    def first(address: str, *keys: str) -> list[str]:
        items = context.request.get(address).json().get("items") or [{}]
        return [str(items[0].get(key, "")) for key in keys]

    (case,) = first("/api/cases?limit=1", "case_id")
    form, version = first("/api/forms", "form_id", "version")
    below = {"/command": case and f"/command/{case}", "/trial": form and f"/trial/{form}/{version}"}
    boards = [f"/boards/{b['id']}" for b in context.request.get("/api/boards").json().get("items", ())]
    found = {"/?view=wall": "wall", "/?view=desk": "desk"} | ({f"/cases/{case}": "case"} if case else {})
    for path in [*sorted(pages()), *boards, *PHONE]:
        address = below.get(path, path)
        if address:
            found[address] = path
    return found


def still(page: Page, seconds: float = SETTLE_S) -> bool:
    """Wait until nothing loads any more and two pictures a moment apart are nearly the same; whether that came true."""
    deadline, before = time.monotonic() + seconds, b""
    while time.monotonic() < deadline:
        page.wait_for_timeout(700)
        busy = page.evaluate(BUSY)
        now = page.screenshot(type="jpeg", quality=20, timeout=PATIENCE_MS)
        if not busy and before and abs(len(now) - len(before)) < max(60, len(before) // 400):
            return True
        before = now
    return False


@contextmanager
def signed_in(base: str, login: str, password: str, language: str, size: str) -> Iterator[BrowserContext]:
    """A browser context with a session."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, f"--lang={LOCALES[language]}"])
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, base_url=base, locale=LOCALES[language],
            timezone_id="Asia/Shanghai", has_touch=width < 500,
        )  # fmt: skip
        context.add_cookies([{"name": "yiwang_lang", "value": language, "url": base}])
        answer = context.request.post("/api/login", data={"login": login, "password": password})
        if not answer.ok:
            raise SystemExit(f"login refused: {answer.text()}")
        yield context
        browser.close()


def take(page: Page, shot: Shot, folder: Path) -> str:
    """One picture into ``folder``; what is wrong with the page in words, or nothing."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda m: said.append(m.text) if "no words for" in m.text else None)
    page.set_default_timeout(PATIENCE_MS)
    page.goto(shot.path, wait_until="load")
    if not still(page):
        said.append("never came to rest")
    wide = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    if wide > 1:
        said.append(f"{wide} px wider than the screen")
    with Image.open(io.BytesIO(page.screenshot(timeout=PATIENCE_MS))) as taken:
        picture = taken.convert("RGB")
        if picture.width > 1400:
            picture = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)
        picture.save(folder / f"{shot.name}.webp", quality=QUALITY, method=6)
    return "; ".join(sorted(set(said)))


def main() -> int:
    """Take them all; exit status 1 when a page said that something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--login", default="admin")
    parser.add_argument("--only", nargs="*", default=None, help="addresses instead of every page")
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--languages", nargs="*", default=["zh", "en"], choices=["zh", "en"])
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    wrong, password = 0, os.environ.get("YIWANG_PASSWORD", "")
    with signed_in(args.base, args.login, password, "zh", "1366x768") as context:
        paths = dict.fromkeys(args.only, "") if args.only else all_paths(context)
    wanted = shots(paths, args.languages, args.sizes)
    for size in args.sizes:
        for language in args.languages:
            with signed_in(args.base, args.login, password, language, size) as context:
                for shot in (s for s in wanted if (s.language, s.size) == (language, size)):
                    page = context.new_page()
                    try:
                        said = take(page, shot, args.folder)
                    except Error as error:
                        said = error.message.splitlines()[0]
                    page.close()
                    wrong += bool(said)
                    print(f"{shot.name}{': ' + said if said else ''}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
