"""Parameters as fields: every shipped plug-in's can be drawn, and what is read back is what was given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from dash.development.base_component import Component

from core import plugins
from core.errors import InputInvalid
from dashboard.pages import schema_form as sf
from events.rules.rulebook import RuleInvalid, default_rules

PLUGINS = [(group, kind) for group in ("rule", "algorithm") for kind in plugins.kinds(group)]


class Words:
    """A visit without a request."""

    language = "en"

    def t(self, key: str, **_: object) -> str:
        return key


def _schema(group: str, kind: str) -> dict[str, Any]:
    return msgspec.json.schema(plugins.load(group, kind).Params)


def _parts(root: Any) -> Iterator[Component]:
    if isinstance(root, Component):
        yield root
        root = getattr(root, "children", None)
    for child in root if isinstance(root, list | tuple) else [root] if isinstance(root, Component) else []:
        yield from _parts(child)


def _held(drawn: Component) -> dict[str, Any]:
    """Parameter → what its field holds, as a callback would be told."""
    found = {}
    for part in _parts(drawn):
        identifier = getattr(part, "id", None)
        if isinstance(identifier, dict) and identifier["part"] in sf.PARTS:
            found[identifier["param"]] = getattr(part, sf.PARTS[identifier["part"]])
    return found


@pytest.mark.parametrize(("group", "kind"), PLUGINS)
def test_every_parameter_has_a_field_and_untouched_ones_stay_at_their_default(group: str, kind: str) -> None:
    schema = _schema(group, kind)
    form = sf.Form(Words(), "f", group, kind, schema)  # type: ignore[arg-type]
    held = _held(form.draw({}))
    fields = {field.name: field for field in sf.fields_of(schema)}
    assert set(held) == set(fields)
    left = sf.collect(schema, held, sparse=True)
    assert set(left) <= {n for n, f in fields.items() if f.required or f.kind == "json"}


@pytest.mark.parametrize("rule", default_rules().rules, ids=lambda rule: rule.rule_id)
def test_a_shipped_rule_comes_back_as_it_was_drawn(rule: Any) -> None:
    schema = _schema("rule", rule.kind)
    form = sf.Form(Words(), "f", "rule", rule.kind, schema)  # type: ignore[arg-type]
    params = sf.collect(schema, _held(form.draw(rule.params)), sparse=False)
    given = plugins.parse_params("rule", rule.kind, dict(rule.params))
    assert plugins.parse_params("rule", rule.kind, params) == given


def test_titles_are_the_plugins_own() -> None:
    form = sf.Form(Words(), "f", "algorithm", "absence", _schema("algorithm", "absence"))  # type: ignore[arg-type]
    assert form.title("min_staff") == ("People at least", True)
    assert form.title("after_s")[1] and not form.title("blink_s")[1]


@pytest.mark.parametrize("bad", ["x", "1,5", "∞°"])
def test_what_is_no_number_names_its_field(bad: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        sf.collect(_schema("rule", "silence"), {"after_s": bad}, sparse=False)
    assert caught.value.data["field"] == "after_s"


def test_broken_json_names_its_field() -> None:
    with pytest.raises(InputInvalid) as caught:
        sf.collect(_schema("rule", "state_alarm"), {"where": "{"}, sparse=False)
    assert caught.value.data["field"] == "where"
    assert sf.collect(_schema("rule", "state_alarm"), {"where": json.dumps({"a": [1]})}, sparse=False) == {
        "where": {"a": [1]}
    }


def test_words_and_lines_typed_as_text_are_taken_apart() -> None:
    rows = [{"id": "0", "name": "a", "kinds": "fire_alarm，smoke_alarm  flame_smoke", "at_least": "0.5"}]
    (part,) = sf.collect(_schema("rule", "combination"), {"parts": rows}, sparse=False)["parts"]
    assert part["kinds"] == ["fire_alarm", "smoke_alarm", "flame_smoke"] and part["at_least"] == 0.5


def test_an_error_belongs_to_the_field_that_its_detail_names_first() -> None:
    names = ["levels", "successive", "rise_by"]
    wrong = RuleInvalid(rule_id="x", detail="successive must lie between 1 and 10")
    assert sf.field_named(wrong, names) == "successive"
    assert sf.field_named(RuleInvalid(rule_id="x", detail="rise_by of levels"), names) == "rise_by"
    assert sf.field_named(RuleInvalid(rule_id="x", detail="something else"), names) is None
    assert sf.field_named(InputInvalid(field="levels", detail="successive"), names) == "levels"


def test_a_line_more_and_the_clicked_line_less() -> None:
    rows = [{"id": "0"}, {"id": "4"}]
    assert [r["id"] for r in sf.changed_lines(rows, {}, drop=False)] == ["0", "4", "5"]
    assert sf.changed_lines(rows, {"rowId": "0"}, drop=True) == [{"id": "4"}]
    assert sf.changed_lines(rows, {"rowId": "gone"}, drop=True) == [{"id": "0"}]
    assert sf.changed_lines([], {}, drop=True) == []
