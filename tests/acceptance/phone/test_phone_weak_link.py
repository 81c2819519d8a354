"""Twenty photographs over a slow line that breaks every three seconds: all arrive, whole, hardly a byte twice."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from core.settings import Settings
from storage.session import read_scope
from storage.tables.uploads import Upload
from tests.acceptance.browserkit import visit
from tests.acceptance.phonekit import sign_in, town

pytestmark = [pytest.mark.browser, pytest.mark.long]
BREAKS_S = 3.0
UP_BYTES_S = 150_000


class WeakLink:
    """A TCP proxy that lets ``UP_BYTES_S`` through upwards and cuts all connections now and then."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.up = 0
        self.cuts = 0
        self.breaking = False
        self._open: set[socket.socket] = set()
        self._room = threading.Lock()
        self._stop = threading.Event()
        for run in (self._accept, self._cut):
            threading.Thread(target=run, daemon=True).start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            self._open |= {client, server}
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, up: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if up and self.breaking:
                    with self._room:
                        time.sleep(len(data) / UP_BYTES_S)
                        self.up += len(data)
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            self._open.discard(end)

    def _cut(self) -> None:
        while not self._stop.wait(BREAKS_S):
            if not self.breaking:
                continue
            self.cuts += 1
            for end in list(self._open):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._stop.set()
        self._server.close()


@pytest.fixture
def photos() -> Iterator[list[dict[str, object]]]:
    rnd = np.random.default_rng(7)
    made = []
    for n in range(20):
        noise = cv2.resize(rnd.integers(0, 255, (90, 120, 3), np.uint8), (640, 480))
        data = bytes(cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 90])[1])
        made.append({"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": data})
    yield made


def test_twenty_photographs_over_a_line_that_breaks(
    chromium: Browser, settings: Settings, photos: list[dict[str, object]]
) -> None:
    with town(settings) as city:
        case_id = city.case("Smoke")
        link = WeakLink(int(city.base.rsplit(":", 1)[1]))
        phone = visit(chromium, f"http://127.0.0.1:{link.port}", 390, 844, has_touch=True, is_mobile=True)
        try:
            phone.open("/m")
            sign_in(phone.page, "fireman")
            phone.page.tap(f'a.card[data-case="{case_id}"]')
            phone.page.tap('[data-do="accept"]')
            expect(phone.page.locator('[data-do="accept"]')).to_be_hidden()
            expect(phone.page.locator(".moves")).to_contain_text("接收")  # the server's answer is drawn
            phone.page.set_input_files('[data-do="photo"]', photos)  # type: ignore[arg-type]
            expect(phone.page.locator(".previews img")).to_have_count(20)
            link.breaking = True
            phone.page.tap('[data-do="finish"]')
            phone.until(lambda: city.moves(case_id)[-1][0] == "finish", 150)
            with read_scope(city.office.engine) as session:
                rows = list(session.scalars(select(Upload)))
            assert len(rows) == 20 and all(r.state == "ready" and r.sha256 == r.expected_sha256 for r in rows)
            assert len(city.evidence(case_id)) == 20
            total = sum(row.size for row in rows)
            assert link.cuts >= 3, "the line did break"
            assert link.up <= 2 * total, f"{link.up} bytes went up for {total}, heads included"
        finally:
            link.close()
            phone.context.close()
