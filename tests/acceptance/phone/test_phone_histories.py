"""Random histories of the phone's queue against the real web process: nothing lost, doubled, misattributed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from playwright.sync_api import Browser, Route

from app.node import node_binary
from core.settings import Settings, load_settings
from dashboard.accounts.users import add_user
from storage.session import session_scope
from tests.acceptance.phone.histories import World, histories, play
from tests.acceptance.phone.web_process import WebProcess, web_process
from tests.acceptance.phonekit import town
from tests.conftest import free_port
from tests.unit.dashboard.web import _HASH, Office, make_office

DRIVER = Path(__file__).parents[2] / "js" / "driver" / "node.mjs"
QUICK = 60  # a minute on a slow machine
PHASES = (Phase.explicit, Phase.generate)  # to shrink would take an hour
SLOW = list(HealthCheck)
LONG, BATCH = 10_000, 250

# What was once sent twice or could be sent no more: the case left the department after the deed had arrived, or before.
KNOWN: list[list[tuple[Any, ...]]] = [
    [("act", 0, 0, "photo"), ("send", 0, ["", "", "after"]), ("desk", 0, "to_drainage")],
    [("act", 0, 0, "accept"), ("send", 0, ["after"]), ("desk", 0, "to_drainage")],
    [("look", 0, 0), ("desk", 0, "to_drainage"), ("act", 0, 0, "finish_photo"), ("send", 0, [])],
    [("act", 1, 0, "accept"), ("act", 0, 0, "finish_photo"), ("send", 1, []), ("send", 0, []), ("decide", 0, "anyway")],
]


class NodePhone:
    """The queue's own modules in Node, with a store in memory."""

    def __init__(self, base: str) -> None:
        self._process = subprocess.Popen(
            [node_binary(), str(DRIVER), base], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._cookie: str | None = None

    def cookie(self, value: str) -> None:
        self._cookie = value

    def ask(self, op: str, **wish: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"op": op, "cookie": self._cookie, **wish}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer.get("value")

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)


def _module(name: str) -> Callable[[Route], None]:
    text = (DRIVER.parent / name).read_text(encoding="utf-8")
    return lambda route: route.fulfill(body=text, content_type="text/javascript")


class ChromiumPhone:
    """The queue's modules in a page with the real IndexedDB; the phone's death is the page's."""

    def __init__(self, browser: Browser, base: str) -> None:
        self._base = base
        self._context = browser.new_context()
        blank = "<!doctype html><meta charset=utf-8><title>phone</title>"
        self._context.route("**/m/driver", lambda r: r.fulfill(body=blank, content_type="text/html"))
        for name in ("phone.mjs", "page.mjs"):
            self._context.route(f"**/m/driver/{name}", _module(name))
        self._page = self._context.new_page()
        self._cookie = ""
        self._last: dict[str, Any] = {}
        self._open()

    def _open(self) -> None:
        self._page.goto(f"{self._base}/m/driver")
        self._page.evaluate("() => import('/m/driver/page.mjs').then((m) => { globalThis.act = m.act; })")

    def cookie(self, value: str) -> None:
        if value != self._cookie:
            self._cookie = value
            self._context.clear_cookies()
            pairs = [pair.split("=", 1) for pair in value.split("; ")]
            self._context.add_cookies([{"name": n, "value": v, "url": self._base} for n, v in pairs])

    def ask(self, op: str, **wish: Any) -> Any:
        answer = self._page.evaluate("(wish) => globalThis.act(wish)", {"op": op, **wish})
        if op in ("session", "clock"):
            self._last[op] = wish
        if op == "drain" and answer["stopped"] and answer["stopped"]["status"] == -1:
            self._open()  # opened anew: nothing is left but what is on disk
            for known, said in self._last.items():
                self._page.evaluate("(wish) => globalThis.act(wish)", {"op": known, **said})
        return answer

    def close(self) -> None:
        self._context.close()


def _second(office: Office) -> None:
    with session_scope(office.engine) as session:
        user = add_user(session, login="second", name="second", roles=["staff"], department_id="dept-fire")
        user.password_hash = _HASH


def _close(made: World) -> None:
    made.close()
    for handset in made.handsets:
        handset.close()  # type: ignore[attr-defined]


@contextmanager
def world(settings: Settings) -> Iterator[tuple[World, WebProcess]]:
    """A town with three people at phones, in a process of its own."""
    office = make_office(settings)
    _second(office)
    with web_process(settings.data_dir) as web:
        made = World(web.base, office.engine, lambda _: NodePhone(web.base))
        try:
            yield made, web
        finally:
            _close(made)
            office.engine.dispose()


@pytest.mark.slow
def test_a_few_hundred_histories(settings: Settings) -> None:
    with world(settings) as (city, _):

        @examples(max_examples=QUICK, derandomize=True, database=None, phases=PHASES, suppress_health_check=SLOW)
        @given(histories)
        def holds(history: list[tuple[Any, ...]]) -> None:
            play(city, history)

        holds()
        for history in KNOWN:
            play(city, history)


@pytest.mark.browser
@pytest.mark.slow
def test_a_sample_with_the_real_store(settings: Settings, chromium: Browser) -> None:
    _sample(settings, chromium, 8)


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.timeout(3000)
def test_a_larger_sample_with_the_real_store(settings: Settings, chromium: Browser) -> None:
    _sample(settings, chromium, 300)


def _sample(settings: Settings, chromium: Browser, number: int) -> None:
    with town(settings) as city:
        _second(city.office)
        made = World(city.base, city.office.engine, lambda _: ChromiumPhone(chromium, city.base))

        @examples(max_examples=number, derandomize=True, database=None, phases=PHASES, suppress_health_check=SLOW)
        @given(histories)
        def holds(history: list[tuple[Any, ...]]) -> None:
            play(made, history)

        try:
            holds()
            play(made, [("act", 0, 0, "finish_photo"), ("send", 0, ["", "", "die"]), ("again", 0), ("send", 0, [])])
        finally:
            _close(made)


def _batch(made: World) -> None:
    @examples(max_examples=BATCH, phases=PHASES, suppress_health_check=SLOW, database=None)
    @given(histories)
    def holds(history: list[tuple[Any, ...]]) -> None:
        play(made, history)

    holds()


@pytest.mark.long
@pytest.mark.timeout(9000)
def test_ten_thousand_histories_with_kills(tmp_path: Path) -> None:
    kills = 0
    for batch in range(LONG // BATCH):  # a fresh town: nobody may upload more than 500 files a day
        settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path / str(batch)), "YIWANG_WEB_PORT": str(free_port())})
        with world(settings) as (made, web):
            steps = [0]

            def power_cut(steps: list[int] = steps, web: WebProcess = web) -> None:
                steps[0] += 1
                if steps[0] % 700 == 0:
                    web.kill()
                    time.sleep(0.1)
                    web.start()

            made.interrupt = power_cut

            _batch(made)
            kills += web.kills
    assert kills >= LONG // BATCH
