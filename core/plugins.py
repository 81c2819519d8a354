"""One file adds one thing.

A plug-in is a module in a group's folder whose file name is its *kind*.  It defines
``Params`` (a frozen ``msgspec.Struct``) and ``build(params, …)``.  Only kinds that the
configuration names are imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from core.errors import PluginLibraryMissing, PluginParamsInvalid, PluginUnknown

GROUPS: dict[str, str] = {
    "source": "ingest.sources",
    "detector": "vision.detectors",
    "algorithm": "vision.algorithms",
    "rule": "events.rules",
    "notifier": "events.notify.channels",
    "layer": "layers.kinds",
}


def kinds(group: str) -> list[str]:
    """Names of all plug-ins of ``group``, without importing them: the modules that define ``Params`` and ``build``."""
    package = importlib.import_module(GROUPS[group])
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if _is_plugin(package, m.name))


def _is_plugin(package: ModuleType, name: str) -> bool:
    """Whether module ``name`` is a plug-in rather than a helper beside them."""
    if name.startswith("_"):
        return False
    found = importlib.util.find_spec(f"{package.__name__}.{name}")
    source = Path(found.origin).read_text(encoding="utf-8") if found and found.origin else ""
    return "\ndef build(" in source


def load(group: str, kind: str) -> ModuleType:
    """The plug-in module; typed errors for an unknown kind or a missing library."""
    if kind not in kinds(group):
        raise PluginUnknown(group=group, kind=kind, known=", ".join(kinds(group)))
    try:
        return importlib.import_module(f"{GROUPS[group]}.{kind}")
    except ModuleNotFoundError as error:
        raise PluginLibraryMissing(group=group, kind=kind, library=error.name or "?") from error


def parse_params(group: str, kind: str, params: dict[str, Any]) -> Any:
    """``params`` as the plug-in's ``Params``; a misspelt or ill-typed one is a typed error."""
    model = load(group, kind).Params
    known = [f.name for f in msgspec.structs.fields(model)]
    unknown = sorted(set(params) - set(known))
    if unknown:
        raise PluginParamsInvalid(
            group=group, kind=kind, detail=f"unknown parameter {unknown[0]!r}", known=", ".join(known)
        )
    try:
        return msgspec.convert(params, model, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise PluginParamsInvalid(group=group, kind=kind, detail=str(error), known=", ".join(known)) from error


def build(group: str, kind: str, params: dict[str, Any], **wiring: Any) -> Any:
    """The plug-in's object: its ``build(params, **wiring)`` with validated parameters."""
    return load(group, kind).build(parse_params(group, kind, params), **wiring)
