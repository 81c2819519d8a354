"""What a process of an installation does not load when it starts."""

from __future__ import annotations

import subprocess
import sys


def loaded(code: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_bus_comes_without_its_websocket_client_which_can_still_be_loaded() -> None:
    code = "\n".join((
        "import sys",
        "from app.commands.serve import _bus_without_websocket",
        "_bus_without_websocket()",
        "print(*(m for m in sys.modules if m in ('nats', 'aiohttp', 'yarl')))",
        "import aiohttp; aiohttp.ClientSession; print('later')",
    ))  # fmt: skip
    assert loaded(code) == {"nats", "later"}


def test_the_words_of_the_pages_need_no_cases() -> None:
    found = loaded("import sys, dashboard.i18n; print(*sys.modules)")
    assert "dashboard.i18n" in found
    assert not {m for m in found if m.startswith(("sqlalchemy", "events.cases", "fastapi"))}
