"""A photogrammetry node made here: NodeODM's interface over a real socket, with the faults that one can order."""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PART = re.compile(rb'name="(\w+)"(?:; filename="([^"]*)")?[^\r]*\r\n(?:[^\r]+\r\n)*\r\n')


@dataclass
class SimulatedNode:
    """``product``: what all.zip holds; ``fails``: the task's error; ``holds``: it runs until somebody cancels;
    ``drops``: so many uploads are answered with an error first; ``error``: init is refused with it."""

    token: str = ""
    product: dict[str, bytes] = field(default_factory=dict)
    fails: str = ""
    holds: bool = False
    drops: int = 0
    error: str = ""
    broken: bool = False
    url: str = ""
    photos: dict[str, list[str]] = field(default_factory=dict)
    options: list[Any] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    polls: int = 0

    def answer(self, method: str, path: str, query: dict[str, list[str]], head: Any, body: bytes) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        if self.token and query.get("token") != [self.token]:
            return 401, {"error": "Invalid token"}
        parts = path.strip("/").split("/")
        match [method, *parts]:
            case ["GET", "info"]:
                return 200, {"version": "2.3.1", "engine": "odx", "engineVersion": "3.6.1", "taskQueueCount": 0}
            case ["GET", "options"]:
                names = ("orthophoto-resolution", "dsm", "cog")
                return 200, [{"domain": "", "help": "", "name": n, "type": "bool", "value": ""} for n in names]
            case ["POST", "task", "new", "init"]:
                return self._init(head, body)
            case ["POST", "task", "new", "upload", uuid]:
                return self._upload(uuid, body)
            case ["POST", "task", "new", "commit", uuid]:
                self.states[uuid] = 20
                return 200, {"uuid": uuid}
            case ["POST", "task", ("cancel" | "remove") as what]:
                uuid = parse_qs(body.decode()).get("uuid", [""])[0]
                self.states[uuid] = 50 if what == "cancel" else 0
                return 200, {"success": True}
            case ["GET", "task", uuid, "info"]:
                return 200, self._info(uuid)
            case ["GET", "task", _, "download", "all.zip"]:
                return 200, self._archive()
        return 404, {"error": "not found"}

    def _init(self, head: Any, body: bytes) -> tuple[int, Any]:
        if self.error:
            return 200, {"error": self.error}
        fields = {name: rest for name, _, rest in _fields(body)}
        self.options = json.loads(fields["options"])
        uuid = head["set-uuid"]
        self.photos[uuid], self.states[uuid] = [], 10
        return 200, {"uuid": uuid}

    def _upload(self, uuid: str, body: bytes) -> tuple[int, Any]:
        if self.drops:
            self.drops -= 1
            return 200, {"error": "upload was dropped"}
        self.photos[uuid] += [file for name, file, _ in _fields(body) if name == "images"]
        return 200, {"success": True}

    def _info(self, uuid: str) -> dict[str, Any]:
        self.polls += 1
        code = self.states.get(uuid, 0)
        if not code:
            return {"error": f"{uuid} not found"}
        if code == 20 and not self.holds and self.polls > 1:
            code = self.states[uuid] = 30 if self.fails else 40
        return {
            "uuid": uuid, "name": "", "dateCreated": 1700000000000, "processingTime": -1, "imagesCount": 3,
            "options": [], "status": {"code": code, "errorMessage": self.fails}, "progress": 100 if code == 40 else 37,
        }  # fmt: skip

    def _archive(self) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, data in self.product.items():
                packed.writestr(name, data)
        return out.getvalue()[: 40 if self.broken else None]


def _fields(body: bytes) -> list[tuple[str, str, bytes]]:
    boundary = body.split(b"\r\n", 1)[0]
    out = []
    for part in body.split(boundary):
        found = PART.search(part)
        if found:
            out.append((found[1].decode(), (found[2] or b"").decode(), part[found.end() :].rstrip(b"\r\n")))
    return out


@contextmanager
def node(**made: Any) -> Iterator[SimulatedNode]:
    """It listens on loopback while the block runs."""
    simulated = SimulatedNode(**made)

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            asked = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, said = simulated.answer(self.command, asked.path, parse_qs(asked.query), self.headers, body)
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/zip" if isinstance(said, bytes) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do  # noqa: N815 — as the base class names them

        def log_message(self, *_said: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    simulated.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield simulated
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
