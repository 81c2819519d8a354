"""Writes docs/plugins.md from the plug-ins themselves; a test fails when it lags."""

from __future__ import annotations

import sys
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core import plugins  # noqa: E402

TITLES = {
    "source": "Device protocols (`ingest/sources/`)",
    "detector": "Detectors (`vision/detectors/`)",
    "algorithm": "Algorithms (`vision/algorithms/`)",
    "rule": "Rules (`events/rules/`)",
    "channel": "Notification channels (`events/notify/channels/`)",
    "layer": "Map layers (`layers/kinds/`)",
    "connection": "Connections (`ingest/connections/`)",
}


def render() -> str:
    """The reference as Markdown."""
    lines = ["# Plug-ins", "", "Made from the code by `python scripts/plugin_docs.py`: one file adds one thing.", ""]
    for group, title in TITLES.items():
        lines += [f"## {title}", ""]
        for kind in plugins.kinds(group):
            module = plugins.load(group, kind)
            about = plugins.about(group, kind)
            lines += [f"### `{kind}` · {about.zh} · {about.en}", "", *_listens(kind, about)]
            lines += [(module.__doc__ or "").strip(), ""]
            lines += _parameters(module.Params)
    return "\n".join(lines).rstrip() + "\n"


def _listens(kind: str, about: plugins.About) -> list[str]:
    """Of a source: its port and the interval at which a healthy device is heard."""
    if about.transport != "tcp":
        return []
    heard = f"; a healthy device is heard every {about.interval_s:g} s" if about.interval_s else ""
    return [f"Devices connect to port {about.port} (`{about.variable(kind)}`){heard}.", ""]


def _parameters(params: type[msgspec.Struct]) -> list[str]:
    fields = msgspec.structs.fields(params)
    if not fields:
        return []
    lines = [(params.__doc__ or "").strip(), "", "| parameter | type | default |", "|---|---|---|"]
    for field in fields:
        kind = _kind(field.type)
        default: object = "required"
        if field.default is not msgspec.NODEFAULT:
            default = f"`{field.default!r}`"
        elif field.default_factory is not msgspec.NODEFAULT:
            default = f"`{field.default_factory()!r}`"
        lines.append(f"| `{field.name}` | {kind} | {default} |")
    return [*lines, ""]


def _kind(hint: Any) -> str:
    """A type in words; a range of numbers stands behind its type."""
    plain, words = _bare(hint)
    name = str(plain) if "[" in str(plain) or "|" in str(plain) else getattr(plain, "__name__", str(plain))
    return name.replace("|", "\\|").replace("typing.", "") + words


def _bare(hint: Any) -> tuple[Any, str]:
    """(the type without its annotations, the range that they set)."""
    if get_origin(hint) is Annotated:
        plain, *notes = get_args(hint)
        ranges = [n for n in notes if isinstance(n, msgspec.Meta) and n.ge is not None and n.le is not None]
        return plain, f", {ranges[0].ge:g} … {ranges[0].le:g}" if ranges else ""
    if get_origin(hint) in (Union, UnionType):
        parts = [_bare(p) for p in get_args(hint)]
        names = " | ".join("None" if p is type(None) else getattr(p, "__name__", str(p)) for p, _ in parts)
        return names, "".join(w for _, w in parts)
    return hint, ""


if __name__ == "__main__":
    (ROOT / "docs" / "plugins.md").write_text(render(), encoding="utf-8")
