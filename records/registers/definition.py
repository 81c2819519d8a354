"""What a register is: its fields, key, rights, visits; read from data, checked when read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import InputInvalid

SHIPPED = Path(__file__).parent / "data"
TYPES = (
    "text", "long", "integer", "decimal", "date", "flag", "choice", "choices", "phone", "resident_id", "uscc",
    "item_code", "project_code", "division", "grid", "department", "building", "person_name", "record", "lon", "lat",
)  # fmt: skip
PLACES = ("none", "point", "division", "building")
CONFIDENTIALITY = ("open", "internal", "personal")
SENSITIVE = frozenset({"phone", "resident_id"})  # encrypted whatever the definition says


class RegisterInvalid(InputInvalid):
    code = "register_invalid"


@dataclass(frozen=True)
class Field:
    """One field.  ``also``: other headings in files; ``sensitive`` fields lie encrypted and are shown masked."""

    name: str
    zh: str
    en: str
    type: str = "text"
    required: bool = False
    sensitive: bool = False
    blind: bool = False  # can be looked up by its whole value
    choices: Mapping[str, str] | None = None  # code → title
    choices_en: Mapping[str, str] | None = None  # code → English title; the title itself where one is left out
    also: tuple[str, ...] = ()
    length: int = 200
    low: float | None = None
    high: float | None = None
    register: str = ""  # of a record field

    def heading(self, language: str) -> str:
        """The field's name at the head of a column or before a value."""
        return self.en[:1].upper() + self.en[1:] if language == "en" else self.zh

    def shown(self, value: Any, language: str) -> Any:
        """A value as people read it: the title of a choice (several: each of them), anything else as it is."""
        if not self.choices:
            return value
        if isinstance(value, list):
            return ", ".join(str(self.shown(each, language)) for each in value)
        titles = {**self.choices, **(self.choices_en or {})} if language == "en" else self.choices
        return titles.get(str(value), value)


@dataclass(frozen=True)
class VisitRule:
    """A record is visited every ``every_days`` (``by``: the value of a field → days, 0 = never).

    ``ask``: the register's own questions, as questions of a form (docs/forms.md) with ``choices`` in place.
    """

    every_days: int
    field: str = ""
    by: Mapping[str, int] | None = None
    ask: tuple[Mapping[str, Any], ...] = ()

    def days_for(self, values: Mapping[str, Any]) -> int:
        if self.by and self.field:
            return int(self.by.get(str(values.get(self.field, "")), self.every_days))
        return self.every_days


@dataclass(frozen=True)
class Register:
    """One register.

    ``key``: fields that tell records apart (checked, unique); ``title``: the field that names a record; ``facets``: at
    most two fields that lists are filtered by; ``readers``/``writers``: roles that see or change all of it, beside the
    owner department and the division's grid workers; ``retention_days`` after the end of validity (0: kept).
    """

    id: str
    zh: str
    en: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    title: str
    facets: tuple[str, ...] = ()
    owner: str = ""
    place: str = "division"
    confidentiality: str = "internal"
    retention_days: int = 0
    readers: tuple[str, ...] = ("admin", "manager")
    writers: tuple[str, ...] = ("admin",)
    unmaskers: tuple[str, ...] = ()
    visit: VisitRule | None = None
    same_by: tuple[tuple[str, ...], ...] = ()  # combinations of fields that suggest one and the same

    def named(self, language: str) -> str:
        """The register's name at the head of a list."""
        return self.en[:1].upper() + self.en[1:] if language == "en" else self.zh

    def field(self, name: str) -> Field:
        """The field called ``name``; :class:`RegisterInvalid` when there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        known = ", ".join(f.name for f in self.fields)
        raise RegisterInvalid(field=f"{self.id}.{name}", detail="is not a field", how=f"use one of {known}")

    def of_type(self, *types: str) -> Iterator[Field]:
        return (field for field in self.fields if field.type in types)

    @property
    def sensitive(self) -> frozenset[str]:
        return frozenset(field.name for field in self.fields if field.sensitive)


def parse_register(body: Mapping[str, Any]) -> Register:
    """A register from its JSON or YAML form; :class:`RegisterInvalid` names the field."""
    name = str(body.get("id", "?"))
    fields = tuple(_field(name, row) for row in body.get("fields") or ())
    known = {field.name for field in fields}
    if len(known) != len(fields):
        raise RegisterInvalid(field=f"{name}.fields", detail="a name is there twice", how="rename one")
    for part in ("key", "facets"):
        for used in body.get(part) or ():
            if used not in known:
                raise RegisterInvalid(field=f"{name}.{part}", detail=f"{used!r} is not a field", how="name a field")
    title = body.get("title", "name")
    if title not in known or len(body.get("facets") or ()) > 2:
        raise RegisterInvalid(field=f"{name}.title", detail=f"{title!r}", how="name a field; at most two facets")
    visit = body.get("visit")
    try:
        return Register(
            **{
                **{k: _frozen(v) for k, v in body.items()},
                "fields": fields,
                "title": title,
                "same_by": tuple(tuple(group) for group in body.get("same_by") or ()),
                "visit": VisitRule(**{**visit, "ask": tuple(visit.get("ask") or ())}) if visit else None,
            }
        )
    except TypeError as error:
        raise RegisterInvalid(field=name, detail=str(error), how="see records/registers/data for examples") from error


def _field(register: str, row: Mapping[str, Any]) -> Field:
    kind = row.get("type", "text")
    where = f"{register}.{row.get('name', '?')}"
    if kind not in TYPES:
        raise RegisterInvalid(field=where, detail=f"type {kind!r}", how=f"use one of {', '.join(TYPES)}")
    if kind in ("choice", "choices") and not row.get("choices"):
        raise RegisterInvalid(field=where, detail="has no choices", how="list code: title")
    choices = row.get("choices")
    sensitive = kind in SENSITIVE or bool(row.get("sensitive"))
    try:
        return Field(
            **{
                **row,
                "also": tuple(row.get("also") or ()),
                "sensitive": sensitive,
                "blind": sensitive and (kind in SENSITIVE or bool(row.get("blind"))),
                "choices": _titles(choices),
                "choices_en": _titles(row.get("choices_en")),
            }
        )
    except TypeError as error:
        raise RegisterInvalid(field=where, detail=str(error), how="see records/registers/data") from error


def _titles(given: Mapping[Any, Any] | None) -> dict[str, str] | None:
    return {str(code): str(title) for code, title in given.items()} if given else None


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@lru_cache(maxsize=1)
def shipped_registers() -> dict[str, Register]:
    """The registers that come with the product, by id (records/registers/data/*.yaml)."""
    found = {}
    for path in sorted(SHIPPED.glob("*.yaml")):
        for body in yaml.safe_load_all(path.read_text("utf-8")):
            register = parse_register(body)
            found[register.id] = register
    return found
