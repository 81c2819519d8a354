"""Keeps the missions of the drone team; a change names the version that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.errors import NotFound, YiwangError
from core.records import Record
from storage.session import read_scope, session_scope
from storage.tables.missions import DroneMission

STATES = ("requested", "planned", "flying", "done", "cancelled")
OPEN_STATES = ("requested", "planned", "flying")
MOST_MISSIONS = 500  # of one answer


class MissionChanged(YiwangError):
    code = "mission_changed"
    message = "the mission was changed since you opened it"
    remedy = "open it again and repeat what you did"
    zh = "您打开之后，任务已被改动"
    zh_remedy = "请重新打开，再做一次"


class MissionView(Record, frozen=True, omit_defaults=False):
    """A mission as pages show it; see :class:`storage.tables.missions.DroneMission`."""

    mission_id: str
    title: str
    purpose: str
    state: str
    case_id: str | None
    area: dict[str, Any]
    plan: dict[str, Any]
    pilot: str
    aircraft: str
    permit: str
    note: str
    starts_at: datetime | None
    ends_at: datetime | None
    requested_by: str
    requested_at: datetime
    verdict: str
    answer: str
    answered_by: str
    answered_at: datetime | None
    flights: list[Any]
    pictures: list[Any]
    version: int


class MissionStore:
    """Missions of one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def mission(self, mission_id: str) -> MissionView:
        """One mission; ``NotFound``."""
        with read_scope(self.engine) as session:
            return view_of(_row(session, mission_id))

    def missions(self, *, state: str = "", case_id: str = "", limit: int = 200) -> list[MissionView]:
        """Missions, the newest first; ``state`` "open": what is not done."""
        query = select(DroneMission).order_by(DroneMission.requested_at.desc()).limit(min(limit, MOST_MISSIONS))
        if state:
            query = query.where(DroneMission.state.in_(OPEN_STATES if state == "open" else (state,)))
        if case_id:
            query = query.where(DroneMission.case_id == case_id)
        with read_scope(self.engine) as session:
            return [view_of(row) for row in session.scalars(query)]

    def change(self, mission_id: str, changes: Mapping[str, Any], version: int | None = None) -> MissionView:
        """Set columns; :class:`MissionChanged` when somebody changed it since ``version``."""
        with session_scope(self.engine) as session:
            return change_in(session, mission_id, changes, version)


def change_in(session: Session, mission_id: str, changes: Mapping[str, Any], version: int | None = None) -> MissionView:
    """:meth:`MissionStore.change` inside the caller's transaction."""
    row = _row(session, mission_id, lock=True)
    if version is not None and version != row.version:
        raise MissionChanged()
    for name, value in changes.items():
        setattr(row, name, value)
    row.version += 1
    session.flush()
    return view_of(row)


def _row(session: Session, mission_id: str, *, lock: bool = False) -> DroneMission:
    row = session.get(DroneMission, mission_id, with_for_update=lock or None)
    if row is None:
        raise NotFound(what="mission", key=mission_id)
    return row


def view_of(row: DroneMission) -> MissionView:
    """The row as a record."""
    return MissionView(**{name: getattr(row, name) for name in MissionView.__struct_fields__})
