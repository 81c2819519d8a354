"""``webhook``: notices to an SMS gateway, a WeCom or DingTalk robot, or any HTTP address, by a template.

WeCom robot: ``{"url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…",
"template": {"msgtype": "text", "text": {"content": "{title}\\n{body}\\n{link}"}}}``.
SMS gateway: ``{"url": "…", "template": {"mobiles": "{phones}", "content": "{title}"}}``: ``{phones}`` are the
comma-separated numbers of the people the notice is for, and nothing is sent when there are none.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import select

from core.bus import Bus
from core.late import Late
from core.plugins import About, Words
from core.settings import Settings
from events.notify.channel import NoticeMessage, NotifierFailed, audience
from events.notify.webhooks import post_once, sign
from storage.session import make_engine, read_scope
from storage.tables.people import User

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

ABOUT = About(
    zh="短信/企业微信网关",
    en="SMS or WeCom gateway",
    params={
        "url": Words("地址", "Address"),
        "template": Words("模板", "Template"),
        "headers": Words("请求头", "Headers"),
        "secret": Words("签名密钥", "Signing secret"),
        "ok_field": Words("表示成功的字段", "Field that tells success"),
        "min_severity": Words("最低等级", "Severity from"),
    },
)

_FIELD = re.compile(r"\{(\w+)\}")  # one pass: a title that holds "{phones}" stays a title
MAX_ANSWER_BYTES = 65_536
MAX_PHONES = 100


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``template``: JSON whose texts may hold {title} {body} {severity} {kind} {link} {phones}.

    ``secret``: when set, the body is signed as webhooks are.  ``ok_field``: a field of the JSON answer that must be
    0, "0" or true (WeCom: ``errcode``).
    """

    url: str
    template: dict[str, Any]
    headers: dict[str, str] = {}
    secret: str = ""
    ok_field: str = ""
    min_severity: int = 2

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ValueError("url must begin with http:// or https://")


def build(params: Params, *, settings: Settings, bus: Bus) -> Webhook:
    """The channel."""
    del bus
    return Webhook(params, settings)


class Webhook:
    """See the module."""

    def __init__(self, params: Params, settings: Settings) -> None:
        self._params = params
        self._settings = settings
        self._needs_phones = "{phones}" in json.dumps(params.template)

    async def send(self, notice: NoticeMessage) -> None:
        """Fill the template and post it."""
        if notice.severity >= self._params.min_severity:
            values = await asyncio.to_thread(self._values, notice)
            if values is not None:
                await self._post(values)

    @property
    def can_text(self) -> bool:
        """Does the template ask for telephone numbers?"""
        return self._needs_phones

    async def text(self, phone: str, text: str) -> None:
        """Send ``text`` to one telephone, of whoever it is."""
        values = {"title": text, "body": "", "severity": "1", "kind": "text", "link": "", "phones": phone}
        await self._post(values)

    def _values(self, notice: NoticeMessage) -> dict[str, str] | None:
        """What fills the template; None when it is about telephones and nobody has one."""
        phones = self._phones(notice) if self._needs_phones else []
        if self._needs_phones and not phones:
            return None
        link = f"{self._settings.public_url}/cases/{notice.case_id}" if notice.case_id else ""
        return {
            "title": notice.title,
            "body": notice.body,
            "severity": str(notice.severity),
            "kind": notice.kind,
            "link": link,
            "phones": ",".join(phones),
        }

    async def _post(self, values: dict[str, str]) -> None:
        data = json.dumps(fill(self._params.template, values), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", **self._params.headers}
        if self._params.secret:
            headers["X-Yiwang-Signature"] = sign(self._params.secret, data, int(time.time()))
        try:
            status, answer = await post_once(self._params.url, data, headers, MAX_ANSWER_BYTES)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotifierFailed(channel="webhook", detail=f"{type(error).__name__} {error}".strip()) from error
        if not 200 <= status < 300:
            raise NotifierFailed(channel="webhook", detail=f"HTTP {status}")
        self._check(answer)

    def _check(self, answer: bytes) -> None:
        """A gateway may refuse with HTTP 200: look at its field."""
        if self._params.ok_field:
            try:
                said = json.loads(answer)
            except (ValueError, RecursionError) as error:
                raise NotifierFailed(channel="webhook", detail="the answer is no JSON") from error
            value = said.get(self._params.ok_field) if isinstance(said, dict) else None
            if not (value is True or value == "0" or (value == 0 and value is not False)):  # 1 equals True
                raise NotifierFailed(channel="webhook", detail=f"{self._params.ok_field} is {value!r}")

    def _phones(self, notice: NoticeMessage) -> list[str]:
        query = select(User.phone).where(User.phone != "", User.user_id.in_(audience(notice)))
        engine = make_engine(self._settings.database_url)
        try:
            with read_scope(engine) as session:
                return list(session.scalars(query.order_by(User.user_id).limit(MAX_PHONES)))
        finally:
            engine.dispose()


def fill(template: Any, values: dict[str, str]) -> Any:
    """``template`` with ``{name}`` in its texts replaced; braces that name nothing stay as they are."""
    if isinstance(template, dict):
        return {key: fill(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, values) for value in template]
    if isinstance(template, str):
        return _FIELD.sub(lambda match: values.get(match[1], match[0]), template)
    return template
