"""Rooms stay small enough to be looked through, and what the documents name exists."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MOST = 25
CODE = (".py", ".mjs", ".js")


BOOKS = ("docs", "README.md")


def tracked() -> list[Path]:
    """The repository's files; those of a copy without its history: every file in the rooms."""
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        found = [Path(line) for line in listed.splitlines() if line]
    except (OSError, subprocess.CalledProcessError):
        found = [p.relative_to(ROOT) for p in ROOT.glob("[a-zA-Z]*/**/*") if p.is_file()]
    return [path for path in found if (ROOT / path).exists() and "node_modules" not in path.parts]


FILES = tracked()
PROSE = [path for path in FILES if path.suffix in (".md", ".py") and path.parts[0] != "tests"]


def test_no_folder_holds_more_than_25_files_of_code() -> None:
    side_by_side = Counter(path.parent for path in FILES if path.suffix in CODE and path.name != "__init__.py")
    crowded = {str(folder): n for folder, n in side_by_side.items() if n > MOST and "versions" not in folder.parts}
    assert crowded == {}


NAMED = re.compile(r"`((?:[a-z_.]+/)+[\w.-]*|[a-z_]+(?:/[\w-]+)+\.\w+)(?:::\w+)?`")
ROOMS = tuple(f"{p.name}/" for p in ROOT.iterdir() if p.is_dir() and p.name != "var" and not p.name.startswith("."))
PACKAGES = "core|storage|ingest|vision|layers|records|events|measures|dashboard|app|bench"
DOTTED = re.compile(rf"(?<![\w/.<-])((?:{PACKAGES})(?:\.[a-z_]\w+)+)(?!\.?\w)")


@pytest.mark.parametrize("document", [p for p in FILES if p.suffix == ".md" and p.parts[0] in BOOKS], ids=str)
def test_paths_and_modules_that_documents_name_exist(document: Path) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    paths = {found for found in NAMED.findall(text) if found.startswith(ROOMS) and "NAME" not in found}
    missing = sorted(path for path in paths if not (ROOT / path).exists())
    assert missing == [], f"{document} names what is not there"


@pytest.mark.parametrize("document", PROSE, ids=str)
def test_modules_named_in_prose_exist(document: Path) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r":mod:`([\w.]+)`", text)) if document.suffix == ".py" else set(DOTTED.findall(text))
    own = {name for name in named if f"{name.split('.')[0]}/" in ROOMS and name.rsplit(".", 1)[-1] not in ENDINGS}
    missing = sorted(name for name in own if not _there(name))
    assert missing == [], f"{document} names what is not there"


ENDINGS = {"md", "py", "yaml", "json"}


def _there(name: str) -> bool:
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        base = ROOT.joinpath(*parts[:n])
        if base.is_dir():
            return n == len(parts) or _defines(base / "__init__.py", parts[n])
        if base.with_suffix(".py").is_file():
            return n == len(parts) or _defines(base.with_suffix(".py"), parts[n])
        if base.with_suffix(f".{parts[-1]}").is_file():
            return True
    return False


def _defines(file: Path, name: str) -> bool:
    return file.is_file() and re.search(rf"\b{re.escape(name)}\b", file.read_text(encoding="utf-8")) is not None
