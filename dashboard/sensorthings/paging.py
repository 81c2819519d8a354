"""The part of a set that a request asks for: filtered, sorted, cut.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import InputInvalid
from dashboard.sensorthings.entities import NAVIGATION, Entity
from dashboard.sensorthings.filters import Resolve, value_at
from dashboard.sensorthings.odata import Options

PAGE, LARGEST = 100, 1000
# What an entity may lack: a filter that asks for it finds nothing, where a misspelt name is refused.
_SOMETIMES = {"observedArea", "properties", "resultQuality", "validTime", "parameters", "phenomenonTime", "resultTime"}


@dataclass(frozen=True)
class Page:
    """Some entities of a set and how many there are in all."""

    items: list[Entity]
    total: int


def page_of(entities: list[Entity], options: Options, resolve: Resolve) -> Page:
    """The part of ``entities`` that ``options`` ask for; ``resolve`` follows their links."""
    _know(entities, options)
    if options.filter is not None:
        wanted = options.filter
        entities = [e for e in entities if wanted(e, resolve)]
    for name, down in reversed(options.order):
        steps = name.split("/")
        entities = sorted(entities, key=lambda e: _sortable(value_at(e, steps, resolve)), reverse=down)
    top = min(top_of(options), LARGEST)
    return Page(entities[options.skip : options.skip + top], len(entities))


def _know(entities: list[Entity], options: Options) -> None:
    """A property that no such entity has is refused: an empty answer would hide a misspelt name."""
    if not entities:
        return
    known = {name for e in entities[:100] for name in e} | set(NAVIGATION[entities[0]["_"][0]]) | _SOMETIMES | {"id"}
    for name in options.names:
        if name.partition("/")[0] not in known:
            raise InputInvalid(field="$filter, $orderby", detail=f"{name[:60]!r}", how="use the entity's properties")


def _sortable(value: Any) -> tuple[int, Any]:
    """Numbers before texts, nothing first: values of different types can stand in one list."""
    if value is None:
        return 0, ""
    return (1, value) if isinstance(value, (int, float)) else (2, str(value))


def top_of(options: Options) -> int:
    """How many are asked for: the server's page where nothing is said."""
    return PAGE if options.top is None else options.top
