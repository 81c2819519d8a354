"""``python -m app gateway``: lists, tables for the importer, pictures, errors."""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.commands.devices import gateway
from core.errors import InputInvalid
from ingest.gateways.contract import GatewayLoginFailed
from tests.unit.ingest.test_gateways import JPEG, FakeWvp
from tests.unit.ingest.test_polling_sources import http_server


@pytest.fixture
def wvp_url() -> Iterator[str]:
    """A fake WVP on a loop of its own thread: the command runs a loop itself."""
    ready, done = threading.Event(), threading.Event()
    found: list[str] = []

    async def serve() -> None:
        async with http_server(FakeWvp()) as url:
            found.append(url)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(5)
    yield found[0]
    done.set()
    thread.join(5)


def run(*args: str) -> int:
    parser = argparse.ArgumentParser()
    gateway.configure(parser)
    return gateway.run(parser.parse_args(args))


def test_cameras_streams_and_pictures(
    wvp_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIWANG_GATEWAY_PASSWORD", "secret")
    assert run("wvp", "--url", wvp_url, "cameras") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 250 and lines[0]["camera_id"] == "D1/C0" and lines[0]["lon"] == 125.4
    table = tmp_path / "cameras.csv"
    assert run("wvp", "--url", wvp_url, "cameras", "--csv", str(table)) == 0
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert rows[0]["camera_id"] == "D1-C0" and json.loads(rows[0]["attributes"])["gateway_id"] == "D1/C0"
    assert run("wvp", "--url", wvp_url, "stream", "D1/C1") == 0
    assert json.loads(capsys.readouterr().out)["analysis"] == "rtsp://h/rtp/s"
    assert run("wvp", "--url", wvp_url, "snapshot", "D1/C1", "--out", str(tmp_path / "a.jpg")) == 0
    assert (tmp_path / "a.jpg").read_bytes() == JPEG
    assert run("wvp", "--url", wvp_url, "ptz", "D1/C1", "stop") == 0


def test_wrong_account_and_address(wvp_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YIWANG_GATEWAY_PASSWORD", raising=False)
    with pytest.raises(GatewayLoginFailed):
        run("wvp", "--url", wvp_url, "cameras")
    with pytest.raises(InputInvalid):
        run("wvp", "cameras")
