"""The browser half of Dash's libraries, compressed when they are installed: ``python -m dashboard.vendor``.

Dash compresses them anew for every browser, with gzip.  Of plotly, which our pages draw bars, lines and heat maps with,
the part for Cartesian axes is sent: a third of the whole.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from dashboard.pages.files.packing import coding_for, put_by

ADDRESS = "/_dash-component-suites/"
TABLE = "packed.json"
DISTRIBUTIONS = ("dash", "dash-ag-grid", "dash-mantine-components", "plotly")
# Which files of a package a page of ours can load; what is missing here goes the way Dash sends it.
PACKAGES = {
    "dash": (
        "dash-renderer/build/dash_renderer.min.js", "html/dash_html_components.min.js", "dash_table/bundle.js",
        "deps/polyfill@*.min.js", "deps/prop-types@*.min.js", "deps/react@18*.min.js", "deps/react-dom@18*.min.js",
        "dcc/dash_core_components*.js", "dcc/async-graph.js", "dcc/async-dropdown.js", "dcc/async-upload.js",
        "dcc/async-slider.js", "dcc/async-datepicker.js",
    ),
    "dash_ag_grid": ("dash_ag_grid.min.js", "async-community.js"),
    "dash_mantine_components": ("dash_mantine_components.js",),
}  # fmt: skip
PLOTLY = "plotly/package_data/plotly.min.js"
CARTESIAN = "plotly/plotly-cartesian.min.js"  # below static/vendor, from npm's plotly.js-cartesian-dist-min


def versions() -> str:
    """The versions of the packages whose files are packed."""
    return " ".join(f"{name}=={version(name)}" for name in DISTRIBUTIONS)


def sources(vendor: Path) -> dict[str, Path]:
    """The files to pack by their address below :data:`ADDRESS`; the map's are looked up by their content."""
    found: dict[str, Path] = {}
    for package, patterns in PACKAGES.items():
        folder = _folder(package)
        for pattern in patterns:
            found |= {f"{package}/{file.relative_to(folder)}": file for file in sorted(folder.glob(pattern))}
    maps = {f"static/vendor/{file.name}": file for file in sorted((vendor / "maplibre").glob("*.mjs"))}
    return found | maps | {PLOTLY: vendor / CARTESIAN}


def pack(vendor: Path) -> int:
    """Write the compressed files and their table into ``vendor/packed``; how many there are."""
    target = vendor / "packed"
    target.mkdir(parents=True, exist_ok=True)
    for old in target.iterdir():
        old.unlink()

    def one(item: tuple[str, Path]) -> tuple[str, str]:
        return item[0], put_by(item[1].read_bytes(), target)

    with ThreadPoolExecutor(2) as threads:  # Brotli computes without the interpreter's lock
        table = dict(threads.map(one, sorted(sources(vendor).items())))
    (target / TABLE).write_text(json.dumps({"versions": versions(), "files": table}, indent=1), encoding="utf-8")
    return len(table)


class Suites:
    """Finds the compressed form of what Dash's pages ask for; nothing where it was packed for other versions."""

    def __init__(self, vendor: Path) -> None:
        self._folder = vendor / "packed"
        self._table: dict[str, str] | None = None

    def find(self, address: str, accept_encoding: str) -> tuple[Path, dict[str, str]] | None:
        """The file for ``address`` (the whole path) and its headers; None where Dash answers itself."""
        from dash.fingerprint import check_fingerprint  # Dash stands when a page of it is loaded

        if self._table is None:
            self._table = _table_of(self._folder / TABLE)
        inner, named = check_fingerprint(address.removeprefix(ADDRESS))
        coding = coding_for(accept_encoding)
        name = self._table.get(inner)
        if name is None or coding is None:
            return None
        kept = "public, max-age=31536000, immutable" if named else "public, max-age=86400"
        headers = {"Content-Encoding": coding, "Vary": "Accept-Encoding", "Cache-Control": kept}
        return self._folder / f"{name}.{coding}", headers


def _table_of(file: Path) -> dict[str, str]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if told["versions"] != versions():
            return {}
        return {str(address): str(name) for address, name in told["files"].items()}
    except (OSError, ValueError, KeyError, TypeError):  # never packed: Dash sends its files itself
        return {}


def _folder(package: str) -> Path:
    found = find_spec(package)
    assert found is not None and found.origin is not None  # a pinned dependency
    return Path(found.origin).parent
