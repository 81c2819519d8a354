"""Who and where a source is: looked up in the registry tables, remembered for a few seconds.

The worker asks for thousands of sources a second; a change in the registry is seen after ``ttl_s`` at the latest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.records import GeoPoint, Observation
from storage.tables.registry import Camera, Department, Device, Site


@dataclass(frozen=True)
class Source:
    """A camera or device as far as events care.  ``status`` of a camera is always "accepted"."""

    source_id: str
    name: str
    status: str
    site_id: str | None
    location: GeoPoint | None
    division_code: str | None
    grid_code: str | None
    department_id: str | None


@dataclass(frozen=True)
class Place:
    """Where an observation was made: of the source, else of its site."""

    name: str
    site_id: str | None
    location: GeoPoint | None
    division_code: str | None
    grid_code: str | None
    department_id: str | None


class PlaceRegistry:
    """Sources and sites by id, with a memory of ``ttl_s`` seconds."""

    def __init__(self, clock: Clock, ttl_s: float = 2.0) -> None:
        self._clock = clock
        self._ttl_s = ttl_s
        self._sources: dict[tuple[str, str], Source | None] = {}
        self._sites: dict[str, Site | None] = {}
        self._departments: set[str] = set()
        self._fresh_until = float("-inf")

    def _refresh(self) -> None:
        now = self._clock.monotonic()
        if now > self._fresh_until:
            self._sources.clear()
            self._sites.clear()
            self._departments = set()
            self._fresh_until = now + self._ttl_s

    def forget(self) -> None:
        """Look everything up anew."""
        self._fresh_until = float("-inf")

    def load_devices(self, session: Session, device_ids: Iterable[str]) -> None:
        """Look up many devices at once; unknown ones are remembered as unknown."""
        self._refresh()
        missing = sorted({d for d in device_ids if ("device", d) not in self._sources})
        for start in range(0, len(missing), 500):
            chunk = missing[start : start + 500]
            found = session.scalars(select(Device).where(Device.device_id.in_(chunk)))
            rows = {row.device_id: row for row in found}
            for device_id in chunk:
                row = rows.get(device_id)
                self._sources["device", device_id] = self._device(row) if row is not None else None

    def source(self, session: Session, source_type: str, source_id: str) -> Source | None:
        """The camera or device, None when the registry does not know it."""
        self._refresh()
        key = (source_type, source_id)
        if key not in self._sources:
            if source_type == "device":
                self.load_devices(session, [source_id])
            elif source_type == "camera":
                row = session.get(Camera, source_id)
                self._sources[key] = self._camera(row) if row is not None else None
            else:
                self._sources[key] = None
        return self._sources[key]

    def feeds_rules(self, device_id: str) -> bool:
        """Whether a device (looked up before with :meth:`load_devices`) may feed rules: accepted ones only."""
        source = self._sources.get(("device", device_id))
        return source is not None and source.status == "accepted"

    def site(self, session: Session, site_id: str | None) -> Site | None:
        """The site, None when unknown."""
        if site_id is None:
            return None
        self._refresh()
        if site_id not in self._sites:
            row = session.get(Site, site_id)
            if row is not None:
                session.expunge(row)
            self._sites[site_id] = row
        return self._sites[site_id]

    def departments(self, session: Session) -> set[str]:
        """Ids of all departments."""
        self._refresh()
        if not self._departments:
            self._departments = set(session.scalars(select(Department.department_id)))
        return self._departments

    def place(self, session: Session, observation: Observation) -> Place:
        """Where ``observation`` was made."""
        source = self.source(session, observation.source_type, observation.source_id)
        site_id = observation.site_id or (source.site_id if source else None)
        site = self.site(session, site_id)
        location = observation.location or (source.location if source else None)
        if location is None and site is not None:
            location = GeoPoint(lon=site.lon, lat=site.lat)
        name = site.name if site is not None else source.name if source is not None else observation.source_id
        if site is None and observation.source_type in ("citizen", "drone", "platform"):
            name = str(observation.attributes.get("address") or "")[:60]
        return Place(
            name=name,
            site_id=site.site_id if site is not None else None,
            location=location,
            division_code=(source.division_code if source else None) or (site.division_code if site else None),
            grid_code=(source.grid_code if source else None) or (site.grid_code if site else None),
            department_id=(site.department_id if site else None) or (source.department_id if source else None),
        )

    @staticmethod
    def _device(row: Device) -> Source:
        return Source(
            source_id=row.device_id,
            name=row.name or row.device_id,
            status=row.status,
            site_id=row.site_id,
            location=_point(row.lon, row.lat),
            division_code=None,
            grid_code=None,
            department_id=row.department_id,
        )

    @staticmethod
    def _camera(row: Camera) -> Source:
        return Source(
            source_id=row.camera_id,
            name=row.name,
            status="accepted",
            site_id=row.site_id,
            location=_point(row.lon, row.lat),
            division_code=row.division_code,
            grid_code=row.grid_code,
            department_id=row.department_id,
        )


def _point(lon: float | None, lat: float | None) -> GeoPoint | None:
    return GeoPoint(lon=lon, lat=lat) if lon is not None and lat is not None else None
