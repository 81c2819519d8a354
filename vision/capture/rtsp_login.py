"""RTSP log-in that FFmpeg cannot do itself: a relay on the loopback that signs its requests.

FFmpeg connects to the relay without an account; the relay hands everything on, answers the camera's challenge
(:mod:`vision.capture.login`; RFC 2326 with the headers of RFC 7616) and swallows the refusal.  One connection, then it
ends.  Pictures (interleaved, RFC 2326 10.12) pass untouched.
"""

from __future__ import annotations

import re
import select
import socket
import threading
from urllib.parse import unquote, urlsplit

from vision.capture.login import StreamLogin, best, challenges, methods

MOST_HEAD = 64 << 10
RTSP_PORT = 554


class RtspRelay(threading.Thread):
    """``address`` for FFmpeg; ``refused`` says why the camera let nobody in, empty while it does."""

    def __init__(self, url: str, open_s: float) -> None:
        parts = urlsplit(url)
        super().__init__(name="rtsp-login", daemon=True)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._camera = (parts.hostname or "", parts.port or RTSP_PORT)
        self._open_s = open_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(open_s)
        port = self._listener.getsockname()[1]
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self._ours = f"rtsp://127.0.0.1:{port}".encode()
        self._theirs = f"rtsp://{host}:{self._camera[1]}".encode()
        self.address = f"rtsp://127.0.0.1:{port}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        self.refused = ""
        self._login: StreamLogin | None = None
        self._pending = b""  # the last request as FFmpeg sent it
        self._signed = False

    def close(self) -> None:
        """Stop listening; a connection ends with FFmpeg's end of it."""
        self._listener.close()

    def run(self) -> None:
        try:
            client, _ = self._listener.accept()
            with client, socket.create_connection(self._camera, timeout=self._open_s) as camera:
                camera.settimeout(None)
                self._pump(client, camera)
        except OSError as error:
            self.refused = self.refused or (getattr(error, "strerror", None) or str(error))
        finally:
            self._listener.close()

    def _pump(self, client: socket.socket, camera: socket.socket) -> None:
        asked, answered = b"", b""
        while True:
            ready, _, _ = select.select([client, camera], [], [])
            for side in ready:
                data = side.recv(1 << 16)
                if not data:
                    return
                if side is client:
                    asked = self._requests(asked + data, camera)
                else:
                    answered = self._answers(answered + data, client, camera)

    def _requests(self, data: bytes, camera: socket.socket) -> bytes:
        """Hand on what is complete; returns the rest."""
        while (end := _message(data)) is not None:
            one, data = data[:end], data[end:]
            if one.startswith(b"$"):
                camera.sendall(one)
            else:
                self._pending, self._signed = one.replace(self._ours, self._theirs), False
                camera.sendall(self._sign(self._pending))
        return data

    def _answers(self, data: bytes, client: socket.socket, camera: socket.socket) -> bytes:
        while (end := _message(data)) is not None:
            one, data = data[:end], data[end:]
            if re.match(rb"RTSP/\d\.\d 401\b", one) and self._challenged(one):
                camera.sendall(self._sign(self._pending))
            else:
                client.sendall(one)
        return data

    def _challenged(self, answer: bytes) -> bool:
        """Whether the request should be sent again, signed."""
        head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
        found = re.findall(r"^WWW-Authenticate:\s*(.+?)\s*$", head, re.IGNORECASE | re.MULTILINE)
        offered = challenges(found)
        chosen = best(offered)
        if chosen is None:
            self.refused = f"login:{methods(offered)}"
            return False
        if self._signed:
            self.refused = "password"
            return False
        self._login, self._signed = StreamLogin(self._user, self._password, chosen), True
        return True

    def _sign(self, request: bytes) -> bytes:
        if self._login is None:
            return request
        line = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(line) < 3:
            return request
        value = self._login.authorization(line[0], line[1]).encode("latin-1", "replace")
        head, rest = request.split(b"\r\n", 1)
        return head + b"\r\nAuthorization: " + value + b"\r\n" + rest


def _message(data: bytes) -> int | None:
    """The length of the first whole message (RTSP with its body, or interleaved data); None: not here yet."""
    if data[:1] == b"$":
        whole = 4 + int.from_bytes(data[2:4]) if len(data) >= 4 else 1 << 30
        return whole if len(data) >= whole else None
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > MOST_HEAD:
            raise OSError("what it sends is not RTSP")
        return None
    length = re.search(rb"^Content-Length:\s*(\d{1,7})", data[:end], re.IGNORECASE | re.MULTILINE)
    whole = end + 4 + (int(length[1]) if length else 0)
    return whole if len(data) >= whole else None
