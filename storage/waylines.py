"""Keeps route files by name for controllers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import defer

from core.errors import NotFound, YiwangError
from core.ids import new_id
from core.records import Record
from storage.session import read_scope, session_scope
from storage.tables.missions import Wayline

MOST_WAYLINES = 5000


class WaylineNameTaken(YiwangError):
    code = "wayline_name_taken"
    message = "there is a route called {name!r} already"
    remedy = "choose another name"
    zh = "已有名为 {name!r} 的航线"
    zh_remedy = "请换一个名称"


class WaylineView(Record, frozen=True, omit_defaults=False):
    """A route file without its bytes."""

    wayline_id: str
    name: str
    sha256: str
    drone_model_key: str
    payload_model_keys: list[Any]
    template_types: list[Any]
    favorited: bool
    user_name: str
    updated_at: datetime


class WaylineStore:
    """Route files of one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(self, name: str, data: bytes, now: datetime, **facts: Any) -> WaylineView:
        """Keep a file; the same bytes under the same name are one, others :class:`WaylineNameTaken`."""
        sha256 = hashlib.sha256(data).hexdigest()
        with session_scope(self.engine) as session:
            row = session.scalar(select(Wayline).where(Wayline.name == name).with_for_update())
            if row is not None and row.sha256 != sha256:
                raise WaylineNameTaken(name=name)
            if row is None:
                if (session.scalar(select(func.count(Wayline.wayline_id))) or 0) >= MOST_WAYLINES:
                    raise WaylineNameTaken(name=f"{name} (the library is full)")
                row = Wayline(wayline_id=new_id(), name=name, data=data, sha256=sha256, updated_at=now,
                              **{"payload_model_keys": [], "template_types": [], **facts})  # fmt: skip
                session.add(row)
            session.flush()
            return _view(row)

    def listed(self) -> list[WaylineView]:
        """All, the newest first."""
        query = select(Wayline).options(defer(Wayline.data)).order_by(Wayline.updated_at.desc(), Wayline.name)
        with read_scope(self.engine) as session:
            return [_view(row) for row in session.scalars(query)]

    def data(self, wayline_id: str) -> tuple[str, bytes]:
        """(name, bytes); ``NotFound``."""
        with read_scope(self.engine) as session:
            row = session.get(Wayline, wayline_id)
            if row is None:
                raise NotFound(what="wayline", key=wayline_id[:40])
            return row.name, row.data

    def names(self, asked: Sequence[str]) -> list[str]:
        """Those of ``asked`` that exist."""
        with read_scope(self.engine) as session:
            return sorted(session.scalars(select(Wayline.name).where(Wayline.name.in_(list(asked)[:500]))))

    def favor(self, wayline_ids: Sequence[str], on: bool) -> None:
        """Mark or unmark."""
        with session_scope(self.engine) as session:
            for row in session.scalars(select(Wayline).where(Wayline.wayline_id.in_(list(wayline_ids)[:500]))):
                row.favorited = on

    def remove(self, wayline_id: str) -> None:
        """Take a file away; ``NotFound``."""
        with session_scope(self.engine) as session:
            row = session.get(Wayline, wayline_id)
            if row is None:
                raise NotFound(what="wayline", key=wayline_id[:40])
            session.delete(row)


def _view(row: Wayline) -> WaylineView:
    return WaylineView(**{name: getattr(row, name) for name in WaylineView.__struct_fields__})
