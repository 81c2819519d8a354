"""Where something stands in a JSON item: ``data.records[0].level``, whatever the capitals.  Pure."""

from __future__ import annotations

import re
from typing import Any

MISSING = object()
_STEP = re.compile(r"([^.\[\]]+)|\[(\d{1,6})\]")


def find(item: Any, path: str) -> Any:
    """What stands at ``path``, or None; a key that is the whole path (or a longer part of it) wins."""
    found = look(item, path)
    return None if found is MISSING else found


def look(item: Any, path: str) -> Any:
    if path in ("", "."):
        return item
    if isinstance(item, dict):
        whole = _member(item, path)
        if whole is not MISSING:
            return whole
    steps = [name or int(index) for name, index in _STEP.findall(path)]
    return _walk(item, steps)


def _walk(item: Any, steps: list[str | int]) -> Any:
    for at, step in enumerate(steps):
        if isinstance(step, int):
            if not isinstance(item, list) or step >= len(item):
                return MISSING
            item = item[step]
            continue
        if not isinstance(item, dict):
            return MISSING
        found = _member(item, step)
        if found is MISSING:
            return _dotted(item, steps[at:])
        item = found
    return item


def _dotted(item: dict[Any, Any], steps: list[str | int]) -> Any:
    """``a.b.c`` where ``a.b`` is one key."""
    for size in range(len(steps), 1, -1):
        names = [step for step in steps[:size] if isinstance(step, str)]
        found = _member(item, ".".join(names)) if len(names) == size else MISSING
        if found is not MISSING:
            return _walk(found, steps[size:])
    return MISSING


def _member(item: dict[Any, Any], name: str) -> Any:
    """``item[name]``, else the only key that differs in capitals or blanks around it."""
    if name in item:
        return item[name]
    wanted = name.casefold()
    fitting = [key for key in item if isinstance(key, str) and key.strip().casefold() == wanted]
    return item[fitting[0]] if len(fitting) == 1 else MISSING
