"""A connection's items through its mapping; also what a dry run shows.  Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.exchange import ConnectionConfig
from ingest.mapping import ItemsMissing, Mapped, Mapping, items_of, map_items, read_mapping

SAMPLE_ITEMS = 20


def mapping_of(config: ConnectionConfig) -> Mapping:
    """The mapping of a connection; ``MappingInvalid``.  Device ids begin with the connection, unless it says else."""
    spec = {"source": config.connection_id, **config.mapping, "name": config.connection_id}
    return read_mapping(spec, config.connection_id)


def take(mapping: Mapping, body: Any, now: datetime) -> tuple[list[Any], Mapped]:
    """The items of an answer and what they said; a body that is a list is the list of items.

    An answer without the list that the mapping names is refused as one item: it often says what went wrong.
    """
    try:
        items = body if isinstance(body, list) and not mapping.items else items_of(mapping, body)
    except ItemsMissing as error:
        return [body], Mapped(refused=[(0, error)])
    return items, map_items(mapping, items, now)


def said(mapped: Mapped) -> int:
    """How many readings, events and orders came of it."""
    readings = sum(len(some) for some in mapped.readings.values())
    return readings + sum(len(some) for some in mapped.observations.values()) + len(mapped.orders)


def shown(items: list[Any], mapped: Mapped) -> dict[str, Any]:
    """The result of a dry run: readings, events, orders, and what is refused with its item's number from 1."""
    readings = [
        {"device": r.device_id, "quantity": r.quantity, "value": r.value, "unit": r.unit, "quality": r.quality.value,
         "observed_at": r.observed_at.isoformat(), "channel": r.channel}
        for some in mapped.readings.values() for r in some
    ]  # fmt: skip
    events = [
        {"device": o.source_id, "kind": o.kind, "state": o.state, "observed_at": o.observed_at.isoformat()}
        for some in mapped.observations.values() for o in some
    ]  # fmt: skip
    orders = [{k: v for k, v in o.attributes.items() if k != "connection"} for o in mapped.orders]
    refused = [{"item": index + 1, **error.as_dict()} for index, error in mapped.refused]
    if not items:
        refused = [{"item": 0, "error": "no_items", "message": "items leads to no list, or to an empty one",
                    "remedy": "name the list that holds the items, or leave items empty"}]  # fmt: skip
    return {"items": len(items), "readings": readings[:200], "events": events[:200], "orders": orders[:200],
            "refused": refused[:100]}  # fmt: skip
