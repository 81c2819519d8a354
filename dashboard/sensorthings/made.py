"""The entities that clients created, as one account may see them: those of its department, and what its devices use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import Actor
from dashboard.queries import sees_all
from dashboard.sensorthings.values import Series
from storage.tables.exchange import SensorThingsLink, SensorThingsRow

Row = SensorThingsRow
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
TRUTH = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_TruthObservation"
COUNT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CountObservation"
_NUMBERS = (MEASUREMENT, TRUTH, COUNT)
_MOST = 5000  # observations of one created feature


class MadeEntities:
    """Rows of ``sensorthings_entity`` in one session; ``devices``: those that the account sees."""

    def __init__(self, session: Session, actor: Actor, devices: Mapping[str, Any]) -> None:
        self._session = session
        self._actor = actor
        self._devices = devices

    @cached_property
    def streams(self) -> dict[str, Row]:
        """Created datastreams of the visible devices."""
        rows = self._session.scalars(select(Row).where(Row.kind == "Datastreams").order_by(Row.created_at, Row.key))
        return {row.key: row for row in rows if row.device_id in self._devices}

    @cached_property
    def _by_series(self) -> dict[tuple[str, str, str], Row]:
        return {(str(r.device_id), r.data["_"]["quantity"], r.data["_"]["channel"]): r for r in self.streams.values()}

    def of_series(self, device: str, quantity: str, channel: str) -> Row | None:
        """The created datastream of a quantity and channel, if somebody created it."""
        return self._by_series.get((device, quantity, channel))

    @cached_property
    def _by_device(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.streams.values():
            found.setdefault(str(row.device_id), []).append(row)
        return found

    def of_device(self, device: str) -> list[Row]:
        """The created datastreams of a device."""
        return self._by_device.get(device, [])

    @cached_property
    def things(self) -> dict[str, Row]:
        """What clients said of the devices that they created."""
        rows = self._session.scalars(select(Row).where(Row.kind == "Things"))
        return {row.key: row for row in rows if row.key in self._devices}

    def rows(self, kind: str) -> list[Row]:
        """The visible entities of a kind."""
        found = self._session.scalars(select(Row).where(Row.kind == kind).order_by(Row.created_at, Row.key))
        used = self._used(kind)
        return [row for row in found if self._seen(row, used)]

    def row(self, kind: str, key: str) -> Row | None:
        """One of them; None where there is none, or it may not be seen."""
        row = self._session.get(Row, (kind, key))
        return row if row is not None and self._seen(row, self._used(kind)) else None

    def _used(self, kind: str) -> set[str]:
        name = {"Sensors": "Sensor", "ObservedProperties": "ObservedProperty"}.get(kind)
        if name:
            return {row.data["_"][name] for row in self.streams.values()}
        if kind == "Locations":
            return {key for key, thing in self._placed if thing in self._devices}
        return set()

    def _seen(self, row: Row, used: set[str]) -> bool:
        if row.device_id is not None or row.kind in {"Datastreams", "Things"}:
            if (row.device_id or row.key) in self._devices:
                return True
            return row.kind == "FeaturesOfInterest" and self._own(row)
        return row.key in used or self._own(row)

    def _own(self, row: Row) -> bool:
        mine = bool(self._actor.department_id) and row.department_id == self._actor.department_id
        return sees_all(self._actor) or mine

    # links ---------------------------------------------------------------
    @cached_property
    def _placed(self) -> list[tuple[str, str]]:
        rows = self._session.execute(
            select(SensorThingsLink.key, SensorThingsLink.to_key)
            .where(SensorThingsLink.kind == "Locations", SensorThingsLink.to_kind == "Things")
            .order_by(SensorThingsLink.key)
        )
        return [(key, thing) for key, thing in rows]

    def locations_of(self, thing: str) -> list[Row]:
        """Where a Thing is now."""
        rows = (self._session.get(Row, ("Locations", key)) for key, other in self._placed if other == thing)
        return [row for row in rows if row is not None]

    def things_at(self, location: str) -> list[str]:
        """The visible devices that are at a Location."""
        return [thing for key, thing in self._placed if key == location and thing in self._devices]

    def linked(self, kind: str, key: str, to_kind: str) -> list[str]:
        """Keys of what an entity is linked with."""
        link = SensorThingsLink
        query = select(link.to_key).where(link.kind == kind, link.key == key, link.to_kind == to_kind)
        return list(self._session.scalars(query.order_by(link.to_key)))

    def linking(self, kind: str, to_kind: str, to_key: str) -> list[str]:
        """Keys of the entities that link with this one, the latest first."""
        link = SensorThingsLink
        query = select(link.key).where(link.kind == kind, link.to_kind == to_kind, link.to_key == to_key)
        return list(self._session.scalars(query.order_by(link.key.desc()).limit(_MOST)))

    def further(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What clients said of observations beside time and result, by the observation's id."""
        query = select(Row).where(Row.kind == "Observations", Row.key.in_(list(keys)))
        return {row.key: row.data for row in self._session.scalars(query)} if keys else {}


def series_of_row(row: Row) -> Series:
    """Where the values of a created datastream stand."""
    links = row.data["_"]
    texts = row.data.get("observationType") not in _NUMBERS
    return Series(row.key, str(row.device_id), links["quantity"], links["channel"], texts=texts)


def shown(data: Mapping[str, Any], names: Iterable[str] = ()) -> dict[str, Any]:
    """The properties of an entity as they were sent (only ``names``, if any)."""
    return {k: v for k, v in data.items() if k != "_" and (not names or k in names)}
