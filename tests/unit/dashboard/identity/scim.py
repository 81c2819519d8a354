"""A directory that speaks SCIM 2.0 over a real socket: pages, a token, answers that break off."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "directory-token-of-tests"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@dataclass
class ScimDirectory:
    """What it holds; ``most`` rows a page at most, whatever is asked; ``breaks_after`` rows the server fails."""

    users: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    most: int = 100
    breaks_after: int | None = None
    asked: int = 0
    url: str = ""

    def user(self, number: str, login: str, name: str, department: str = "", **more: Any) -> None:
        row = {"id": number, "userName": login, "displayName": name, "active": True, **more}
        self.users.append(row | ({ENTERPRISE: {"department": department}} if department else {}))


@contextmanager
def scim_directory() -> Iterator[ScimDirectory]:
    """It runs on a free port of the loopback."""
    made = ScimDirectory()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked += 1
            parts = urlsplit(self.path)
            query = {k: int(v[0]) for k, v in parse_qs(parts.query).items()}
            rows = {"/scim/v2/Users": made.users, "/scim/v2/Groups": made.groups}.get(parts.path)
            start, count = query.get("startIndex", 1) - 1, min(query.get("count", 100), made.most)
            broken = made.breaks_after is not None and start >= made.breaks_after
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._answer(401, {"detail": "who are you?"})
            elif rows is None or broken:
                self._answer(500 if broken else 404, {})
            else:
                page = rows[start : start + count]
                self._answer(200, {"totalResults": len(rows), "startIndex": start + 1, "Resources": page})

        def _answer(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/scim+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/scim/v2"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
