"""Trying a connection: what the sender answers now, and what the mapping makes of a sample.  Nothing is stored."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from core import plugins
from core.errors import InputInvalid, YiwangError
from core.exchange import ConnectionConfig
from core.settings import Settings
from dashboard.api.deps import must_be
from dashboard.auth import Principal
from dashboard.connections.desk import Version, config_of
from dashboard.services import Services
from ingest.connections import mapped
from ingest.connections.running import wiring_of
from ingest.mapping import MappingInvalid, items_of, read_mapping

TEST_S = 30.0
MOST_SAMPLE = 256_000  # characters


class Trial(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/connections/{id}/try``: a mapping and the sample (JSON text) that it is tried on."""

    mapping: dict[str, Any]
    sample: str


async def test(use: Services, who: Principal, connection_id: str, version: Version | None = None) -> dict[str, Any]:
    """Ask the sender once: ``{"ok", "detail", "sample", "items", "seconds"}``; the sample is cut to a few items."""
    must_be(who, "admin")
    config = await asyncio.to_thread(config_of, use, connection_id, version)
    said = plugins.about("connection", config.kind)
    if said.transport == "push" or said.direction not in ("in", "ask"):
        raise InputInvalid(field="kind", detail="there is nothing to ask", how="see what the kind's help says")
    started = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(TEST_S):
            body = await _fetch(config, use.settings)
    except YiwangError as error:
        return {"ok": False, "detail": str(error), "sample": None, "items": 0, "seconds": 0.0}
    except TimeoutError:
        detail = f"no answer within {TEST_S:.0f} s"
        return {"ok": False, "detail": detail, "sample": None, "items": 0, "seconds": TEST_S}
    seconds = asyncio.get_running_loop().time() - started
    cut, items = _cut(config, body)
    return {"ok": True, "detail": "", "sample": cut, "items": items, "seconds": round(seconds, 2)}


async def _fetch(config: ConnectionConfig, settings: Settings) -> Any:
    connector = plugins.build("connection", config.kind, config.params, wiring=wiring_of(config, settings))
    try:
        return (await connector.fetch("")).body
    finally:
        await connector.close()


def _cut(config: ConnectionConfig, body: Any) -> tuple[Any, int]:
    """The answer with the first items alone, and how many it had."""
    if isinstance(body, list):
        return body[: mapped.SAMPLE_ITEMS], len(body)
    path = str(config.mapping.get("items") or "").removesuffix("[]")
    holder, _, last = path.rpartition(".")
    inner = body
    for step in [s for s in holder.split(".") if s]:
        inner = inner.get(step) if isinstance(inner, dict) else None
    if isinstance(inner, dict) and isinstance(inner.get(last), list):
        number = len(inner[last])
        inner[last] = inner[last][: mapped.SAMPLE_ITEMS]
        return body, number
    return body, 1


def try_mapping(use: Services, who: Principal, connection_id: str, sent: Trial) -> dict[str, Any]:
    """What the mapping makes of the sample: readings, events, orders, refusals by item; or what is wrong with it."""
    must_be(who, "admin")
    if len(sent.sample) > MOST_SAMPLE:
        raise InputInvalid(field="sample", detail=f"longer than {MOST_SAMPLE} characters", how="cut it")
    try:
        body = msgspec.json.decode(sent.sample)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputInvalid(field="sample", detail=f"is no JSON: {error}", how="paste what the sender sends") from error
    spec = {"source": connection_id, **sent.mapping, "name": connection_id}
    mapping = read_mapping(spec, connection_id)
    return mapped.shown(*mapped.take(mapping, body, use.clock.now()))


def fields_of(sample: Any, items: str) -> list[str]:
    """Paths of plain values in the sample's first items: what the editor offers as columns."""
    try:
        values = [{"path": "x", "quantity": "x"}]
        mapping = read_mapping({"name": "sample", "device": "x", "items": items, "values": values})
        listed = sample if isinstance(sample, list) and not items else items_of(mapping, sample)
    except (MappingInvalid, YiwangError):
        return []
    found: dict[str, None] = {}
    for item in listed[:5]:
        _paths(item, "", found)
    return list(found)[:200]


def lists_of(sample: Any, path: str = "") -> list[str]:
    """Paths of lists of objects in an answer: what ``items`` may be."""
    if isinstance(sample, list):
        return [f"{path}[]"] if path and any(isinstance(i, dict) for i in sample) else []
    if not isinstance(sample, dict) or path.count(".") > 3:
        return []
    return [p for name, inner in list(sample.items())[:100] for p in lists_of(inner, f"{path}.{name}".lstrip("."))]


def _paths(value: Any, path: str, found: dict[str, None]) -> None:
    if isinstance(value, dict) and path.count(".") < 4:
        for name, inner in list(value.items())[:100]:
            _paths(inner, f"{path}.{name}".lstrip("."), found)
    elif path and not isinstance(value, list):
        found[path] = None
