"""What axe-core and a keyboard find on every page: ``python -m scripts.accessibility URL [--outside URL]``.

Every page of :mod:`scripts.screenshots` in each language and theme against WCAG 2.2 A and AA, and in the last theme by
keyboard alone: Tab goes on and round, what has the focus is seen; at 200 % zoom nothing makes the page wider.  Works
against a running installation; YIWANG_PASSWORD is the login's password.  Exit status 1 when something was found.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import BrowserContext, Error, Page

from scripts.screenshots import SIZES, all_paths, signed_in, still

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RUN = "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
THEMES = ("night", "day", "contrast")
LANGUAGES = ("zh", "en")
DRESS = """async (theme) => {
  localStorage.setItem('yiwang_theme', theme);
  const own = document.querySelector('script[src*="/ui/first_look.js"]');
  if (own) (await import(own.src.replace('first_look.js', 'shared/look.mjs'))).setTheme(theme);
}"""
STEPS = 45  # how often Tab is pressed
WHERE = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const shown = e.type === 'radio' || e.type === 'checkbox' ? e.nextElementSibling || e.parentElement : e;
  const box = shown.getBoundingClientRect(), seen = (n) => {
    const s = getComputedStyle(n);
    return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none';
  };
  const holder = e.closest('.ag-cell, .ag-header-cell, .mantine-Input-wrapper, [class*=SegmentedControl], label, li');
  let lit = seen(e) || seen(shown) || (holder && seen(holder));
  if (!lit) {  // a border or ground that only the focus gives counts as well
    const look = (n) => { const s = getComputedStyle(n); return s.borderColor + s.backgroundColor + s.textDecoration; };
    const nodes = [e, e.parentElement, e.nextElementSibling].filter(Boolean);
    nodes.forEach((n) => n.style.setProperty('transition', 'none', 'important'));
    const now = nodes.map(look).join();
    e.blur(); lit = nodes.map(look).join() !== now; e.focus({preventScroll: true, focusVisible: true});
  }
  return {path: [e.tagName.toLowerCase(), e.id && '#' + e.id, e.className && '.' + String(e.className).split(' ')[0]]
    .filter(Boolean).join('') + ' "' + (e.getAttribute('aria-label') || e.innerText || '').slice(0, 30) + '"',
    same: window.__before === (window.__before = e), lit: !!lit, shown: box.width > 0 && box.height > 0};
}"""


@dataclass(frozen=True)
class Fault:
    """Something found: where, what, and why."""

    page: str
    rule: str
    element: str
    why: str

    def __str__(self) -> str:
        return f"{self.page}: {self.rule}: {self.element}: {self.why}"


def violations(page: Page, named: str, settle: int = 4) -> Iterator[Fault]:
    """What axe finds on an open page; what a page shows while it draws counts only when it stays."""
    page.evaluate(AXE)
    told: dict[str, Any] = page.evaluate(RUN)
    for _ in range(settle):
        if not told["violations"]:
            return
        page.wait_for_timeout(1500)
        told = page.evaluate(RUN)
    for rule in told["violations"]:
        for node in rule["nodes"][:5]:
            why = (node["any"] or node["all"] or node["none"] or [{"message": ""}])[0]["message"]
            yield Fault(named, rule["id"], str(node["target"]), why)


def keyboard(page: Page, named: str) -> Iterator[Fault]:
    """Tab through the page: it goes on, and what has the focus shows it."""
    page.evaluate("() => { document.activeElement?.blur(); window.scrollTo(0, 0); }")
    told = set()
    for _ in range(STEPS):
        page.keyboard.press("Tab")
        here = page.evaluate(WHERE)
        if here is None:  # round, and out to the browser
            continue
        if here["same"] and here["path"] not in told:
            told.add(here["path"])
            yield Fault(named, "keyboard-trap", here["path"], "Tab does not leave it")
        elif not (here["lit"] and here["shown"]) and here["path"] not in told:
            told.add(here["path"])
            yield Fault(named, "focus-visible", here["path"], "" if here["shown"] else "has no size")


def zoomed(page: Page, named: str) -> Iterator[Fault]:
    """At 200 % (half the CSS pixels) nothing is wider than the page."""
    size = page.viewport_size or {"width": 1366, "height": 768}
    page.set_viewport_size({"width": size["width"] // 2, "height": size["height"] // 2})
    page.wait_for_timeout(600)
    wide = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    if wide > 1:
        yield Fault(named, "zoom-200", "html", f"{wide} px wider than the screen")
    page.set_viewport_size(size)


def swept(context: BrowserContext, paths: list[str], themes: Sequence[str] = THEMES, *, by_hand: bool = True,
          seconds: float = 20.0) -> Iterator[Fault]:  # fmt: skip
    """Every page in each theme; ``by_hand``: keyboard and zoom too.  A page gets ``seconds`` to come to rest."""
    context.add_init_script(f"localStorage.setItem('yiwang_theme', '{themes[0]}')")
    for path in paths:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.emulate_media(reduced_motion="reduce")
        try:
            page.goto(path, wait_until="load")
            still(page, seconds)
            for theme in themes:
                page.evaluate(DRESS, theme)
                yield from violations(page, f"{theme} {path}")
            if by_hand:
                yield from keyboard(page, path)
                yield from zoomed(page, path)
        except Error as error:
            yield Fault(path, "failed", "", error.message.splitlines()[0])
        page.close()


def main() -> int:
    """Sweep them all, print each fault once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("--outside", help="address of the outside door, swept too")
    parser.add_argument("--login", default="admin")
    parser.add_argument("--only", nargs="*", help="addresses instead of every page")
    parser.add_argument("--themes", nargs="*", default=list(THEMES), choices=THEMES)
    parser.add_argument("--languages", nargs="*", default=list(LANGUAGES), choices=LANGUAGES)
    parser.add_argument("--size", default="1366x768", choices=list(SIZES))
    args = parser.parse_args()
    password, found = os.environ.get("YIWANG_PASSWORD", ""), 0
    for language in args.languages:
        with signed_in(args.base, args.login, password, language, args.size) as context:
            paths = list(args.only or all_paths(context)) + ([f"{args.outside}/h"] if args.outside else [])
            for fault in swept(context, paths, args.themes):
                found += 1
                print(f"{language} {fault}", flush=True)
        print(f"{language}: {len(paths)} pages", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
