"""Features of the district's layers of one kind in a box, for whoever checks something against them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.settings import Settings
from layers.catalogue.record import features_of, layers

MOST_FEATURES = 20_000
Box = tuple[float, float, float, float]


def nearby(settings: Settings, kind: str, box: Box) -> Iterator[tuple[Any, dict[str, Any]]]:
    """``(shapely geometry in WGS 84, attributes)`` of every feature of layers of ``kind`` that meets ``box``."""
    import pyogrio
    import shapely

    for record in layers(settings):
        file = features_of(settings, record.name)
        if record.kind != kind or not file.exists():
            continue
        meta, _, shapes, columns = pyogrio.raw.read(file, bbox=box, max_features=MOST_FEATURES, datetime_as_string=True)
        names = [str(name) for name in meta["fields"]]
        for number, shape in enumerate(shapes):
            values = {name: _plain(column[number]) for name, column in zip(names, columns, strict=True)}
            yield shapely.from_wkb(shape), values


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if value is None or value != value else value
