"""A form and a table of states become a kind of case that runs; its form is worked out again on the server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from core.clock import BEIJING
from core.forms.model import parse_form
from events.cases.definition import Definition
from events.cases.definition_check import parse_definition
from events.cases.definition_problems import DefinitionProblem
from events.workshop import notation as n
from events.workshop.drafts import problems_of
from events.workshop.starter import STATES, fitted, new_kind, state_lines, with_form
from events.workshop.tables import body_of, settings_of, tables_of
from events.workshop.trying import cast_of, script_of, try_out
from tests.unit.events.casework import FRIDAY

FORM = {
    "form_id": "tree", "title": {"zh": "树木"},
    "questions": [
        {"type": "select_one kinds", "name": "kind", "label": {"zh": "种类"}, "required": True},
        {"type": "integer", "name": "trees", "label": {"zh": "棵数"}, "required": True, "constraint": ". > 0"},
        {"type": "decimal", "name": "price", "label": {"zh": "单价"}, "relevant": "${kind} = 'felled'"},
        {"type": "calculate", "name": "total", "calculation": "coalesce(${price}, 0) * ${trees}"},
        {"type": "image", "name": "photo", "label": {"zh": "照片"}},
        {"type": ["begin", "repeat"][1], "name": "people", "label": {"zh": "人员"},
         "children": [{"type": "text", "name": "who", "label": {"zh": "姓名"}}]},
    ],
    "choices": {"kinds": [{"name": "felled", "label": {"zh": "砍伐"}}, {"name": "ill", "label": {"zh": "病虫"}}]},
}  # fmt: skip
DEPARTMENTS = {"green": "园林局", "water": "水务局"}


def tree_care() -> Definition:
    body = new_kind({"zh": "树木养护", "en": "Tree care"}, state_lines(STATES), parse_form(FORM))
    return parse_definition({**body, "definition_id": "tree_care", "version": 1})


def played(definition: Definition, *steps: dict[str, Any]) -> list[dict[str, Any]]:
    start = FRIDAY.astimezone(BEIJING)
    script = script_of(start, cast_of(definition, DEPARTMENTS), DEPARTMENTS, list(steps))
    return try_out(definition, script)


def test_a_form_and_states_become_a_kind_that_runs() -> None:
    kind = tree_care()
    report = {"title": "三棵枯树", "department_id": "green", "q_kind": "felled", "trees": 3, "price": 20, "total": 1,
              "people": [{"who": "李"}], "evidence": [{"id": "u-1", "name": "a.jpg"}]}  # fmt: skip
    lines = played(
        kind, {"as": "staff-2", "do": "report", "data": report}, {"as": "staff-1", "do": "to_handled"},
        {"wait": "6 work_day"}, {"as": "staff-1", "do": "to_done", "data": {"result": "已补种"}},
    )  # fmt: skip
    assert [line["error"] for line in lines] == [None] * 4
    assert [line["state"] for line in lines] == ["received", "handled", "handled", "done"]
    assert lines[0]["turn"] == ["staff-1", "manager-1"] or lines[0]["turn"] == ["manager-1", "staff-1"]
    assert lines[0]["data"]["total"] == 60 and lines[0]["shown_clock"] == "whole"  # worked out here, not as sent
    assert any("三棵枯树" in one["text"] for one in lines[0]["notices"])
    assert lines[2]["notices"] and lines[3]["open"] is False and lines[3]["data"]["result"] == "已补种"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"trees": 0}, "trees"), ({"q_kind": "oak"}, "q_kind"), ({"trees": None}, "trees"),
        ({"trees": "many"}, "trees"),
    ],
)  # fmt: skip
def test_the_server_holds_the_form(change: dict[str, Any], field: str) -> None:
    data = {"title": "树", "department_id": "green", "q_kind": "ill", "trees": 2} | change
    (line,) = played(tree_care(), {"as": "staff-2", "do": "report", "data": data})
    assert line["error"]["code"] == "form_invalid" and line["error"]["field"] == field


def test_an_answer_that_is_not_asked_for_is_left_out() -> None:
    data = {"title": "树", "department_id": "green", "q_kind": "ill", "trees": 2, "price": 9}
    (line,) = played(tree_care(), {"as": "staff-2", "do": "report", "data": data})
    assert "price" not in line["data"] and line["data"]["total"] == 0


def test_the_form_is_asked_whole_with_what_every_case_needs() -> None:
    ask = tree_care().ask("report")
    names = [question["name"] for question in ask["questions"]]
    assert names[:2] == ["title", "department_id"] and {"q_kind", "trees", "total", "evidence", "people"} <= set(names)
    assert [q for q in ask["questions"] if q["name"] == "price"][0]["relevant"] == "${q_kind} = 'felled'"
    assert "kinds" in ask["choices"] and fitted(parse_form(FORM)).questions[4].name == "evidence"


def faults(body: dict[str, Any]) -> list[DefinitionProblem]:
    return [each for each in problems_of(body) if not each.advice]


def test_it_goes_through_the_tables_unharmed_and_without_a_form_too() -> None:
    body = new_kind({"zh": "甲"}, state_lines(STATES))
    body = {**body, "definition_id": "own", "version": 1}
    assert faults(body) == []
    made, unread = body_of(tables_of(body), settings_of(body), body)
    assert unread == [] and parse_definition(made) == parse_definition(body)


@pytest.mark.parametrize(
    "text",
    ["", "a\nb", "a | 甲 |  | b=去\nb | 乙", "a | 甲 | staff | c=去\nb | 乙", "a|x|staff @@|b=y\nb|z", "A | 大写",
     "a\na"],
)
def test_a_table_of_states_with_a_fault_is_refused(text: str) -> None:
    try:
        lines = state_lines(text)
    except n.CellUnreadable as error:
        assert error.as_dict()["remedy"]
        return
    found = faults({**new_kind({"zh": "甲"}, lines), "definition_id": "own", "version": 1})
    assert text == "a\nb" and found == []  # two ends and nothing to do: a case that is closed when it begins


def test_a_form_with_a_circle_does_not_make_a_kind() -> None:
    circle = {"questions": [
        {"type": "calculate", "name": "a", "calculation": "${b}"},
        {"type": "calculate", "name": "b", "calculation": "${a}"},
    ]}  # fmt: skip
    body = new_kind({"zh": "甲"}, state_lines(STATES), parse_form(circle))
    found = problems_of({**body, "definition_id": "own", "version": 1})
    assert [(one.where, one.code) for one in found][:1] == [("forms/report", "form_wrong")]


def test_the_example_of_the_how_to_page_runs() -> None:
    page = Path(__file__).parents[4] / "docs" / "howto" / "kind.md"
    (table,) = re.findall(r"```text\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    kind = parse_definition({**new_kind({"zh": "甲"}, state_lines(table)), "definition_id": "own", "version": 1})
    report = {"title": "树", "department_id": "green"}
    lines = played(
        kind, {"as": "staff-2", "do": "report", "data": report}, {"as": "staff-1", "do": "to_inspected"},
        {"as": "staff-1", "do": "to_received"}, {"as": "manager-1", "do": "to_refused", "data": {"result": "不属本局"}},
    )  # fmt: skip
    assert [line["state"] for line in lines] == ["received", "inspected", "received", "refused"]


def test_another_form_of_a_command_takes_the_place_of_the_first() -> None:
    body = {**new_kind({"zh": "甲"}, state_lines(STATES), parse_form(FORM)), "definition_id": "own", "version": 1}
    other = parse_form({"questions": [{"type": "text", "name": "colour", "label": {"zh": "颜色"}, "required": True}]})
    changed = with_form(with_form(body, "report", other), "to_handled", other)
    assert faults(changed) == []
    report = changed["commands"]["report"]
    assert report["required"] == ["title", "department_id", "colour"] and report["optional"] == ["evidence"]
    assert "colour" in changed["commands"]["to_handled"]["required"]
    with pytest.raises(n.CellUnreadable):
        with_form(body, "nothing", other)
