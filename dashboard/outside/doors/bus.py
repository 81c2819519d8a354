"""Over the bus: the account ``yiwang-outside`` may ask three subjects and hear its own answers, nothing else."""

from __future__ import annotations

import asyncio
import logging
from typing import TypeVar

import msgspec
import nats
import nats.errors
from nats.aio.client import Client

from core.records import JSON, Record, decode, encode
from dashboard.outside import wire
from dashboard.outside.problems import DoorClosed
from dashboard.outside.settings import OutsideSettings
from dashboard.outside.wire import Answer, Submission, Wanted

log = logging.getLogger("yiwang.outside")
R = TypeVar("R", bound=Record)
WAIT_S = 8.0


class BusDoor:
    """Request and reply; connects when first asked, reconnects for ever."""

    def __init__(self, settings: OutsideSettings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    async def submit(self, submission: Submission) -> None:
        """See :class:`Door`."""
        answer = decode(Answer, await self._ask(wire.SUBMIT, submission))
        if answer.problem:
            raise DoorClosed()

    async def read(self, token_hash: str) -> Answer:
        """See :class:`Door`."""
        return decode(Answer, await self._ask(wire.READ, Wanted(name=token_hash)))

    async def page(self, name: str) -> dict[str, JSON]:
        """See :class:`Door`."""
        found: dict[str, JSON] = msgspec.json.decode(await self._ask(wire.PAGE, Wanted(name=name)))
        return found

    async def close(self) -> None:
        """Drop the connection."""
        if self._client is not None:
            await self._client.close()

    async def _ask(self, subject: str, record: Record) -> bytes:
        client = await self._connected()
        try:
            answer = await client.request(self._settings.prefix + subject, encode(record), timeout=WAIT_S)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            log.info("no answer on %s: %s", subject, type(error).__name__)
            raise DoorClosed() from error
        return bytes(answer.data)

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None or self._client.is_closed:
                self._client = await self._connect()
            return self._client

    async def _connect(self) -> Client:
        async def quiet(error: Exception) -> None:
            log.debug("bus: %s", error)

        try:
            return await nats.connect(
                self._settings.nats_url.split(","),
                user=wire.USER,
                password=self._settings.nats_token,
                name="outside",
                inbox_prefix=wire.INBOX.encode(),
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.5,
                connect_timeout=2,
                error_cb=quiet,
            )
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise DoorClosed() from error
