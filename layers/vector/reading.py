"""Features of a geodata file, batch by batch, with the text decoded rightly and values typed as the file types them.

GDAL takes a Shapefile without .cpg for Latin-1 and knows no ``65001``: its bytes are judged here as any text's.
Optional booleans and whole numbers stay what they are (GDAL gives floats), lists stay lists, times keep their offset.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import shapely

from core.tables.encoding import codec_of, detect
from core.tables.problem import FileUnreadable
from layers.vector import words as words
from layers.vector.systems import failures, unreadable_systems

SUFFIXES = (
    *(".gpkg", ".shp", ".geojson", ".json", ".geojsonl", ".geojsons"),
    *(".fgb", ".kml", ".gml", ".tab", ".mif", ".pbf"),
)
SIDECARS = (
    *(".shx", ".dbf", ".prj", ".cpg", ".qpj", ".qmd", ".sbn", ".sbx", ".shp.xml", ".idx", ".qix", ".fix"),
    *(".ain", ".aih", ".atx", ".cst", ".lyr", ".dat", ".map", ".id", ".ind", ".mid"),
    *(".gpkg-wal", ".gpkg-shm", ".gpkg-journal"),
)
MAX_FILE_BYTES = 8 << 30
BATCH = 5_000
_STAGED_ABOVE = 64 << 20
_TEXT = {".geojson", ".json", ".geojsonl", ".geojsons"}
_TYPES: dict[str, type] = {"OFTInteger": int, "OFTInteger64": int, "OFTReal": float}
_LATIN = "ISO-8859-1"


@dataclass(frozen=True)
class Feature:
    """One feature; ``number`` counts from 1; ``shape`` is in the file's own system, None where it has none."""

    number: int
    shape: Any
    values: dict[str, Any]
    broken: str = ""


@dataclass
class VectorFile:
    """An open file: ``crs`` as it says (None: not at all), ``encoding`` of its texts, ``others``: further layers."""

    path: Path
    layer: str = ""
    crs: str | None = None
    encoding: str = "UTF-8"
    fields: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    count: int = -1
    _info: dict[str, Any] = field(default_factory=dict, repr=False)
    _source: Path | None = None
    _codec: str = ""
    _stack: ExitStack = field(default_factory=ExitStack, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def batches(self, size: int = BATCH) -> Iterator[list[Feature]]:
        """All features in lists of at most ``size``."""
        first = 0
        while True:
            batch = self._batch(first, size)
            if batch:
                yield batch
            if len(batch) < size:
                return
            first += size

    def types(self) -> dict[str, type]:
        """The type of each field, over the whole file; lists are texts."""
        kinds = zip(self.fields, self._info["ogr_types"], self._info["ogr_subtypes"], strict=True)
        return {name: bool if subtype == "OFSTBoolean" else _TYPES.get(kind, str) for name, kind, subtype in kinds}

    def _batch(self, first: int, size: int) -> list[Feature]:
        import pyogrio

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                meta, _, shapes, columns = pyogrio.raw.read(
                    self._source or self.path, layer=self.layer or None, skip_features=first, max_features=size,
                    datetime_as_string=True, **({"encoding": _LATIN} if self._codec else {}),
                )  # fmt: skip
        except failures() as error:
            raise FileUnreadable("not_geodata", detail=str(error)) from error
        kinds = list(zip(self._info["ogr_types"], self._info["ogr_subtypes"], strict=True))
        lists = [[_plain(v, *kind, self._codec) for v in c] for c, kind in zip(columns, kinds, strict=True)]
        found = []
        for k in range(len(shapes) if shapes is not None else len(columns[0]) if columns else 0):
            shape, broken = _shape(shapes[k] if shapes is not None else None)
            values = {name: column[k] for name, column in zip(self.fields, lists, strict=True)}
            found.append(Feature(first + k + 1, shape, values, broken))
        return found


def _shape(wkb: Any) -> tuple[Any, str]:
    if wkb is None:
        return None, ""
    try:
        return shapely.force_2d(shapely.from_wkb(wkb)), ""
    except (shapely.errors.ShapelyError, TypeError, ValueError) as error:
        return None, str(error)[:120]


def _plain(value: Any, kind: str, subtype: str, codec: str) -> Any:
    """A value as JSON knows it; None where the file has none."""
    if isinstance(value, np.ndarray | list):
        return [_plain(v, kind.removesuffix("List"), subtype, codec) for v in value]
    value = value.item() if hasattr(value, "item") else value
    if value is None or value != value:  # GDAL's missing numbers are NaN
        return None
    if kind == "OFTInteger" and subtype == "OFSTBoolean":
        return bool(value)
    if kind in {"OFTInteger", "OFTInteger64"} and isinstance(value, float):
        return int(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str) and codec:
        return value.encode("latin-1", "ignore").decode(codec, "replace").rstrip("\ufffd")
    return value if isinstance(value, str | int | float | bool) else str(value)


def open_vector(path: Path, layer: str = "") -> VectorFile:
    """Open ``path`` (``layer``: which of several; the first with geometry otherwise).

    :class:`FileUnreadable` says why a file is none.  Used with ``with``; large files are put into an indexed form on
    disk first, so that memory stays bounded.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise FileUnreadable("too_large", size=path.stat().st_size, limit=MAX_FILE_BYTES)
    opened = VectorFile(path)
    try:
        _restore_index(opened)
        _choose(opened, layer)
        _judge_text(opened)
        _stage(opened)
        _inform(opened)
    except BaseException:
        opened._stack.close()
        raise
    return opened


def _choose(opened: VectorFile, layer: str) -> None:
    """Which layer, after a text file was made UTF-8."""
    import pyogrio

    if opened.path.suffix.lower() in _TEXT:
        _recode(opened)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            listed = [(str(n), t) for n, t in pyogrio.list_layers(opened._source or opened.path)]
    except failures() as error:
        raise FileUnreadable("not_geodata", detail=_short(error, opened)) from error
    names = [n for n, t in listed if t is not None] or [n for n, _ in listed]
    if not names:
        raise FileUnreadable("no_features")
    if layer and layer not in names:
        raise FileUnreadable("not_geodata", detail=f"no layer {layer!r}, there are: {', '.join(names)}")
    opened.layer = layer or names[0]
    opened.others = tuple(n for n in names if n != opened.layer)


def _short(error: Exception, opened: VectorFile) -> str:
    text = str(error).replace(str(opened._source or opened.path), opened.path.name)
    return text.split("; It might help")[0]


def _folder(opened: VectorFile) -> Path:
    return Path(opened._stack.enter_context(tempfile.TemporaryDirectory(prefix="yiwang-vector-")))


def _recode(opened: VectorFile) -> None:
    """GeoJSON must be UTF-8 (RFC 7946); some programs write GBK or UTF-16 all the same."""
    with opened.path.open("rb") as file:
        found = detect(file)
        opened.encoding = found.title
        if found.codec in {"utf-8", "utf-8-sig"} and not found.damaged:
            return
        target = _folder(opened) / f"{opened.path.stem}{opened.path.suffix.lower()}"
        _copy_text(file, target, found.codec)
        opened._source = target


def _copy_text(file: BinaryIO, target: Path, codec: str) -> None:
    import codecs

    decoder = codecs.getincrementaldecoder(codec)("replace")
    with target.open("w", encoding="utf-8") as out:
        while block := file.read(1 << 20):
            out.write(decoder.decode(block))


def _judge_text(opened: VectorFile) -> None:
    """The encoding of a Shapefile's (or MapInfo's) attributes, by their bytes; a .cpg only breaks a tie."""
    table = next((f for f in _beside(opened.path) if f.suffix.lower() in {".dbf", ".dat"}), None)
    if opened.path.suffix.lower() not in {".shp", ".tab"} or table is None:
        return
    with table.open("rb") as file:
        head = file.read(32)
        start = int.from_bytes(head[8:10], "little") if len(head) == 32 else 0
        names = file.read(max(0, start - 32))
        file.seek(start)
        hint = _says_gbk(opened.path, head[29] if len(head) == 32 else 0)
        found = codec_of(file, before=b"".join(names[k : k + 11].rstrip(b"\0") for k in range(0, len(names), 32)),
                         prefer_gb=hint)  # fmt: skip
    opened.encoding, opened._codec = found.title, found.codec


def _says_gbk(path: Path, language: int) -> bool:
    code = next((f for f in _beside(path) if f.suffix.lower() == ".cpg"), None)
    text = code.read_text("ascii", "replace").strip().lower() if code else ""
    return any(word in text for word in ("936", "gb")) if text else language == 0x4D


def _beside(path: Path) -> list[Path]:
    return [f for f in sorted(path.parent.iterdir()) if f.stem.casefold() == path.stem.casefold() and f != path]


def _restore_index(opened: VectorFile) -> None:
    """Missing .shx, broken or GBK-coded .prj: read from a copy that has an index, none of it, or it as UTF-8."""
    import pyogrio

    if opened.path.suffix.lower() != ".shp":
        return
    beside = _beside(opened.path)
    odd = unreadable_systems(opened.path, beside)
    if not odd and any(f.suffix.lower() == ".shx" for f in beside):
        return
    folder = _folder(opened)
    for file in [opened.path, *(f for f in beside if f not in odd)]:
        shutil.copyfile(file, folder / f"{opened.path.stem}{file.suffix.lower()}")
    for file, text in odd.items():
        if text:
            (folder / f"{opened.path.stem}{file.suffix.lower()}").write_text(text, encoding="utf-8")
    opened._source = folder / f"{opened.path.stem}.shp"
    pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": "YES"})


def _stage(opened: VectorFile) -> None:
    """A large file without an index goes into a GeoPackage first."""
    import pyogrio

    suffix = opened.path.suffix.lower()
    source = opened._source or opened.path
    if suffix in {".gpkg", ".shp", ".fgb"} or (suffix != ".pbf" and source.stat().st_size < _STAGED_ABOVE):
        return
    target = _folder(opened) / "staged.gpkg"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pyogrio.open_arrow(source, layer=opened.layer, use_pyarrow=False) as (meta, stream):
                crs = meta["crs"]
                pyogrio.write_arrow(
                    stream, target, driver="GPKG", layer="staged", geometry_type="Unknown", crs=crs,
                    geometry_name=meta["geometry_name"] or "wkb_geometry",
                )  # fmt: skip
    except failures() as error:
        raise FileUnreadable("not_geodata", detail=_short(error, opened)) from error
    opened._source, opened.layer = target, "staged"


def _inform(opened: VectorFile) -> None:
    import pyogrio

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            how = {"encoding": _LATIN} if opened._codec else {}
            opened._info = pyogrio.read_info(opened._source or opened.path, layer=opened.layer or None, **how)
    except failures() as error:
        raise FileUnreadable("not_geodata", detail=_short(error, opened)) from error
    opened.crs = opened._info["crs"]
    opened.count = int(opened._info["features"])
    opened.fields = tuple(_plain(str(n), "OFTString", "", opened._codec) for n in opened._info["fields"])
