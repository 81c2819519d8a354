"""One file adds one thing, and says everything about itself.

A plug-in is a module whose file name is its *kind*.  It defines ``ABOUT`` (an :class:`About`: titles in both
languages, and of a source its transport, port and expected interval), ``Params`` (a frozen ``msgspec.Struct``) and
``build(params, …)``.  Modules without ``ABOUT`` are helpers beside the plug-ins.

Kinds that ship lie in the group's package.  What a city adds lies in ``<data>/plugins/<folder>/`` (put there on the
machine, never through a browser) and is named to this module once by :func:`use_city_folder`.  A file that changes is
loaded anew the next time its kind is built.  Only kinds that the configuration names are imported; what ``ABOUT``
says is read from the source text, so that a list of titles imports nothing.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import msgspec

from core.errors import (
    PluginBroken,
    PluginLibraryMissing,
    PluginNameTaken,
    PluginParamsInvalid,
    PluginUnknown,
    YiwangError,
)
from core.records import Record

GROUPS: dict[str, str] = {
    "source": "ingest.sources",
    "detector": "vision.detectors",
    "algorithm": "vision.algorithms",
    "rule": "events.rules",
    "channel": "events.notify.channels",
    "layer": "layers.kinds",
    "connection": "ingest.connections",
}
"""Package of each group; a city's own lie in ``<data>/plugins/<the package's last name>/``."""


class Words(Record, frozen=True):
    """One name in both languages."""

    zh: str
    en: str


class About(Record, frozen=True):
    """What a plug-in says of itself.  ``zh`` and ``en``: its title.

    ``params``: names of parameters; ``expert``: of those that a form folds away.  The rest speaks of sources:
    ``transport`` (``tcp``: devices connect to a port of ours; ``poll``: we ask), ``port`` (the default) and
    ``port_variable`` (the environment variable that sets another; empty: ``YIWANG_<KIND>_PORT``), ``interval_s``
    (how often a healthy device is heard when its registration does not say; 0: unknown), ``text_mark``
    (how a frame of a text protocol begins; empty: bytes in hex).  Connections say ``help`` (what to type),
    ``secrets`` (names of what is kept sealed) and ``direction`` (``ask``: we ask when somebody needs an answer;
    ``link``: people go there, signed in); ``transport`` ``push``: the sender calls us.
    ``experimental``: not proven, and on what it was tried; empty: proven on what the documents name.
    """

    zh: str
    en: str
    params: Mapping[str, Words] = {}
    expert: Mapping[str, Words] = {}
    transport: Literal["", "tcp", "poll", "push"] = ""
    port: int = 0
    port_variable: str = ""
    interval_s: float = 0.0
    text_mark: str = ""
    help: Words = Words(zh="", en="")
    secrets: tuple[str, ...] = ()
    direction: Literal["", "in", "out", "ask", "link"] = ""
    experimental: Words = Words(zh="", en="")

    def variable(self, kind: str) -> str:
        """The environment variable of the port."""
        return self.port_variable or f"YIWANG_{kind.upper()}_PORT"


class _City:
    """The folder of a city's own plug-ins and what was loaded from it."""

    folder: Path | None = None
    loaded: dict[Path, tuple[int, ModuleType]] = {}


def use_city_folder(folder: Path | None) -> None:
    """Name the folder (``<data>/plugins``) in which a city's own plug-ins lie; None: none."""
    _City.folder = folder


def kinds(group: str) -> list[str]:
    """Names of all plug-ins of ``group``, without importing them."""
    return sorted(_files(group))


def about(group: str, kind: str) -> About:
    """What plug-in ``kind`` says of itself, without importing it: ``ABOUT`` may hold literals and ``Words`` only.

    Raises:
        PluginUnknown: no such kind.
        PluginBroken: the file cannot be read, or its ``ABOUT`` is none.
    """
    path = _path(group, kind)
    call = _about_call(path)
    if call is None:
        raise PluginBroken(group=group, path=path, detail="ABOUT = About(zh=…, en=…) is missing")
    try:
        return msgspec.convert({k.arg: _literal(k.value) for k in call.keywords if k.arg}, About)
    except (ValueError, msgspec.ValidationError) as error:
        raise PluginBroken(group=group, path=path, detail=f"ABOUT: {error}") from error


def titles(group: str, language: str) -> dict[str, str]:
    """Title of each kind of ``group`` in ``language`` (``zh`` or ``en``); broken files are left out."""
    found: dict[str, str] = {}
    for kind in kinds(group):
        try:
            found[kind] = getattr(about(group, kind), language)
        except YiwangError:
            continue
    return found


def usable(group: str) -> list[str]:
    """Names of the plug-ins of ``group`` that load; a broken file is told by :func:`problems` and hides no other."""
    found: list[str] = []
    for kind in kinds(group):
        try:
            load(group, kind)
            about(group, kind)
        except YiwangError:
            continue
        found.append(kind)
    return found


def city_mark() -> tuple[tuple[str, int], ...]:
    """Changes when a file of the city's own folder does; empty where there is none."""
    own = [path for group in GROUPS for path in _own_files(group)]
    return tuple((str(path), path.stat().st_mtime_ns) for path in own)


def problems(group: str) -> list[YiwangError]:
    """What is wrong with the city's own files of ``group``: unreadable, broken, or of a name that is taken."""
    found: list[YiwangError] = []
    shipped = _shipped(group)
    for path in _own_files(group):
        if path.stem in shipped:
            found.append(PluginNameTaken(group=group, kind=path.stem, path=path))
            continue
        try:
            load(group, path.stem)
            about(group, path.stem)
        except YiwangError as error:
            found.append(error)
    return found


def load(group: str, kind: str) -> ModuleType:
    """The plug-in module.

    Raises:
        PluginUnknown: no such kind.
        PluginLibraryMissing: a library that it imports is not installed.
        PluginBroken: it raises while it is imported, or lacks a part of the contract.
    """
    path = _path(group, kind)
    own = path not in _shipped(group).values()
    try:
        module = _load_own(path, group) if own else importlib.import_module(f"{GROUPS[group]}.{kind}")
    except ModuleNotFoundError as error:
        raise PluginLibraryMissing(group=group, kind=kind, library=error.name or "?") from error
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plug-in may do anything on import; it is told, the rest runs
        raise PluginBroken(group=group, path=path, detail=f"{type(error).__name__}: {error}") from error
    missing = [name for name in ("ABOUT", "Params", "build") if not hasattr(module, name)]
    if missing:
        raise PluginBroken(group=group, path=path, detail=f"{', '.join(missing)} is missing")
    if not (isinstance(module.Params, type) and issubclass(module.Params, msgspec.Struct)):
        raise PluginBroken(group=group, path=path, detail="Params is no msgspec.Struct")
    if not callable(module.build):
        raise PluginBroken(group=group, path=path, detail="build is no function")
    return module


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
    """The plug-in's object: its ``build(params, **wiring)`` with validated parameters.

    Raises:
        PluginBroken: ``build`` raises something that is no error of ours; and what :func:`load` and
            :func:`parse_params` raise.
    """
    given = parse_params(group, kind, params)
    try:
        return load(group, kind).build(given, **wiring)
    except YiwangError:
        raise
    except Exception as error:  # noqa: BLE001 - a plug-in may do anything; it is told, the rest runs
        detail = f"build: {type(error).__name__}: {error}"[:500]
        raise PluginBroken(group=group, path=_path(group, kind), detail=detail) from error


def _shipped(group: str) -> dict[str, Path]:
    package = importlib.import_module(GROUPS[group])
    return {p.stem: p for folder in package.__path__ for p in Path(folder).glob("[a-z]*.py") if _about_call(p)}


def _own_files(group: str) -> list[Path]:
    if _City.folder is None:
        return []
    folder = _City.folder / GROUPS[group].rsplit(".", 1)[-1]
    return sorted(p for p in folder.glob("*.py") if not p.name.startswith(("_", "."))) if folder.is_dir() else []


def _files(group: str) -> dict[str, Path]:
    """Kind to file; a kind that ships is not replaced by a city's file of the same name."""
    return {p.stem: p for p in _own_files(group)} | _shipped(group)


def _path(group: str, kind: str) -> Path:
    files = _files(group)
    if kind not in files:
        raise PluginUnknown(group=group, kind=kind, known=", ".join(sorted(files)))
    return files[kind]


def _load_own(path: Path, group: str) -> ModuleType:
    """A module of the city's folder, loaded anew when its file changed."""
    changed = path.stat().st_mtime_ns
    held = _City.loaded.get(path)
    if held is not None and held[0] == changed:
        return held[1]
    spec = importlib.util.spec_from_file_location(f"city_plugins.{group}.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # msgspec looks annotations up there
    spec.loader.exec_module(module)
    _City.loaded[path] = (changed, module)
    return module


def _literal(node: ast.expr) -> Any:
    """A literal, or a dictionary of ``Words("…", "…")``, as plain data."""
    if isinstance(node, ast.Dict):
        keys = [ast.literal_eval(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_literal, node.values), strict=True))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Words":
        names = {k.arg: ast.literal_eval(k.value) for k in node.keywords if k.arg}
        return dict(zip(("zh", "en"), map(ast.literal_eval, node.args), strict=False)) | names
    return ast.literal_eval(node)


_calls: dict[Path, tuple[int, ast.Call | None]] = {}


def _about_call(path: Path) -> ast.Call | None:
    """The call ``About(…)`` that ``path`` assigns to ``ABOUT``, from its text; None without one."""
    try:
        changed = path.stat().st_mtime_ns
        held = _calls.get(path)
        if held is not None and held[0] == changed:
            return held[1]
        text = path.read_text(encoding="utf-8")
        found = _find_call(ast.parse(text)) if "ABOUT" in text else None
    except (OSError, SyntaxError, ValueError):
        return None
    _calls[path] = (changed, found)
    return found


def _find_call(tree: ast.Module) -> ast.Call | None:
    for node in tree.body:
        names = [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]
        if isinstance(node, ast.Assign) and "ABOUT" in names and isinstance(node.value, ast.Call):
            return node.value
    return None
