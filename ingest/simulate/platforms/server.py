"""One small web server that plays a platform: sanitation, gas, emergency command, the city's AI events, the hotline."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, Any]
Route = Callable[[dict[str, str], dict[str, str], bytes], Answer]
"""(query, headers in lower case, body) → (status, JSON)."""

MOST_BYTES = 1 << 20


class Platform:
    """A platform on a loopback port; ``routes`` by ``"METHOD /path"``; use as a context."""

    def __init__(self, routes: dict[str, Route], host: str = "127.0.0.1", port: int = 0) -> None:
        handler = type("Handler", (_Handler,), {"routes": routes})
        self._server = ThreadingHTTPServer((host, port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def url(self) -> str:
        """Its root."""
        return f"http://{self._server.server_address[0]!s}:{self._server.server_address[1]}"

    def __enter__(self) -> Platform:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    routes: dict[str, Route] = {}
    timeout = 10

    def do_GET(self) -> None:
        """A question."""
        self._answer()

    def do_POST(self) -> None:
        """Something handed over."""
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        size = min(int(self.headers.get("Content-Length") or 0), MOST_BYTES)
        body = self.rfile.read(size) if size else b""
        route = self.routes.get(f"{self.command} {parts.path}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, said = route(dict(parse_qsl(parts.query)), headers, body) if route else (404, {"message": "not found"})
        raw = json.dumps(said, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""
