"""Department systems: a REST API that is polled with a mapping and a cursor (smart sanitation, gas, emergency command).

``{cursor}`` in ``url``, ``query`` or ``body`` is how far was read; the next one comes from the answer
(``cursor_path``) or is the greatest of the items' ``cursor_item``.  It is kept only after everything became durable, so
that nothing is skipped; what is read twice has the same ids and vanishes.  Secrets stand in the environment.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from core.clock import Clock
from core.errors import SettingsError
from core.late import Late
from core.network.fetching import fetch
from core.plugins import About, Words
from ingest.mapping import (
    MAX_PAYLOAD_BYTES,
    ItemsMissing,
    Mapping,
    PayloadNotJson,
    check_mapping,
    find,
    items_of,
    map_items,
    read_mapping,
)
from ingest.polling import Cursor, Polled, Publish, SourceUnreachable, publish_mapped

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

ABOUT = About(
    zh="部门系统接口（REST）",
    en="Department system (REST)",
    transport="poll",
    params={
        "url": Words("地址", "Address"),
        "mapping": Words("字段对应", "Mapping"),
        "method": Words("请求方法", "Method"),
        "query": Words("查询参数", "Query"),
        "body": Words("请求体", "Body"),
        "headers": Words("请求头", "Headers"),
        "token_env": Words("令牌所在环境变量", "Variable that holds the token"),
        "token_header": Words("令牌请求头", "Header of the token"),
        "start": Words("起始值", "Start"),
        "cursor_path": Words("游标在应答中的位置", "Where the cursor stands"),
        "cursor_item": Words("游标取自每条的字段", "Cursor from an item's field"),
        "more_path": Words("是否还有下页的位置", "Where “more” stands"),
        "interval_s": Words("读取间隔（秒）", "Read every (s)"),
        "timeout_s": Words("超时（秒）", "Time-out (s)"),
        "most_pages": Words("最多页数", "Pages at most"),
    },
)


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``mapping``: as in :mod:`ingest.mapping`.  ``token_env``: the environment variable whose value is sent as
    ``Authorization: Bearer`` (or in ``token_header``).  ``start`` is the first cursor.  ``more_path``: where the answer
    says that another page waits; without it a page is the last when it brings no item or does not move the cursor.
    """

    url: str
    mapping: dict[str, Any]
    method: Literal["GET", "POST"] = "GET"
    query: dict[str, str] = {}
    body: dict[str, Any] = {}
    headers: dict[str, str] = {}
    token_env: str = ""
    token_header: str = ""
    start: str = ""
    cursor_path: str = ""
    cursor_item: str = ""
    more_path: str = ""
    interval_s: float = 30.0
    timeout_s: float = 15.0
    most_pages: int = 50

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError("url: http:// or https:// expected")
        if self.interval_s < 1:
            raise ValueError("interval_s: at least 1")
        check_mapping(self.mapping)


def build(params: Params, *, name: str = "rest", state_dir: Path | None = None) -> Rest:
    """The source; ``state_dir`` keeps the cursor (without it every start begins at ``start``)."""
    return Rest(params, name, state_dir)


class Rest:
    """One API."""

    kind: ClassVar[str] = "rest"

    def __init__(self, params: Params, name: str, state_dir: Path | None) -> None:
        self.params, self.name, self.interval_s = params, name, params.interval_s
        self.mapping: Mapping = read_mapping({"name": name, "source": "rest", **params.mapping})
        self._kept = Cursor(state_dir, name) if state_dir else None
        self._cursor: str | None = None
        self._client = httpx.AsyncClient(timeout=params.timeout_s, follow_redirects=False)

    async def close(self) -> None:
        """Hang up; the next poll opens a new connection."""
        await self._client.aclose()
        self._client = httpx.AsyncClient(timeout=self.params.timeout_s, follow_redirects=False)

    async def poll(self, publish: Publish, clock: Clock) -> Polled:
        """Read pages until there is no news."""
        if self._cursor is None:
            self._cursor = (self._kept.load() if self._kept else None) or self.params.start
        total = Polled()
        for _ in range(self.params.most_pages):
            body = await self._page(self._cursor)
            try:
                items = items_of(self.mapping, body)
            except ItemsMissing as error:  # often an answer that says what went wrong
                total.refused.append(error)
                break
            polled = await publish_mapped(self.name, map_items(self.mapping, items, clock.now()), publish)
            total.readings += polled.readings
            total.observations += polled.observations
            total.refused += polled.refused
            following = self._following(body, items)
            moved = following != self._cursor
            if moved:
                self._cursor = following
                if self._kept:
                    self._kept.save(following)
            wanted = bool(find(body, self.params.more_path)) if self.params.more_path else bool(items)
            if not (moved and wanted):
                break
        return total

    def _following(self, body: Any, items: list[Any]) -> str:
        p = self.params
        if p.cursor_path:
            found = find(body, p.cursor_path)
            return str(found) if isinstance(found, str | int | float) and found != "" else str(self._cursor)
        if p.cursor_item:
            found = [find(item, p.cursor_item) for item in items]
            numbers = [v for v in found if isinstance(v, int | float) and not isinstance(v, bool)]
            words = [v for v in found if isinstance(v, str) and v]
            if numbers:
                before = _as_number(self._cursor)
                return str(max(numbers) if before is None else max(*numbers, before))
            return max([*words, str(self._cursor)])
        return str(self._cursor)

    async def _page(self, cursor: str) -> Any:
        p = self.params
        headers = dict(p.headers)
        if p.token_env:
            token = os.environ.get(p.token_env)
            if not token:
                raise SettingsError(field=p.token_env, detail="is not set", how=f"set it for the source {self.name!r}")
            headers[p.token_header or "Authorization"] = token if p.token_header else f"Bearer {token}"
        url = p.url.replace("{cursor}", httpx.URL("", params={"c": cursor}).query.decode()[2:])
        query = {k: v.replace("{cursor}", cursor) for k, v in p.query.items()}
        content = _filled(p.body, cursor) if p.method == "POST" else None
        try:
            options: dict[str, Any] = {"params": query or None, "headers": headers, "json": content}
            response, raw = await fetch(
                self._client, p.method, url, most=MAX_PAYLOAD_BYTES * 8, deadline_s=4 * p.timeout_s, **options
            )
            if response.status_code != 200:
                raise self._lost(f"status {response.status_code}")
        except httpx.HTTPError as error:
            raise self._lost(f"{type(error).__name__} {error}".strip()) from error
        try:
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise PayloadNotJson(mapping=self.name, detail=str(error)) from error

    def _lost(self, detail: str) -> SourceUnreachable:
        return SourceUnreachable(source=self.name, url=httpx.URL(self.params.url).copy_with(query=None), detail=detail)


def _as_number(text: str | None) -> float | int | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return int(value) if value.is_integer() else value


def _filled(value: Any, cursor: str) -> Any:
    if isinstance(value, str):
        return value.replace("{cursor}", cursor)
    if isinstance(value, dict):
        return {k: _filled(v, cursor) for k, v in value.items()}
    return [_filled(v, cursor) for v in value] if isinstance(value, list) else value
