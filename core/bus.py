"""A thin layer over NATS JetStream: the streams, the subjects, publish with an id, pull, key-value.

Subjects (``p`` is the partition of the site, so that a site's order holds)::

    read.<p>.<quantity>.<device>     a reading              stream READ
    read.<p>.several.readings        an array of readings   stream READ
    obs.<p>.<kind>.<source_id>       detections, alarms     stream OBS
    case.<event>.<case_id>           what happened to cases stream CASE
    lease.<class>.<camera_id>        camera leases          stream LEASE (work queue)
    audit.anchor                     heads of audit chains  stream AUDIT (nothing can be deleted from it)
    probe.<stream>.<id>              does it store?         every stream (core/bus_probe.py), deleted at once
    cmd.<source>                     device commands        request/reply
    look.<camera_id>                 "look again"           request/reply
    outside.submit, .read, .page     the outside door       request/reply

Key-value buckets: ``registry`` (camera.*, device.*), ``owner`` (camera leases), ``live`` (latest states).
A drill prepends ``Settings.subject_prefix`` and uses streams of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js.kv import KeyValue

from core.errors import BusUnavailable
from core.ids import partition, subject_token
from core.records import CaseChanged, Observation, Reading, Record, encode
from core.settings import Settings

log = logging.getLogger("yiwang.bus")

MAX_MESSAGE_BYTES = 512 * 1024
DUPLICATE_WINDOW_S = 600.0


@dataclass(frozen=True)
class StreamSpec:
    """A stream as we want it."""

    name: str
    subjects: tuple[str, ...]
    max_bytes: int
    retention: api.RetentionPolicy = api.RetentionPolicy.LIMITS
    max_msgs_per_subject: int = -1
    discard_new_per_subject: bool = False
    max_age_s: float = 7 * 86400
    kept: bool = False  # nobody can delete from it


STREAMS = (
    StreamSpec("READ", ("read.>",), max_bytes=2 << 30),
    StreamSpec("OBS", ("obs.>",), max_bytes=1 << 30),
    StreamSpec("CASE", ("case.>",), max_bytes=256 << 20, max_age_s=86400),
    StreamSpec(
        "LEASE",
        ("lease.>",),
        max_bytes=64 << 20,
        retention=api.RetentionPolicy.WORK_QUEUE,
        max_msgs_per_subject=1,  # with NEW per subject: a camera never has two lease messages
        discard_new_per_subject=True,
        max_age_s=0,
    ),
)
AUDIT = StreamSpec("AUDIT", ("audit.>",), max_bytes=1 << 30, max_age_s=0, kept=True)
AUDIT_SUBJECT = "audit.anchor"
NODE_PING_S = 5  # a node whose machine lost its power says nothing: two pings without an answer, and another is taken
BUCKETS = ("registry", "owner", "live")


class Bus:
    """One connection to the bus."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client = client
        self.settings = settings
        self.js: JetStreamContext = client.jetstream(publish_async_max_pending=4096)
        self._buckets: dict[str, KeyValue] = {}

    # names ---------------------------------------------------------------
    @property
    def prefix(self) -> str:
        return self.settings.subject_prefix

    @property
    def _share(self) -> int:
        """A drill beside the live city gets a sixteenth of the live streams' space."""
        return 16 if self.prefix else 1

    def stream(self, name: str) -> str:
        """Name of a stream, the drill's own when a drill runs."""
        return f"{self.prefix.replace('.', '_').upper()}{name}"

    def subject(self, *tokens: str) -> str:
        """``tokens`` as a subject below the prefix."""
        return self.prefix + ".".join(tokens)

    def partition_of(self, site_id: str | None, source_id: str) -> str:
        return str(partition(site_id or source_id, self.settings.partitions))

    def observation_subject(self, observation: Observation) -> str:
        return self.subject(
            "obs",
            self.partition_of(observation.site_id, observation.source_id),
            subject_token(observation.kind),
            subject_token(observation.source_id),
        )

    def reading_subject(self, reading: Reading) -> str:
        return self.subject(
            "read",
            self.partition_of(reading.site_id, reading.device_id),
            subject_token(reading.quantity),
            subject_token(reading.device_id),
        )

    def readings_subject(self, part: str) -> str:
        """Where several readings of partition ``part`` go in one message."""
        return self.subject("read", part, "several", "readings")

    # set-up --------------------------------------------------------------
    async def ensure(self) -> None:
        """Create or update the streams and buckets; harmless when they stand already."""
        for spec in (*STREAMS, AUDIT):
            probed = () if spec.kept else (f"probe.{spec.name.lower()}.>",)
            config = api.StreamConfig(
                name=self.stream(spec.name),
                subjects=[self.prefix + s for s in (*spec.subjects, *probed)],
                retention=spec.retention,
                storage=api.StorageType.FILE,
                discard=api.DiscardPolicy.NEW,
                discard_new_per_subject=spec.discard_new_per_subject,
                max_bytes=spec.max_bytes // self._share,
                max_age=spec.max_age_s,
                max_msgs_per_subject=spec.max_msgs_per_subject,
                max_msg_size=MAX_MESSAGE_BYTES,
                duplicate_window=DUPLICATE_WINDOW_S,
                num_replicas=self.settings.nats_replicas,
                deny_delete=spec.kept,
                deny_purge=spec.kept,
            )
            if spec.max_age_s and spec.max_age_s < DUPLICATE_WINDOW_S:
                config.duplicate_window = spec.max_age_s
            try:
                await self.js.add_stream(config)
            except nats.js.errors.BadRequestError:
                await self.js.update_stream(config)
        for name in BUCKETS:
            await self.bucket(name)

    async def discard(self) -> None:
        """Delete a drill's streams and buckets; the live city's are refused."""
        if not self.prefix:
            raise ValueError("the live streams are not discarded")
        for name in [self.stream(s.name) for s in (*STREAMS, AUDIT)] + [f"KV_{self.stream(b)}" for b in BUCKETS]:
            with contextlib.suppress(nats.js.errors.NotFoundError):
                await self.js.delete_stream(name)
        self._buckets.clear()

    async def bucket(self, name: str) -> KeyValue:
        """The key-value bucket ``name``, created when missing."""
        full = self.stream(name)
        if full not in self._buckets:
            try:
                self._buckets[full] = await self.js.key_value(full)
            except nats.js.errors.NotFoundError:
                replicas = self.settings.nats_replicas
                config = api.KeyValueConfig(bucket=full, history=1, max_bytes=256 << 20, replicas=replicas)
                self._buckets[full] = await self.js.create_key_value(config)
        return self._buckets[full]

    # publish -------------------------------------------------------------
    async def publish(
        self, subject: str, record: Record, message_id: str, headers: dict[str, str] | None = None
    ) -> None:
        """Publish and wait for the PubAck; ``message_id`` makes a repeat harmless for 10 minutes."""
        await self.js.publish(subject, encode(record), headers={**(headers or {}), "Nats-Msg-Id": message_id})

    async def publish_async(self, subject: str, record: Record, message_id: str) -> asyncio.Future[api.PubAck]:
        """Publish; the future resolves with the PubAck (bounded: blocks when 4,096 are under way)."""
        future: asyncio.Future[api.PubAck] = await self.js.publish_async(
            subject, encode(record), headers={"Nats-Msg-Id": message_id}
        )
        return future

    async def observe(self, observation: Observation) -> None:
        """Publish an observation durably."""
        await self.publish(self.observation_subject(observation), observation, observation.observation_id)

    async def announce(self, change: CaseChanged) -> None:
        """Publish a change of a case; ``case_id`` and ``version`` identify it."""
        subject = self.subject("case", subject_token(change.command), subject_token(change.case_id))
        await self.publish(subject, change, f"{change.case_id}:{change.version}")

    # consume -------------------------------------------------------------
    async def pull(
        self,
        stream: str,
        durable: str,
        subject: str,
        *,
        ack_wait_s: float = 60.0,
        max_deliver: int = 5,
        max_ack_pending: int = -1,
    ) -> JetStreamContext.PullSubscription:
        """A durable pull consumer of ``subject`` (without prefix)."""
        return await self.js.pull_subscribe(
            self.prefix + subject,
            durable=durable,
            stream=self.stream(stream),
            config=api.ConsumerConfig(
                ack_policy=api.AckPolicy.EXPLICIT,
                ack_wait=ack_wait_s,
                max_deliver=max_deliver,
                max_ack_pending=max_ack_pending,
            ),
        )

    async def serve(self, subject: str, handler: Callable[[Msg], Awaitable[None]], queue: str = "") -> None:
        """Answer requests on ``subject`` (without prefix)."""
        await self.client.subscribe(self.prefix + subject, queue=queue, cb=handler)

    async def request(self, subject: str, record: Record, timeout_s: float) -> bytes:
        """Ask and wait; ``TimeoutError`` when nobody answers in time (or nobody listens)."""
        try:
            answer = await self.client.request(self.prefix + subject, encode(record), timeout=timeout_s)
        except (nats.errors.NoRespondersError, nats.errors.TimeoutError) as error:
            raise TimeoutError(f"no answer on {subject}") from error
        return bytes(answer.data)

    async def close(self) -> None:
        """Drain and close; an unreachable server is no error here."""
        try:
            await asyncio.wait_for(self.client.drain(), 5)
        except (TimeoutError, nats.errors.Error):
            await self.client.close()


def tls_of(authority: str) -> ssl.SSLContext | None:
    """Certificates and host names are checked against ``authority`` (a PEM file); None when it is ""."""
    return ssl.create_default_context(cafile=authority) if authority else None


async def connect(settings: Settings, name: str, *, wait_s: float = 20.0) -> Bus:
    """Connect as ``name``, waiting up to ``wait_s`` seconds for a server that is still starting.

    Loss and recovery of the connection are logged once each; reconnection is endless.
    """

    async def lost() -> None:
        log.warning("%s: bus lost, reconnecting", name)

    async def back() -> None:
        log.warning("%s: bus is back", name)

    async def quiet(error: Exception) -> None:
        log.debug("%s: bus error %s", name, error)

    deadline = asyncio.get_running_loop().time() + wait_s
    nodes = settings.nats_url.split(",")
    watched = {"ping_interval": NODE_PING_S} if len(nodes) > 1 else {}
    while True:
        try:
            connecting = nats.connect(
                nodes,
                user="yiwang",
                password=settings.nats_token,
                name=name,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.5,
                connect_timeout=2,
                allow_reconnect=True,
                disconnected_cb=lost,
                reconnected_cb=back,
                error_cb=quiet,
                tls=tls_of(settings.nats_ca),
                **watched,
            )
            # nats-py itself tries for ever, also where a certificate is refused
            left = max(1.0, deadline - asyncio.get_running_loop().time())
            client = await asyncio.wait_for(connecting, left)
            return Bus(client, settings)
        except (OSError, nats.errors.Error, TimeoutError) as error:
            if asyncio.get_running_loop().time() > deadline:
                raise BusUnavailable(url=settings.nats_url, detail=str(error) or type(error).__name__) from error
            await asyncio.sleep(0.2)
