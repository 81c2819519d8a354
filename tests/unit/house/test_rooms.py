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


def tracked() -> list[Path]:
    """The repository's files."""
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this copy is no git repository")
    return [Path(line) for line in listed.splitlines() if line and (ROOT / line).exists()]


def test_no_folder_holds_more_than_25_files_of_code() -> None:
    side_by_side = Counter(path.parent for path in tracked() if path.suffix in CODE and path.name != "__init__.py")
    crowded = {str(folder): n for folder, n in side_by_side.items() if n > MOST and "versions" not in folder.parts}
    assert crowded == {}


NAMED = re.compile(r"`((?:[a-z_.]+/)+[\w.-]*|[a-z_]+(?:/[\w-]+)+\.\w+)(?:::\w+)?`")
ROOMS = tuple(f"{p.name}/" for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith("."))
DOTTED = re.compile(r"(?<![\w/.<-])((?:core|storage|ingest|vision|layers|records|events|measures|dashboard|app|bench)(?:\.[a-z_]\w+)+)")


@pytest.mark.parametrize("page", [p for p in tracked() if p.suffix == ".md" and p.parts[0] in ("docs", "README.md")])
def test_paths_and_modules_that_documents_name_exist(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    paths = {found for found in NAMED.findall(text) if found.startswith(ROOMS) and "<" not in found and "*" not in found}
    missing = sorted(path for path in paths if not (ROOT / path).exists() and not (ROOT / path.split("::")[0]).exists())
    assert missing == [], f"{page} names what is not there"


@pytest.mark.parametrize("page", [p for p in tracked() if p.suffix in (".md", ".py") and p.parts[0] != "tests"])
def test_modules_named_in_prose_exist(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r":mod:`([\w.]+)`", text)) if page.suffix == ".py" else set(DOTTED.findall(text))
    own = {name for name in named if name.split(".")[0] + "/" in ROOMS}
    missing = sorted(name for name in own if not _there(name))
    assert missing == [], f"{page} names what is not there"


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
