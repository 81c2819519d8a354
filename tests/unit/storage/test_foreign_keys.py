"""A module of tables brings those that its foreign keys point to: a process that loads few of them can still write."""

from __future__ import annotations

import ast
from pathlib import Path

from storage.schema import Base, full_metadata

FOLDER = Path(__file__).parents[3] / "storage" / "tables"


def _brought() -> dict[str, set[str]]:
    """Module → every module of tables that comes with it."""
    direct: dict[str, set[str]] = {}
    for file in FOLDER.rglob("*.py"):
        named = [n for n in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(n, ast.ImportFrom)]
        whole = {alias.name for n in named if n.module == "storage.tables" for alias in n.names}
        parts = {n.module.split(".")[-1] for n in named if n.module and n.module.startswith("storage.tables.")}
        direct[file.stem] = whole | parts | {file.stem}
    for _ in direct:
        direct = {name: set().union(*(direct.get(m, {m}) for m in found)) for name, found in direct.items()}
    return direct


def test_foreign_keys_point_to_what_their_module_brings() -> None:
    full_metadata()
    homes = {mapper.local_table.name: mapper.class_.__module__.split(".")[-1] for mapper in Base.registry.mappers}
    brought = _brought()
    for name, home in homes.items():
        for key in Base.metadata.tables[name].foreign_keys:
            there = homes[key.target_fullname.split(".")[0]]
            assert there in brought[home], f"{home} must import {there} ({key})"
