"""Configured sources change while ingest runs: what is the same goes on, what changed begins anew."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from core import plugins
from core.clock import SystemClock
from ingest.configured import Configured
from ingest.source_folder import SourceFolder, SourceTasks
from ingest.supervisor import keep_running
from ingest.transports.tcp import TcpListener

pytestmark = pytest.mark.anyio
POLL = "kind: folder\nparams: {{folder: {0}, mapping: {{device: a, values: [{{path: v, quantity: water_level_m}}]}}}}\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Carried:
    """Serves sources by remembering which began and which ended."""

    def __init__(self) -> None:
        self.began: list[tuple[str, Any]] = []
        self.ended: list[str] = []

    async def serve(self, source: Configured, end: asyncio.Event) -> None:
        self.began.append((source.name, source.params["folder"]))
        try:
            await end.wait()
            await asyncio.sleep(60)
        finally:
            self.ended.append(source.name)


def write(path: Path, text: str) -> None:
    """Write and make sure that the file looks changed, however coarse the clock of the disk."""
    path.write_text(text)
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1_000_000 * len(text)))


async def test_only_what_changed_begins_anew(tmp_path: Path) -> None:
    carried, folder = Carried(), SourceFolder(tmp_path)
    tasks = SourceTasks(folder, carried.serve, {}, keep_running)

    async def look() -> None:
        found = folder.look()
        if found is not None:
            await tasks.apply(found)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    write(tmp_path / "a.yaml", POLL.format("one"))
    write(tmp_path / "b.yaml", POLL.format("one"))
    await look()
    assert carried.began == [("a", "one"), ("b", "one")] and carried.ended == []
    write(tmp_path / "b.yaml", POLL.format("other"))
    await look()
    assert carried.began[2:] == [("b", "other")] and carried.ended == ["b"]
    write(tmp_path / "b.yaml", "kind: [")
    await look()
    assert len(carried.began) == 3 and list(folder.problems) == ["b.yaml"]  # named, and goes on
    (tmp_path / "a.yaml").unlink()
    write(tmp_path / "b.yaml", POLL.format("other"))
    await look()
    assert carried.ended == ["b", "a"] and not folder.problems
    await tasks.apply({})
    assert carried.ended == ["b", "a", "b"]


async def test_a_listener_gets_its_parameters_and_loses_them_again(tmp_path: Path) -> None:
    class Counted:
        counters = type("C", (), {"of": staticmethod(lambda kind: None)})

    listener = TcpListener(plugins.build("source", "gb26875", {}), Counted(), SystemClock())  # type: ignore[arg-type]
    shipped = listener.source
    tasks = SourceTasks(SourceFolder(tmp_path), Carried().serve, {"gb26875": listener}, keep_running)
    panel = Configured("panel", "gb26875", {"component_address": "host_loop_point"})
    await tasks.apply({"panel.yaml": panel})
    given = listener.source
    assert given is not shipped
    await tasks.apply({"panel.yaml": panel})
    assert listener.source is given
    await tasks.apply({})
    assert listener.source is not given


async def test_a_protocol_that_cannot_be_built_leaves_all_else_running(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Counted:
        counters = type("C", (), {"of": staticmethod(lambda kind: None)})

    plugins.use_city_folder(tmp_path / "plugins")
    mine = tmp_path / "plugins" / "sources" / "frail.py"
    mine.parent.mkdir(parents=True)
    text = (
        "import msgspec\nfrom core.plugins import About\nABOUT = About(zh='弱', en='Frail', transport='tcp', port=9)\n"
        "class Params(msgspec.Struct, frozen=True):\n    n: int = 0\n"
        "def build(params):\n    return {kind: 1 / (1 - params.n)}\n".replace("{kind: ", "{'kind': ")
    )
    mine.write_text(text)
    try:
        listener = TcpListener(plugins.build("source", "gb26875", {}), Counted(), SystemClock())  # type: ignore[arg-type]
        stood, carried = listener.source, Carried()
        tasks = SourceTasks(SourceFolder(tmp_path), carried.serve, {"frail": listener}, keep_running)
        poller = Configured("level", "folder", {"folder": "x"})
        await tasks.apply({"a.yaml": Configured("a", "frail", {"n": 1}), "level.yaml": poller})
        while not carried.began:
            await asyncio.sleep(0)
        assert listener.source is stood and carried.began == [("level", "x")]
        assert "frail keeps its parameters" in caplog.text and "ZeroDivisionError" in caplog.text
        mine.unlink()  # even gone altogether
        await tasks.apply({"a.yaml": Configured("a", "frail", {"n": 2}), "level.yaml": poller})
        assert carried.ended == [] and tasks.given == {}
    finally:
        plugins.use_city_folder(None)
        await tasks.apply({})
