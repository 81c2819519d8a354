"""Checked values of one record → the columns, hashes and pairs that are stored.  Pure but for the cipher."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from core.codes.masking import mask_id, mask_name, mask_phone
from core.sealing import Seal, comparable_number
from records.registers.definition import Register
from records.registers.naming import grams, spelled

PLACED = {"division": "division_code", "grid": "grid_code", "department": "department_id", "building": "building_id"}
_MASKS = {"phone": mask_phone, "resident_id": mask_id, "person_name": mask_name}


class Prepared(NamedTuple):
    """``row`` for ``register_record`` (without who and when), ``blinds``: ``(field, hash)``, ``grams`` of the name."""

    record_id: str
    row: dict[str, Any]
    blinds: tuple[tuple[str, bytes], ...]
    grams: tuple[str, ...]


class Preparer:
    """Prepares records of one register; made once for many rows."""

    def __init__(self, register: Register, seal: Seal, today: date) -> None:
        self._register, self._seal, self._today = register, seal, today
        self._types = {field.name: field.type for field in register.fields}
        self._sensitive = register.sensitive
        self._blind = tuple((f.name, f.type) for f in register.fields if f.blind)
        self._placed = tuple((f.name, PLACED[f.type]) for f in register.fields if f.type in PLACED)
        self._point = tuple((f.name, f.type) for f in register.fields if f.type in ("lon", "lat"))
        required = {field.name for field in register.fields if field.required}
        self._needed = tuple(name in required for name in register.key)
        self._person = self._types[register.title] == "person_name"

    def natural_key(self, values: Mapping[str, Any]) -> bytes | None:
        """The blind index of the key fields; None while a required one of them, or all, are empty."""
        parts = [comparable_number(self._types[n], str(values.get(n) or "")) for n in self._register.key]
        if not any(parts) or any(not part and needed for part, needed in zip(parts, self._needed, strict=True)):
            return None
        return self._seal.blind(f"key {self._register.id}", "\0".join(parts))

    def prepare(self, record_id: str, values: Mapping[str, Any], key: bytes | None = None) -> Prepared:
        """``values`` by field name, checked already; empty values are left out.  ``key`` when it is known already."""
        given = {name: value for name, value in values.items() if value is not None and value != ""}
        open_values = {name: value for name, value in given.items() if name not in self._sensitive}
        hidden = {name: given[name] for name in self._sensitive if name in given}
        name = str(given.get(self._register.title) or "")[:200]
        pinyin, initials = spelled(name, self._person)
        facets = [str(given.get(f, ""))[:40] for f in self._register.facets]
        row: dict[str, Any] = {
            "record_id": record_id,
            "register_id": self._register.id,
            "natural_key": key or self.natural_key(given),
            "name": name,
            "pinyin": pinyin,
            "initials": initials,
            "facet_a": facets[0] if facets else "",
            "facet_b": facets[1] if len(facets) > 1 else "",
            "division_code": "",
            "grid_code": "",
            "department_id": "",
            "building_id": "",
            "lon": None,
            "lat": None,
            "data": open_values,
            "sealed": self._seal.seal(record_id, hidden) if hidden else None,
            "visit_due": self.next_visit(given, None),
        }
        for field, column in self._placed:
            row[column] = str(given.get(field, ""))[:40]
        for field, column in self._point:
            row[column] = given.get(field)
        if not row["division_code"] and row["grid_code"]:
            row["division_code"] = row["grid_code"][:12]
        blinds = tuple(
            (field, self._seal.blind(kind, comparable_number(kind, str(hidden[field]))))
            for field, kind in self._blind
            if field in hidden
        )
        return Prepared(record_id, row, blinds, tuple(grams(name)))

    def next_visit(self, values: Mapping[str, Any], visited: date | None) -> date | None:
        """When the next visit is due: the rule's days after the last one, at once for a record never visited."""
        rule = self._register.visit
        days = rule.days_for(values) if rule else 0
        if days <= 0:
            return None
        return self._today if visited is None else visited + timedelta(days=days)


def masked(register: Register, values: Mapping[str, Any], names: bool = False) -> dict[str, Any]:
    """``values`` with the sensitive fields masked; ``names``: people's names too (exports, other districts)."""
    shown = {}
    for field in register.fields:
        value = values.get(field.name)
        if value in (None, ""):
            continue
        mask = _MASKS.get(field.type)
        if field.sensitive:
            shown[field.name] = (mask or mask_id)(str(value))
        elif names and field.type == "person_name" and mask is not None:
            shown[field.name] = mask(str(value))
        else:
            shown[field.name] = value
    return shown
