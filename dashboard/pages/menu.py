"""The desk's menu, read from the text of the pages: whoever opens the wall loads neither Dash nor a page for it.

Each page says in its own file ``PAGE = Page(path="/rules", zh="规则", en="Rules", roles=…, order=40)``.  Roles that
stand there by name are looked up where the file has them from.
"""

from __future__ import annotations

import ast
import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dashboard.auth import Principal

HERE = Path(__file__).parent
_MARK = "PAGE = Page("


@dataclass(frozen=True)
class MenuEntry:
    """What a page says of itself: address, titles, who may open it (empty: everybody), its place (0: none)."""

    path: str
    zh: str
    en: str
    roles: tuple[str, ...] = ()
    order: int = 0

    def may_open(self, principal: Principal) -> bool:
        """Whether this person may open the page."""
        return not self.roles or principal.has(*self.roles)


def menu(principal: Principal) -> list[dict[str, str]]:
    """The menu entries that this person finds: ``{"path", "zh", "en"}`` in their order."""
    shown = [entry for entry in entries() if entry.order and entry.may_open(principal)]
    return [{"path": e.path, "zh": e.zh, "en": e.en} for e in sorted(shown, key=lambda e: (e.order, e.path))]


@cache
def entries() -> tuple[MenuEntry, ...]:
    """Every desk page, by address."""
    files = sorted(HERE.rglob("*.py"))
    said = [_said(ast.parse(text)) for file in files if f"\n{_MARK}" in (text := file.read_text(encoding="utf-8"))]
    return tuple(sorted(said, key=lambda entry: entry.path))


def _said(tree: ast.Module) -> MenuEntry:
    values = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Name)
    }
    called = values["PAGE"]
    assert isinstance(called, ast.Call)
    wanted = MenuEntry.__dataclass_fields__
    given = {k.arg: _value(k.value, values, tree) for k in called.keywords if k.arg in wanted}
    return MenuEntry(**given)


def _value(node: ast.expr, values: dict[str, ast.expr], tree: ast.Module) -> Any:
    """A literal, or the name of one in the file itself, in the module that it is imported from, or ``module.NAME``."""
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, values, tree), node.attr)
    if not isinstance(node, ast.Name):
        return ast.literal_eval(node)
    if node.id in values:
        return ast.literal_eval(values[node.id])
    source, name = next(
        (part.module, alias.name)
        for part in tree.body
        if isinstance(part, ast.ImportFrom) and part.module
        for alias in part.names
        if (alias.asname or alias.name) == node.id
    )
    found = importlib.import_module(source)
    return getattr(found, name) if hasattr(found, name) else importlib.import_module(f"{source}.{name}")
