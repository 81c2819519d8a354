"""Creating: one transaction for the entities, then their observations on the bus."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy.orm import Session

from core.errors import Forbidden, InputInvalid, NotFound
from core.records import Actor, Reading
from dashboard.errors import Unavailable
from dashboard.sensorthings.create import Creation
from dashboard.sensorthings.entities import Entity, EntityBuilder, moment
from dashboard.sensorthings.model import Store
from dashboard.services import Services
from storage.session import read_scope, session_scope
from storage.tables.readings import ReadingRow

_ARRAYS, _ROWS = 1000, 10_000
_AT_ONCE = 200  # messages under way
_STORED_S = 2.0
_PART_OF = {"FeatureOfInterest/id": "FeatureOfInterest", "FeatureOfInterest/@iot.id": "FeatureOfInterest"}


async def create_one(use: Services, actor: Actor, base: str, kind: str, body: Any, parent: dict[str, str]) -> Entity:
    """The entity as it stands after its creation, with its self link."""
    _open_bus(use)

    def commit() -> tuple[str, list[Reading]]:
        with session_scope(use.engine) as session:
            creation = _creation(session, use, actor, base)
            return creation.create(kind, body, parent), creation.readings

    key, readings = await asyncio.to_thread(commit)
    await _publish(use, readings)
    return await asyncio.to_thread(_as_it_stands, use, actor, base, kind, key, readings)


def _creation(session: Session, use: Services, actor: Actor, base: str, most: int = 1000) -> Creation:
    return Creation(session, actor, Store(session, actor, use.hub.states, base), use.clock.now(), most)


def _as_it_stands(use: Services, actor: Actor, base: str, kind: str, key: str, readings: list[Reading]) -> Entity:
    with read_scope(use.engine) as session:
        store = Store(session, actor, use.hub.states, base)
        try:
            return store.one(kind, key)
        except NotFound:
            if kind != "Observations":  # made for another department's device: seen by its id alone
                return EntityBuilder(base).entity(kind, key)
    at = moment(readings[-1].observed_at)  # on the stream, not yet in the table
    result = readings[-1].value
    return EntityBuilder(base).entity(kind, key, phenomenonTime=at, resultTime=at, result=result)


async def create_many(use: Services, actor: Actor, body: Any, base: str) -> list[str]:
    """The data-array extension: the link of each observation, or ``error`` for one that is refused."""
    if not isinstance(body, list) or len(body) > _ARRAYS:
        raise InputInvalid(field="body", detail="is no list of data arrays", how="see 18-088, 10.3")
    _open_bus(use)
    rows = [row for part in body for row in _rows_of(part)]
    if len(rows) > _ROWS:
        raise InputInvalid(field="dataArray", detail=f"more than {_ROWS:,} observations", how="send fewer at once")

    def commit() -> tuple[list[str], list[Reading]]:
        links = []
        with session_scope(use.engine) as session:
            creation = _creation(session, use, actor, base, _ROWS)
            for row in rows:
                try:
                    key = creation.create("Observations", row)
                    links.append(str(EntityBuilder(base).entity("Observations", key)["@iot.selfLink"]))
                except (InputInvalid, NotFound, Forbidden):
                    links.append("error")
            return links, creation.readings

    links, readings = await asyncio.to_thread(commit)
    await _publish(use, readings)
    return links


def _rows_of(part: Any) -> list[Any]:
    """The observations of one data array; None for a row that does not fit its components."""
    names, rows = (part.get("components"), part.get("dataArray")) if isinstance(part, dict) else (None, None)
    if not isinstance(names, list) or not isinstance(rows, list) or not all(isinstance(n, str) for n in names):
        raise InputInvalid(field="dataArray", detail="components or dataArray is missing", how="see 18-088, 10.3")
    found: list[Any] = []
    for row in rows:
        if not isinstance(row, list) or len(row) != len(names):
            found.append(None)
            continue
        values = {
            _PART_OF.get(name, name): {"@iot.id": value} if name in _PART_OF else value
            for name, value in zip(names, row, strict=True)
        }
        found.append(values | {"Datastream": part.get("Datastream")})
    return found


def _open_bus(use: Services) -> None:
    if use.hub.bus is None:
        raise Unavailable(what="the bus", detail="observations cannot be taken just now")


async def _publish(use: Services, readings: list[Reading]) -> None:
    """All of them durable, and the last one in its table, if that takes no longer than two seconds."""
    bus = use.hub.bus
    if bus is None or not readings:
        return
    for start in range(0, len(readings), _AT_ONCE):
        part = readings[start : start + _AT_ONCE]
        await asyncio.gather(*[bus.publish(bus.reading_subject(r), r, r.reading_id) for r in part])
    await wait_stored(use, readings[-1].reading_id)


async def wait_stored(use: Services, reading_id: str, seconds: float = _STORED_S) -> bool:
    """Whether the worker has stored the reading within ``seconds``."""

    def stored() -> bool:
        with read_scope(use.engine) as session:
            return session.get(ReadingRow, reading_id) is not None

    for _ in range(int(seconds / 0.05)):
        if await asyncio.to_thread(stored):
            return True
        await asyncio.sleep(0.05)
    return False
