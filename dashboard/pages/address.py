"""What a desk page shows stands in its address (``?tab=…&device=…``): links and a reload lead back to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import dash_mantine_components as dmc


def asked(search: str | None) -> dict[str, str]:
    """The query string's values, the last of each name."""
    return dict(parse_qsl((search or "").lstrip("?"), max_num_fields=50))


def address(search: str | None, **changes: str | None) -> str:
    """The query string with ``changes``; None takes a value out."""
    values = {**asked(search), **changes}
    kept = {name: value for name, value in values.items() if value}
    return f"?{urlencode(kept)}" if kept else ""


def tabs(identifier: str, items: Sequence[tuple[str, str]], value: str) -> Any:
    """Tabs whose panels are empty (each tab names one): the page's callback draws what the open one shows."""
    marks = [dmc.TabsTab(title, value=name) for name, title in items]
    panels = [dmc.TabsPanel("", value=name) for name, _ in items]
    return dmc.Tabs([dmc.TabsList(marks), *panels], id=identifier, value=value, mb="md")
