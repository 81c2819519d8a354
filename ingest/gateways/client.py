"""One HTTP client for gateways: limits on time and size, JSON answers, errors by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from core.late import Late
from core.network.fetching import fetch
from ingest.gateways.contract import GatewayUnreachable

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

MAX_ANSWER_BYTES = 16 << 20


class GatewayClient:
    """GET and POST below ``base``."""

    def __init__(self, base: str, timeout_s: float) -> None:
        self.base = base.rstrip("/")
        self._client = httpx.AsyncClient(timeout=timeout_s, follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def fetch(
        self, path: str, params: dict[str, Any], headers: dict[str, str] | None = None, body: Any = None
    ) -> tuple[int, str, bytes]:
        """Status, content type and content; :class:`GatewayUnreachable`."""
        method = "GET" if body is None else "POST"
        try:
            options = {"params": params, "headers": headers, "json": body}
            response, raw = await fetch(self._client, method, self.base + path, most=MAX_ANSWER_BYTES, **options)
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            return response.status_code, kind, raw
        except httpx.HTTPError as error:
            raise GatewayUnreachable(url=self.base, detail=f"{type(error).__name__} {error}".strip()) from error

    def parse(self, raw: bytes) -> dict[str, Any]:
        """The JSON object of an answer; :class:`GatewayUnreachable` when it is none (a login page, another server)."""
        try:
            found = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise GatewayUnreachable(url=self.base, detail="the answer is no JSON") from error
        if not isinstance(found, dict):
            raise GatewayUnreachable(url=self.base, detail="the answer is no JSON object")
        return found
