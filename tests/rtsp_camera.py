"""A small RTSP camera with habits of real ones: far-apart key frames, log-ins that FFmpeg does not know, UDP only."""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

REALM, NONCE, USER, PASSWORD = "camera 1", "c0ffee", "admin", "Geheim-1"
MTU = 1200


@dataclass(frozen=True)
class Habits:
    """``algorithms`` of its digest challenges in their order; ``start`` the access unit that it begins with."""

    algorithms: tuple[str, ...] = ()
    fps: float = 10.0
    start: int = 0
    udp_only: bool = False


def access_units(path: Path) -> list[bytes]:
    """The film's pictures in Annex B."""
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        to_annexb = BitStreamFilterContext("h264_mp4toannexb", stream)
        return [bytes(out) for packet in film.demux(stream) if packet.size for out in to_annexb.filter(packet)]


class RtspCamera:
    """Serves ``path`` at rtsp://127.0.0.1:``port``/live; ``methods`` is what it was asked."""

    def __init__(self, path: Path, habits: Habits) -> None:
        self.methods: list[str] = []
        self._units, self._habits = access_units(path), habits
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._stop.is_set():
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            reader = connection.makefile("rb")
            while True:
                first = reader.read(1)
                if first == b"$":
                    reader.read(int.from_bytes(reader.read(3)[1:]))
                    continue
                lines = [first + reader.readline()]
                while lines[-1] not in (b"\r\n", b""):
                    lines.append(reader.readline())
                if lines[-1] == b"":
                    return
                self._answer(connection, b"".join(lines).decode())

    def _answer(self, connection: socket.socket, head: str) -> None:
        method, uri = head.split()[:2]
        self.methods.append(method)
        number = re.search(r"CSeq: *(\d+)", head)
        extra, body, status, play = "", "", "200 OK", False
        if self._habits.algorithms and method != "OPTIONS" and not self._right(head, method):
            status = "401 Unauthorized"
            for name in self._habits.algorithms:
                extra += f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", algorithm={name}\r\n'
        elif method == "DESCRIBE":
            body = (
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
                "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                "a=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
            )
            extra = f"Content-Base: {uri}/\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            ports = re.search(r"client_port=(\d+)-(\d+)", head)
            if self._habits.udp_only and not ports:
                status = "461 Unsupported Transport"
            elif ports:
                self._udp = (connection.getpeername()[0], int(ports[1]))
                pair = f"client_port={ports[1]}-{ports[2]};server_port=6970-6971"
                extra = f"Session: 1\r\nTransport: RTP/AVP;unicast;{pair}\r\n"
            else:
                extra = "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        elif method == "PLAY":
            extra, play = "Session: 1\r\n", True
        connection.sendall(f"RTSP/1.0 {status}\r\nCSeq: {number[1] if number else 0}\r\n{extra}\r\n{body}".encode())
        if play:
            threading.Thread(target=self._play, args=(connection,), daemon=True).start()

    def _right(self, head: str, method: str) -> bool:
        fields = dict(re.findall(r'(\w+)="?([^",\r]*)"?', head.partition("Authorization: Digest ")[2]))
        algorithm = fields.get("algorithm", "MD5")
        if algorithm not in self._habits.algorithms or fields.get("nonce") != NONCE:
            return False
        name = {"MD5": "md5", "SHA-256": "sha256"}[algorithm]

        def seal(text: str) -> str:
            return hashlib.new(name, text.encode()).hexdigest()

        account, request = seal(f"{USER}:{REALM}:{PASSWORD}"), seal(f"{method}:{fields['uri']}")
        return fields["response"] == seal(f"{account}:{NONCE}:{request}")

    def _play(self, connection: socket.socket) -> None:
        sequence, begin = 0, time.monotonic()
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM) if self._habits.udp_only else None
        with contextlib.suppress(OSError):
            for i in range(100_000):
                unit = self._units[(i + self._habits.start) % len(self._units)]
                stamp = int(i / self._habits.fps * 90000) & 0xFFFFFFFF
                for last, payload in _payloads(unit):
                    header = struct.pack(">BBHII", 0x80, 96 | (0x80 if last else 0), sequence & 0xFFFF, stamp, 7)
                    sequence += 1
                    packet = header + payload
                    if udp is not None:
                        udp.sendto(packet, self._udp)
                    else:
                        connection.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
                if self._stop.wait(max(0.0, begin + (i + 1) / self._habits.fps - time.monotonic())):
                    return


def _payloads(unit: bytes) -> Iterator[tuple[bool, bytes]]:
    """(whether it is the picture's last, RTP payload): single NAL units and FU-A (RFC 6184)."""
    units = [n for n in re.split(rb"\x00\x00\x00?\x01", unit) if n]
    for index, nal in enumerate(units):
        final = index == len(units) - 1
        if len(nal) <= MTU:
            yield final, nal
            continue
        parts = [nal[k : k + MTU] for k in range(1, len(nal), MTU)]
        for k, part in enumerate(parts):
            edge = (0x80 if k == 0 else 0) | (0x40 if k == len(parts) - 1 else 0)
            yield final and k == len(parts) - 1, bytes([nal[0] & 0xE0 | 28, nal[0] & 31 | edge]) + part


@contextlib.contextmanager
def rtsp_camera(path: Path, habits: Habits = Habits()) -> Iterator[RtspCamera]:  # noqa: B008 — frozen
    camera = RtspCamera(path, habits)
    try:
        yield camera
    finally:
        camera.close()
