"""A call of a sender: who it is, what it said, and the answer once that is durable."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from core.errors import YiwangError
from core.ids import new_id
from ingest.connections import mapped as mapping_parts
from ingest.connections.running import Connections, Held
from ingest.polling import NotConfirmed


def may_push(held: Held, authorization: str) -> bool:
    """Whether the caller shows the connection's key (bearer token)."""
    scheme, _, key = authorization.partition(" ")
    wanted = held.config.key_sha256
    if scheme.lower() != "bearer" or not wanted:
        return False
    return hmac.compare_digest(hashlib.sha256(key.strip().encode()).hexdigest(), wanted)


async def take_push(
    connections: Connections, held: Held, headers: Mapping[str, str], body: bytes
) -> tuple[int, dict[str, Any]]:
    """(status, answer) of a call whose key was checked: 200 taken, 400 unreadable, 503 not durable."""
    started, version = connections.clock.now(), held.config.version
    assert held.receiver is not None and held.mapping is not None
    try:
        items, found = mapping_parts.take(held.mapping, held.receiver.read(headers, body), started)
    except YiwangError as error:
        held.record.refuse(error, started, body[:400].decode("utf-8", "replace"), version)
        return 400, error.as_dict()
    try:
        await connections.publish(held, items, found)
    except NotConfirmed as error:
        return 503, error.as_dict()
    held.receiver.took(headers)
    taken, refused = mapping_parts.said(found), len(found.refused)
    held.record.run(new_id(), started, connections.clock.now(), rows=len(items), taken=taken, refused=refused,
                    version=version)  # fmt: skip
    told = [{"index": index, **error.as_dict()} for index, error in found.refused]
    return 200 if taken or not refused else 400, {"accepted": taken, "refused": told}
