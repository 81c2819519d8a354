"""The forms that a register asks in the field: a visit with its own questions, a correction of its fields.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from core.forms.compiled import Compiled, compile_form
from core.forms.engine import evaluate_form
from core.forms.model import Form, parse_form
from records.registers.corrections import ValueRefused
from records.registers.definition import Field, Register, shipped_registers

RESULTS: Mapping[str, Mapping[str, str]] = {
    "met": {"zh": "已见面", "en": "met"},
    "not_met": {"zh": "未见面", "en": "not met"},
    "moved_away": {"zh": "已搬离", "en": "moved away"},
    "refused": {"zh": "拒访", "en": "refused"},
    "exception": {"zh": "有异常，立案", "en": "something is wrong: open a case"},
}
_TYPES = {
    "long": "text", "integer": "integer", "decimal": "decimal", "lon": "decimal", "lat": "decimal", "date": "date",
    "choice": "select_one", "flag": "select_one",
}  # fmt: skip
_FLAGS = {"1": {"zh": "是", "en": "yes"}, "0": {"zh": "否", "en": "no"}}


def visit_form(register: Register) -> Form:
    """The result of a visit, then the register's own questions (``visit.ask`` of its definition), then a note."""
    own = register.visit.ask if register.visit else ()
    choices: dict[str, Any] = {"result": [{"name": name, "label": dict(words)} for name, words in RESULTS.items()]}
    questions: list[dict[str, Any]] = [
        {"name": "result", "type": "select_one", "list": "result", "label": {"zh": "走访结果", "en": "result"},
         "required": True}
    ]  # fmt: skip
    for body in own:
        question = dict(body)
        options = question.pop("choices", None)
        if options:
            choices[question["name"]] = [{"name": name, "label": dict(words)} for name, words in options.items()]
            question["list"] = question["name"]
        questions.append(question)
    note = {"name": "note", "type": "text", "label": {"zh": "备注", "en": "note"}, "appearance": "multiline"}
    return parse_form({"questions": [*questions, note], "choices": choices})


def correction_form(register: Register) -> Form:
    """Every field but the key, each to be left as it is; a field of numbers shows no value to begin with."""
    choices: dict[str, Any] = {}
    questions = [_question(field, choices) for field in register.fields if field.name not in register.key]
    reason = {"name": "reason", "type": "text", "label": {"zh": "更正依据", "en": "how it is known"}}
    return parse_form({"questions": [*questions, reason], "choices": choices})


def _question(field: Field, choices: dict[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "name": field.name, "type": _TYPES.get(field.type, "text"), "label": {"zh": field.zh, "en": field.en},
    }  # fmt: skip
    if field.type == "long":
        asked["appearance"] = "multiline"
    if field.sensitive:
        asked["hint"] = {"zh": "不改请留空", "en": "leave empty to keep it"}
    if asked["type"] == "select_one":
        asked["list"] = field.name
        options: Mapping[str, Any] = (
            _FLAGS if field.type == "flag" else {code: _words(field, code) for code in field.choices or ()}
        )
        choices[field.name] = [{"name": name, "label": dict(words)} for name, words in options.items()]
    return asked


def _words(field: Field, code: str) -> dict[str, str]:
    return {"zh": str(field.shown(code, "zh")), "en": str(field.shown(code, "en"))}


@lru_cache(maxsize=64)
def _compiled_visit(register_id: str) -> Compiled:
    return compile_form(visit_form(shipped_registers()[register_id]))


def checked_answers(register: Register, result: str, answers: Mapping[str, Any], today: str) -> dict[str, Any]:
    """The answers of a visit as its form takes them; :class:`ValueRefused` names the first question that is wrong."""
    sent = {**answers, "result": result}
    known = shipped_registers().get(register.id)
    compiled = _compiled_visit(register.id) if known is register else compile_form(visit_form(register))
    state = evaluate_form(compiled, sent, today=today)
    for path, code in state.errors:
        raise ValueRefused(field=path, detail=code, how="answer the visit's form as GET /api/me/grid gives it")
    return {name: value for name, value in state.submitted.items() if name != "result"}
