"""Which parser an MQTT topic or an HTTP path gets: the city's mapping files first, else the default payload.

Mapping files are ``*.yaml`` in ``<data_dir>/mappings`` (one mapping, or a list of them); see :mod:`ingest.mapping`.
A file that cannot be used is named in the log and left out; the others work.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from core.errors import YiwangError
from core.records import Observation, Reading
from ingest import payload
from ingest.mapping import Mapped, Mapping, MappingSet, map_payload, read_mapping
from ingest.yamltext import read_yaml

log = logging.getLogger("yiwang.ingest")


@dataclass
class Parsed:
    """What one message said, by device; ``refused`` are items that were left out."""

    devices: list[tuple[str, list[Reading], list[Observation]]] = field(default_factory=list)
    refused: list[YiwangError] = field(default_factory=list)


def mappings_of(text: str, name: str) -> list[Mapping]:
    """The mappings of one YAML document (one, or a list); :class:`~ingest.mapping.MappingInvalid`, ``YAMLError``."""
    specs: Any = read_yaml(text)
    return [read_mapping(spec, name) for spec in (specs if isinstance(specs, list) else [specs])]


def read_mappings(folder: Path) -> list[Mapping]:
    """The mappings of all files in ``folder``; none when there is no such folder."""
    found: list[Mapping] = []
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else []:
        try:
            found += mappings_of(path.read_text(encoding="utf-8"), path.stem)
        except (YiwangError, yaml.YAMLError, OSError, UnicodeDecodeError) as error:
            log.warning("mapping file %s is left out: %s", path.name, error)
    return found


class Router:
    """Parses messages; pure but for the mappings it was given."""

    def __init__(self, mappings: list[Mapping]) -> None:
        self.mappings = mappings
        self._set = MappingSet(mappings)
        self._by_name = {mapping.name: mapping for mapping in mappings}

    @property
    def topics(self) -> tuple[str, ...]:
        """MQTT filters to subscribe to."""
        own = [topic for topic in self._set.topics if not topic.startswith("sensors/")]
        return ("sensors/#", *own)

    def parse(self, topic: str, data: bytes, received_at: datetime) -> Parsed:
        """An MQTT message; a :class:`~core.errors.YiwangError` when the whole of it is refused."""
        match = self._set.match(topic)
        if match is not None:
            return _parsed(map_payload(match[0], data, received_at, match[1]))
        device_id, body = payload.parse(topic, data, received_at)
        return Parsed([(device_id, body.readings, [])], body.refused)

    def named(self, name: str) -> Mapping | None:
        """The mapping that an HTTP caller names in its path, ``/push/<name>``."""
        return self._by_name.get(name)


def _parsed(mapped: Mapped) -> Parsed:
    devices = [(d, mapped.readings.get(d, []), mapped.observations.get(d, [])) for d in mapped.devices]
    return Parsed(devices, [error for _, error in mapped.refused])
