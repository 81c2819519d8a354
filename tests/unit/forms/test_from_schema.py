"""The fields of every shipped command as forms, and answers back as data that the command's schema takes."""

from __future__ import annotations

import pytest

from core.forms.checks import form_problems
from core.forms.compiled import compile_form
from core.forms.engine import evaluate_form
from core.forms.from_schema import data_of_answers, form_of_fields
from core.forms.model import walk_questions
from events.cases.definition_check import shipped_definitions


@pytest.mark.parametrize("name", sorted(shipped_definitions()))
def test_every_command_of_every_kind_has_a_sound_form(name: str) -> None:
    definition = shipped_definitions()[name]
    for command, spec in definition.commands.items():
        form = form_of_fields(definition.fields, spec.required, spec.optional)
        assert [p.code for p in form_problems(form) if p.blocking] == [], command
        asked = {question.name.partition(".")[0] for question in walk_questions(form.questions)}
        assert set(spec.required) <= asked, command


def test_answers_become_the_data_of_the_command() -> None:
    fields = {
        "title": {"type": "string", "minLength": 2, "maxLength": 20, "title": {"zh": "标题"}},
        "severity": {
            "type": "integer",
            "minimum": 1,
            "maximum": 4,
            "choices": {"1": {"zh": "一般"}, "4": {"zh": "特重"}},
        },
        "limit": {
            "type": "object",
            "required": ["value"],
            "properties": {"value": {"type": "number", "exclusiveMinimum": 0}, "unit": {"enum": ["work_day"]}},
        },
        "assisting": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["department_id"],
                "properties": {"department_id": {"type": "string"}},
            },
        },
    }
    form = form_of_fields(fields, ("title", "limit"), ("severity", "assisting"))
    answers = {
        "title": "火",
        "limit.value": 3,
        "limit.unit": "work_day",
        "severity": "4",
        "assisting": [{"department_id": "d"}],
    }
    state = evaluate_form(compile_form(form), answers)
    assert state.errors == [("title", "constraint")]
    state = evaluate_form(compile_form(form), {**answers, "title": "火情"})
    assert state.errors == []
    assert data_of_answers(fields, state.submitted) == {
        "title": "火情",
        "limit": {"value": 3, "unit": "work_day"},
        "severity": 4,
        "assisting": [{"department_id": "d"}],
    }
    assert ("limit.value", "required") in evaluate_form(compile_form(form), {"title": "火情"}).errors
