"""The phone's modules under ``node --test``, and its shell as the server hands it out."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path

from app.node import node_binary
from dashboard.pages import phone

ROOT = Path(__file__).parents[3]
SHELL_BYTES = 60_000  # gzip: three seconds at 160 kbit/s


def test_node_tests_of_the_queue() -> None:
    command = [node_binary(), "--test", str(ROOT / "tests" / "js" / "phone.test.mjs")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_shell_is_small_whole_and_without_the_map() -> None:
    files = phone.shell()
    assert "/m/app.mjs" in files and "/m/queue/send.mjs" in files and "/static/ui/shared/api.mjs" in files
    assert not [f for f in files if "map" in f or "vendor" in f]
    bodies = [phone._path(f) for f in files]
    size = sum(len(gzip.compress(p.read_bytes(), 9)) for p in bodies if p is not None)
    size += len(gzip.compress(phone.words("zh"), 9)) + len(gzip.compress(phone.index(), 9))
    assert size <= SHELL_BYTES, f"{size} bytes"
    worker = phone.worker().decode()
    assert "__" not in worker.split("self.addEventListener")[0]
    listed = json.loads(worker.split("const SHELL = ", 1)[1].split(";", 1)[0])
    assert set(files) <= set(listed)


def test_the_first_list_needs_little_and_nothing_of_the_queue() -> None:
    first = phone.shell(phone.START)
    assert phone.APP not in first and not [f for f in first if "queue" in f or "api.mjs" in f]
    bodies = [phone._path(f) for f in first]
    size = sum(len(gzip.compress(p.read_bytes(), 9)) for p in bodies if p is not None)
    assert size + len(gzip.compress(phone.index(), 9)) <= 18_000, f"{size} bytes"


def test_no_circle_among_the_phone_s_modules() -> None:
    graph = {}
    for path in phone.HERE.rglob("*.mjs"):
        address = f"/m/{path.relative_to(phone.HERE)}"
        names = phone._IMPORT.findall(path.read_text(encoding="utf-8"))
        graph[address] = [phone._joined(address, n) for n in names if n.startswith(".")]
    done: set[str] = set()

    def visit(node: str, above: tuple[str, ...]) -> None:
        assert node not in above, " → ".join((*above, node))
        if node in done:
            return
        for below in graph.get(node, []):
            visit(below, (*above, node))
        done.add(node)

    for node in graph:
        visit(node, ())
