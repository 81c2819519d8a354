"""``web_push``: notices on phones and browsers whose page is closed, through the browser's push service (RFC 8030).

``{"web_push": {"contact": "mailto:duty@example.org"}}`` in ``notify.json`` switches it on; people opt in on the phone
page.  Without a way to the Internet nobody can subscribe, and nothing is sent.  404 and 410 delete a subscription; 413
is tried once with the title alone; 429, 5xx and a dead network are tried again later, as ``Retry-After`` says; any
other refusal is noted on the subscription.  A repeat reaches only those who have not had the notice.
"""

from __future__ import annotations

import asyncio
import http.client
import logging
import socket
import ssl
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import delete, select, update

from core.bus import Bus
from core.errors import InputInvalid, SettingsError
from core.network.deadline import SocketDeadline
from core.plugins import About, Words
from core.settings import Settings
from events.notify import push_encryption
from events.notify.channel import NoticeMessage, NotifierFailed, audience
from storage.session import make_engine, read_scope, session_scope
from storage.tables.people import LoginSession, PushSubscription

ABOUT = About(
    zh="浏览器推送",
    en="Web Push",
    params={
        "contact": Words("联系方式", "Contact"),
        "ttl_s": Words("有效时间（秒）", "Valid for (s)"),
        "min_severity": Words("最低等级", "Severity from"),
        "allow_private": Words("允许内网地址", "Private addresses allowed"),
        "ca_file": Words("证书颁发者文件", "Authority's file"),
    },
)

log = logging.getLogger("yiwang.web_push")

TIMEOUT_S = 8.0
WHOLE_S = 20.0  # one message from first to last: phones name the servers, and a hostile one would hold a thread
THREADS = 4  # of its own: a dead push service must not hold the threads that others wait for
PAUSE_S = 60.0  # for a push service that did not answer
MAX_PAUSE_S = 6 * 3600.0
MAX_SUBSCRIPTIONS = 500  # reached by one notice
REMEMBERED = 10_000


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``contact``: whom the push service may ask, ``mailto:…`` or ``https:…`` (RFC 8292).

    ``ttl_s``: how long the push service keeps a message for a phone that is off; an older notice is not sent at all.
    ``allow_private``, ``ca_file``: for a push service of one's own inside the network.
    """

    contact: str
    ttl_s: int = 86400
    min_severity: int = 2
    allow_private: bool = False
    ca_file: str = ""

    def __post_init__(self) -> None:
        if not self.contact.startswith(("mailto:", "https://")) or not self.contact.isascii() or "\n" in self.contact:
            raise ValueError("contact must begin with mailto: or https://")
        if not 0 <= self.ttl_s <= 28 * 86400:
            raise ValueError("ttl_s must lie between 0 and 2419200")


class PushTarget(msgspec.Struct, frozen=True):
    """A subscription, read."""

    subscription_id: str
    endpoint: str
    p256dh: str
    auth: str


class PushAnswer(msgspec.Struct, frozen=True):
    """What became of one message: ``status`` is HTTP's, 0 without an answer."""

    status: int
    detail: str = ""
    retry_after_s: float = 0.0


def build(params: Params, *, settings: Settings, bus: Bus) -> WebPush:
    """The channel."""
    del bus
    return WebPush(params, settings)


class WebPush:
    """See the module."""

    def __init__(self, params: Params, settings: Settings) -> None:
        self._params = params
        self._settings = settings
        self._key = push_encryption.server_key(settings.data_dir)
        self._context = _context(params.ca_file)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="web-push")
        self._done: OrderedDict[tuple[str, str], None] = OrderedDict()  # (notice, subscription): has it
        self._paused: dict[str, float] = {}  # subscription or host → not before (monotonic)

    async def send(self, notice: NoticeMessage) -> None:
        """Push to every subscription of those the notice is for."""
        age_s = (datetime.now(UTC) - notice.created_at).total_seconds()
        if notice.severity < self._params.min_severity or age_s > self._params.ttl_s:
            return
        targets = await asyncio.to_thread(self._targets, notice)
        todo = [t for t in targets if (notice.notice_id, t.subscription_id) not in self._done]
        loop = asyncio.get_running_loop()
        answers = await asyncio.gather(*(loop.run_in_executor(self._threads, self._push, t, notice) for t in todo))
        pairs = list(zip(todo, answers, strict=True))
        if pairs:
            await asyncio.to_thread(self._settle, pairs)
        for target, answer in pairs:
            if not _passing(answer):
                self._remember(notice.notice_id, target.subscription_id)
        left = [answer for _, answer in pairs if _passing(answer)]
        if left:
            raise NotifierFailed(channel="web_push", detail=f"{len(left)} of {len(targets)} phones: {left[0].detail}")

    def _targets(self, notice: NoticeMessage) -> list[PushTarget]:
        live = select(LoginSession.session_hash).where(LoginSession.expires_at > datetime.now(UTC))
        query = (
            select(PushSubscription)
            .where(PushSubscription.user_id.in_(audience(notice)), PushSubscription.session_hash.in_(live))
            .order_by(PushSubscription.created_at.desc())
            .limit(MAX_SUBSCRIPTIONS)
        )
        engine = make_engine(self._settings.database_url)
        try:
            with read_scope(engine) as session:
                return [PushTarget(s.subscription_id, s.endpoint, s.p256dh, s.auth) for s in session.scalars(query)]
        finally:
            engine.dispose()

    # one message ----------------------------------------------------------
    def _push(self, target: PushTarget, notice: NoticeMessage) -> PushAnswer:
        """Send to one subscription, in a thread; never raises for what one subscription may be."""
        host = urlsplit(target.endpoint).netloc
        wait = max(self._paused.get(key, 0.0) for key in (host, target.subscription_id)) - time.monotonic()
        if wait > 0:
            return PushAnswer(status=0, detail=f"{host} is left alone for {wait:.0f} s")
        try:
            answer = self._post(target, notice, message(notice))
            if answer.status == 413:
                answer = self._post(target, notice, message(notice, bare=True))
        except InputInvalid as error:
            return PushAnswer(status=400, detail=str(error))  # an endpoint or a key that may not be used
        except (OSError, http.client.HTTPException) as error:
            self._paused[host] = time.monotonic() + PAUSE_S
            return PushAnswer(status=0, detail=f"{host}: {error}")
        if answer.status == 429:
            self._pause(target.subscription_id, answer)
        elif answer.status >= 500:
            self._pause(host, answer)
        return answer

    def _pause(self, key: str, answer: PushAnswer) -> None:
        now = time.monotonic()
        self._paused = {k: until for k, until in self._paused.items() if until > now}
        self._paused[key] = now + min(MAX_PAUSE_S, answer.retry_after_s or PAUSE_S)

    def _post(self, target: PushTarget, notice: NoticeMessage, plain: bytes) -> PushAnswer:
        host, port = push_encryption.check_endpoint(target.endpoint, self._params.allow_private)
        key, secret = push_encryption.browser_key(target.p256dh), push_encryption.browser_secret(target.auth)
        body = push_encryption.encrypt(plain, key, secret)
        parts = urlsplit(target.endpoint)
        authorization = push_encryption.authorization(self._key, target.endpoint, self._params.contact, time.time())
        headers = {
            "Authorization": authorization,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._params.ttl_s),
            "Urgency": "high" if notice.severity >= 3 else "normal",
            "Topic": push_encryption.subscription_id(notice.notice_id)[:32],  # a repeat replaces what is still waiting
        }
        with SocketDeadline(WHOLE_S) as deadline:
            connection = _Pinned(host, port, self._context, self._params.allow_private, deadline)
            try:
                path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                detail = f"HTTP {answer.status} {answer.read(300).decode('utf-8', 'replace')}".strip()
                wait = _seconds(answer.headers.get("Retry-After", ""))
                return PushAnswer(status=answer.status, detail=detail, retry_after_s=wait)
            finally:
                connection.close()

    # what became of it ----------------------------------------------------
    def _settle(self, pairs: Sequence[tuple[PushTarget, PushAnswer]]) -> None:
        now = datetime.now(UTC)
        gone = [t.subscription_id for t, a in pairs if a.status in (404, 410)]
        engine = make_engine(self._settings.database_url)
        try:
            with session_scope(engine) as session:
                if gone:
                    session.execute(delete(PushSubscription).where(PushSubscription.subscription_id.in_(gone)))
                for target, answer in pairs:
                    taken = 200 <= answer.status < 300
                    changes: dict[str, Any] = {"last_error": "" if taken else answer.detail[:200]}
                    if taken:
                        changes["last_used_at"] = now
                    elif not _passing(answer) and target.subscription_id not in gone:
                        log.warning("subscription %s refused: %s", target.subscription_id[:12], answer.detail)
                    mine = PushSubscription.subscription_id == target.subscription_id
                    session.execute(update(PushSubscription).where(mine).values(**changes))
        finally:
            engine.dispose()

    def _remember(self, notice_id: str, subscription_id: str) -> None:
        self._done[(notice_id, subscription_id)] = None
        while len(self._done) > REMEMBERED:
            self._done.popitem(last=False)


def _context(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise SettingsError(field="web_push ca_file", detail=str(error), how="name a PEM file of CAs") from error


def message(notice: NoticeMessage, bare: bool = False) -> bytes:
    """What the phone's service worker gets; ``bare``: the title alone."""
    values: dict[str, Any] = {"id": notice.notice_id, "title": notice.title, "severity": notice.severity}
    if notice.case_id:
        values["case_id"] = notice.case_id
    return push_encryption.payload(values if bare else values | {"kind": notice.kind, "body": notice.body})


def _passing(answer: PushAnswer) -> bool:
    """Worth another attempt."""
    return answer.status in (0, 408, 425, 429) or answer.status >= 500


def _seconds(header: str) -> float:
    """``Retry-After``: seconds or an HTTP date; 0 when it says nothing."""
    if header.strip().isdigit():
        return float(header[:9])
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


class _Pinned(http.client.HTTPSConnection):
    """TLS to an address that was looked at before; the certificate must be the name's.  Follows no redirect."""

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext, allow_private: bool, deadline: SocketDeadline
    ) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S, context=context)
        self._deadline = deadline
        self._tls = context
        self._allow_private = allow_private

    def connect(self) -> None:
        problem: OSError = OSError("the name has no address")
        for address in push_encryption.resolve(self.host, self.port, self._allow_private):
            try:
                plain = socket.create_connection((address, self.port), TIMEOUT_S)
            except OSError as error:
                problem = error
                continue
            self._deadline.watch(plain)
            try:
                self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
            except OSError:
                plain.close()
                raise
            self._deadline.watch(self.sock)
            return
        raise problem
