"""Every plug-in that the configuration names, built as its process would build it: what is wrong, one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import plugins
from core.bus import Bus
from core.errors import YiwangError
from core.records import AlgorithmConfig, Zone
from core.settings import Settings
from events.notify.configuration import read_configuration
from events.notify.webhooks import checked_subscribers
from events.rules.rulebook import check_spec, default_rules, spec_of
from ingest.configured import tcp_ports
from ingest.connections.mapped import mapping_of
from ingest.connections.running import wiring_of
from storage.connections import connection_config
from storage.tables.exchange import Connection, ConnectionVersion
from storage.tables.observations import Rule
from storage.tables.registry import Camera

if TYPE_CHECKING:
    from vision.judging.detector_pool import DetectorPool


def without_database(settings: Settings) -> Iterator[str]:
    """What files and variables name: protocols that devices connect to, channels of ``notify.json``."""
    for kind in tcp_ports(settings):
        yield from _tried(f"source {kind}", lambda kind=kind: plugins.build("source", kind, {}))  # type: ignore[misc]
    notify = read_configuration(settings)
    yield from (str(problem) for problem in (*notify.problems, *checked_subscribers(settings)[1]))
    bus = cast(Bus, None)  # a channel keeps it for later; while it is built it sends nothing
    for name, params in notify.channels.items():
        yield from _tried(
            f"notify.json channel {name}",
            lambda kind=name.partition(":")[0], params=params: plugins.build(  # type: ignore[misc]
                "channel", kind, params, settings=settings, bus=bus
            ),
        )


def in_database(settings: Settings, session: Session) -> Iterator[str]:
    """What the tables name: rules, cameras' algorithms with their detectors, connections."""
    happenings = default_rules().happenings
    for rule in session.scalars(select(Rule).where(Rule.enabled).order_by(Rule.rule_id)):
        yield from _tried(f"rule {rule.rule_id}", lambda rule=rule: check_spec(spec_of(rule), happenings))  # type: ignore[misc]
    yield from _cameras(session)
    for row in session.scalars(select(Connection).where(Connection.enabled).order_by(Connection.connection_id)):
        version = session.get(ConnectionVersion, (row.connection_id, row.version))
        yield from _tried(
            f"connection {row.connection_id}",
            lambda row=row, body=version.body if version else {}: _connection(settings, row, body),  # type: ignore[misc]
        )


def _cameras(session: Session) -> Iterator[str]:
    from vision.judging.detector_pool import DetectorPool  # a city without cameras needs no library of pictures

    pool, known = DetectorPool(), dict[str, list[str]]()
    for camera in session.scalars(select(Camera).where(Camera.enabled).order_by(Camera.camera_id)):
        for wanted in camera.algorithms or []:
            key = msgspec.json.encode([wanted, camera.zones if wanted.get("zones") else []], order="sorted").decode()
            if key not in known:  # hundreds of cameras are configured alike
                known[key] = list(_tried("", lambda: _algorithm(camera, wanted, pool)))  # noqa: B023 - called at once
            yield from (f"camera {camera.camera_id}{line}" for line in known[key])


def _algorithm(camera: Camera, wanted: dict[str, Any], pool: DetectorPool) -> None:
    from vision.judging.analyzer import build_algorithm

    config = msgspec.convert(wanted, AlgorithmConfig)
    build_algorithm(config, [msgspec.convert(zone, Zone) for zone in camera.zones or []], pool)


def _connection(settings: Settings, row: Connection, body: dict[str, Any]) -> None:
    config = connection_config(row, body)
    plugins.build("connection", config.kind, config.params, wiring=wiring_of(config, settings))
    if config.direction == "in":
        mapping_of(config)


def _tried(what: str, action: Callable[[], object]) -> Iterator[str]:
    try:
        action()
    except (YiwangError, msgspec.ValidationError) as error:
        yield f"{what}: {error}"
