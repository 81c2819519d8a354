"""What people keep for themselves: saved views of a list, and mappings of a file's headings for the next import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy import select

from core.errors import InputInvalid, NotFound
from core.tables.problem import FileUnreadable, Language, Problems
from dashboard.registers.desk import RegisterDesk
from layers.vector.table import geodata_headings, is_geodata
from records.registers.access import must_write
from records.registers.importing import headings_of, suggest_mapping
from storage.session import read_scope, session_scope
from storage.tables.records import ImportMapping, RecordView

MOST_VIEWS, MOST_MAPPINGS = 50, 100
VIEW_PARTS = {"q": 100, "division": 15, "facet_a": 400, "facet_b": 400, "bbox": 120, "order": 20}


@dataclass(frozen=True)
class KeepingDesk(RegisterDesk):
    """Views are one person's own; mappings belong to the register and are found by everybody who imports into it."""

    def views(self, register_id: str) -> list[dict[str, Any]]:
        """The person's own views of a register, by name."""
        self.register(register_id)
        sql = select(RecordView).where(RecordView.register_id == register_id, RecordView.user_id == self.actor.user_id)
        with read_scope(self.services.engine) as session:
            rows = session.scalars(sql.order_by(RecordView.name)).all()
            return [{"name": row.name, "filters": row.body, "saved_at": row.saved_at} for row in rows]

    def save_view(self, register_id: str, name: str, filters: Mapping[str, Any]) -> dict[str, Any]:
        """Save the list's filters under a name; the same name again replaces them."""
        self.register(register_id)
        body = checked_view(filters)
        key = (register_id, self.actor.user_id, checked_name(name, 80))
        with session_scope(self.services.engine) as session:
            row = session.get(RecordView, key)
            if row is None:
                if len(self.views(register_id)) >= MOST_VIEWS:
                    raise InputInvalid(field="name", detail=f"there are {MOST_VIEWS} already", how="remove one first")
                row = RecordView(register_id=key[0], user_id=key[1], name=key[2], body={}, saved_at=self._now)
                session.add(row)
            row.body, row.saved_at = body, self._now
            return {"name": row.name, "filters": body, "saved_at": row.saved_at}

    def remove_view(self, register_id: str, name: str) -> None:
        """Remove an own view; :class:`NotFound` when there is none."""
        with session_scope(self.services.engine) as session:
            row = session.get(RecordView, (register_id, self.actor.user_id, name))
            if row is None:
                raise NotFound(what="view", key=name)
            session.delete(row)

    def mappings(self, register_id: str) -> list[dict[str, Any]]:
        """Saved mappings of a register, the latest first."""
        register = self.register(register_id)
        must_write(self.actor, register)
        sql = select(ImportMapping).where(ImportMapping.register_id == register_id)
        with read_scope(self.services.engine) as session:
            rows = session.scalars(sql.order_by(ImportMapping.saved_at.desc()).limit(MOST_MAPPINGS)).all()
            return [
                {"name": row.name, "mapping": row.mapping, "saved_by": row.saved_by, "saved_at": row.saved_at}
                for row in rows
            ]

    def save_mapping(self, register_id: str, name: str, mapping: Mapping[str, str]) -> dict[str, Any]:
        """Save heading → field under a name; fields must be the register's, each at most once."""
        register = self.register(register_id)
        must_write(self.actor, register)
        body = {str(heading)[:200]: field for heading, field in mapping.items() if field}
        for field in body.values():
            register.field(str(field))
        if not body or len(body) > 300 or len(set(body.values())) != len(body):
            raise InputInvalid(field="mapping", detail="is empty or names a field twice", how="one field a heading")
        with session_scope(self.services.engine) as session:
            row = session.get(ImportMapping, (register_id, checked_name(name, 80)))
            if row is None:
                row = ImportMapping(register_id=register_id, name=checked_name(name, 80))
                session.add(row)
            row.mapping, row.saved_by, row.saved_at = body, self.actor.user_id, self._now
            return {"name": row.name, "mapping": body, "saved_by": row.saved_by, "saved_at": row.saved_at}

    def headings(self, register_id: str, file: BinaryIO, name: str, language: Language = "en") -> dict[str, Any]:
        """The file's headings with first values, the fields that they suggest, and saved mappings that fit."""
        register = self.register(register_id)
        must_write(self.actor, register)
        file.seek(0)
        geodata, problems = is_geodata(name, file.read(16)), Problems()
        try:
            found, rows = geodata_headings(file, name) if geodata else headings_of(file, name, problems)
        except FileUnreadable as error:
            found, rows = [], []
            values = dict(error.values)
            problems.tell(name, error.code, field=str(values.pop("field", "")), **values)
        saved = [one for one in self.mappings(register_id) if set(one["mapping"]) <= set(found)] if found else []
        shown = [[str(row.get(heading, ""))[:60] for row in rows[:3]] for heading in found]
        secret = {heading for heading, field in suggest_mapping(found, register).items() if field in register.sensitive}
        return {
            "headings": [
                {"heading": heading, "examples": ["***" for _ in few] if heading in secret else few}
                for heading, few in zip(found, shown, strict=True)
            ],
            "suggested": suggest_mapping(found, register), "saved": saved, "geodata": geodata,
            "problems": [problem.as_dict(language) for problem in problems],
        }  # fmt: skip

    @property
    def _now(self) -> Any:
        return self.services.clock.now()


def checked_name(name: str, longest: int) -> str:
    """A name of 1 to ``longest`` characters without line breaks."""
    text = " ".join(name.split())
    if not 1 <= len(text) <= longest:
        raise InputInvalid(field="name", detail=f"has {len(text)} characters", how=f"give 1 to {longest}")
    return text


def checked_view(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Known filters as short texts; ``bbox`` west,south,east,north in degrees, ``desc`` true or false."""
    body: dict[str, Any] = {}
    for name, value in filters.items():
        if name == "desc" and isinstance(value, bool):
            body[name] = value
        elif name in VIEW_PARTS and isinstance(value, str) and len(value) <= VIEW_PARTS[name]:
            if value:
                body[name] = value
        else:
            raise InputInvalid(field=name[:40], detail="is no filter", how=f"use {', '.join(VIEW_PARTS)}, desc")
    return body
