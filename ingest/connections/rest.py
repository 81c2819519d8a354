"""REST pull: a web service that is asked for JSON, page by page, from where the last answer ended."""

from __future__ import annotations

import json
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from core.bounds import check_url
from core.plugins import About, Words
from ingest.connections.contract import Fetched, Wiring
from ingest.connections.credentials import authorised
from ingest.connections.cursors import greatest
from ingest.connections.web import WebClient
from ingest.mapping import find

ABOUT = About(
    zh="接口拉取（REST）",
    en="Web service, pulled (REST)",
    transport="poll",
    direction="in",
    interval_s=60.0,
    secrets=("token", "password"),
    help=Words(
        "填写对方接口地址；{cursor} 会替换为上次读到的位置。令牌填在“密钥”里。先点“测试连接”，样例会自动取回。",
        "Type the address of the service; {cursor} stands for how far was read. The token goes under Secrets. "
        "Test the connection first: the sample is fetched for you.",
    ),
    params={
        "url": Words("接口地址", "Address"),
        "items": Words("记录在应答中的位置", "Where the items stand in the answer"),
        "method": Words("方法", "Method"),
        "query": Words("查询参数", "Query"),
        "body": Words("请求体", "Body"),
        "headers": Words("请求头", "Headers"),
        "user": Words("账号（Basic 认证）", "Account (basic authentication)"),
        "token_header": Words("令牌请求头（默认 Authorization: Bearer）", "Token header (else Authorization: Bearer)"),
        "start": Words("起始位置", "First cursor"),
        "cursor_path": Words("答复中下一位置的路径", "Next cursor in the answer"),
        "cursor_item": Words("每条记录中位置的路径", "Cursor in each item"),
        "more_path": Words("答复中“还有下一页”的路径", "“More pages” in the answer"),
    },
)


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``cursor_path``: where the answer names the next cursor; ``cursor_item``: the greatest of the items' is next."""

    url: str
    method: Literal["GET", "POST"] = "GET"
    query: dict[str, str] = {}
    body: dict[str, Any] = {}
    headers: dict[str, str] = {}
    user: str = ""
    token_header: str = ""
    start: str = ""
    items: str = ""
    cursor_path: str = ""
    cursor_item: str = ""
    more_path: str = ""

    def __post_init__(self) -> None:
        check_url("url", self.url.replace("{cursor}", "0"))


def build(params: Params, *, wiring: Wiring) -> Rest:
    """The connector."""
    return Rest(params, wiring)


class Rest:
    """One service."""

    def __init__(self, params: Params, wiring: Wiring) -> None:
        self.params, self.wiring = params, wiring
        self._client = WebClient(wiring)

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def confirm(self) -> None:
        """Nothing to tell the sender."""

    async def fetch(self, cursor: str) -> Fetched:
        """One page."""
        p, at = self.params, cursor or self.params.start
        content = json.dumps(_filled(p.body, at)).encode() if p.method == "POST" else None
        headers = {**p.headers, **authorised(self.wiring, p.user, p.token_header)}
        if content is not None:
            headers.setdefault("Content-Type", "application/json")
        query = {name: value.replace("{cursor}", at) for name, value in p.query.items()}
        url = p.url.replace("{cursor}", _quoted(at))
        body = await self._client.json(p.method, url, query=query, headers=headers, content=content)
        following = self._following(body, at)
        more = bool(find(body, p.more_path)) if p.more_path else False
        return Fetched(body, following, more and following != at)

    def _following(self, body: Any, at: str) -> str:
        p = self.params
        if p.cursor_path:
            found = find(body, p.cursor_path)
            return str(found) if isinstance(found, str | int | float) and found != "" else at
        if p.cursor_item:
            listed = find(body, p.items.removesuffix("[]")) if p.items else body
            return greatest([find(item, p.cursor_item) for item in listed], at) if isinstance(listed, list) else at
        return at


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _filled(value: Any, cursor: str) -> Any:
    if isinstance(value, str):
        return value.replace("{cursor}", cursor)
    if isinstance(value, dict):
        return {name: _filled(inner, cursor) for name, inner in value.items()}
    return [_filled(inner, cursor) for inner in value] if isinstance(value, list) else value
