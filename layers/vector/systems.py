"""Which of a Shapefile's files that name its coordinate system can be read, and what GDAL raises."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyproj import CRS
from pyproj.exceptions import ProjError


def failures() -> tuple[type[Exception], ...]:
    """What pyogrio raises; UnboundLocalError for a system that GDAL cannot write (findings/pyogrio-prj-in-gbk.sh)."""
    from pyogrio.errors import DataLayerError, DataSourceError

    return DataSourceError, DataLayerError, RuntimeError, ValueError, UnboundLocalError


def unreadable_systems(path: Path, beside: Sequence[Path]) -> dict[Path, str]:
    """Of the files ``beside`` the Shapefile ``path`` that should say its system those that GDAL cannot read.

    With each stands the text to read instead: Chinese names in GBK as UTF-8, empty where it says no system at all.
    """
    import pyogrio

    said = {f: _text(f) for f in beside if f.suffix.lower() in {".prj", ".qpj"}}
    found = {f: text if _is_system(text) else "" for f, (text, plain) in said.items()
             if not plain or not _is_system(text)}  # fmt: skip
    if said and not found:
        try:
            pyogrio.read_info(path)
        except UnboundLocalError:
            return dict.fromkeys(said, "")
        except failures():
            pass  # told when the file is opened
    return found


def _text(file: Path) -> tuple[str, bool]:
    """The text of a .prj, and whether it is UTF-8 as it must be."""
    raw = file.read_bytes()[:65_536]
    try:
        return raw.decode("utf-8").strip(), True
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace").strip(), False


def _is_system(text: str) -> bool:
    """Whether a text says a coordinate system (an empty one says none and harms nothing)."""
    try:
        return not text or CRS.from_user_input(text) is not None
    except (ProjError, ValueError):
        return False
