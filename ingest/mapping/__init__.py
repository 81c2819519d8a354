"""Mapping: any JSON (or table row) to readings and observations, described by data.  Pure.

A mapping names where in an item the device, the time, the place and the values stand; a path is
``data.records[0].level`` (a key that itself holds dots is found whole).  ``items`` is the path of a list of items;
without it the whole payload is one item.  In ``device`` a ``{name}`` is taken from the topic, e.g.::

    topic: "city/pumps/{station}/up"
    device: "{station}"
    items: "data[]"
    time: {path: ts, format: unix_ms}
    values:
      - {path: level_cm, quantity: water_level_m, scale: 0.01, unit: m, missing: [-999]}
    events:
      - {kind_path: alarm, kinds: {"1": fire_alarm}, state_path: on, states: {"1": open, "0": clear}}
"""

from ingest.mapping.format import Mapping, MappingInvalid, check_mapping, read_mapping
from ingest.mapping.items import (
    MAX_ITEMS,
    MAX_PAYLOAD_BYTES,
    Mapped,
    map_items,
    map_payload,
)
from ingest.mapping.listing import ItemInvalid, ItemsMissing, PayloadNotJson, PayloadTooLarge, items_of
from ingest.mapping.paths import find
from ingest.mapping.topics import MappingSet

__all__ = [
    "MAX_ITEMS",
    "MAX_PAYLOAD_BYTES",
    "ItemInvalid",
    "ItemsMissing",
    "Mapped",
    "Mapping",
    "MappingInvalid",
    "MappingSet",
    "PayloadNotJson",
    "PayloadTooLarge",
    "check_mapping",
    "find",
    "items_of",
    "map_items",
    "map_payload",
    "read_mapping",
]
