"""Exams as data: what is refused, what is drawn, what counts as right."""

from __future__ import annotations

import random
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dashboard.training.bank import SHIPPED
from records.training.decisions import DrillDecision, decision_points, drill_marks
from records.training.errors import ExamInvalid
from records.training.exam import draw, paper, parse_exam, score, taken

CHOICES = [{"name": "a", "zh": "甲", "en": "A"}, {"name": "b", "zh": "乙"}, {"name": "c", "zh": "丙"}]
ONE = {"name": "one", "zh": "第一题", "choices": CHOICES, "answer": "b"}
MANY = {"name": "many", "type": "select_multiple", "zh": "多选", "choices": CHOICES, "answer": ["a", "c"], "points": 2}
NUMBER = {"name": "number", "type": "decimal", "zh": "多少", "answer": 3.5}
WORD = {"name": "word", "type": "text", "zh": "名称", "answer": "Erdao District"}
RULE = {"name": "rule", "type": "integer", "zh": "至少", "right": "${rule} >= 5 and ${rule} < 9"}
BODY: dict[str, Any] = {"id": "sample", "zh": "样例", "passing": 50, "questions": [ONE, MANY, NUMBER, WORD, RULE]}
NAMES = ["one", "many", "number", "word", "rule"]


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_exams_can_be_passed_and_failed(file: Any) -> None:
    exam = parse_exam(yaml.safe_load(file.read_text(encoding="utf-8")))
    assert exam.id == file.stem and len(exam.questions) > exam.draw > 0
    names = draw(exam, random.Random(1))
    right = {name: exam.by_name[name].answer for name in names}
    assert score(exam, names, taken(exam, names, right)).percent == 100
    empty = score(exam, names, {})
    assert empty.percent == 0 and not empty.passed
    for question in exam.questions:
        assert question.en != question.zh


def test_what_counts_as_right() -> None:
    exam = parse_exam(BODY)
    good = {"one": "b", "many": ["c", "a"], "number": 3.5, "word": " erdao district ", "rule": 7}
    assert score(exam, NAMES, good).points == score(exam, NAMES, good).out_of == 6
    for name, wrong in [("one", "a"), ("many", ["a"]), ("many", ["a", "b", "c"]), ("number", 3.4), ("word", "x"),
                        ("rule", 9), ("rule", None)]:  # fmt: skip
        marks = score(exam, NAMES, {**good, name: wrong})
        assert [line["question"] for line in marks.lines if not line["right"]] == [name]
    assert score(exam, ["one"], {"one": "b"}).percent == 100


def test_a_paper_tells_no_answer_and_takes_only_its_own() -> None:
    exam = parse_exam(BODY)
    form = paper(exam, ["many", "one"])
    assert [q.name for q in form.questions] == ["many", "one"]
    assert "answer" not in str(form) and "right" not in str(form)
    kept = taken(exam, ["one", "number"], {"one": "b", "number": "many", "rule": 5, "stranger": 1})
    assert kept == {"one": "b"}
    assert taken(exam, ["one"], {"one": "nothing-offered"}) == {}


@given(wanted=st.integers(1, 5), seed=st.integers(0, 10_000), seen=st.sets(st.sampled_from(NAMES)))
def test_a_drawing_has_its_size_and_prefers_what_was_not_seen(wanted: int, seed: int, seen: set[str]) -> None:
    exam = parse_exam({**BODY, "draw": wanted})
    names = draw(exam, random.Random(seed), seen)
    assert len(names) == len(set(names)) == wanted and set(names) <= set(NAMES)
    fresh = len(NAMES) - len(seen)
    assert len(set(names) - seen) == min(wanted, fresh)


def test_questions_stand_in_their_order_where_nothing_is_shuffled() -> None:
    exam = parse_exam({**BODY, "draw": 3, "shuffle": False})
    for seed in range(10):
        names = draw(exam, random.Random(seed))
        assert names == [name for name in NAMES if name in names]


@pytest.mark.parametrize(
    "wrong",
    [{"id": "A b"}, {"id": ""}, {"zh": " "}, {"questions": []}, {"questions": "x"}, {"questions": [ONE, ONE]},
     {"questions": ["x"]}, {"questions": [{**ONE, "answer": "z"}]}, {"questions": [{**ONE, "choices": [CHOICES[0]]}]},
     {"questions": [{**ONE, "choices": [CHOICES[0], CHOICES[0]]}]}, {"questions": [{**ONE, "type": "geopoint"}]},
     {"questions": [{**MANY, "answer": "a"}]}, {"questions": [{**NUMBER, "answer": "many"}]},
     {"questions": [{**NUMBER, "answer": True}]}, {"questions": [{**WORD, "answer": ""}]},
     {"questions": [{**RULE, "right": "(("}]}, {"questions": [{**RULE, "right": "${nothing} = 1"}]},
     {"questions": [{**ONE, "points": -1}]}, {"minutes": -1}, {"minutes": "ten"}, {"passing": 101},
     {"attempts": float("nan")}, {"draw": 6}, {"reveal": "perhaps"}, {"roles": "admin"},
     {"questions": [{**ONE, "zh": ["x"]}]}],
)  # fmt: skip
def test_a_wrong_exam_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ExamInvalid) as refused:
        parse_exam({**BODY, **wrong})
    assert str(refused.value)
    for other in (None, [], "x", 5):
        with pytest.raises(ExamInvalid):
            parse_exam(other)


def test_a_decision_is_scored_by_what_and_when() -> None:
    fire, gas, false = DrillDecision("fire"), DrillDecision("gas"), DrillDecision(false_alarm=True)
    assert decision_points(fire, fire, 10, 4) == 100
    assert decision_points(fire, fire, 120, 4) == 85
    assert decision_points(fire, fire, 1000, 4) == 70
    assert decision_points(fire, fire, 200, 1) == 100
    assert decision_points(gas, fire, 1, 4) == decision_points(false, fire, 1, 4) == 0
    assert decision_points(DrillDecision("gas", true := True), DrillDecision("fire", true), 1, 2) == 100
    rows = [{"points": 100.0, "seconds": 5.0}, {"points": 0.0, "seconds": 9.0}]
    assert drill_marks(rows, 4) == {"answered": 2, "right": 1, "missed": 2, "percent": 25.0, "median_s": 9.0}
    assert drill_marks([], 0)["percent"] is None
