"""A table without rows says what to do next, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

from dashboard.i18n import words

PAGES = Path(__file__).parents[4] / "dashboard" / "pages"
_TABLE = re.compile(r"\btable\(\s*visit,\s*\"([^\"]+)\"(.*?)\)", re.DOTALL)


def named() -> set[str]:
    """Every table that has an id of its own in the pages' code."""
    return {match[1] for file in PAGES.rglob("*.py") for match in _TABLE.finditer(file.read_text(encoding="utf-8"))}


def test_every_table_has_words_for_when_it_is_empty() -> None:
    found = named()
    assert len(found) > 50
    per_tab = {f"adm-{tab}" for tab in ("users", "departments", "sites", "cameras", "templates", "keys", "audit")}
    for language in ("zh", "en"):
        known = words(language)
        missing = [name for name in sorted(found - {"adm-table"} | per_tab) if not known.get(f"empty.{name}")]
        assert not missing
