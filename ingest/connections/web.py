"""Web requests of connections: bounded in time and size, to the one address that was judged, following nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.bounds import check_url
from core.late import Late
from core.network.fetching import fetch
from ingest.connections.contract import MAX_BYTES, ConnectionFailed, Wiring
from ingest.jsontext import NotJson, read_json

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

_SHOWN = 200
ANSWER_S = 120.0  # of a whole answer, however slowly it comes


class WebClient:
    """Requests of one connection."""

    def __init__(self, wiring: Wiring, timeout_s: float = 15.0) -> None:
        self._wiring = wiring
        self._client = httpx.AsyncClient(timeout=timeout_s, follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def json(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Any:
        """The JSON of a 2xx answer; :class:`ConnectionFailed` says what came instead."""
        status, body = await self.request(method, url, query=query, headers=headers, content=content)
        if not 200 <= status < 300:
            shown = body[:_SHOWN].decode("utf-8", "replace").strip()
            raise ConnectionFailed(where=_short(url), detail=f"status {status} {shown}".strip())
        try:
            return read_json(body)
        except NotJson as error:
            raise ConnectionFailed(where=_short(url), detail=f"the answer is no JSON: {error}") from error

    async def request(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> tuple[int, bytes]:
        """Status and body of an answer; :class:`ConnectionFailed`, or ``InputInvalid`` for a forbidden address."""
        parts = check_url("url", url)
        address, host = await self._wiring.bounds.url("url", url)
        there = parts.copy_with(host=address)
        sent = {**dict(headers or {}), "Host": parts.netloc.decode()}
        options: dict[str, Any] = {"extensions": {"sni_hostname": host}}
        if query:
            options["params"] = parts.params.merge(dict(query))
        try:
            response, raw = await fetch(
                self._client, method, there, most=MAX_BYTES, deadline_s=ANSWER_S, headers=sent, content=content,
                **options,
            )  # fmt: skip
        except httpx.HTTPError as error:
            detail = f"{type(error).__name__} {error}".strip()
            raise ConnectionFailed(where=_short(url), detail=detail) from error
        return response.status_code, raw


def _short(url: str) -> str:
    return url.partition("?")[0][:200]
