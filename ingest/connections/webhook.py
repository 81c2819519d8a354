"""Webhook in: the sender calls ``POST /push/<connection>`` of the ingest listener with its key; perhaps signed."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec

from core.plugins import About, Words
from ingest import cloudevents
from ingest.connections.contract import ConnectionFailed, Wiring
from ingest.jsontext import NotJson, read_json

ABOUT = About(
    zh="对方推送（Webhook）",
    en="The sender calls us (webhook)",
    transport="push",
    direction="in",
    secrets=("signing_secret",),
    help=Words(
        "保存后点“生成密钥”，把地址和密钥交给对方：POST JSON，请求头 Authorization: Bearer 密钥。"
        "填了签名密钥时还校验签名和时间。",
        "Save, then make a key and give the sender address and key: POST JSON with Authorization: Bearer KEY. With a "
        "signing secret the signature and its age are checked too.",
    ),
    params={
        "signature_header": Words("签名请求头", "Signature header"),
        "unwrap": Words("取出 CloudEvents 的 data", "Take the data out of CloudEvents"),
    },
)
_MAX_AGE_S = 300
_REMEMBERED = 5000


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``signature_header``: holds ``t=<unix s>,v1=<hex HMAC-SHA256 of "<t>." + body>`` (what our webhooks send)."""

    signature_header: str = "X-Yiwang-Signature"
    unwrap: bool = True


def build(params: Params, *, wiring: Wiring) -> Webhook:
    """The receiver."""
    return Webhook(params, wiring)


class Webhook:
    """One sender."""

    def __init__(self, params: Params, wiring: Wiring) -> None:
        self.params, self.wiring = params, wiring
        self._seen: OrderedDict[str, None] = OrderedDict()

    def read(self, headers: Mapping[str, str], body: bytes) -> Any:
        """The JSON of a call (``headers`` in lower case); :class:`ConnectionFailed` for a bad, old or repeated one."""
        secret = self.wiring.secrets.get("signing_secret", "")
        if secret:
            self._verify(secret, headers.get(self.params.signature_header.lower(), ""), body)
        try:
            found = read_json(body)
        except NotJson as error:
            raise ConnectionFailed(where="body", detail=f"is no JSON: {error}") from error
        if self.params.unwrap and isinstance(found, dict) and found.get("specversion") == "1.0":
            return dict(cloudevents.check(found))
        return found

    def took(self, headers: Mapping[str, str]) -> None:
        """What was sent is durable: the same signature is a repeat from now on."""
        given = headers.get(self.params.signature_header.lower(), "")
        if given:
            self._seen[given] = None
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)

    def _verify(self, secret: str, given: str, body: bytes) -> None:
        parts = dict(part.strip().partition("=")[::2] for part in given.split(","))
        at = parts.get("t", "")
        wanted = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted.encode(), parts.get("v1", "").encode("utf-8", "replace")):
            raise ConnectionFailed(where="signature", detail="is not ours for this body")
        if not at.isascii() or not at.isdigit() or abs(time.time() - int(at)) > _MAX_AGE_S:
            raise ConnectionFailed(where="signature", detail=f"is older than {_MAX_AGE_S} s")
        if given in self._seen:
            raise ConnectionFailed(where="signature", detail="was used before")
