"""The web process of a test town as a process of its own, so that it can be killed: ``python -m … DATA_DIR PORT``."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from core.settings import load_settings
from dashboard.factory import create_app
from tests.conftest import free_port

ROOT = Path(__file__).parents[3]


@dataclass
class WebProcess:
    """It listens on ``port`` over the data folder ``data``; ``kill`` ends it as a power cut would."""

    data: Path
    port: int = field(default_factory=free_port)
    kills: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.acceptance.phone.web_process", str(self.data), str(self.port)]
        self._process = subprocess.Popen(command, cwd=ROOT)
        deadline = time.monotonic() + 400
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.base}/livez", timeout=5):  # noqa: S310 - our own loopback address
                    return
            except (urllib.error.URLError, OSError):
                assert self._process.poll() is None, "the web process ended"
                time.sleep(0.05)
        raise AssertionError("the web process did not start")

    def kill(self) -> None:
        self.kills += 1
        self.stop()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(30)


@contextmanager
def web_process(data: Path) -> Iterator[WebProcess]:
    """Started, and ended whatever happens."""
    made = WebProcess(data)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def main(data: str, port: str) -> None:
    settings = load_settings({"YIWANG_DATA_DIR": data, "YIWANG_WEB_PORT": port})
    settings = settings.with_(public_url=f"http://127.0.0.1:{port}")
    uvicorn.run(create_app(settings, pages=False), port=int(port), log_level="error")


if __name__ == "__main__":
    main(*sys.argv[1:])
