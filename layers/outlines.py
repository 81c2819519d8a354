"""Roads and buildings of a city folder: only for the map, kept as FlatGeobuf."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.tables.problem import FileUnreadable
from layers.cityfiles import CityFolder, leave_out
from layers.cityrows import TableFile, placing_of
from layers.vector.reading import open_vector
from layers.vector.screening import Screen
from layers.vector.writing import Writer, types_of

_FAMILIES = {"roads": frozenset({"line", "polygon"}), "buildings": frozenset({"polygon"})}


def keep_outlines(city: CityFolder, files: list[TableFile], target: Path | None) -> int:
    """Write the features of ``files`` to ``target`` (None: only count and judge them); returns how many."""
    count = 0
    fields: dict[str, type] = {}
    batches: list[list[tuple[dict[str, Any], Any]]] = []
    for file in files:
        try:
            for batch in _good(city, file):
                count += len(batch)
                fields = (
                    {**types_of([values for values, _ in batch], tuple(batch[0][0])), **fields} if batch else fields
                )
                batches.append(batch)
        except FileUnreadable as error:
            leave_out(city, file, error)
    if target is not None and count:
        with Writer(fields) as writer:
            for batch in batches:
                writer.add(batch)
            writer.finish(target, "FlatGeobuf", target.stem)
    return count


def _good(city: CityFolder, file: TableFile) -> Any:
    with open_vector(file.path) as opened:
        placing = placing_of(opened, city.config, city.territory, file.name, city.problems)
        screen = Screen(placing, city.territory, _FAMILIES[file.table], refuse_outside=False)
        for batch in opened.batches():
            yield [(feature.values, shape) for feature, shape in screen.pass_through(batch)]
            for flaw in screen.flaws:
                city.problems.tell(file.name, flaw.code, row=flaw.number, field="geometry", **flaw.values)
            screen.flaws.clear()
