"""No module of a package may need itself: every ``import`` counts, inside functions and under TYPE_CHECKING too."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = sorted(p.parent.name for p in ROOT.glob("*/__init__.py") if p.parent.name != "tests")


def modules_of(folder: Path) -> dict[str, Path]:
    """Dotted name → file of every module under the package ``folder``."""
    found = {}
    for path in folder.rglob("*.py"):
        if "node_modules" in path.parts:
            continue
        parts = path.relative_to(folder.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """Every module of ``known`` that the file names in an import, wherever the import stands."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            wanted = [full if (full := f"{base}.{alias.name}") in known else base for alias in node.names]
        else:
            continue
        yield from (each for each in wanted if each in known and each != name)


def circle_in(folder: Path) -> list[str]:
    """The modules of one circle, in order; empty when there is none."""
    known = modules_of(folder)
    graph = {name: set(imports_of(name, path, known)) for name, path in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_needs_itself(package: str) -> None:
    assert circle_in(ROOT / package) == []


@pytest.mark.parametrize(
    "lazy",
    [
        "from box.one import x",
        "def f():\n    from box import one",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .one import x",
        "async def f():\n    import box.one",
    ],
)
def test_a_circle_is_found_wherever_the_import_stands(tmp_path: Path, lazy: str) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "box/__init__.py").write_text("")
    (tmp_path / "box/one.py").write_text("from box.two import y\n")
    (tmp_path / "box/two.py").write_text(lazy + "\n")
    assert set(circle_in(tmp_path / "box")) == {"box.one", "box.two"}
    (tmp_path / "box/two.py").write_text("y = 1\n")
    assert circle_in(tmp_path / "box") == []
