"""Random histories of the phone's queue against the real web process: nothing lost, doubled, misattributed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples

from app.node import node_binary
from core.settings import Settings, load_settings
from dashboard.accounts.users import add_user
from storage.session import session_scope
from tests.acceptance.phone.histories import World, histories, play
from tests.acceptance.phone.web_process import WebProcess, web_process
from tests.conftest import free_port
from tests.unit.dashboard.web import _HASH, make_office

DRIVER = Path(__file__).parents[2] / "js" / "driver" / "node.mjs"
QUICK = 100
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


@contextmanager
def world(settings: Settings) -> Iterator[tuple[World, WebProcess]]:
    """A town with three people at phones, in a process of its own."""
    office = make_office(settings)
    with session_scope(office.engine) as session:
        user = add_user(session, login="second", name="second", roles=["staff"], department_id="dept-fire")
        user.password_hash = _HASH
    with web_process(settings.data_dir) as web:
        made = World(web.base, office.engine, lambda _: NodePhone(web.base))
        try:
            yield made, web
        finally:
            made.close()
            for handset in made.handsets:
                handset.close()  # type: ignore[attr-defined]
            office.engine.dispose()


def test_a_few_hundred_histories(settings: Settings) -> None:
    with world(settings) as (town, _):

        @examples(max_examples=QUICK, derandomize=True, database=None, phases=PHASES, suppress_health_check=SLOW)
        @given(histories)
        def holds(history: list[tuple[Any, ...]]) -> None:
            play(town, history)

        holds()
        for history in KNOWN:
            play(town, history)


@pytest.mark.long
@pytest.mark.timeout(9000)
def test_ten_thousand_histories_with_kills(tmp_path: Path) -> None:
    kills = 0
    for batch in range(LONG // BATCH):  # a fresh town: nobody may upload more than 500 files a day
        settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path / str(batch)), "YIWANG_WEB_PORT": str(free_port())})
        with world(settings) as (town, web):
            steps = [0]

            def power_cut(steps: list[int] = steps, web: WebProcess = web) -> None:
                steps[0] += 1
                if steps[0] % 700 == 0:
                    web.kill()
                    time.sleep(0.1)
                    web.start()

            town.interrupt = power_cut

            @examples(max_examples=BATCH, phases=PHASES, suppress_health_check=SLOW)
            @given(histories)
            def holds(history: list[tuple[Any, ...]], town: World = town) -> None:
                play(town, history)

            holds()
            kills += web.kills
    assert kills >= LONG // BATCH
