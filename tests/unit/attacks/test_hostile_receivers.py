"""Receivers of notices (webhooks, gateways, push services, mail servers) that hold on to whoever tells them something.

Each sends a byte now and then, so that a time-out of silence never comes; the whole exchange has one end.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from core.network.deadline import SocketDeadline
from core.settings import load_settings
from events.notify import webhooks
from events.notify.channel import NotifierFailed
from events.notify.channels import email, webhook
from events.notify.webhooks import Subscriber, WebhookFailed, Webhooks

PATIENCE_S = 30.0  # far from the end that is set, and far from for ever


class Dripping:
    """A TCP server that says ``first`` and then a byte every 20 ms, to anybody, for ever."""

    def __init__(self, first: bytes) -> None:
        self.first, self.stopped = first, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.sendall(self.first)
                while not self.stopped.wait(0.02):
                    connection.sendall(b"x")
            except OSError:
                return

    def stop(self) -> None:
        self.stopped.set()
        self.listener.close()


@pytest.fixture(params=[b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n"])
def receiver(request: pytest.FixtureRequest) -> Iterator[Dripping]:
    found = Dripping(request.param)
    yield found
    found.stop()


def ended(began: float) -> bool:
    return time.monotonic() - began < PATIENCE_S


def test_a_webhook_is_given_up(receiver: Dripping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "WHOLE_S", 0.4)
    sender = Webhooks(load_settings({}))
    one = Subscriber(name="slow", url=f"http://127.0.0.1:{receiver.port}/", secret="s" * 16)
    sender._subscribers = {"slow": one}
    began = time.monotonic()
    with pytest.raises(WebhookFailed):
        asyncio.run(asyncio.wait_for(sender.post("d1", {"subscriber": "slow", "event": {}}), PATIENCE_S))
    assert ended(began)


def test_a_gateway_is_given_up(receiver: Dripping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "WHOLE_S", 0.4)
    params = webhook.Params(url=f"http://127.0.0.1:{receiver.port}/", template={"text": "{title}"})
    notice: Any = SimpleNamespace(severity=4, case_id="", title="t", body="", kind="case")
    began = time.monotonic()
    with pytest.raises(NotifierFailed):
        asyncio.run(asyncio.wait_for(webhook.Webhook(params, load_settings({})).send(notice), PATIENCE_S))
    assert ended(began)


@pytest.mark.parametrize(
    "answer", [b"[]", b"null", b"{", b"[" * 5000, b"\xff", b'{"errcode": 1}', b'{"errcode": false}']
)
def test_what_a_gateway_says_is_judged_whatever_it_is(answer: bytes) -> None:
    params = webhook.Params(url="http://gateway/", template={"text": "{title}"}, ok_field="errcode")
    with pytest.raises(NotifierFailed):
        webhook.Webhook(params, load_settings({}))._check(answer)


@pytest.mark.parametrize("answer", [b'{"errcode": 0}', b'{"errcode": "0"}', b'{"errcode": true}'])
def test_what_means_success_is_taken(answer: bytes) -> None:
    params = webhook.Params(url="http://gateway/", template={"text": "{title}"}, ok_field="errcode")
    webhook.Webhook(params, load_settings({}))._check(answer)


def test_a_push_services_socket_is_hung_up(receiver: Dripping) -> None:
    began = time.monotonic()
    # A head that breaks off counts as whole for http.client: no error then, but an end.
    with SocketDeadline(0.4) as deadline, contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=8)
        connection.connect()
        deadline.watch(connection.sock)
        connection.request("POST", "/", b"x")
        answer = connection.getresponse()
        answer.read()
    assert deadline.over and ended(began)


def test_a_socket_that_comes_too_late_is_hung_up_at_once() -> None:
    ours, theirs = socket.socketpair()
    with SocketDeadline(0.0) as deadline:
        while not deadline.over:  # noqa: ASYNC110
            time.sleep(0.01)
        deadline.watch(ours)
        assert ours.recv(1) == b""
    ours.close()
    theirs.close()


def test_an_exchange_that_ends_in_time_is_left_alone() -> None:
    ours, theirs = socket.socketpair()
    with SocketDeadline(600.0) as deadline:
        deadline.watch(ours)
        theirs.sendall(b"ok")
        assert ours.recv(2) == b"ok"
    assert not deadline.over
    ours.close()
    theirs.close()


@pytest.mark.parametrize("first", [b"", b"220 here\r\n250-"])
def test_a_mail_server_is_given_up(first: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "WHOLE_S", 0.4)
    server = Dripping(first)
    params = email.Params(host="127.0.0.1", port=server.port, security="none", sender="a@b.cn", recipients={})
    channel = email.build(params, settings=load_settings({}), bus=None)  # type: ignore[arg-type]
    notice: Any = SimpleNamespace(notice_id="n", title="t", body="b", case_id="")
    began = time.monotonic()
    with pytest.raises(NotifierFailed):
        channel._send(notice, ["c@d.cn"])
    assert ended(began)
    server.stop()
    assert issubclass(email.BoundedSmtps, smtplib.SMTP_SSL)
