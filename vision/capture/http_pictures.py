"""Cameras that give pictures over HTTP: one JPEG or PNG a request (a snapshot address), or motion JPEG.

A snapshot address is asked again and again; the same picture twice is no new one, so the camera's own rate, a picture
a minute too, is found out.  Log-in is by the challenge (:mod:`vision.capture.login`).
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from urllib.parse import unquote, urljoin, urlsplit

from vision.capture.jpeg_stream import MOST_BYTES, JpegSplitter
from vision.capture.login import StreamLogin, best, challenges, methods
from vision.capture.sources import Source
from vision.errors import StreamFailed

FIRST_S = 75.0  # for the second picture of motion JPEG: until then nobody knows its rate
LEAST_S, MOST_S = 5.0, 600.0  # for the next one, afterwards
POLL_S, SLOWEST_POLL_S = 0.5, 10.0  # between two requests for a still
AGAIN_S = 60.0  # a still that stays the same is given again so often: somebody must be able to call it frozen
MOST_REDIRECTS = 3

Waited = Callable[[float], bool]  # waits so many seconds; True when the camera is no longer wanted


class HttpCamera:
    """One camera's HTTP address.  ``hang_up`` may be called from another thread."""

    def __init__(self, source: Source, open_s: float) -> None:
        self._source = source
        self._open_s = open_s
        self._login: StreamLogin | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._response: http.client.HTTPResponse | None = None
        self.damaged = 0
        self.kind = ""  # still, motion, or empty: neither

    def open(self) -> str:
        """Ask for the address; ``still``, ``motion``, or nothing: something that ffmpeg has to open."""
        response = self._ask()
        content = (response.getheader("Content-Type") or "").split(";")[0].strip().lower()
        self.kind = {"image": "still", "multipart": "motion"}.get(content.partition("/")[0], "")
        return self.kind

    def hang_up(self) -> None:
        """End whatever waits."""
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it was closed already
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._response is not None:
            self._response.close()

    def pictures(self, interval: Callable[[], float], wait: Waited, heard: Callable[[], None]) -> Iterator[bytes]:
        """Pictures as they come; ``interval`` is the camera's own (0: not known), ``heard`` told of every answer."""
        return self._stills(wait, heard) if self.kind == "still" else self._motion(interval)

    def _motion(self, interval: Callable[[], float]) -> Iterator[bytes]:
        assert self._response is not None
        splitter = JpegSplitter()
        while True:
            known = interval()
            self._patience(min(max(LEAST_S, 4 * known), MOST_S) if known else FIRST_S)
            data = self._response.read1(1 << 16)
            if not data:
                return
            yield from splitter.feed(data)
            self.damaged = splitter.damaged

    def _stills(self, wait: Waited, heard: Callable[[], None]) -> Iterator[bytes]:
        last, every, same_s = b"", POLL_S, 0.0
        response: http.client.HTTPResponse | None = self._response
        while True:
            picture = (response or self._ask()).read(MOST_BYTES + 1)
            response = None
            if len(picture) > MOST_BYTES:
                raise StreamFailed(url=self._source.shown, detail=f"a picture of more than {MOST_BYTES >> 20} MB")
            heard()
            seal = hashlib.blake2b(picture, digest_size=16).digest()
            if seal != last or same_s >= AGAIN_S:
                last, same_s, every = seal, 0.0, POLL_S
                yield picture
            if wait(every):
                return
            same_s += every
            every = min(every * 1.3, SLOWEST_POLL_S)

    def _patience(self, seconds: float) -> None:
        if self._socket is not None:
            self._socket.settimeout(seconds)

    def _ask(self) -> http.client.HTTPResponse:
        """The answer to one GET, logged in where it is asked for."""
        url, signed = self._source.address, False
        for _ in range(2 * (MOST_REDIRECTS + 1)):
            response = self._get(url)
            if response.status == 401 and not signed:
                self._answer(response)
                signed = True
            elif response.status in (301, 302, 303, 307, 308) and response.getheader("Location"):
                target = urljoin(url, str(response.getheader("Location")))
                if urlsplit(target).scheme not in ("http", "https"):
                    break
                url = target
            elif response.status == 200:
                return response
            else:
                raise StreamFailed(url=self._source.shown, detail=_refusal(response.status))
        raise StreamFailed(url=self._source.shown, detail="it sends from one address to the next")

    def _get(self, url: str) -> http.client.HTTPResponse:
        self.close()
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            context = ssl.create_default_context()  # cameras sign their certificates themselves
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self._connection = http.client.HTTPSConnection(host, port, timeout=self._open_s, context=context)
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=self._open_s)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Accept": "*/*", "User-Agent": "Yiwang"}
        if self._login is not None and parts.hostname == urlsplit(self._source.address).hostname:
            headers["Authorization"] = self._login.authorization("GET", target)
        try:
            self._connection.connect()
            self._socket = self._connection.sock
            self._connection.request("GET", target, headers=headers)
            self._response = self._connection.getresponse()
        except http.client.HTTPException as error:
            raise StreamFailed(url=self._source.shown, detail=f"it does not speak HTTP ({error})") from error
        return self._response

    def _answer(self, response: http.client.HTTPResponse) -> None:
        offered = challenges(response.headers.get_all("WWW-Authenticate") or [])
        chosen, parts = best(offered), urlsplit(self._source.address)
        if not parts.username:
            raise StreamFailed(url=self._source.shown, detail="it wants a user and a password")
        if chosen is None:
            raise StreamFailed(url=self._source.shown, detail=unknown_login(methods(offered)))
        self._login = StreamLogin(unquote(parts.username), unquote(parts.password or ""), chosen)


def unknown_login(asked: str) -> str:
    """Words for a camera whose way to log in is not known here."""
    return f"it asks for a log-in that is not supported ({asked or 'none named'}): set it to Digest MD5 or SHA-256"


def _refusal(status: int) -> str:
    known = {401: "user or password is wrong", 403: "access is forbidden", 404: "there is no such stream"}
    return known.get(status, f"it answers with status {status}")
