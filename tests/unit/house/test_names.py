"""One meaning a class name: no two packages, and no two rooms of one, call different things the same."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("core", "storage", "ingest", "vision", "layers", "records", "events", "measures", "dashboard", "app")
CONTRACT = {"Params"}  # what every plug-in defines
# Names that still mean two things.  Nothing may be added here: rename the newer one by the field's term
# (docs/glossary.md), and strike a name out when it is mended.
STILL_TWICE = {
    "Answer", "Asked", "Body", "Camera", "Columns", "Confirmation", "Connection", "Desk", "Element", "Field",
    "FileUnreadable", "Folder", "Form", "FormInvalid", "Frame", "Group", "Mapped", "Names", "NotConfirmed",
    "Page", "Part", "PayloadTooLarge", "Place", "Reader", "Record", "Register", "Rest",
    "Route", "Rule", "Sheet", "SheetProblem", "Source", "Stop", "Threshold", "TopicUnknown",
    "Webhook",
}  # fmt: skip


def _modules(room: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(room):
        folders[:] = sorted(set(folders) - {"node_modules", "static", "__pycache__"})
        yield from (Path(folder) / name for name in sorted(files) if name.endswith(".py"))


@cache
def _twice() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for room in ROOMS:
        for file in _modules(ROOT / room):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found.setdefault(node.name, []).append(file.relative_to(ROOT).as_posix())
    return {name: files for name, files in found.items() if len(files) > 1 and name not in CONTRACT}


def test_a_class_name_means_one_thing() -> None:
    new = {name: files for name, files in _twice().items() if name not in STILL_TWICE}
    assert new == {}, "give the newer class a name of its own (docs/glossary.md)"


def test_names_that_are_mended_are_struck_out() -> None:
    assert set(_twice()) >= STILL_TWICE, sorted(STILL_TWICE - set(_twice()))
