"""Hotline orders (12345): signed requests for new orders, page by page.

Centres have no common protocol; most ask for an application id, a time, a nonce and a signature.  Ours is the form that
the shipped starter speaks: headers ``X-App-Id``, ``X-Timestamp`` (unix s),
``X-Nonce``, ``X-Sign`` = hex HMAC-SHA256 of ``app id + timestamp + nonce + body``; the answer ``{"code": 0, "data":
{"list": […], "next": "…", "more": bool}}``.  The hand-back is the outgoing connection ``push``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping

import msgspec

from core.bounds import check_url
from core.plugins import About, Words
from ingest.connections.contract import ConnectionFailed, Fetched, Wiring
from ingest.connections.web import WebClient
from ingest.mapping import find

ABOUT = About(
    zh="热线工单（12345）",
    en="Hotline orders (12345)",
    transport="poll",
    direction="in",
    interval_s=30.0,
    secrets=("app_secret",),
    help=Words(
        "填写热线中心的取单地址和应用标识；应用密钥填在“密钥”。"
        "映射里用 orders 把工单变成案卷，退单和答复用“推送”连接回传。",
        "Type the address for new orders and the application id; its secret goes under Secrets. In the mapping, orders "
        "turns them into cases; a push connection hands answers and returns back.",
    ),
    params={
        "url": Words("取单地址", "Address for orders"),
        "app_id": Words("应用标识", "Application id"),
        "list_path": Words("工单列表路径", "Path of the list"),
        "next_path": Words("下一位置路径", "Path of the next cursor"),
        "more_path": Words("“还有”路径", "Path of “more”"),
        "page_size": Words("每次取单数", "Orders at once"),
    },
)


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """Paths as in a mapping."""

    url: str
    app_id: str
    list_path: str = "data.list"
    next_path: str = "data.next"
    more_path: str = "data.more"
    page_size: int = 100

    def __post_init__(self) -> None:
        check_url("url", self.url)


def build(params: Params, *, wiring: Wiring) -> Hotline:
    """The connector."""
    return Hotline(params, wiring)


def signed(app_id: str, secret: str, body: bytes) -> Mapping[str, str]:
    """The headers of a request."""
    stamp, nonce = str(int(time.time())), secrets.token_hex(8)
    return {"X-App-Id": app_id, "X-Timestamp": stamp, "X-Nonce": nonce,
            "X-Sign": signature(app_id, stamp, nonce, secret, body)}  # fmt: skip


def signature(app_id: str, stamp: str, nonce: str, secret: str, body: bytes) -> str:
    """Hex HMAC-SHA256 of application id, time, nonce and body."""
    return hmac.new(secret.encode(), f"{app_id}{stamp}{nonce}".encode() + body, hashlib.sha256).hexdigest()


class Hotline:
    """One centre."""

    def __init__(self, params: Params, wiring: Wiring) -> None:
        self.params, self.wiring = params, wiring
        self._client = WebClient(wiring)

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def confirm(self) -> None:
        """The next question names how far was read."""

    async def fetch(self, cursor: str) -> Fetched:
        """The orders after the cursor."""
        p = self.params
        body = json.dumps({"after": cursor, "size": p.page_size}).encode()
        headers = {**signed(p.app_id, self.wiring.secret("app_secret"), body), "Content-Type": "application/json"}
        found = await self._client.json("POST", p.url, headers=headers, content=body)
        code = find(found, "code")
        if code not in (None, 0, "0", 200, "200"):
            raise ConnectionFailed(where=p.url, detail=f"code {code}: {str(find(found, 'message') or '')[:200]}")
        orders = find(found, p.list_path)
        if not isinstance(orders, list):
            raise ConnectionFailed(where=p.url, detail=f"there is no list at {p.list_path}")
        following = find(found, p.next_path)
        after = str(following) if isinstance(following, str | int) and following != "" else cursor
        return Fetched(found, after, bool(find(found, p.more_path)) and after != cursor)
