"""The how-to's example of a desk page is a whole page."""

from __future__ import annotations

import re
from pathlib import Path

from dash.development.base_component import Component

from dashboard.pages.frame import Page

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "howto" / "desk-page.md").read_text(encoding="utf-8")


class Words:
    """A visit without a request."""

    language = "en"

    def t(self, key: str, **_: object) -> str:
        return key


def test_the_example_is_a_page() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    made: dict[str, object] = {"__name__": "duty_log"}
    exec(compile(code, "desk-page.md", "exec"), made)  # noqa: S102 - our own document
    page, layout = made["PAGE"], made["layout"]
    assert isinstance(page, Page) and len(page.callbacks) == 1
    assert callable(layout)
    drawn: Component = layout(Words())  # type: ignore[arg-type]
    assert "duty-table" in str(drawn)
