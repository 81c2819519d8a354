"""Which parser an MQTT topic or an HTTP path gets: the city's mapping files first, else the default payload.

Mapping files are ``*.yaml`` in ``<data_dir>/mappings`` (one mapping, or a list of them); see :mod:`ingest.mapping`.
A file that cannot be used is named in the log and left out; the others work.  Changes are in force within seconds.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
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


class MappingFileInvalid(YiwangError):
    code = "mapping_file_invalid"
    message = "mapping file {file}: {detail}"
    remedy = "see docs/protocols.md for what a mapping may hold"
    zh = "映射文件 {file}：{detail}"
    zh_remedy = "映射可含的内容见 docs/protocols.md"


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
    return MappingsFolder(folder).look() or []


class MappingsFolder:
    """The mapping files of a folder, read again when one changes.

    A file that cannot be used is named in the log and in ``problems``; what it said before stays in force, so that a
    slip while editing does not make a sender deaf.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, tuple[int, int]] | None = None
        self._good: dict[Path, list[Mapping]] = {}
        self.problems: list[YiwangError] = []

    def look(self) -> list[Mapping] | None:
        """The mappings in force, None when nothing changed since the last look."""
        seen: dict[Path, tuple[int, int]] = {}
        for path in sorted(self._folder.glob("*.yaml")) if self._folder.is_dir() else []:
            with suppress(OSError):  # gone between the two
                found = path.stat()
                seen[path] = (found.st_mtime_ns, found.st_size)
        if seen == self._seen:
            return None
        before, self._seen = self._seen or {}, seen
        self._good = {path: known for path, known in self._good.items() if path in seen}
        self.problems = [p for p in self.problems if self._same(Path(p.data["path"]), before, seen)]
        for path, state in seen.items():
            if before.get(path) != state:
                self._read(path)
        return [mapping for path in seen for mapping in self._good.get(path, ())]

    @staticmethod
    def _same(path: Path, before: dict[Path, tuple[int, int]], seen: dict[Path, tuple[int, int]]) -> bool:
        return path in seen and before.get(path) == seen[path]

    def _read(self, path: Path) -> None:
        try:
            self._good[path] = mappings_of(path.read_text(encoding="utf-8"), path.stem)
        except (YiwangError, yaml.YAMLError, OSError, UnicodeDecodeError) as error:
            kept = "; what it said before stays in force" if path in self._good else ""
            problem = MappingFileInvalid(file=path.name, path=str(path), detail=str(error))
            self.problems.append(problem)
            log.warning("mapping file %s is left out: %s%s", path.name, error, kept)


async def follow(folder: MappingsFolder, router: Router, stop: asyncio.Event, every_s: float = 1.0) -> None:
    """Give ``router`` the folder's mappings whenever a file changed, until ``stop``."""
    while not stop.is_set():
        found = await asyncio.to_thread(folder.look)
        if found is not None:
            router.replace(found)
            log.warning("mappings: %d in force", len(found))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)


class Router:
    """Parses messages; pure but for the mappings it was given."""

    def __init__(self, mappings: list[Mapping]) -> None:
        self.replace(mappings)

    def replace(self, mappings: list[Mapping]) -> None:
        """Use other mappings from now on."""
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
