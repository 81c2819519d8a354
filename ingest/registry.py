"""The devices that ingest knows, kept current from KV ``registry`` (keys ``device.*``)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator

import nats.errors
import nats.js.errors
from nats.js.kv import KeyValue

from core.bus import Bus
from core.errors import RecordError
from core.records import DeviceConfig, decode

log = logging.getLogger("yiwang.ingest")

_POLL_S = 0.5


class DeviceRegistry:
    """Device configurations by id.  :meth:`follow` keeps them current."""

    def __init__(self) -> None:
        self._devices: dict[str, DeviceConfig] = {}
        self._key_to_id: dict[str, str] = {}
        self._client_ids: dict[str, str] = {}
        self._listeners: list[Callable[[DeviceConfig], None]] = []
        self.loaded = asyncio.Event()

    def get(self, device_id: str) -> DeviceConfig | None:
        """The device's configuration, ``None`` when it is unknown."""
        return self._devices.get(device_id)

    def by_client_id(self, client_id: str) -> DeviceConfig | None:
        """The device that uses an MQTT client id (its own, its address or its id)."""
        return self._devices.get(self._client_ids.get(client_id, "")) or self._devices.get(client_id)

    def __iter__(self) -> Iterator[DeviceConfig]:
        return iter(list(self._devices.values()))

    def __len__(self) -> int:
        return len(self._devices)

    def put(self, device: DeviceConfig, key: str = "") -> None:
        """Add or replace a device."""
        self._devices[device.device_id] = device
        if "token_sha256" in device.attributes or "mqtt_client_id" in device.attributes:
            for client_id in (device.attributes.get("mqtt_client_id"), device.address):
                if client_id:
                    self._client_ids[str(client_id)] = device.device_id
        self._key_to_id[key] = device.device_id
        for listener in self._listeners:
            listener(device)

    def on_change(self, listener: Callable[[DeviceConfig], None]) -> None:
        """Call ``listener`` with every configuration that is added or changes."""
        self._listeners.append(listener)

    async def follow(self, bus: Bus, stop: asyncio.Event) -> None:
        """Load everything, set :attr:`loaded`, then follow changes until ``stop``.

        A server that was killed takes the watch with it, so the watch is made anew after every reconnection.
        """
        bucket = await bus.bucket("registry")
        while not stop.is_set():
            reconnects = bus.client.stats["reconnects"]
            watcher = await bucket.watch("device.*")
            try:
                while not stop.is_set() and bus.client.stats["reconnects"] == reconnects:
                    try:
                        entry = await watcher.updates(timeout=_POLL_S)
                    except nats.errors.TimeoutError:
                        continue
                    if entry is None:
                        self.loaded.set()
                    elif isinstance(entry, KeyValue.Entry):
                        self._apply(entry)
            finally:
                if bus.client.is_connected:
                    await watcher.stop()

    def _apply(self, entry: KeyValue.Entry) -> None:
        if entry.operation is not None or not entry.value:
            device_id = self._key_to_id.pop(entry.key, None)
            if device_id is not None:
                self._devices.pop(device_id, None)
            return
        try:
            self.put(decode(DeviceConfig, entry.value), entry.key)
        except RecordError as error:
            log.warning("registry entry %s ignored: %s", entry.key, error)
