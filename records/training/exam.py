"""An exam as data: a bank of questions with their right answers, on the one form engine.  Pure.

    exam = parse_exam(yaml_body)
    names = draw(exam, random.Random())                    # which questions this attempt asks, in which order
    form = paper(exam, names)                              # a form for the renderers: no right answer in it
    marks = score(exam, names, answers)                    # points, out of, percent, passed, one line a question

A question is right where its answer equals ``answer`` (a list: all of them and no other), or where the expression
``right`` over the answers is true.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.forms.compiled import compile_form
from core.forms.engine import evaluate_form
from core.forms.errors import ExpressionError
from core.forms.expression import Expression, parse
from core.forms.model import Form, parse_form
from core.forms.scope import Names, Scope
from records.training.errors import ExamInvalid

TYPES = ("select_one", "select_multiple", "integer", "decimal", "text")
REVEALS = ("always", "passed", "never")
MOST_QUESTIONS = 500
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_HOW = "docs/training.md shows a whole exam"


@dataclass(frozen=True)
class ExamQuestion:
    """One question of the bank; ``choices`` are ``(name, zh, en)``; ``why``: what is told afterwards, by language."""

    name: str
    type: str
    zh: str
    en: str
    choices: tuple[tuple[str, str, str], ...] = ()
    answer: Any = None
    right: Expression | None = None
    points: float = 1.0
    topic: str = ""
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)  # a version never changes: compared by identity
class Exam:
    """An exam.  ``minutes`` 0: no limit; ``attempts`` 0: as often as one likes; ``passing``: percent of the points."""

    id: str
    zh: str
    en: str
    questions: tuple[ExamQuestion, ...]
    roles: tuple[str, ...] = ()
    minutes: int = 0
    passing: float = 60.0
    attempts: int = 0
    wait_hours: float = 0.0
    draw: int = 0  # 0: the whole bank
    shuffle: bool = True
    reveal: str = "always"
    version: int = 1

    @property
    def by_name(self) -> dict[str, ExamQuestion]:
        return {question.name: question for question in self.questions}


@dataclass(frozen=True)
class ExamMarks:
    """What an attempt came to."""

    points: float
    out_of: float
    percent: float
    passed: bool
    lines: tuple[dict[str, Any], ...]  # question, right, points, out_of


def parse_exam(body: Any, version: int = 1) -> Exam:
    """An exam from its data; :class:`ExamInvalid` names the question and what is wrong with it."""
    if not isinstance(body, Mapping):
        raise ExamInvalid(field="exam", detail="is no object", how=_HOW)
    name = str(body.get("id") or "")
    if not _NAME.fullmatch(name) or not isinstance(body.get("zh"), str) or not body["zh"].strip():
        raise ExamInvalid(field="exam.id", detail=f"{name!r} is no name, or zh is missing", how=_HOW)
    rows = body.get("questions")
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_QUESTIONS:
        raise ExamInvalid(field=f"{name}.questions", detail=f"must be a list of 1 to {MOST_QUESTIONS}", how=_HOW)
    named = [str(row.get("name")) if isinstance(row, Mapping) else "" for row in rows]
    twice = next((one for at, one in enumerate(named) if one in named[:at]), None)
    if twice is not None:
        raise ExamInvalid(field=f"{name}.questions", detail=f"two are called {twice!r}", how="give each its own name")
    questions = tuple(_question(row, frozenset(named), f"{name}.questions[{at}]") for at, row in enumerate(rows, 1))
    exam = Exam(
        id=name, zh=body["zh"].strip()[:100], en=str(body.get("en") or body["zh"]).strip()[:100], questions=questions,
        roles=tuple(str(role) for role in _list(body, "roles", name)), version=version,
        minutes=int(_number(body, "minutes", name, 0, 600)), passing=_number(body, "passing", name, 0, 100, 60),
        attempts=int(_number(body, "attempts", name, 0, 100)), wait_hours=_number(body, "wait_hours", name, 0, 8760),
        draw=int(_number(body, "draw", name, 0, len(rows))), shuffle=body.get("shuffle", True) is not False,
        reveal=str(body.get("reveal") or "always"),
    )  # fmt: skip
    if exam.reveal not in REVEALS:
        raise ExamInvalid(field=f"{name}.reveal", detail=f"{exam.reveal!r}", how=f"use one of {', '.join(REVEALS)}")
    return exam


def _list(body: Mapping[str, Any], key: str, where: str) -> list[Any]:
    given = body.get(key) or []
    if not isinstance(given, list):
        raise ExamInvalid(field=f"{where}.{key}", detail="is no list", how=_HOW)
    return given


def _number(body: Mapping[str, Any], key: str, where: str, low: float, high: float, default: float = 0) -> float:
    given = body.get(key, default)
    wrong = isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given)
    if wrong or not low <= given <= high:
        raise ExamInvalid(field=f"{where}.{key}", detail=f"{given!r}", how=f"give a number from {low:g} to {high:g}")
    return float(given)


def _question(row: Any, names: frozenset[str], where: str) -> ExamQuestion:
    if not isinstance(row, Mapping):
        raise ExamInvalid(field=where, detail="is no object", how=_HOW)
    name, kind = str(row.get("name") or ""), str(row.get("type") or "select_one")
    if not _NAME.fullmatch(name) or not isinstance(row.get("zh"), str) or not row["zh"].strip():
        raise ExamInvalid(field=where, detail="name or zh is missing", how=_HOW)
    if kind not in TYPES:
        raise ExamInvalid(field=f"{where}.type", detail=f"{kind!r}", how=f"use one of {', '.join(TYPES)}")
    choices = _choices(row, f"{where}.choices") if kind.startswith("select") else ()
    right = _expression(row, names, f"{where}.right")
    zh = row["zh"].strip()[:500]
    why = row.get("why") or {}
    why = {"zh": str(why)} if not isinstance(why, Mapping) else {str(k): str(v) for k, v in why.items()}
    return ExamQuestion(
        name=name, type=kind, zh=zh, en=str(row.get("en") or zh).strip()[:500], choices=choices,
        answer=None if right else _answer(row.get("answer"), kind, choices, f"{where}.answer"), right=right,
        points=_number(row, "points", where, 0, 1000, 1), topic=str(row.get("topic") or "")[:60], why=why,
    )  # fmt: skip


def _choices(row: Mapping[str, Any], where: str) -> tuple[tuple[str, str, str], ...]:
    given = row.get("choices")
    if not isinstance(given, list) or not 2 <= len(given) <= 20:
        raise ExamInvalid(field=where, detail="must be a list of 2 to 20", how=_HOW)
    found = []
    for at, choice in enumerate(given, 1):
        if not isinstance(choice, Mapping) or not choice.get("name") or not choice.get("zh"):
            raise ExamInvalid(field=f"{where}[{at}]", detail="name or zh is missing", how=_HOW)
        found.append((str(choice["name"]), str(choice["zh"])[:300], str(choice.get("en") or choice["zh"])[:300]))
    if len({name for name, _, _ in found}) < len(found) or any(" " in name for name, _, _ in found):
        raise ExamInvalid(field=where, detail="two have one name, or a name has a blank", how=_HOW)
    return tuple(found)


def _expression(row: Mapping[str, Any], names: frozenset[str], where: str) -> Expression | None:
    if not row.get("right"):
        return None
    try:
        right = parse(str(row["right"]))
        right.check(Names(values=names))
    except ExpressionError as error:
        raise ExamInvalid(field=where, detail=str(error), how="an expression over the answers") from error
    return right


def _answer(given: Any, kind: str, choices: Sequence[tuple[str, str, str]], where: str) -> Any:
    known = {name for name, _, _ in choices}
    if kind == "select_multiple":
        wanted = {str(one) for one in given} if isinstance(given, list) else set()
        if not wanted or not wanted <= known:
            raise ExamInvalid(field=where, detail=f"{given!r}", how="list the names of the right choices")
        return sorted(wanted)
    if kind == "select_one":
        if str(given) not in known:
            how = f"use one of {', '.join(sorted(known))}"
            raise ExamInvalid(field=where, detail=f"{given!r} is no choice", how=how)
        return str(given)
    if kind == "text":
        if not isinstance(given, str) or not given.strip():
            raise ExamInvalid(field=where, detail="is missing", how="give the right text, or an expression as right")
        return given
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ExamInvalid(field=where, detail=f"{given!r}", how="give the right number, or an expression as right")
    return given


def draw(exam: Exam, chance: random.Random, seen: Iterable[str] = ()) -> list[str]:
    """The questions of one attempt: ``exam.draw`` of the bank, those not ``seen`` in earlier attempts first."""
    names = [question.name for question in exam.questions]
    wanted = exam.draw or len(names)
    if wanted < len(names):
        order = chance.sample(names, len(names))
        order.sort(key=set(seen).__contains__)  # stable: fresh ones first, each part stays random
        chosen = set(order[:wanted])
        names = [name for name in names if name in chosen]
    return chance.sample(names, len(names)) if exam.shuffle else names


def paper(exam: Exam, names: Sequence[str]) -> Form:
    """The form of an attempt; nothing is required: an empty answer is a wrong one."""
    bank = exam.by_name
    asked: list[dict[str, Any]] = []
    choices: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        question = bank[name]
        row: dict[str, Any] = {"name": name, "type": question.type, "label": {"zh": question.zh, "en": question.en}}
        if question.choices:
            row["list"] = name
            choices[name] = [{"name": n, "label": {"zh": zh, "en": en}} for n, zh, en in question.choices]
        asked.append(row)
    return parse_form(
        {"form_id": exam.id, "title": {"zh": exam.zh, "en": exam.en}, "questions": asked, "choices": choices}
    )


def taken(exam: Exam, names: Sequence[str], answers: Mapping[str, Any]) -> dict[str, Any]:
    """What of ``answers`` belongs to the paper and has its form: what is kept."""
    state = evaluate_form(compile_form(paper(exam, names)), {k: v for k, v in answers.items() if k in set(names)})
    wrong = {path for path, _ in state.errors}
    return {name: value for name, value in state.submitted.items() if name not in wrong}


def score(exam: Exam, names: Sequence[str], answers: Mapping[str, Any]) -> ExamMarks:
    """Points of the questions that were asked; all or nothing for each."""
    bank, scope = exam.by_name, Scope(dict(answers))
    lines: list[dict[str, Any]] = []
    for name in names:
        question = bank[name]
        right = question.right.truth(scope) if question.right else _same(question, answers.get(name))
        lines.append({"question": name, "right": right, "points": question.points if right else 0.0,
                      "out_of": question.points})  # fmt: skip
    got, out_of = sum(line["points"] for line in lines), sum(line["out_of"] for line in lines)
    percent = round(100 * got / out_of, 1) if out_of else 0.0
    return ExamMarks(got, out_of, percent, percent >= exam.passing, tuple(lines))


def _same(question: ExamQuestion, given: Any) -> bool:
    if given in (None, "", []):
        return False
    match question.type:
        case "select_multiple":
            chosen = given.split() if isinstance(given, str) else list(given)
            return bool(sorted(map(str, chosen)) == question.answer)
        case "integer" | "decimal":
            try:
                return math.isclose(float(given), float(question.answer), rel_tol=1e-9, abs_tol=1e-9)
            except (TypeError, ValueError):
                return False
        case "text":
            return _plain(str(given)) == _plain(question.answer)
        case _:
            return bool(str(given) == question.answer)


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()
