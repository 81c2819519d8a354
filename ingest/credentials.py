"""A device's own user and password for the broker and the push listener.  The secret itself is kept nowhere."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from typing import Any

from core.records import DeviceConfig
from ingest.broker_auth import client_ids, device_topics
from ingest.mapping import Mapping


def new_secret() -> str:
    """A password nobody can guess (192 bits)."""
    return secrets.token_urlsafe(24)


def digest_of(secret: str) -> str:
    """What the registry keeps of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def credential(device: DeviceConfig, secret: str, mappings: Iterable[Mapping] = ()) -> dict[str, Any]:
    """What whoever sets the device up has to type in: MQTT user, password, client ids, topics; HTTP bearer token."""
    return {
        "device": device.device_id,
        "user": device.device_id,
        "password": secret,
        "client_ids": list(client_ids(device)),
        "topics": list(device_topics(device, mappings)),
    }
