"""Writes docs/plugins.md from the plug-ins themselves; a test fails when it lags."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core import plugins  # noqa: E402

TITLES = {
    "source": "Device protocols (`ingest/sources/`)",
    "detector": "Detectors (`vision/detectors/`)",
    "algorithm": "Algorithms (`vision/algorithms/`)",
    "rule": "Rules (`events/rules/`)",
    "notifier": "Notification channels (`events/notify/`)",
    "layer": "Map layers (`layers/kinds/`)",
}


def render() -> str:
    """The reference as Markdown."""
    lines = ["# Plug-ins", "", "Made from the code by `python scripts/plugin_docs.py`: one file adds one thing.", ""]
    for group, title in TITLES.items():
        lines += [f"## {title}", ""]
        for kind in plugins.kinds(group):
            module = plugins.load(group, kind)
            lines += [f"### `{kind}`", "", (module.__doc__ or "").strip(), ""]
            lines += _parameters(module.Params)
    return "\n".join(lines).rstrip() + "\n"


def _parameters(params: type[msgspec.Struct]) -> list[str]:
    fields = msgspec.structs.fields(params)
    if not fields:
        return []
    lines = [(params.__doc__ or "").strip(), "", "| parameter | type | default |", "|---|---|---|"]
    for field in fields:
        kind = getattr(field.type, "__name__", str(field.type)).replace("|", "\\|").replace("typing.", "")
        if "[" in str(field.type):
            kind = str(field.type).replace("|", "\\|").replace("typing.", "")
        default: object = "required"
        if field.default is not msgspec.NODEFAULT:
            default = f"`{field.default!r}`"
        elif field.default_factory is not msgspec.NODEFAULT:
            default = f"`{field.default_factory()!r}`"
        lines.append(f"| `{field.name}` | {kind} | {default} |")
    return [*lines, ""]


if __name__ == "__main__":
    (ROOT / "docs" / "plugins.md").write_text(render(), encoding="utf-8")
