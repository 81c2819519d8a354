"""A steady pull from one durable consumer: messages arrive at once, in order, within a bound.

nats-py's ``fetch`` waits for a full batch or its time-out; an alarm may not.  Here a pull request is always
outstanding and what arrived is handed over in order.  A request is renewed when the server ends it and when half is
used up.  After a new connection, and when the consumer has another leader (:class:`LeaderNews`), the pull is ``stale``:
neither knows of the request, and what was on its way to us may be lost.  Then it is started anew.  So it is when the
consumer's own numbering of its deliveries skips one: it was given to somebody who is no more (an inbox that was just
left, a process that was killed), and would come only after ``ack_wait``, behind what is newer.

At start the consumer is set back to its acknowledgement floor (by the server, or where it is too old for that, made
anew), so that what a predecessor had in hand when it died comes again at once and before anything newer: order holds,
nothing waits for ``ack_wait``.  What was committed already is recognised by its id.  This asks for one owner per
durable: see :mod:`events.runtime.shares`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

import nats.js.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import api

from core.bus import Bus

log = logging.getLogger("yiwang.worker")

EXPIRES_S = 30.0
LEADER_ELECTED = "$JS.EVENT.ADVISORY.CONSUMER.LEADER_ELECTED"
ACK_WAIT_S = 60.0
ASK_S = 2.0  # a consumer without a leader answers nothing: ask again soon
RESETS_SINCE = (2, 15)  # the version of nats-server that was tried: sets a consumer back without making it anew


class Puller:
    """Messages of ``subject`` (without prefix) from ``stream``, at most ``bound`` in hand at a time."""

    def __init__(self, bus: Bus, stream: str, durable: str, subject: str, *, bound: int, arrived: asyncio.Event):
        self._bus = bus
        self._stream = bus.stream(stream)
        self._durable = durable
        self._subject = bus.prefix + subject
        self._bound = bound
        self._arrived = arrived
        self._buffer: deque[Msg] = deque()
        self._unacked = 0
        self._requested = 0
        self._heard_at = 0.0
        self._connection = 0  # how often the connection was made anew when the request went out
        self._inbox: Subscription | None = None
        self._reply = ""
        self._another_leader = False
        self._delivered = 0  # the consumer's number of the last delivery that is known
        self._missed = False  # a delivery went elsewhere

    async def start(self) -> None:
        """Set the consumer to its floor and begin to pull."""
        connection, self._another_leader = self._bus.client.stats["reconnects"], False
        self._delivered, self._missed = await self._reset_consumer(), False
        self._connection = connection
        self._reply = self._bus.client.new_inbox()
        self._inbox = await self._bus.client.subscribe(self._reply, cb=partial(self._on_message, self._reply))
        self._inbox.pending_msgs_limit = 4 * self._bound
        await self.keep_alive()

    async def stop(self) -> None:
        """Stop pulling; what is in hand and not acknowledged comes again at the next start."""
        inbox, self._inbox = self._inbox, None
        if inbox is not None:
            await inbox.unsubscribe()
        self._buffer.clear()
        self._unacked = self._requested = 0

    def take(self, limit: int) -> list[Msg]:
        """Up to ``limit`` messages in order, without waiting."""
        return [self._buffer.popleft() for _ in range(min(limit, len(self._buffer)))]

    def doubt(self) -> None:
        """Another server answers for the consumer now."""
        self._another_leader = True
        self._arrived.set()

    @property
    def stale(self) -> bool:
        """Whether it must be stopped and started anew."""
        moved = self._connection != self._bus.client.stats["reconnects"]
        return self._inbox is not None and (self._another_leader or moved or self._missed)

    @property
    def durable(self) -> str:
        """The consumer's name."""
        return self._durable

    @property
    def waiting(self) -> int:
        return len(self._buffer)

    async def acknowledge(self, messages: list[Msg]) -> None:
        """Acknowledge ``messages`` after their commit, and ask for more."""
        for message in messages:
            await self._bus.client.publish(message.reply, b"+ACK")
        self._unacked -= len(messages)
        await self.keep_alive()

    async def in_progress(self, messages: list[Msg]) -> None:
        """Tell the server that ``messages`` are still being worked on."""
        for message in messages:
            await self._bus.client.publish(message.reply, b"+WPI")

    async def keep_alive(self) -> None:
        """Ask for more when less than half is on its way, or when the request is lost."""
        if self._inbox is None:
            return
        now = asyncio.get_running_loop().time()
        if self._requested > 0 and now - self._heard_at > EXPIRES_S + 1.5:
            self._requested = 0  # the server forgot it
        room = self._bound - self._unacked - self._requested
        if room >= self._bound // 2 or (self._requested == 0 and room > 0):
            self._requested += room
            self._heard_at = now
            request = {"batch": room, "expires": int(EXPIRES_S * 1e9)}
            await self._bus.client.publish(
                f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._durable}",
                json.dumps(request).encode(),
                reply=self._reply,
            )

    async def _on_message(self, asked: str, message: Msg) -> None:
        if self._inbox is None or asked != self._reply:
            return  # said to the pull as it was before
        self._heard_at = asyncio.get_running_loop().time()
        status = (message.headers or {}).get("Status") if not message.reply or not message.data else None
        if status is None:
            number = message.metadata.sequence.consumer
            self._missed = self._missed or number != self._delivered + 1
            if self._missed:  # it comes again, in its order, with what is missing
                self._arrived.set()
                return
            self._delivered = number
            self._requested = max(0, self._requested - 1)
            self._unacked += 1
            self._buffer.append(message)
            self._arrived.set()
        elif status != "100":  # 404 none, 408 expired, 409 consumer changed: that request is over
            pending = (message.headers or {}).get("Nats-Pending-Messages")
            self._requested = max(0, self._requested - int(pending)) if pending else 0
            if status == "503":
                await asyncio.sleep(0.2)
            self._arrived.set()

    async def _reset_consumer(self) -> int:
        """Set the consumer to its floor, or make it; the number of its last delivery."""
        js, bucket = self._bus.client.jetstream(timeout=ASK_S), await self._bus.bucket("owner")
        key = f"floor.{self._durable}"
        try:
            info = await js.consumer_info(self._stream, self._durable)
            floor = info.ack_floor.stream_seq if info.ack_floor else 0
            as_wanted = info.config.ack_wait == ACK_WAIT_S
            if as_wanted and not info.num_ack_pending:  # nothing is in anybody's hands
                return int(info.delivered.consumer_seq) if info.delivered else 0
            if as_wanted and await self._set_back():
                return 0  # it comes again
            await bucket.put(key, str(floor).encode())
            await js.delete_consumer(self._stream, self._durable)
        except nats.js.errors.NotFoundError:
            floor = await self._kept_floor(key)
        first = {"deliver_policy": api.DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": floor + 1} if floor else {}
        config = api.ConsumerConfig(
            durable_name=self._durable,
            filter_subject=self._subject,
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S,
            max_deliver=-1,  # poison is dealt with here, one by one; the server must never drop a message
            max_ack_pending=2 * self._bound,
            **first,
        )
        await js.add_consumer(self._stream, config)
        return 0

    async def _set_back(self) -> bool:
        """Have the server set the consumer back to its floor; False where it cannot."""
        version = self._bus.client.connected_server_version
        if (version.major, version.minor) < RESETS_SINCE:
            return False
        subject = f"$JS.API.CONSUMER.RESET.{self._stream}.{self._durable}"
        answer = await self._bus.client.request(subject, b"", timeout=ASK_S)
        return "error" not in json.loads(answer.data)

    async def _kept_floor(self, key: str) -> int:
        bucket = await self._bus.bucket("owner")
        try:
            entry = await bucket.get(key)
        except nats.js.errors.KeyNotFoundError:
            return 0
        return int(entry.value or b"0")


class LeaderNews:
    """Tells the pulls of ``stream`` when the cluster chose another leader for their consumer.

    A server that died took the requests with it, and says nothing.
    """

    def __init__(self, bus: Bus, stream: str, pulls: Callable[[], Iterable[Puller]]) -> None:
        self._bus, self._stream, self._pulls = bus, bus.stream(stream), pulls
        self._heard: Subscription | None = None

    async def start(self) -> None:
        """Listen."""
        self._heard = await self._bus.client.subscribe(f"{LEADER_ELECTED}.{self._stream}.*", cb=self._on_election)

    async def stop(self) -> None:
        """Listen no more."""
        if self._heard is not None:
            await self._heard.unsubscribe()

    async def _on_election(self, message: Msg) -> None:
        durable = message.subject.rpartition(".")[2]
        for pull in self._pulls():
            if pull.durable == durable:
                pull.doubt()
