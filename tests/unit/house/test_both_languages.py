"""What is told in both languages is told of the same things."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from core import plugins
from scripts.plugin_docs import SHARED_WORDS, TITLES, TITLES_ZH

DOCS = Path(__file__).resolve().parents[3] / "docs"
NAMED = re.compile(r"`([^`\n]+)`")
CHINESE = re.compile(r"[一-鿿]")


def first_cells(text: str) -> set[str]:
    """The names in the first column of every table."""
    rows = (line.split("|")[1] for line in text.splitlines() if line.startswith("|"))
    return {name for cell in rows for name in NAMED.findall(cell)}


@pytest.mark.parametrize("page", ["operations.md", "case-engine.md"])
def test_a_page_names_the_same_settings_fields_and_errors_in_chinese(page: str) -> None:
    english = (DOCS / page).read_text(encoding="utf-8")
    chinese = (DOCS / "zh" / page).read_text(encoding="utf-8")
    assert first_cells(english) - first_cells(chinese) == set(), "say it in docs/zh too"
    assert len(CHINESE.findall(chinese)) > 1000


def test_the_rooms_are_the_same_in_chinese() -> None:
    pages = [(DOCS / path).read_text(encoding="utf-8") for path in ("architecture.md", "zh/architecture.md")]
    rooms, told = ({name for name in first_cells(page) if name.endswith("/")} for page in pages)
    assert rooms and rooms - told == set()


def test_the_index_lists_the_same_pages_in_chinese() -> None:
    links = re.compile(r"\]\((?:\.\./)?([\w./-]+\.md|howto/)\)")
    pages = [(DOCS / path).read_text(encoding="utf-8") for path in ("README.md", "zh/README.md")]
    english, chinese = (set(links.findall(page)) for page in pages)
    assert {path for path in english if not path.startswith("zh/")} - chinese == set()


@pytest.mark.parametrize("group", sorted(TITLES))
def test_every_parameter_of_a_plug_in_has_a_name_in_both_languages(group: str) -> None:
    assert set(TITLES) == set(TITLES_ZH)
    bare = []
    for kind in plugins.kinds(group):
        about = plugins.about(group, kind)
        if group == "rule":
            continue  # parameters of rules are fields of their form, named in dashboard/i18n
        known = {**SHARED_WORDS, **about.expert, **about.params}
        fields = msgspec.structs.fields(plugins.load(group, kind).Params)
        bare += [f"{kind}.{f.name}" for f in fields if not (f.name in known and known[f.name].zh and known[f.name].en)]
    assert bare == [], "name it in the plug-in's ABOUT (params, or expert where a form folds it away)"
