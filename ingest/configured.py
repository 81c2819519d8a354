"""Which sources this city has beyond the listeners: ``*.yaml`` in ``<data_dir>/sources``, one source a file::

    kind: modbus            # a plug-in of ingest/sources
    params: {host: 10.1.2.3, device: pump-1, registers: [{address: 0, quantity: water_level_m, scale: 0.001}]}

The file's name is the source's name.  For a protocol whose devices connect to us (transport ``tcp``) the file gives
its parameters.
A file that cannot be used is named with its fault and left out; the others work.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from core import plugins
from core.clock import Clock
from core.errors import SettingsError, YiwangError
from core.records import Observation, Reading
from core.settings import Settings
from ingest.pipeline import Pipeline, durable
from ingest.polling import Polled, Poller, run
from ingest.yamltext import read_yaml

log = logging.getLogger("yiwang.ingest")


@dataclass(frozen=True)
class Configured:
    """One configured source."""

    name: str
    kind: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Sources:
    """Everything that the folder holds; ``problems`` are the files that were left out."""

    pollers: tuple[Configured, ...] = ()
    listeners: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: tuple[YiwangError, ...] = ()


def read_sources(folder: Path, only: str = "*.yaml") -> Sources:
    """The configured sources, their parameters checked; ``only``: the files of that name."""
    pollers, listeners, problems = list[Configured](), dict[str, dict[str, Any]](), list[YiwangError]()
    for path in sorted(folder.glob(only)) if folder.is_dir() else []:
        try:
            found = _read(path)
            plugins.parse_params("source", found.kind, found.params)
        except YiwangError as error:
            problems.append(error)
            continue
        if plugins.about("source", found.kind).transport == "tcp":
            listeners[found.kind] = found.params
        else:
            pollers.append(found)
    return Sources(tuple(pollers), listeners, tuple(problems))


def _read(path: Path) -> Configured:
    try:
        spec = read_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise SettingsError(field=path.name, detail=str(error), how="write it as YAML in UTF-8") from error
    if not isinstance(spec, dict) or set(spec) - {"kind", "params"} or not isinstance(spec.get("kind"), str):
        raise SettingsError(field=path.name, detail="kind and params expected", how="see docs/protocols.md")
    params = spec.get("params") or {}
    if not isinstance(params, dict):
        raise SettingsError(field=path.name, detail="params is no mapping", how="see docs/protocols.md")
    return Configured(path.stem, spec["kind"], params)


def tcp_ports(settings: Settings) -> dict[str, int]:
    """Port of each source whose devices connect to us, the city's own among them; one without a port is left out."""
    tcp = [kind for kind in plugins.titles("source", "en") if plugins.about("source", kind).transport == "tcp"]
    return {kind: port for kind in tcp if (port := settings.source_port(kind))}


def try_build(source: Configured) -> None:
    """Build the plug-in of ``source`` as its carrier would, and drop it; the typed error that it raises."""
    kind = source.kind
    if plugins.about("source", kind).transport == "tcp":
        plugins.build("source", kind, source.params)
        return
    with tempfile.TemporaryDirectory() as folder:
        plugins.build("source", kind, source.params, name=source.name, state_dir=Path(folder))


async def serve(source: Configured, state_dir: Path, pipeline: Pipeline, clock: Clock, stop: asyncio.Event) -> None:
    """Carry one polling source until ``stop``; raises when it is lost, for the supervisor to try again."""
    counters = pipeline.counters.of(source.kind)
    poller: Poller = plugins.build("source", source.kind, source.params, name=source.name, state_dir=state_dir)

    async def publish(device_id: str, readings: Sequence[Reading], observations: Sequence[Observation]) -> bool:
        counters.count("messages")
        return await durable(await pipeline.take(source.kind, device_id, readings, observations))

    def note(polled: Polled) -> None:
        counters.count("polls")
        for error in polled.refused:
            counters.refuse(error.code)
            log.debug("%s: %s", source.name, error)

    try:
        await run(poller, publish, clock, stop, note)
    except YiwangError as error:
        counters.refuse(error.code)
        raise
