"""Words: complete both ways, and every key that the code names exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from core import plugins
from dashboard.i18n import LANGUAGES, chosen, translate, words

ROOT = Path(__file__).parents[3] / "dashboard"
SOURCES = [*ROOT.glob("static/ui/**/*.mjs"), *ROOT.glob("mobile/**/*.mjs"), *ROOT.glob("pages/*.py")]
NAMED = re.compile(r"""(?<![\w.])(?:t|translate)\(\s*(?:language,\s*)?["']([a-z_]+\.[\w.]+)["']""")
STEMS = re.compile(r"""\bterm\(\s*["'](\w+)["']""")
DEFINITIONS = Path(__file__).parents[3] / "events" / "definitions"


def test_both_languages_have_the_same_keys_and_no_empty_text() -> None:
    chinese, english = (words(language) for language in LANGUAGES)
    assert set(chinese) == set(english)
    assert [k for k, v in {**chinese, **english}.items() if not v.strip()] == []


def test_both_languages_fill_in_the_same_values() -> None:
    slots = re.compile(r"\{(\w+)\}")
    for key, text in words("zh").items():
        assert set(slots.findall(text)) == set(slots.findall(words("en")[key])), key


def test_every_key_that_the_pages_name_has_words() -> None:
    named = {key for file in SOURCES for key in NAMED.findall(file.read_text(encoding="utf-8"))}
    assert len(named) > 150
    assert named - set(words("zh")) == set()


def test_every_family_of_terms_that_the_pages_name_has_members() -> None:
    stems = {stem for file in SOURCES for stem in STEMS.findall(file.read_text(encoding="utf-8"))}
    families = {key.split(".")[0] for key in words("zh")}
    assert stems - families == set()


def test_states_stages_and_commands_of_every_definition_have_words() -> None:
    known = words("zh")
    for file in DEFINITIONS.glob("*.json"):
        body = json.loads(file.read_text(encoding="utf-8"))
        wanted = {f"state.{name}" for name in body["states"]} | {f"command.{name}" for name in body["commands"]}
        wanted |= {f"stage.{stage['id']}" for stage in body["stages"]}
        assert wanted - set(known) == set(), file.name


def test_what_rules_and_algorithms_are_about_has_words() -> None:
    known = words("zh")
    root = Path(__file__).parents[3]
    book = yaml.safe_load((root / "events" / "rules" / "rules.yaml").read_text(encoding="utf-8"))
    kinds = {kind for rule in book["rules"] for kind in rule["applies_to"]} | set(book["happenings"])
    kinds |= {f.stem for f in (root / "vision" / "algorithms").glob("[a-z]*.py")}
    assert {k for k in kinds if f"kind.{k}" not in known} == set()
    rule_kinds = set(plugins.kinds("rule"))
    assert {k for k in rule_kinds if f"whystep.{k}" not in known} == set()


def test_english_has_no_chinese_left() -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    assert [k for k, v in words("en").items() if han.search(v)] == []


@pytest.mark.parametrize(("cookie", "language"), [(None, "zh"), ("en", "en"), ("zh", "zh"), ("../etc", "zh")])
def test_unknown_cookies_mean_chinese(cookie: str | None, language: str) -> None:
    assert chosen(cookie) == language


def test_translate_fills_in_and_refuses_unknown_keys() -> None:
    assert translate("en", "cases.total", n=3) == "3 cases"
    with pytest.raises(KeyError):
        translate("en", "no.such_key")
