"""The expression language: shared vectors, two evaluators, limits and hostile input."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.node import run_script
from core.forms.dates import PlainWorkDays
from core.forms.errors import ExpressionError, ExpressionSyntax
from core.forms.expression import from_tree, parse
from core.forms.grammar import FUNCTIONS
from core.forms.pattern import PatternError, compile_pattern, matches
from core.forms.scope import Names, Scope
from core.forms.vectors import outcome, same
from tests.unit.forms.random_expressions import random_cases

VECTORS = Path(__file__).parent / "vectors.json"


def agree(seed: int, count: int) -> list[Any]:
    """Cases of ``seed`` on which Python and Node differ."""
    cases = random_cases(seed, count)
    there = run_script("run_vectors.mjs", {"calendar": {}, "cases": cases})["cases"]
    here = [outcome(c["expr"], c["context"], PlainWorkDays()) for c in cases]
    return [(c, a, b) for c, a, b in zip(cases, here, there, strict=True) if not same(a, b)]


def test_the_shared_vectors_hold_in_python_and_in_node(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["expr", "--vectors", str(VECTORS), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["disagreements"] == []


def test_a_wrong_vector_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = [{"id": "w", "expr": "1 + 1", "expect": {"value": 3}}, {"id": "r", "expr": "1 + 1", "expect": {"value": 2}}]
    (tmp_path / "v.json").write_text(json.dumps(body))
    assert main(["expr", "--vectors", str(tmp_path / "v.json"), "--json"]) == 1
    assert [d["id"] for d in json.loads(capsys.readouterr().out)["disagreements"]] == ["w"]


@pytest.mark.parametrize("text", ["not json", "[1]", '{"expressions": 3}', "7"])
def test_a_broken_vector_file_is_a_typed_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "v.json").write_text(text)
    assert main(["expr", "--vectors", str(tmp_path / "v.json"), "--json"]) == 2


def test_random_expressions_agree() -> None:
    assert agree(1, 4000) == []


@pytest.mark.long
def test_a_hundred_thousand_random_expressions_agree() -> None:
    assert [agree(seed, 20_000) for seed in range(100, 105)] == [[]] * 5


def test_both_sides_know_the_same_functions() -> None:
    cases = [{"expr": f"{name}({', '.join(['1'] * count)})", "context": {}} for name in FUNCTIONS for count in range(5)]
    there = run_script("run_vectors.mjs", {"calendar": {}, "cases": cases})["cases"]
    here = [outcome(c["expr"], {}, PlainWorkDays()) for c in cases]
    assert [a.get("error") for a in here] == [b.get("error") for b in there]


@pytest.mark.parametrize(
    ("text", "column", "suggestion"),
    [
        ("selected（${a}, 'b')", 9, "("),
        ("${a} = “x”", 8, '"'),
        ("${a} == 1", 7, None),
        ("${a} && 1", 6, "and"),
        ("𠮷 + 1", 1, None),
        ("'𠮷' ＋ 1", 5, "+"),
        ("${a} >", 7, None),
    ],
)
def test_a_syntax_error_names_the_column_in_code_points(text: str, column: int, suggestion: str | None) -> None:
    with pytest.raises(ExpressionSyntax) as caught:
        parse(text)
    assert caught.value.column == column
    assert caught.value.data.get("suggestion") == suggestion


@pytest.mark.parametrize(
    "text",
    [
        "(" * 40 + "1" + ")" * 40,
        "-" * 4000 + "1",
        "1" + "+1" * 600,
        "'" + "x" * 9000 + "'",
        "if(" * 200,
        "not(" * 33 + "1" + ")" * 33,
    ],
)
def test_too_deep_or_too_long_is_refused_quickly(text: str) -> None:
    begin = time.process_time()
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert caught.value.code in {"too-complex", "syntax"}
    assert time.process_time() - begin < 1


def test_no_pattern_can_hang_the_evaluator() -> None:
    begin = time.process_time()
    assert not matches("(a+)+b", "a" * 1000)
    assert not matches("(a|a)*(a|a)*(a|a)*c", "a" * 1000)
    for nested in ("(((){1000}){1000}){1000}", "((a{1000}){1000}){1000}", "(((a?){500}){500}){500}"):
        with pytest.raises(PatternError) if "a" in nested else _nothing():
            compile_pattern(nested)
    assert time.process_time() - begin < 5


class _nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_names_of_the_host_language_are_out_of_reach() -> None:
    for name in ("constructor", "__proto__", "__class__", "toString", "hasOwnProperty"):
        cases = [{"expr": f"${{{name}}}", "context": {"values": {"a": 1}}}, {"expr": f"{name}()", "context": {}}]
        there = run_script("run_vectors.mjs", {"calendar": {}, "cases": cases})["cases"]
        assert [case["error"] for case in there] == ["unknown-reference", "unknown-function"]
        assert [outcome(c["expr"], c["context"], PlainWorkDays())["error"] for c in cases] == [
            "unknown-reference",
            "unknown-function",
        ]


def test_a_stored_tree_evaluates_like_its_text() -> None:
    text = "if(${a} >= 60, concat('≥', string(${a})), '')"
    expression = parse(text)
    stored = from_tree(text, json.loads(json.dumps(expression.tree)))
    for value in (59, 60, None, "61"):
        assert stored.evaluate(Scope({"a": value})) == expression.evaluate(Scope({"a": value}))
    assert expression.references() == {"a"}


def test_every_bad_reference_is_reported_not_only_the_first() -> None:
    names = Names(values=frozenset({"a"}), repeats=frozenset({"r"}), ambiguous=frozenset({"twice"}))
    found = parse("${a} + ${b} + ${twice} + count(${r}) + string-length(${r})").problems(names)
    assert [(p.code, p.column) for p in found] == [
        ("unknown-reference", 8), ("ambiguous-reference", 15), ("repeat-as-value", 54),
    ]  # fmt: skip
