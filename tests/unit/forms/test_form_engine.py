"""Forms against answers: rows, relevance, offers, recomputation; Python and Node alike."""

from __future__ import annotations

import random
from typing import Any

import pytest

from app.node import run_script
from core.forms.checks import form_problems
from core.forms.compiled import compile_form
from core.forms.engine import evaluate_form
from core.forms.model import FormInvalid, form_json, parse_form
from core.forms.structure import Item
from core.forms.vectors import same
from core.forms.xlsform.importing import import_xlsform
from tests.unit.forms.random_expressions import random_value
from tests.unit.forms.sample_forms import FORMS, sample_workbook

TODAY = "2026-11-28"


def _state(questions: list[Any], answers: Any, **choices: Any) -> dict[str, Any]:
    form = parse_form({"questions": questions, "choices": choices})
    return evaluate_form(compile_form(form), answers, today=TODAY).as_json()


def _random_answer(rng: random.Random, item: Item) -> Any:
    if rng.random() < 0.2:
        return random_value(rng)
    kind = item.type
    if kind in ("integer", "decimal", "range"):
        return rng.choice([0, 1, 3, 17, 70, 2.5, -1, "5", ""])
    if kind in ("date", "dateTime"):
        return rng.choice([TODAY, "2026-12-05", "1990-02-29", "2026-11-28T10:00", ""])
    return rng.choice(["y", "n", "1", "001", "001001", "blocked", "其他", "A", "a b", ["a", "c"], ""])


def _random_answers(rng: random.Random, structure: Any, scope: int = -1) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for item in structure.scopes.get(scope, ()):
        if item.type == "repeat":
            answers[item.key] = [_random_answers(rng, structure, item.index) for _ in range(rng.randrange(4))]
        elif rng.random() < 0.8:
            answers[item.key] = _random_answer(rng, item)
    if rng.random() < 0.05:
        answers["unknown"] = 1
    return answers


def test_random_answers_to_real_forms_give_the_same_state_in_node() -> None:
    rng = random.Random(7)  # noqa: S311
    cases, here = [], []
    for name in FORMS:
        form = import_xlsform(sample_workbook(name)).form
        compiled = compile_form(form)
        for _ in range(3 if name == "big" else 25):
            answers = _random_answers(rng, compiled.structure)
            cases.append({"form": form_json(form), "answers": answers, "today": TODAY})
            here.append(evaluate_form(compiled, answers, today=TODAY).as_json())
    there = run_script("run_vectors.mjs", {"forms": cases})["forms"]
    differing = [(c["answers"], a, b) for c, a, b in zip(cases, here, there, strict=True) if not same(a, b)]
    assert differing[:1] == []


def test_nested_repeats_sum_their_own_rows_and_the_form_all() -> None:
    inner = {"type": "repeat", "name": "dy", "children": [{"type": "integer", "name": "hs"}]}
    lou = {
        "type": "repeat",
        "name": "lou",
        "children": [inner, {"type": "calculate", "name": "lhs", "calculation": "sum(${hs})"}],
    }
    total = {"type": "calculate", "name": "zhs", "calculation": "sum(${hs})"}
    count = {"type": "calculate", "name": "n", "calculation": "count(${dy})"}
    state = _state([total, lou, count], {"lou": [{"dy": [{"hs": 3}, {"hs": 4}]}, {"dy": [{"hs": 5}]}]})
    assert [row["lhs"] for row in state["values"]["lou"]] == [7, 5]
    assert (state["values"]["zhs"], state["values"]["n"]) == (12, 3)


def test_answers_of_an_irrelevant_group_are_kept_in_the_draft_only() -> None:
    group = {
        "type": "group",
        "name": "g",
        "relevant": "${a} = 1",
        "children": [{"type": "text", "name": "t", "required": True}],
    }
    state = _state([{"type": "integer", "name": "a"}, group], {"a": 2, "t": "x"})
    assert state["submitted"] == {"a": 2}
    assert state["draft_keeps"] == ["t"] and state["errors"] == []


def test_one_name_in_two_groups_has_two_keys() -> None:
    groups = [{"type": "group", "name": g, "children": [{"type": "text", "name": "zp"}]} for g in ("a", "b")]
    state = _state(groups, {"a/zp": "1", "b/zp": "2"})
    assert state["errors"] == [] and state["submitted"] == {"a/zp": "1", "b/zp": "2"}


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("integer", 3.5, "not-integer"), ("integer", "x", "not-a-number"), ("integer", "12", None),
        ("decimal", "1e3", "not-a-number"), ("date", "2026-02-30", "not-a-date"), ("date", "2026-02-28", None),
        ("dateTime", "2026-02-28", "not-a-date"), ("time", "25:00", "not-a-date"), ("geopoint", "43.9 125.3", None),
        ("geopoint", "99 0", "not-a-point"), ("text", 5, "not-a-text"), ("text", {"a": 1}, "not-a-value"),
        ("text", "x" * 100_001, "too-long"), ("image", ["f1"], None), ("image", 7, "not-a-file"),
        ("acknowledge", True, None), ("acknowledge", False, "constraint"),
    ],
)  # fmt: skip
def test_an_answer_must_be_of_its_question_type(kind: str, value: Any, code: str | None) -> None:
    assert _state([{"type": kind, "name": "q"}], {"q": value})["errors"] == ([["q", code]] if code else [])


@pytest.mark.parametrize("answers", [{"r": "text"}, {"r": [1, 2]}, {"r": {"a": 1}}, {"r": [[{}]]}])
def test_rows_that_are_no_rows_are_an_error_and_break_nothing(answers: Any) -> None:
    repeat = {"type": "repeat", "name": "r", "children": [{"type": "integer", "name": "a", "required": True}]}
    assert ["r", "not-a-list"] in _state([repeat], answers)["errors"]


def test_the_number_of_rows_can_be_calculated() -> None:
    repeat = {"type": "repeat", "name": "r", "repeat_count": "${n}", "children": [{"type": "text", "name": "a"}]}
    form = [{"type": "integer", "name": "n"}, repeat]
    assert len(_state(form, {"n": 3, "r": [{"a": "x"}]})["values"]["r"]) == 3
    assert _state(form, {"n": 1, "r": [{"a": "x"}, {"a": "y"}]})["submitted"]["r"] == [{"a": "x"}]
    assert ["r", "too-many-rows"] in _state(form, {"n": 1e9})["errors"]


@pytest.mark.parametrize(
    "body",
    [None, [], {"questions": {}}, {"questions": [1]}, {"questions": [{"type": "text", "nmae": "x"}]},
     {"questions": [{"name": "x"}]}, {"questions": [], "choices": {"l": [{}]}},
     {"questions": [{"type": "text", "name": "x"}] * 2001}],
)  # fmt: skip
def test_what_is_no_form_is_refused_with_its_place(body: Any) -> None:
    with pytest.raises(FormInvalid):
        parse_form(body)


def test_publishing_asks_for_more() -> None:
    form = parse_form({
        "questions": [{"type": "text", "name": "a", "label": "甲", "required": True, "relevant": "false()"}],
        "choices": {"l": [{"name": "1"}]},
    })  # fmt: skip
    assert [p.code for p in form_problems(form)] == []
    assert [p.code for p in form_problems(form, publishing=True)] == ["warn-unused-list", "never-relevant"]
