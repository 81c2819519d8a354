"""Camera leases: who analyses which camera, and what happens when a worker dies.

One message per camera waits in the work-queue stream ``LEASE``.  A worker that pulled it owns the camera while it
says ``in_progress``; when it falls silent for ``ACK_WAIT_S``, JetStream gives the message to somebody else.  A worker
that was paused and wakes up must not go on: ownership is the entry ``<camera>`` in the bucket ``owner`` (worker and
epoch, written compare-and-set), read before every publish, and before an ``in_progress`` when the last look is
``VERIFY_S`` old or a beat was left out.  Whoever lost it stops silently and never acknowledges.  Configuration travels
by the registry, never by publishing a lease again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.kv import KeyValue

from core.bus import Bus
from core.ids import subject_token
from core.records import CameraConfig

log = logging.getLogger("yiwang.vision.leases")

ACK_WAIT_S = 3.0
BEAT_S = 0.8
VERIFY_S = 2.0  # how long what the owner entry said is believed between beats that all went out
LEASE_CLASS = "vision"
CONSUMER = "vision"


class Owner(msgspec.Struct, frozen=True):
    """Value of an ``owner`` entry."""

    worker: str
    epoch: int


@dataclass
class Lease:
    """A camera that this worker holds."""

    camera_id: str
    epoch: int
    message: Msg = field(repr=False)
    beaten_at: float = 0.0
    verified_at: float = float("-inf")


def bucket_key(camera_id: str) -> str:
    """The camera's key in a bucket (keys know no colon)."""
    return subject_token(camera_id).replace(":", "=")


def lease_subject(camera_id: str) -> str:
    """Subject (without prefix) of a camera's lease."""
    return f"lease.{LEASE_CLASS}.{subject_token(camera_id)}"


async def ensure_leases(bus: Bus, cameras: Iterable[CameraConfig]) -> int:
    """Publish a lease for every enabled camera that has none; returns how many were new.

    The stream holds one message per subject and refuses a second (discard new per subject), so any number of workers
    may call this at any time; one question tells which are missing.
    """
    wanted = [camera for camera in cameras if camera.enabled and camera.algorithms]
    if not wanted:
        return 0
    every = bus.subject(f"lease.{LEASE_CLASS}.>")
    there = (await bus.js.stream_info(bus.stream("LEASE"), subjects_filter=every)).state.subjects or {}
    new = 0
    for camera in wanted:
        if bus.subject(lease_subject(camera.camera_id)) in there:
            continue
        try:
            await bus.js.publish(bus.subject(lease_subject(camera.camera_id)), camera.camera_id.encode())
            new += 1
        except nats.js.errors.APIError as error:
            if error.err_code != 10077:  # "maximum messages per subject exceeded": there is one already
                raise
    return new


class LeaseBook:
    """The leases of one worker."""

    def __init__(self, bus: Bus, worker: str) -> None:
        self.bus = bus
        self.worker = worker
        self.held: dict[str, Lease] = {}
        self._owner: KeyValue | None = None
        self._pull: JetStreamContext.PullSubscription | None = None

    async def open(self) -> None:
        """Join the consumer that all workers share."""
        self._owner = await self.bus.bucket("owner")
        self._pull = await self.bus.pull(
            "LEASE", CONSUMER, f"lease.{LEASE_CLASS}.>", ack_wait_s=ACK_WAIT_S, max_deliver=-1, max_ack_pending=-1
        )

    async def close(self) -> None:
        """Leave the consumer (a pull subscription left open would hold up the closing of the connection)."""
        if self._pull is not None:
            await self._pull.unsubscribe()
            self._pull = None

    async def take(self, count: int, wait_s: float = 3.0) -> list[Lease]:
        """Pull up to ``count`` free cameras and claim them; waits up to ``wait_s`` when none is free."""
        assert self._pull is not None
        try:
            messages = await self._pull.fetch(count, timeout=wait_s)
        except (TimeoutError, nats.errors.TimeoutError):
            return []
        taken = []
        for message in messages:
            lease = await self._claim(message)
            if lease is not None:
                self.held[lease.camera_id] = lease
                taken.append(lease)
        return taken

    async def still_mine(self, lease: Lease) -> bool:
        """Whether the owner entry still names this worker and epoch."""
        if self.held.get(lease.camera_id) is not lease:
            return False
        assert self._owner is not None
        try:
            entry = await self._owner.get(bucket_key(lease.camera_id))
        except nats.js.errors.NotFoundError:
            return False
        owner = msgspec.json.decode(entry.value or b"{}", type=Owner)
        return owner.worker == self.worker and owner.epoch == lease.epoch

    async def beat(self) -> list[Lease]:
        """Say ``in_progress`` for all leases still owned; returns those that were lost."""
        results = await asyncio.gather(*(self._beat_one(lease) for lease in list(self.held.values())))
        lost = [lease for lease in results if lease is not None]
        for lease in lost:
            self.held.pop(lease.camera_id, None)
        return lost

    async def release(self, camera_id: str) -> None:
        """Give a camera back so that another worker takes it at once."""
        lease = self.held.pop(camera_id, None)
        if lease is not None:
            await lease.message.nak()

    async def finish(self, camera_id: str) -> None:
        """The camera is disabled or gone: its lease ends here."""
        lease = self.held.get(camera_id)
        if lease is not None and await self.still_mine(lease):
            await lease.message.ack()
        self.held.pop(camera_id, None)

    async def _beat_one(self, lease: Lease) -> Lease | None:
        try:
            now = asyncio.get_running_loop().time()
            unbroken = now - lease.beaten_at < 2 * BEAT_S and now - lease.verified_at < VERIFY_S
            if not unbroken:
                if not await self.still_mine(lease):
                    return lease
                lease.verified_at = now
            await lease.message.in_progress()
            lease.beaten_at = asyncio.get_running_loop().time()
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError):
            # the bus is away; beyond the wait somebody else may own the camera: the owner entry will tell
            log.debug("no heartbeat for %s", lease.camera_id)
        return None

    async def _claim(self, message: Msg) -> Lease | None:
        assert self._owner is not None
        camera_id = message.data.decode(errors="replace")
        key = bucket_key(camera_id)
        delivered = message.metadata.num_delivered or 1
        try:
            try:
                entry = await self._owner.get(key)
                known = msgspec.json.decode(entry.value or b"{}", type=Owner)
                epoch = max(delivered, known.epoch + 1)
                await self._owner.update(key, self._entry(epoch), last=entry.revision)
            except (nats.js.errors.NotFoundError, msgspec.DecodeError):
                epoch = delivered
                await self._owner.create(key, self._entry(epoch))
        except nats.js.errors.APIError:
            return None  # somebody claimed it at this moment: theirs
        return Lease(camera_id, epoch, message, asyncio.get_running_loop().time())

    def _entry(self, epoch: int) -> bytes:
        return msgspec.json.encode(Owner(self.worker, epoch))
