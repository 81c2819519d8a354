"""An item as another platform's order.  Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from core.exchange import ORDER
from core.ids import derived_id
from core.records import GeoPoint, Observation
from ingest.mapping.format import Mapping, OrderMap
from ingest.mapping.paths import find
from ingest.mapping.words import listed, word

LONGEST = 10_000


class Shared(Protocol):
    """What all values of one item share (:mod:`ingest.mapping.items`)."""

    mapping: Mapping
    item: Any
    received_at: datetime
    observed_at: datetime
    location: GeoPoint | None

    def refuse(self, name: str, detail: str) -> None: ...


def order_of(shared: Shared, order: OrderMap) -> Observation | None:
    """The order as an observation for the worker; None (and told) when its number or a word cannot be read."""
    number = word(find(shared.item, order.number)).strip()
    if not number or len(number) > 80:
        shared.refuse(order.number, "names no order (1 to 80 characters)")
        return None
    command = "report"
    if order.command_path:
        said = find(shared.item, order.command_path)
        wanted = listed(order.commands, said)
        if wanted is None:
            shared.refuse(order.command_path, f"{word(said)!r} is none of {', '.join(order.commands)}")
            return None
        command = wanted
    fields = _fields(shared, order)
    if fields is None:
        return None
    reason = word(find(shared.item, order.reason_path)) if order.reason_path else ""
    body = {"definition": order.definition, "number": number, "command": command, "fields": fields}
    body |= {"reason": reason[:2000]} if reason else {}
    return Observation(
        observation_id=derived_id("order", shared.mapping.name, number, command, repr(sorted(fields.items())), reason),
        kind=ORDER,
        state="measure",
        source_type="platform",
        source_id=f"{shared.mapping.name}:{number}"[:120],
        observed_at=shared.observed_at,
        received_at=shared.received_at,
        location=shared.location,
        attributes={"connection": shared.mapping.name, **body},
    )


def _fields(shared: Shared, order: OrderMap) -> dict[str, Any] | None:
    """The fields of the report; None when a word has no meaning in ``choices``."""
    fields: dict[str, Any] = {}
    for name, path in order.fields.items():
        found = path[1:] if path.startswith("=") else find(shared.item, path)
        if name in order.choices and found not in (None, ""):
            meant = listed(order.choices[name], found)
            if meant is None:
                shared.refuse(path, f"{word(found)!r} is none of {', '.join(order.choices[name])}")
                return None
            found = meant
        if isinstance(found, str):
            found = found.strip()[:LONGEST]
        if found not in (None, "", []) and isinstance(found, str | int | float | bool):
            fields[name] = found
    return fields
