"""The counter behind the door: rates, checks, codes; what passes them goes through the door."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter as Tally
from typing import Any

from core import one_time
from core.errors import InputInvalid, NotFound
from core.records import JSON
from dashboard.outside import asked, limits, wire
from dashboard.outside.bodies import Sent
from dashboard.outside.limits import Rates
from dashboard.outside.problems import CodeUnknown, DoorClosed, TooFast, TooLarge
from dashboard.outside.robots import RobotCheck
from dashboard.outside.wire import Answer, Door, Submission

log = logging.getLogger("yiwang.outside")
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
PAGE_S = 60.0  # a public page is asked for again after this long
WAIT_S = 8.0  # for the inside to judge a telephone's code
HELD = 200  # answers to wrong codes that are held back at once
HELD_EACH = 2  # of one address


class Counter:
    """One process's counter."""

    def __init__(self, door: Door, secret: str, rates: Rates | None = None) -> None:
        self.door, self.rates, self.robots = door, rates or Rates(), RobotCheck(secret)
        self.files = Rates(most_names=limits.MOST_READERS)
        self.decoding = asyncio.Semaphore(2)  # pictures unfolded at once
        self.wrong_codes = 0  # since the last telling
        self._secret = secret
        self._pages: dict[str, tuple[float, dict[str, JSON]]] = {}
        self._held: Tally[str] = Tally()

    # reading -------------------------------------------------------------
    async def page(self, name: str) -> dict[str, JSON]:
        """A public page, kept for a minute; an old one serves while the inside is away."""
        kept = self._pages.get(name)
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
        try:
            found = await self.door.page(name)
        except DoorClosed:
            if kept is None:
                raise
            return kept[1]
        self._pages[name] = (time.monotonic() + (PAGE_S if found else 2.0), found)
        return found

    async def read(self, typed: str, address: str) -> dict[str, Any]:
        """What the code leads to; a wrong one is answered slowly and counted."""
        self.rates.check("wrong", limits.WRONG, address)
        if self._held[address] >= HELD_EACH or self._held.total() >= HELD:
            raise TooFast(retry_after_s=5)
        code = one_time.plain_code(typed)
        found = await self.door.read(one_time.code_hash(code)) if code else Answer(found=False)
        if not found.found:
            await self._wrong(address)
            raise CodeUnknown()
        return {"state": found.state, **found.view}

    async def _wrong(self, address: str) -> None:
        self.wrong_codes += 1
        wrong = self.rates.count("wrong", limits.WRONG, address)
        self._held[address] += 1
        try:
            await asyncio.sleep(limits.pause_s(wrong))
        finally:
            self._held[address] -= 1
            if not self._held[address]:
                del self._held[address]

    # sending -------------------------------------------------------------
    async def photo(self, data: bytes) -> str:
        """Hand a photograph in; its id."""
        code = one_time.new_code()
        submission = _with_code("photo", code, data=data)
        await self._submit(submission)
        return submission.request_id

    async def take(self, kind: str, sent: Sent, address: str) -> dict[str, Any]:
        """A report, help request, complaint or rating; the same form twice is one request."""
        if kind not in (*asked.FORMS, "answer"):
            raise NotFound(what="kind", key=kind[:40])
        self.rates.check("sent", limits.SENT, address)
        # What a party is asked stands in the link's view; the inside holds the answer against it.
        own = kind != "answer"
        answers = asked.checked(kind, sent.answers, await self.page("places")) if own else sent.answers
        body: dict[str, JSON] = {"answers": answers}
        if kind in ("rating", "answer"):
            await self.read(sent.code, address)
            body["of"] = _hashed(sent.code)
        if sent.ticket:
            body["ticket"] = _hashed(sent.ticket)
        request_id, code = self._code(kind, sent.key)
        if not await self._is_there(code):
            self.robots.check(sent.solution)
            self.rates.count("sent", limits.SENT, address)
        await self._submit(
            Submission(
                request_id=request_id,
                token_hash=one_time.code_hash(code),
                kind=kind,
                body=body,
                language=sent.language[:5],
            )
        )
        return {"code": one_time.shown_code(code)}

    async def phone(self, key: str, phone: str, solution: Any, language: str, address: str) -> dict[str, Any]:
        """Have a code sent to ``phone``; the ticket under which it will be confirmed."""
        if not _PHONE.fullmatch(phone):
            raise InputInvalid(field="phone", detail="is no mobile number", how="send eleven digits")
        self.rates.check("codes", limits.CODES, address)
        self.rates.check("phone", limits.PHONE, phone)
        self.robots.check(solution)
        self.rates.count("codes", limits.CODES, address)
        self.rates.count("phone", limits.PHONE, phone)
        request_id, code = self._code("phone", key)
        await self._submit(
            Submission(
                request_id=request_id, token_hash=one_time.code_hash(code), kind="phone", body={"phone": phone},
                language=language[:5],
            )
        )  # fmt: skip
        return {"ticket": code}

    async def confirm(self, ticket: str, digits: str, address: str) -> dict[str, Any]:
        """Hand the digits in and wait for the inside's judgement."""
        self.rates.take("tries", limits.TRIES, address)
        if not re.fullmatch(r"[0-9]{6}", digits) or not one_time.plain_code(ticket):
            raise InputInvalid(field="digits", detail="are not six digits", how="type the code from the message")
        code = one_time.new_code()
        body: dict[str, JSON] = {"ticket": _hashed(ticket), "digits": digits}
        await self._submit(_with_code("confirm", code, body=body))
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            found = await self.door.read(one_time.code_hash(code))
            if found.state not in ("", "new"):
                return dict(found.view)
            await asyncio.sleep(0.2)
        raise DoorClosed()

    async def tell_guesses(self) -> None:
        """Tell the inside how many wrong codes were tried since the last time."""
        count, self.wrong_codes = self.wrong_codes, 0
        if count:
            log.warning("%d wrong codes were tried", count)
            await self._submit(_with_code("count", one_time.new_code(), body={"wrong_codes": count}))

    def _code(self, kind: str, key: str) -> tuple[str, str]:
        if not _KEY.fullmatch(key):
            raise InputInvalid(field="key", detail="is not one", how="send 16 to 64 random letters and digits")
        return wire.code_for(self._secret, f"{kind}\0{key}")

    async def _is_there(self, code: str) -> bool:
        return (await self.door.read(one_time.code_hash(code))).found

    async def _submit(self, submission: Submission) -> None:
        if wire.too_large(submission):
            raise TooLarge()
        await self.door.submit(submission)


def _hashed(typed: str) -> str:
    return one_time.code_hash(one_time.plain_code(typed))


def _with_code(kind: str, code: str, *, body: dict[str, JSON] | None = None, data: bytes = b"") -> Submission:
    """A submission that nobody taps twice: its id hangs on its code."""
    request_id = one_time.code_hash(kind + code)[:32]
    return Submission(request_id=request_id, token_hash=one_time.code_hash(code), kind=kind, body=body or {}, data=data)
