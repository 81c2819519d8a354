"""What is known of a layer: ``data_dir/layers/NAME/layer.json`` beside its ``tiles.pmtiles``."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import msgspec

from core import plugins
from core.errors import NotFound, SettingsError, YiwangError
from core.settings import Settings
from layers.contract import LayerKind

log = logging.getLogger("yiwang.layers")
TILES, RECORD, FEATURES = "tiles.pmtiles", "layer.json", "features.fgb"


class LayerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A layer.  ``bbox`` is west, south, east, north in WGS 84; ``source``, ``date``, ``licence``, ``attribution``:
    where it comes from; ``generated``: made up, not surveyed; ``sha256`` of the file it was taken from."""

    name: str
    kind: str
    features: int
    bbox: tuple[float, float, float, float]
    crs: str
    title: dict[str, str] = msgspec.field(default_factory=dict)
    encoding: str = ""
    file: str = ""
    sha256: str = ""
    source: str = ""
    date: str = ""
    licence: str = ""
    attribution: str = ""
    generated: bool = False
    imported_at: str = ""
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    roles: tuple[str, ...] = ()
    zooms: tuple[int, int] = (0, 0)
    fields: dict[str, str] = msgspec.field(default_factory=dict)

    def may_see(self, roles: set[str] | frozenset[str]) -> bool:
        """Whether somebody with ``roles`` may see it; no roles named: everybody with an account."""
        return not self.roles or bool(set(self.roles) & set(roles)) or "admin" in roles

    def drawn(self) -> LayerKind:
        """Its kind, with its own parameters."""
        kind: LayerKind = plugins.build("layer", self.kind, self.params)
        return kind


def folder(settings: Settings) -> Path:
    """Where layers are kept."""
    return settings.data_dir / "layers"


def layers(settings: Settings) -> list[LayerRecord]:
    """Every layer, in the order of drawing; a broken one is logged and left out."""
    found: list[tuple[int, LayerRecord]] = []
    for file in _records(settings):
        try:
            record = _read(file)
            found.append((record.drawn().order, record))
        except YiwangError as error:
            log.warning("%s: layer left out: %s", file.parent.name, error)
    return [record for _, record in sorted(found, key=lambda f: (f[0], f[1].name))]


def records_at_fault(settings: Settings) -> list[tuple[str, YiwangError]]:
    """The layers whose record cannot be used, by ``NAME/layer.json``, and what is wrong."""
    wrong: list[tuple[str, YiwangError]] = []
    for file in _records(settings):
        try:
            _read(file).drawn()
        except YiwangError as error:
            wrong.append((f"{file.parent.name}/{RECORD}", error))
    return wrong


def _records(settings: Settings) -> list[Path]:
    place = folder(settings)
    return sorted(place.glob(f"*/{RECORD}")) if place.is_dir() else []


def _read(file: Path) -> LayerRecord:
    try:
        return msgspec.json.decode(file.read_bytes(), type=LayerRecord)
    except (OSError, msgspec.MsgspecError) as error:
        how = "take the layer in again, or remove its folder"
        raise SettingsError(field=f"{file.parent.name}/{RECORD}", detail=str(error), how=how) from error


def layer(settings: Settings, name: str) -> LayerRecord:
    """The layer ``name``; :class:`NotFound`."""
    for record in layers(settings):
        if record.name == name:
            return record
    raise NotFound(what="layer", key=name)


def tiles_of(settings: Settings, name: str) -> Path:
    """Its tile archive."""
    return folder(settings) / name / TILES


def features_of(settings: Settings, name: str) -> Path:
    """Its features as FlatGeobuf (vector layers)."""
    return folder(settings) / name / FEATURES


def save(settings: Settings, record: LayerRecord) -> None:
    """Write the record; its tiles stand there already."""
    file = folder(settings) / record.name / RECORD
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".part")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1))
    partial.replace(file)


def remove(settings: Settings, name: str) -> None:
    """Take a layer away; :class:`NotFound`."""
    layer(settings, name)
    shutil.rmtree(folder(settings) / name)
