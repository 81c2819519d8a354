"""The registry as ingest and vision need it: database rows → records → key-value bucket ``registry``.

``publish_registry`` writes only what changed since it last did, and takes away what no longer exists.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

import msgspec
import nats.js.errors
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.bus import Bus
from core.camera_secrets import CameraSeal, has_secret
from core.ids import subject_token
from core.records import AlgorithmConfig, CameraConfig, DeviceConfig, GeoPoint, Zone, encode
from storage.connections import read_connections
from storage.session import read_scope, session_scope
from storage.tables.exchange import Connection
from storage.tables.registry import Camera, Device, GridCell

log = logging.getLogger("yiwang.registry")
GROUPS = ("camera", "device", "connection")  # what this publisher writes; others' keys are not its affair
LOOK_AGAIN_S = 20.0  # a change that leaves counts and sums as they were is found after so long


def registry_key(group: str, identifier: str) -> str:
    """The bucket's key: ``camera.<id>``, ``device.<id>`` or ``connection.<id>``, where ``:`` became ``=``."""
    return f"{group}.{subject_token(identifier).replace(':', '=')}"


def _place(lon: float | None, lat: float | None) -> GeoPoint | None:
    return GeoPoint(lon=lon, lat=lat) if lon is not None and lat is not None else None


def camera_config(row: Camera, seal: CameraSeal | None = None) -> CameraConfig:
    """The record of a camera's row; zones or algorithms that do not parse are left out and logged.

    ``seal``: its addresses are sealed where they hold a secret.
    """
    return CameraConfig(
        camera_id=row.camera_id,
        name=row.name,
        url=seal.seal(row.camera_id, row.url) if seal else row.url,
        sub_url=seal.seal(row.camera_id, row.sub_url) if seal else row.sub_url,
        site_id=row.site_id,
        category=row.category,
        location=_place(row.lon, row.lat),
        analysis_fps=row.analysis_fps,
        priority=row.priority,
        algorithms=tuple(_parsed(row.algorithms, AlgorithmConfig, row.camera_id)),
        zones=tuple(_parsed(row.zones, Zone, row.camera_id)),
        enabled=row.enabled,
        revision=row.revision,
        calibration=row.calibration or {},
    )


def seal_addresses(engine: Engine, seal: CameraSeal) -> int:
    """Seal what lies open in the table (an import, an earlier version); how many cameras."""
    with session_scope(engine) as session:
        return seal_open_addresses(session, seal)


def seal_open_addresses(session: Session, seal: CameraSeal) -> int:
    """:func:`seal_addresses` inside a transaction."""
    done = 0
    for row in session.scalars(select(Camera).where(_open_secret(Camera.url) | _open_secret(Camera.sub_url))):
        url, sub_url = seal.seal(row.camera_id, row.url), seal.seal(row.camera_id, row.sub_url)
        done += (url, sub_url) != (row.url, row.sub_url)
        row.url, row.sub_url = url, sub_url
    return done


def _open_secret(column: Any) -> Any:
    return column.like("%://%") & (column.like("%@%") | column.like("%?%")) & ~column.like("sealed:%")


def _parsed(items: list[Any], model: type[Any], owner: str) -> list[Any]:
    good = []
    for item in items or []:
        try:
            good.append(msgspec.convert(item, model))
        except msgspec.ValidationError as error:
            log.warning("%s: %s left out: %s", owner, model.__name__, error)
    return good


def device_config(row: Device) -> DeviceConfig:
    """The record of a device's row."""
    return DeviceConfig(
        device_id=row.device_id,
        source=row.source,
        address=row.address,
        name=row.name,
        device_type=row.device_type,
        status=row.status,  # type: ignore[arg-type]  # the column holds only the three words
        site_id=row.site_id,
        location=_place(row.lon, row.lat),
        department_id=row.department_id,
        expected_interval_s=row.expected_interval_s,
        calibration=row.calibration or {},
        ranges={k: (float(v[0]), float(v[1])) for k, v in (row.ranges or {}).items()},
        coord_sys=row.coord_sys,  # type: ignore[arg-type]
        attributes=row.attributes or {},
        revision=row.revision,
    )


def grid_cell_at(session: Session, lon: float, lat: float) -> GridCell | None:
    """The 单元网格 cell that holds the point (WGS-84 degrees), None outside the grid."""
    import shapely

    candidates = session.scalars(
        select(GridCell)
        .where(GridCell.min_lon <= lon, GridCell.max_lon >= lon, GridCell.min_lat <= lat, GridCell.max_lat >= lat)
        .order_by(GridCell.code)
    )
    point = shapely.Point(lon, lat)
    for cell in candidates:
        if shapely.from_wkb(cell.geometry).intersects(point):
            return cell
    return None


@dataclass
class RegistryPublisher:
    """Remembers what it wrote, so that a poll every 2 s costs two index scans."""

    bus: Bus
    engine: Engine
    _written: dict[str, int] = field(default_factory=dict)
    _primed: bool = False
    _seen: tuple[Any, ...] = ()
    _look_again_at: float = 0.0

    async def publish(self) -> int:
        """Write rows whose ``revision`` differs from what was written last; returns how many keys moved.

        Addresses of cameras go out sealed, and are sealed in the table too.
        """
        bucket = await self.bus.bucket("registry")
        if not self._primed:
            await self._prime(bucket)
        mark = await asyncio.to_thread(self._mark)
        now = asyncio.get_running_loop().time()
        if mark == self._seen and now < self._look_again_at:
            return 0
        revisions, changed = await asyncio.to_thread(self._changed)
        for key, (revision, value) in changed.items():
            await bucket.put(key, value)
            self._written[key] = revision
        if any(key.startswith("camera.") for key in changed):
            await asyncio.to_thread(seal_addresses, self.engine, self._seal)
        gone = [k for k in self._written if k not in revisions]
        for key in gone:
            await bucket.delete(key)
            del self._written[key]
        self._seen, self._look_again_at = mark, now + LOOK_AGAIN_S
        return len(changed) + len(gone)

    def _mark(self) -> tuple[Any, ...]:
        """Counts and sums of the revisions: what nearly every change moves, without reading thousands of rows."""
        found: list[Any] = []
        with read_scope(self.engine) as session:
            for model in (Camera, Device, Connection):
                sums = func.count(), func.sum(model.revision), func.max(model.revision)
                found += session.execute(select(*sums).select_from(model)).one()
        return tuple(found)

    @property
    def _seal(self) -> CameraSeal:
        return CameraSeal(self.bus.settings.records_key)

    async def _prime(self, bucket: Any) -> None:
        """Learn what the bucket holds already: a restart publishes nothing twice."""
        try:
            keys = await bucket.keys()
        except nats.js.errors.NoKeysError:
            keys = []
        for key in [k for k in keys if k.partition(".")[0] in GROUPS]:
            try:
                entry = await bucket.get(key)
                known = msgspec.json.decode(entry.value or b"{}")
                open_ones = [name for name in ("url", "sub_url") if has_secret(str(known.get(name) or ""))]
                self._written[key] = -1 if open_ones else int(known.get("revision", 0))
            except (nats.js.errors.KeyNotFoundError, msgspec.DecodeError, AttributeError):
                self._written.setdefault(key, -1)
        self._primed = True

    def _changed(self) -> tuple[dict[str, int], dict[str, tuple[int, bytes]]]:
        with read_scope(self.engine) as session:
            revisions: dict[str, int] = {}
            changed: dict[str, tuple[int, bytes]] = {}
            for camera_id, revision in session.execute(select(Camera.camera_id, Camera.revision)):
                revisions[registry_key("camera", camera_id)] = revision
            for device_id, revision in session.execute(select(Device.device_id, Device.revision)):
                revisions[registry_key("device", device_id)] = revision
            for connection_id, revision in session.execute(select(Connection.connection_id, Connection.revision)):
                revisions[registry_key("connection", connection_id)] = revision
            stale = {k for k, v in revisions.items() if self._written.get(k) != v}
            if not stale:
                return revisions, changed
            if any(key.startswith("connection.") for key in stale):
                for found in read_connections(session):
                    key = registry_key("connection", found.connection_id)
                    if key in stale:
                        changed[key] = (found.revision, encode(found))
            for camera in session.scalars(select(Camera)):
                key = registry_key("camera", camera.camera_id)
                if key in stale:
                    changed[key] = (camera.revision, encode(camera_config(camera, self._seal)))
            for device in session.scalars(select(Device)):
                key = registry_key("device", device.device_id)
                if key in stale:
                    changed[key] = (device.revision, encode(device_config(device)))
            return revisions, changed


_publishers: dict[tuple[int, str], RegistryPublisher] = {}


async def publish_registry(bus: Bus, engine: Engine) -> int:
    """Bring the bucket up to date; call it again and again, it only writes what changed."""
    publisher = _publishers.get((id(bus), str(engine.url)))
    if publisher is None or publisher.bus is not bus:
        _publishers.clear()  # one worker, one bus: a new connection starts afresh
        publisher = _publishers[(id(bus), str(engine.url))] = RegistryPublisher(bus, engine)
    return await publisher.publish()
