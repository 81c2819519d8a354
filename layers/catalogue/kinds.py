"""Which kind a file becomes, which of its fields are kept, and what is written down of the layer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core import plugins
from core.errors import InputInvalid
from layers.catalogue.record import LayerRecord
from layers.catalogue.report import LayerReport
from layers.contract import Attribute, LayerKind, Likeness

MAX_FIELDS = 40
MAX_TEXT = 200


@dataclass(frozen=True)
class LayerWish:
    """What the user asked for: see ``python -m app layers import --help``."""

    name: str = ""
    kind: str = ""
    crs: str = "auto"
    layer: str = ""
    towgs84: tuple[float, ...] = ()
    swap_axes: bool = False
    params: dict[str, Any] = field(default_factory=dict)
    title: dict[str, str] = field(default_factory=dict)
    source: str = ""
    date: str = ""
    licence: str = ""
    attribution: str = ""
    generated: bool = False


def surest(likeness: Likeness) -> str:
    """The kind whose ``likes`` is highest."""
    return max(plugins.usable("layer"), key=lambda kind: (likes(kind, likeness), kind))


def likes(kind: str, likeness: Likeness) -> float:
    """How sure ``kind`` is of the file; kinds without an opinion are only used when they are named."""
    ask = getattr(plugins.load("layer", kind), "likes", None)
    return float(ask(likeness)) if ask else 0.0


def recorded(
    path: Path, wish: LayerWish, report: LayerReport, kind: LayerKind, fields: dict[str, str] | None = None
) -> LayerRecord:
    """What is written down of the layer."""
    if report.bbox is None:
        raise InputInvalid(field=report.layer, detail="has no extent", how="give features with a place")
    west, south, east, north = report.bbox
    return LayerRecord(
        name=report.layer, kind=kind.kind, features=report.features, bbox=(west, south, east, north), crs=report.crs,
        encoding=report.encoding, title=wish.title or dict.fromkeys(("zh", "en"), report.layer), file=path.name,
        sha256=_sha256(path), source=wish.source, date=wish.date, licence=wish.licence, attribution=wish.attribution,
        generated=wish.generated, imported_at=datetime.now(UTC).isoformat(timespec="seconds"), params=wish.params,
        roles=tuple(sorted(kind.roles)), zooms=kind.zooms, fields=fields or {},
    )  # fmt: skip


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Columns:
    """Which of a file's fields become which attributes: the kind's own first, then the file's others."""

    def __init__(self, attributes: tuple[Attribute, ...], fields: tuple[str, ...]) -> None:
        by_name = {f.casefold(): f for f in reversed(fields)}
        self._from: dict[str, str] = {}
        self._fixed: dict[str, type] = {}
        for attribute in attributes:
            found = next(
                (by_name[n.casefold()] for n in (attribute.name, *attribute.also) if n.casefold() in by_name), ""
            )
            if found:
                self._from[attribute.name] = found
                self._fixed[attribute.name] = attribute.type
        for name in fields:
            if name not in self._from.values() and name not in self._from and len(self._from) < MAX_FIELDS:
                self._from[name] = name

    def of(self, values: dict[str, Any]) -> dict[str, Any]:
        """The attributes of a feature with ``values``."""
        return {name: self._plain(name, values.get(field)) for name, field in self._from.items()}

    def _plain(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip()[:MAX_TEXT] or None
        if isinstance(value, list):
            value = "; ".join(str(v) for v in value)[:MAX_TEXT]
        if value is not None and self._fixed.get(name) is str:
            return str(value)
        if value is not None and self._fixed.get(name) is float:
            try:
                return float(value)
            except (TypeError, ValueError):
                return None
        return value

    def types(self, found: dict[str, type]) -> dict[str, type]:
        """The type of each attribute, by the kind or else by the file's fields (``found``)."""
        return {name: self._fixed.get(name, found.get(field, str)) for name, field in self._from.items()}

    def names(self) -> dict[str, str]:
        """Attribute → the file's field."""
        return dict(self._from)
