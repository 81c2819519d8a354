"""Open311 GeoReport v2 of another platform: its requests, as they are updated."""

from __future__ import annotations

import msgspec

from core.bounds import check_url
from core.plugins import About, Words
from ingest.connections.contract import ConnectionFailed, Fetched, Wiring
from ingest.connections.cursors import greatest
from ingest.connections.web import WebClient

ABOUT = About(
    zh="公众诉求平台（Open311）",
    en="Requests of another platform (Open311)",
    transport="poll",
    direction="in",
    interval_s=120.0,
    secrets=("token",),
    help=Words(
        "填写对方 Open311 根地址（其下有 requests.json）。api_key 填在“密钥”的 token。",
        "Type the root of the Open311 service (requests.json lies below it). The api_key goes into the secret token.",
    ),
    params={
        "url": Words("根地址", "Root address"),
        "jurisdiction_id": Words("辖区标识", "Jurisdiction"),
        "status": Words("状态", "Status"),
        "start": Words("从何时起（ISO 8601）", "Since (ISO 8601)"),
    },
)
_PAGE = 200


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``status``: open, closed or both with a comma."""

    url: str
    jurisdiction_id: str = ""
    status: str = "open,closed"
    start: str = ""

    def __post_init__(self) -> None:
        check_url("url", self.url)


def build(params: Params, *, wiring: Wiring) -> Open311:
    """The connector."""
    return Open311(params, wiring)


class Open311:
    """One service; the cursor is the newest ``updated_datetime``."""

    def __init__(self, params: Params, wiring: Wiring) -> None:
        self.params = params
        self._token = wiring.secrets.get("token", "")
        self._client = WebClient(wiring)
        self._page = 1

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def confirm(self) -> None:
        """Nothing to tell the sender."""

    async def fetch(self, cursor: str) -> Fetched:
        """The next page of requests that were updated after the cursor."""
        p, at = self.params, cursor or self.params.start
        query = {"status": p.status, "page_size": str(_PAGE), "page": str(self._page)}
        query |= {"jurisdiction_id": p.jurisdiction_id} if p.jurisdiction_id else {}
        query |= {"updated_after": at} if at else {}
        query |= {"api_key": self._token} if self._token else {}
        found = await self._client.json("GET", f"{p.url.rstrip('/')}/requests.json", query=query)
        if not isinstance(found, list):
            raise ConnectionFailed(where=p.url, detail="the answer is no list of requests")
        more = len(found) >= _PAGE
        self._page = self._page + 1 if more else 1
        if more:
            return Fetched(found, cursor, True)  # the pages of one question belong to one moment
        newest = greatest([r.get("updated_datetime") for r in found if isinstance(r, dict)], at)
        return Fetched(found, newest)
