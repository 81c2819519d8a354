"""Who may connect to the broker over MQTT, and what he may publish.

nats-server asks us for every MQTT connection (authorisation callout): the shared device account, or a device's own
credential, whose SHA-256 stands in the registry (``attributes.token_sha256``; user is the device's id or address).  A
device may publish on its own topics only: ``sensors/<address>/…``, what a mapping's topic names of it, and
``attributes.mqtt_topics``.  Client ids are bound too, because a broker hands a session over to whoever connects with
its id: a device uses its address, its id or ``attributes.mqtt_client_id``; ids of ingest and of devices with an own
credential are refused to everybody else.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import nats
import nats.errors
from nats.aio.msg import Msg

from core.bus import Bus, tls_of
from core.clock import Clock
from core.records import DeviceConfig
from core.settings import Settings
from ingest.counters import Refusal, SourceCounters
from ingest.drones.live.fleet import SOURCE
from ingest.drones.live.rights import gateway_topics
from ingest.mapping import Mapping
from ingest.mapping.format import RESERVED
from ingest.nkeys import Issuer, claims_of
from ingest.registry import DeviceRegistry
from ingest.transports.limits import AllowList

log = logging.getLogger("yiwang.ingest")

ACCOUNT = "CITY"
OWN_IDS = "yiwang"  # client ids of ours begin with it, behind a drill's prefix
_LOOK_S = 2.0
_MOST_CONNECTIONS = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants to connect."""

    user: str
    password: str
    client_id: str
    address: str


@dataclass(frozen=True, slots=True)
class Granted:
    """What he may do: MQTT filters to publish and to subscribe; ``device_id`` "" for the shared account."""

    device_id: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Denied:
    """Why not; ``device_id`` where the user names one."""

    code: str
    detail: str
    device_id: str = ""


class BrokerGate:
    """Decides.  ``mapped`` gives the mappings that are in force now."""

    def __init__(self, settings: Settings, registry: DeviceRegistry, mapped: Callable[[], Iterable[Mapping]]) -> None:
        self._settings, self._registry, self._mapped = settings, registry, mapped
        self._allow = AllowList(settings.allow.get("mqtt", ()))

    def judge(self, asked: Asked) -> Granted | Denied:
        """Whether ``asked`` may connect."""
        if not self._allow.admits(asked.address):
            return Denied("not_allowed", f"{asked.address} is not in YIWANG_MQTT_ALLOW")
        if asked.user == self._settings.mqtt_device_user:
            return self._shared(asked)
        device = self._device(asked.user)
        if device is None or not _fits(device, asked.password):
            return Denied("unauthorised", f"user {asked.user[:80]!r}: wrong user or password")
        if device.status == "disabled":
            return Denied("disabled", "the device is disabled", device.device_id)
        if device.source == SOURCE:
            return self._gateway(asked, device)
        if asked.client_id and asked.client_id not in client_ids(device):
            detail = f"client id {asked.client_id[:80]!r} is not this device's: {', '.join(client_ids(device))}"
            return Denied("foreign_client_id", detail, device.device_id)
        return Granted(device.device_id, device_topics(device, self._mapped()), (f"commands/{device.address}/#",))

    def _gateway(self, asked: Asked, device: DeviceConfig) -> Granted | Denied:
        """A controller or dock; Pilot chooses its client id, so any is taken that is nobody else's."""
        if device.status != "accepted":
            return Denied("not_accepted", "the gateway is not accepted", device.device_id)
        owner = self._owner_of(asked.client_id)
        if asked.client_id.split("-")[0] == OWN_IDS or owner not in (None, device.device_id):
            detail = f"client id {asked.client_id[:80]!r} is not this device's"
            return Denied("foreign_client_id", detail, device.device_id)
        publish, subscribe = gateway_topics(device, self._registry)
        return Granted(device.device_id, publish, subscribe)

    def _shared(self, asked: Asked) -> Granted | Denied:
        expected = self._settings.mqtt_device_password
        if not hmac.compare_digest(asked.password.encode(), expected.encode()):
            return Denied("unauthorised", "the shared device account: wrong password")
        if not self._settings.mqtt_shared_account:
            return Denied("shared_account_off", "the shared device account is switched off (YIWANG_MQTT_SHARED=0)")
        if asked.client_id.split("-")[0] == OWN_IDS or "-yiwang-ingest" in asked.client_id:
            return Denied("foreign_client_id", f"client id {asked.client_id[:80]!r} is the platform's own")
        owner = self._owner_of(asked.client_id)
        if owner is not None:
            return Denied("foreign_client_id", f"client id {asked.client_id[:80]!r} belongs to {owner}", owner)
        return Granted("", ("sensors/#", *mapped_topics(self._mapped())), ("commands/#",))

    def _device(self, user: str) -> DeviceConfig | None:
        return self._registry.get(user) or self._registry.get(f"mqtt:{user}")

    def _owner_of(self, client_id: str) -> str | None:
        """The device with an own credential whose client id it is."""
        found = self._registry.by_client_id(client_id)
        return found.device_id if found is not None and found.attributes.get("token_sha256") else None


def _fits(device: DeviceConfig, password: str) -> bool:
    known = str(device.attributes.get("token_sha256", ""))
    return bool(known) and hmac.compare_digest(hashlib.sha256(password.encode()).hexdigest(), known)


def client_ids(device: DeviceConfig) -> tuple[str, ...]:
    """The client ids that the device may use."""
    given = device.attributes.get("mqtt_client_id")
    return tuple(dict.fromkeys(str(i) for i in (given, device.address, device.device_id) if i))


def mapped_topics(mappings: Iterable[Mapping]) -> tuple[str, ...]:
    """Filters of the mappings' topics, as the shared account may publish on them."""
    found = ["/".join("+" if "{" in level else level for level in m.topic.split("/")) for m in mappings if m.topic]
    return tuple(t for t in dict.fromkeys(found) if not t.startswith(RESERVED))


def device_topics(device: DeviceConfig, mappings: Iterable[Mapping]) -> tuple[str, ...]:
    """Filters on which the device may publish."""
    out = [f"sensors/{device.address}", f"sensors/{device.address}/#"] if device.address else []
    listed = device.attributes.get("mqtt_topics")
    out += [str(t) for t in listed] if isinstance(listed, list) else []
    for mapping in mappings:
        topic = _own_topic(mapping, device)
        out += [topic] if topic else []
    return tuple(t for t in dict.fromkeys(out) if t and not t.startswith(RESERVED))


def _own_topic(mapping: Mapping, device: DeviceConfig) -> str:
    """The mapping's topic with the device's name in it; "" where the topic does not tell whose it is."""
    name = device.device_id.removeprefix(f"{mapping.source}:{mapping.prefix}")
    whole = mapping.device
    if name == device.device_id or not (whole.startswith("{") and whole.endswith("}") and whole.count("{") == 1):
        return ""
    if whole not in mapping.topic:
        return ""
    filled = mapping.topic.replace(whole, name)
    return "/".join("+" if "{" in level else level for level in filled.split("/"))


def subjects(topics: Iterable[str]) -> list[str]:
    """MQTT filters as NATS subjects: ``/`` → ``.``, ``.`` → ``//``; ``#`` is also the level above (docs.nats.io)."""
    out: list[str] = []
    for topic in topics:
        levels = [level.replace(".", "//") for level in topic.split("/")]
        levels = [{"+": "*", "#": ">", "": "/"}.get(level, level) for level in levels]
        if levels[-1] == ">" and len(levels) > 1:
            out.append(".".join(levels[:-1]))
        out.append(".".join(levels))
    return out


class AuthService:
    """Answers the broker's questions; ends connections whose right ended."""

    def __init__(
        self,
        settings: Settings,
        gate: BrokerGate,
        counters: SourceCounters,
        note: Callable[[Refusal, str], None],
        clock: Clock,
    ) -> None:
        self._settings, self._gate, self._counters, self._note, self._clock = settings, gate, counters, note, clock
        self._issuer = Issuer(settings.broker_secret)
        self._connected: OrderedDict[tuple[str, int], tuple[Asked, Granted]] = OrderedDict()

    async def open(self, bus: Bus) -> None:
        """Begin to answer; a drill leaves that to the live city."""
        if not bus.prefix:
            await bus.client.subscribe("$SYS.REQ.USER.AUTH", queue="yiwang-auth", cb=self._on_request)
            await bus.client.flush()

    async def run(self, stop: asyncio.Event) -> None:
        """End what lost its right (credential replaced, device disabled, topics changed) within seconds."""
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), _LOOK_S)
            except TimeoutError:
                await self.review()

    async def review(self) -> int:
        """Judge every connection again and hang up on those whose right changed; how many."""
        changed = []
        for number, (key, (who, granted)) in enumerate(list(self._connected.items())):
            if number % 500 == 499:
                await asyncio.sleep(0)
            if self._gate.judge(who) != granted:
                changed.append(key)
                self._connected.pop(key, None)
        if changed:
            await self._kick(changed)
        return len(changed)

    async def _kick(self, connections: list[tuple[str, int]]) -> None:
        system = await nats.connect(
            self._settings.nats_url.split(","), user="yiwang-system", password=self._settings.nats_token,
            tls=tls_of(self._settings.nats_ca),
            allow_reconnect=False, connect_timeout=2,
        )  # fmt: skip
        try:
            for server, connection in connections:
                self._counters.count("hung_up")
                with suppress(nats.errors.Error, TimeoutError):  # it went away by itself
                    request = json.dumps({"cid": connection}).encode()
                    await system.request(f"$SYS.REQ.SERVER.{server}.KICK", request, timeout=2)
        finally:
            await system.close()

    async def _on_request(self, message: Msg) -> None:
        try:
            asked = claims_of(message.data.decode())["nats"]
            server, user_key = asked["server_id"], asked["user_nkey"]
        except (ValueError, KeyError, TypeError) as error:
            log.warning("the broker asked for something we do not understand: %s", error)
            return
        who = _asked(asked)
        verdict = self._gate.judge(who)
        answer: dict[str, Any] = {"type": "authorization_response", "version": 2}
        if isinstance(verdict, Granted):
            self._counters.count("connections")
            answer["jwt"] = self._user(user_key, who, verdict)
            self._remember((str(server["id"]), int(asked["client_info"].get("id", 0))), who, verdict)
        else:
            answer["error"] = verdict.code
            self._note(Refusal(verdict.code, verdict.detail, self._clock.now(), b"", who.address), verdict.device_id)
        token = self._issuer.sign(user_key, answer, aud=server["id"])
        await message.respond(token.encode())

    def _user(self, key: str, who: Asked, granted: Granted) -> str:
        claims = {
            "type": "user",
            "version": 2,
            "pub": {"allow": [*subjects(granted.publish), "$MQTT.>"]},
            "sub": {"allow": [*subjects(granted.subscribe), "$MQTT.>"]},
            "subs": -1,
            "data": -1,
            "payload": -1,
            "allowed_connection_types": ["MQTT", "MQTT_WS"],
        }
        return self._issuer.sign(key, claims, aud=ACCOUNT, name=(granted.device_id or who.user)[:100])

    def _remember(self, connection: tuple[str, int], who: Asked, granted: Granted) -> None:
        self._connected[connection] = (who, granted)
        if len(self._connected) > _MOST_CONNECTIONS:
            self._connected.popitem(last=False)


def _asked(asked: dict[str, Any]) -> Asked:
    options, client = asked.get("connect_opts") or {}, asked.get("client_info") or {}
    return Asked(
        user=str(options.get("user") or client.get("user") or ""),
        password=str(options.get("pass") or ""),
        client_id=str(client.get("mqtt_id") or ""),
        address=str(client.get("host") or ""),
    )
