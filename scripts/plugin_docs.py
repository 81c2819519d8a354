"""Writes docs/plugins.md and docs/zh/plugins.md from the plug-ins themselves; a test fails when they lag."""

from __future__ import annotations

import sys
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core import plugins  # noqa: E402
from layers import contract as layer_kinds  # noqa: E402
from vision import params as algorithms  # noqa: E402

TITLES = {
    "source": "Device protocols (`ingest/sources/`)",
    "detector": "Detectors (`vision/detectors/`)",
    "algorithm": "Algorithms (`vision/algorithms/`)",
    "rule": "Rules (`events/rules/`)",
    "channel": "Notification channels (`events/notify/channels/`)",
    "layer": "Map layers (`layers/kinds/`)",
    "connection": "Connections (`ingest/connections/`)",
}


TITLES_ZH = {
    "source": "设备协议（`ingest/sources/`）",
    "detector": "检测器（`vision/detectors/`）",
    "algorithm": "算法（`vision/algorithms/`）",
    "rule": "规则（`events/rules/`）",
    "channel": "通知渠道（`events/notify/channels/`）",
    "layer": "地图图层（`layers/kinds/`）",
    "connection": "对接（`ingest/connections/`）",
}

SHARED_WORDS = {**algorithms.EXPERT, **algorithms.WORDS, **layer_kinds.WORDS}


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


def render_zh() -> str:
    """The same in Chinese: titles, ports, parameters; what each file says of its protocol stands in the English one."""
    lines = [
        "# 插件", "", "由 `python scripts/plugin_docs.py` 从代码生成。加一样东西只写一个文件；",
        "[怎样添加](../howto/)。每个文件开头的说明（协议细节、出处）见[英文版](../plugins.md)。", "",
    ]  # fmt: skip
    for group, title in TITLES_ZH.items():
        lines += [f"## {title}", ""]
        for kind in plugins.kinds(group):
            about = plugins.about(group, kind)
            lines += [f"### `{kind}` · {about.zh}", "", *_listens_zh(kind, about)]
            lines += [text for words in (about.help, about.experimental) if words.zh for text in (words.zh, "")]
            lines += _parameters_zh(plugins.load(group, kind).Params, about)
    return "\n".join(lines).rstrip() + "\n"


def _listens(kind: str, about: plugins.About) -> list[str]:
    """Of a source: its port and the interval at which a healthy device is heard."""
    if about.transport != "tcp":
        return []
    heard = f"; a healthy device is heard every {about.interval_s:g} s" if about.interval_s else ""
    return [f"Devices connect to port {about.port} (`{about.variable(kind)}`){heard}.", ""]


def _listens_zh(kind: str, about: plugins.About) -> list[str]:
    if about.transport != "tcp":
        return []
    heard = f"；正常的设备每 {about.interval_s:g} 秒有消息" if about.interval_s else ""
    return [f"设备连到端口 {about.port}（`{about.variable(kind)}`）{heard}。", ""]


def _parameters(params: type[msgspec.Struct]) -> list[str]:
    fields = msgspec.structs.fields(params)
    if not fields:
        return []
    lines = [(params.__doc__ or "").strip(), "", "| parameter | type | default |", "|---|---|---|"]
    lines += [f"| `{field.name}` | {_kind(field.type)} | {_default(field, 'required')} |" for field in fields]
    return [*lines, ""]


def _parameters_zh(params: type[msgspec.Struct], about: plugins.About) -> list[str]:
    fields = msgspec.structs.fields(params)
    if not fields:
        return []
    lines = ["| 参数 | 意思 | 类型 | 默认 |", "|---|---|---|---|"]
    for field in fields:
        words = {**SHARED_WORDS, **about.expert, **about.params}.get(field.name)
        meaning = words.zh if words else ""
        lines.append(f"| `{field.name}` | {meaning} | {_kind(field.type)} | {_default(field, '必填')} |")
    return [*lines, ""]


def _default(field: msgspec.structs.FieldInfo, required: str) -> str:
    if field.default is not msgspec.NODEFAULT:
        return f"`{field.default!r}`"
    if field.default_factory is not msgspec.NODEFAULT:
        return f"`{field.default_factory()!r}`"
    return required


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
    (ROOT / "docs" / "zh" / "plugins.md").write_text(render_zh(), encoding="utf-8")
