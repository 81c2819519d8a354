"""E-licence verification (电子证照核验): another platform says whether a licence exists, is valid and whose it is.

Licence platforms have no common protocol; ours is the form of the shipped simulator: ``POST`` of
``{"licenceId", "holderName", "holderNumber"}``, signed as the hotline's requests are (application id, time, nonce,
HMAC), answered by ``{"code": 0, "data": {…} | null}``; ``fields`` and ``states`` fit another platform's names and
words.
What is kept of a licence follows GB/T 36902 and 36903: type, name, holder, issuer, dates, state, identifier, link.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from core.bounds import check_url
from core.licences import STATES, LicenceFound
from core.plugins import About, Words
from ingest.connections.contract import ConnectionFailed, Fetched, Wiring
from ingest.connections.hotline import signed
from ingest.connections.web import WebClient
from ingest.mapping import find

ABOUT = About(
    zh="电子证照核验",
    en="E-licence verification",
    direction="ask",
    secrets=("app_secret",),
    help=Words(
        "填写证照平台的核验地址和应用标识，应用密钥填在“密钥”。对方字段名不同时填“字段对应”，"
        "状态用词不同时填“状态对应”。核验在 /licences 页面进行。",
        "Type the platform's address and the application id; its secret goes under Secrets. Fields and words of "
        "another platform are mapped below. Licences are verified on the page /licences.",
    ),
    params={
        "url": Words("核验地址", "Address"),
        "app_id": Words("应用标识", "Application id"),
        "data_path": Words("结果路径", "Path of the result"),
        "fields": Words("字段对应", "Fields: ours → path"),
        "states": Words("状态对应", "States: the platform's word → ours"),
        "probe": Words("试连用的证照标识", "Identifier for the connection test"),
    },
)
FIELDS = {
    "identifier": "licenceId", "name": "licenceName", "holder": "holderName", "issuer": "issuer",
    "issued": "issueDate", "valid_until": "validUntil", "state": "state", "link": "fileUrl",
}  # fmt: skip
WORDS = {
    "有效": "valid", "吊销": "revoked", "撤销": "withdrawn", "注销": "cancelled", "过期": "expired", "其他": "other",
}  # fmt: skip


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``fields``: what is told of a licence → path below ``data_path``; ``states``: word → one of ours."""

    url: str
    app_id: str
    data_path: str = "data"
    fields: dict[str, str] = {}
    states: dict[str, str] = {}
    probe: str = "1.2.156.3005.2.0"

    def __post_init__(self) -> None:
        check_url("url", self.url)
        unknown = [name for name in self.fields if name not in FIELDS]
        if unknown:
            raise ValueError(f"fields: {unknown[0]!r} is none of {', '.join(FIELDS)}")
        wrong = [state for state in self.states.values() if state not in STATES]
        if wrong:
            raise ValueError(f"states: {wrong[0]!r} is none of {', '.join(STATES)}")


def build(params: Params, *, wiring: Wiring) -> LicencePlatform:
    """The connector."""
    return LicencePlatform(params, wiring)


class LicencePlatform:
    """One platform that answers for licences."""

    def __init__(self, params: Params, wiring: Wiring) -> None:
        self.params, self.wiring = params, wiring
        self._client = WebClient(wiring)

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def confirm(self) -> None:
        """Nothing is read on."""

    async def fetch(self, cursor: str) -> Fetched:
        """What the connection test shows: the answer to ``probe``."""
        return Fetched(await self._ask(self.params.probe, "", ""), cursor)

    async def verify(self, identifier: str, holder: str = "", holder_number: str = "") -> LicenceFound | None:
        """What the platform knows of the licence, None where it knows none; :class:`ConnectionFailed`."""
        answer = find(await self._ask(identifier, holder, holder_number), self.params.data_path)
        if answer in (None, {}, [], ""):
            return None
        if isinstance(answer, list):
            answer = answer[0]
        if not isinstance(answer, dict):
            raise ConnectionFailed(where=self.params.url, detail=f"there is no licence at {self.params.data_path}")
        return read_answer(answer, self.params)

    async def _ask(self, identifier: str, holder: str, holder_number: str) -> Any:
        p = self.params
        asked = {"licenceId": identifier, "holderName": holder, "holderNumber": holder_number}
        body = json.dumps(asked, ensure_ascii=False).encode()
        headers = {**signed(p.app_id, self.wiring.secret("app_secret"), body), "Content-Type": "application/json"}
        found = await self._client.json("POST", p.url, headers=headers, content=body)
        code = find(found, "code")
        if code not in (None, 0, "0", 200, "200"):
            raise ConnectionFailed(where=p.url, detail=f"code {code}: {str(find(found, 'message') or '')[:200]}")
        return found


def read_answer(answer: Mapping[str, Any], params: Params) -> LicenceFound:
    """A platform's answer as a licence; a state that no word tells is ``other``, a date that is none is left out."""
    paths = {**FIELDS, **params.fields}
    told = {name: find(dict(answer), path) for name, path in paths.items()}
    word = str(told.pop("state") or "").strip()
    state = {**WORDS, **params.states}.get(word, word if word in STATES else "other")
    issued, until = _day(told.pop("issued")), _day(told.pop("valid_until"))
    texts = {name: str(value or "").strip()[:200] for name, value in told.items()}
    return LicenceFound(**texts, state=state, state_word=word[:40], issued=issued, valid_until=until)


def _day(value: Any) -> date | None:
    text = str(value or "").strip()[:10].replace("/", "-").replace("年", "-").replace("月", "-").rstrip("日")
    if len(text) == 8 and text.isascii() and text.isdigit():
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    try:
        return date(*(int(part) for part in text.split("-")))
    except (ValueError, TypeError, OverflowError):
        return None
