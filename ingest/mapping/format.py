"""What a mapping may hold, and reading one from YAML or JSON.  Pure."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.errors import YiwangError
from core.geo.crs import System
from ingest.times import read_zone

State = Literal["open", "clear", "measure"]


class MappingInvalid(YiwangError):
    code = "mapping_invalid"
    message = "mapping {mapping!r}: {detail}"
    remedy = "see docs/protocols.md for what a mapping may hold"
    zh = "映射 {mapping!r}：{detail}"
    zh_remedy = "映射可含的内容见 docs/protocols.md"


class TimeMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``format``: ``iso``, ``unix``, ``unix_ms`` or a strptime pattern; ``zone`` holds for times without offset.

    Unix times are understood in seconds, milli-, micro- and nanoseconds, whichever of them is a possible moment.
    """

    path: str
    format: str = "iso"
    zone: str = "Asia/Shanghai"


class PlaceMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where longitude and latitude stand, and in which system they are."""

    lon: str
    lat: str
    coord_sys: System = "wgs84"


class ValueMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value: ``number × scale + offset``; ``words`` turns texts into numbers, ``missing`` lists "no value"."""

    path: str
    quantity: str
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    channel: str = ""
    channel_path: str = ""
    words: dict[str, float] = {}
    missing: list[float | int | str] = []
    text: bool = False
    required: bool = False


class EventMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One observation: kind fixed or by ``kinds[item[kind_path]]`` (unknown ones are skipped), state likewise."""

    kind: str = ""
    kind_path: str = ""
    kinds: dict[str, str] = {}
    state: State = "open"
    state_path: str = ""
    states: dict[str, State] = {}
    confidence_path: str = ""
    value_path: str = ""
    unit: str = ""
    zone_path: str = ""
    attributes: dict[str, str] = {}


class OrderMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another platform's order, which becomes a case of ``definition``.

    ``number``: where the sender's own number stands.  ``fields``: field of the definition's report → path in the item,
    or a fixed text behind ``=``.  ``choices``: field → the sender's word → ours; a word that is not listed is refused.
    ``command_path`` and ``commands``: where the sender says what it wants, its word → command of the definition
    (``report`` opens the case, the others go to the case that the order became; its ``reason`` is ``reason_path``).
    """

    definition: str
    number: str
    fields: dict[str, str] = {}
    choices: dict[str, dict[str, str]] = {}
    command_path: str = ""
    commands: dict[str, str] = {}
    reason_path: str = ""


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See the module.  ``source`` is the first half of device ids; ``prefix`` stands before the device's name."""

    name: str
    device: str = ""
    source: str = "mqtt"
    source_type: Literal["camera", "device", "drone", "citizen", "platform"] = "device"
    prefix: str = ""
    topic: str = ""
    items: str = ""
    id: str = ""
    time: TimeMap | None = None
    place: PlaceMap | None = None
    values: list[ValueMap] = []
    events: list[EventMap] = []
    orders: list[OrderMap] = []


def read_mapping(spec: Any, name: str = "") -> Mapping:
    """A mapping from plain data (a YAML or JSON document); :class:`MappingInvalid` names what is wrong."""
    try:
        mapping = msgspec.convert(_text_keys(spec), Mapping, strict=False)
        if mapping.time is not None:
            read_zone(mapping.time.zone)
    except (msgspec.ValidationError, ValueError, KeyError) as error:
        raise MappingInvalid(mapping=name or _name_of(spec), detail=str(error)) from error
    _check_topic(mapping)
    if not mapping.values and not mapping.events and not mapping.orders:
        raise MappingInvalid(mapping=mapping.name, detail="it maps neither values nor events nor orders")
    if not mapping.device:
        if mapping.values or mapping.events:
            raise MappingInvalid(mapping=mapping.name, detail="Object missing required field `device`")
        mapping = msgspec.structs.replace(mapping, device=mapping.orders[0].number)
    for event in mapping.events:
        if bool(event.kind) == bool(event.kind_path):
            raise MappingInvalid(mapping=mapping.name, detail="an event needs either kind or kind_path with kinds")
        if event.state_path and not event.states:
            raise MappingInvalid(mapping=mapping.name, detail="an event with state_path needs states")
    return mapping


RESERVED = ("$", "read/", "obs/", "case/", "lease/", "cmd/", "look/", "commands/", "aircraft/", "sys/", "thing/")
"""Topics of the platform's own bus, which shares its subjects with MQTT."""


def _check_topic(mapping: Mapping) -> None:
    """A topic on which devices may not publish, or that no broker takes, is refused at once."""
    levels = mapping.topic.split("/")
    wrong = ""
    if mapping.topic.startswith(RESERVED) or levels[0] in ("#", "+") or "{" in levels[0]:
        wrong = "begins with what belongs to the platform, or with a wildcard: begin with a word of your own"
    elif any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        wrong = "# stands alone and last"
    elif any("+" in level and level != "+" for level in levels):
        wrong = "+ stands alone between slashes"
    elif any(c in mapping.topic for c in " \t\r\n\x00>*"):
        wrong = "holds blanks, > or *, which the broker does not take"
    if mapping.topic and wrong:
        raise MappingInvalid(mapping=mapping.name, detail=f"topic {mapping.topic!r}: {wrong}")


def _text_keys(spec: Any) -> Any:
    """The document with texts as keys: YAML reads ``{1: …}`` as a number and ``{true: …}`` as a truth value."""
    if isinstance(spec, dict):
        return {_key(key): _text_keys(value) for key, value in spec.items()}
    return [_text_keys(value) for value in spec] if isinstance(spec, list) else spec


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def check_mapping(spec: dict[str, Any]) -> None:
    """ValueError when ``spec`` is no mapping: for the parameters of plug-ins."""
    try:
        read_mapping({"name": "mapping", **spec})
    except MappingInvalid as error:
        raise ValueError(str(error)) from error


def _name_of(spec: Any) -> str:
    return str(spec.get("name", "?")) if isinstance(spec, dict) else "?"
