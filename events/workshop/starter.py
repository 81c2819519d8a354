"""A new kind of case from a form and a table of states: a definition that runs, to be gone on with in the editor.

    received | 待受理/Received | staff/manager @lead_department | handled=受理/Take on; refused=不予受理/Refuse
    handled  | 办理中/In hand  | staff @lead_department | done=办结/Finish
    done     | 已办结/Done
    refused  | 不受理/Refused

One state a line (cells parted by ``|`` or by tabs, as pasted from a workbook): id, names, who acts, what follows.
A state that nothing follows is an end.  The first one is where a reported case stands; it is given to the department
that the report names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from core.forms.from_schema import fields_of_form, required_in
from core.forms.model import FILES, Form, Question, form_json, parse_form, walk_questions
from core.records import Record
from events.cases.definition import COMMON_FIELDS
from events.cases.drafts import CaseDraft
from events.workshop import notation as n

STATES = """received | 待受理/Received | staff/manager @lead_department | handled=受理/Take on; refused=不受理/Refuse
handled | 办理中/In hand | staff/manager @lead_department | done=办结/Finish
done | 已办结/Done
refused | 不受理/Refused"""
REPORTERS = ("admin", "operator", "dispatcher", "staff", "manager", "inspector", "grid_worker")
_CASE = {f.name for f in msgspec.structs.fields(CaseDraft)} - {"title", "description"}
_TAKEN = _CASE | set(COMMON_FIELDS) | {"evidence", "documents", "reason", "result"}
_OWN: dict[str, dict[str, Any]] = {
    "title": {"type": "string", "minLength": 1, "maxLength": 200, "title": {"zh": "标题", "en": "Title"}},
    "department_id": {"type": "string", "minLength": 1, "maxLength": 40, "title": {"zh": "部门", "en": "Department"}},
    "evidence": {"type": "array", "maxItems": 50, "title": {"zh": "附件", "en": "Attachments"}},
    "comment": {"type": "string", "minLength": 1, "maxLength": 2000, "title": {"zh": "备注", "en": "Remark"}},
    "reason": {"type": "string", "minLength": 2, "maxLength": 2000, "title": {"zh": "理由", "en": "Reason"}},
    "result": {"type": "string", "minLength": 1, "maxLength": 2000, "title": {"zh": "办理结果", "en": "Result"}},
}
_ALL = [{"roles": ["admin", "operator", "dispatcher"]}, {"roles": ["staff", "manager"],
        "relation": "assigned_department"}, {"relation": "reporter"}]  # fmt: skip


class StateLine(Record, frozen=True):
    """One line of the table; ``next``: state → names of the command that leads there."""

    name: str
    title: dict[str, str]
    who: tuple[dict[str, Any], ...] = ()
    next: dict[str, dict[str, str]] = {}


def state_lines(text: str) -> list[StateLine]:
    """The table of states; :class:`~events.workshop.notation.CellUnreadable` names the line."""
    found = [_line(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    names = [line.name for line in found]
    if not found or len(set(names)) < len(names):
        raise n.CellUnreadable(detail="there is no state, or one twice", how="write one state a line, each once")
    for line in found:
        for to in line.next:
            if to not in names:
                raise n.CellUnreadable(detail=f"state {line.name!r} leads to {to!r}, which is no state", how="add it")
    return found


def _line(number: int, line: str) -> StateLine:
    cells = [cell.strip() for cell in re.split(r"\t|\|", line)]
    cells += [""] * (4 - len(cells))
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,23}", cells[0]) or len(cells) > 4:
        how = "write: id | name/English name | who | next=name of the command; …"
        raise n.CellUnreadable(detail=f"line {number}: {line.strip()[:60]!r} is no state", how=how)
    try:
        who, following = n.who_lines(cells[2]), n.choices(cells[3])
    except n.CellUnreadable as error:
        raise n.CellUnreadable(detail=f"line {number}: {error.data['detail']}", how=error.data["how"]) from error
    if following and not who:
        raise n.CellUnreadable(detail=f"line {number}: nobody acts in {cells[0]!r}", how="say who in the third cell")
    return StateLine(name=cells[0], title=_names(cells[1] or cells[0]), who=tuple(who), next=following)


def _names(text: str) -> dict[str, str]:
    zh, _, en = text.partition("/")
    return {k: v for k, v in (("zh", zh.strip()), ("en", en.strip())) if v}


def new_kind(title: Mapping[str, str], lines: list[StateLine], form: Form | None = None) -> dict[str, Any]:
    """The long form of a definition without id and version."""
    asked = fitted(form) if form is not None else Form()
    own = fields_of_form(asked)
    needed = [name for name in required_in(asked) if name not in _OWN]
    stages = [{"id": "open", "name": {"zh": "办理", "en": "Open"}}, {"id": "end", "name": {"zh": "办结", "en": "End"}}]
    first = lines[0].name
    body: dict[str, Any] = {
        "name": dict(title), "source": "", "stages": stages, "initial": first, "sites": "optional", "correlate": False,
        "states": {line.name: _state(line) for line in lines},
        "fields": {**_OWN, **own}, "automatic": {"on_report": "give"},
        "clocks": {"whole": {"limit": {"value": 5.0, "unit": "work_day"}, "name": {"zh": "全程", "en": "Whole"}}},
        "shown_clock": ["whole"], "remind": ["-1", "0", "+1"], "counting": {"on_time": "whole", "guards": []},
        "visibility": {"confidential": _ALL[1:]},
        "commands": {
            "report": _report(first, needed, [name for name in own if name not in (*needed, *_OWN)]),
            "give": _give(first), **_steps(lines), **_always(lines),
        },
        "notify": _notices(lines),
    }  # fmt: skip
    return {**body, "forms": {"report": form_json(asked)}} if asked.questions else body


def with_form(body: Mapping[str, Any], command: str, form: Form) -> dict[str, Any]:
    """``body`` with a command that asks ``form`` besides its own fields; an earlier form of it is replaced."""
    asked = fitted(form)
    own, needed = fields_of_form(asked), required_in(asked)
    commands = dict(body.get("commands") or {})
    if command not in commands:
        raise n.CellUnreadable(detail=f"there is no command {command!r}", how="choose one of the kind's commands")
    forms = dict(body.get("forms") or {})
    before = fields_of_form(fitted(parse_form(forms.get(command) or {})))
    spec = dict(commands[command])
    gone = {*(name for name in before if name != "evidence"), *own}
    kept = {key: [f for f in spec.get(key) or () if f not in gone] for key in ("required", "optional")}
    spec["required"] = [*kept["required"], *(f for f in needed if f != "evidence")]
    spec["optional"] = [*(f for f in own if f not in spec["required"]), *kept["optional"]]
    spec["keep"] = [f for f in spec.get("keep") or () if f in (*spec["required"], *spec["optional"])]
    return {
        **body, "commands": {**commands, command: spec}, "fields": {**(body.get("fields") or {}), **own},
        "forms": {**forms, command: form_json(asked)},
    }  # fmt: skip


def _state(line: StateLine) -> dict[str, Any]:
    turn = {"turn": list(line.who)} if line.who else {}
    return {"stage": "open" if line.next else "end", "name": line.title, "open": bool(line.next), **turn}


def _report(first: str, needed: list[str], rest: list[str]) -> dict[str, Any]:
    return {
        "name": {"zh": "登记", "en": "Report"}, "moves": [{"from": ["@new"], "to": first}],
        "who": [{"roles": list(REPORTERS)}], "required": ["title", "department_id", *needed],
        "optional": [*rest, "evidence"],
    }  # fmt: skip


def _give(first: str) -> dict[str, Any]:
    return {
        "name": {"zh": "派给部门", "en": "Give to a department"}, "moves": [{"from": [first]}],
        "who": [{"roles": ["system", "operator", "dispatcher", "admin"]}], "required": ["department_id"],
        "clocks": {"start": ["whole"]}, "effects": ["assign", "mark_registered", "mark_dispatched"],
    }  # fmt: skip


def _steps(lines: list[StateLine]) -> dict[str, Any]:
    """A command for each way from state to state; ways of the same name to the same state are one command."""
    found: dict[str, Any] = {}
    ends = {line.name for line in lines if not line.next}
    for at, line in enumerate(lines):
        for number, (to, words) in enumerate(line.next.items()):
            name = f"to_{to}"[:24]
            if name in found and found[name]["name"] != (words or {"zh": to}):
                name = f"{line.name}_{to}"[:24]
            ending = to in ends
            more = ["evaluate"] if ending else ["accept_part"] if at == 0 else []
            spec = found.setdefault(name, {
                "name": words or {"zh": to}, "moves": [], "who": list(line.who),
                "required": ["result"] if ending else [], "effects": ["attach", *more],
                "optional": ["evidence"] if ending else ["comment", "evidence"],
                **({"clocks": {"stop": ["*"]}, "keep": ["result"]} if ending else {}), "forward": number == 0,
            })  # fmt: skip
            spec["moves"].append({"from": [line.name], "to": to})
    return found


def _always(lines: list[StateLine]) -> dict[str, Any]:
    going = [line.name for line in lines if line.next]
    ends = [line.name for line in lines if not line.next]
    who = {"who": _ALL, "moves": [{"from": ["*"]}]}
    found = {
        "comment": {"name": {"zh": "备注", "en": "Comment"}, **who, "required": ["comment"], "batch": True},
        "attach": {"name": {"zh": "添加附件", "en": "Attach"}, **who, "required": ["evidence"], "effects": ["attach"]},
    }
    if going and ends:
        found["withdraw"] = {
            "name": {"zh": "撤回", "en": "Withdraw"}, "moves": [{"from": going, "to": ends[-1]}],
            "who": [{"relation": "reporter"}], "required": ["reason"], "clocks": {"stop": ["*"]}, "rare": True,
        }  # fmt: skip
    return found


def _notices(lines: list[StateLine]) -> list[dict[str, Any]]:
    going = [line.name for line in lines[1:] if line.next]
    ends = [line.name for line in lines if not line.next]
    turn = {"to": ["turn"], "text": {"zh": "轮到您：{title}", "en": "Your turn: {title}"}, "kind": "task"}
    done = {"to": ["reporter"], "text": {"zh": "{title}：{state}", "en": "{title}: {state}"}, "kind": "closed"}
    return [{"on": ["give", *going], **turn}, *([{"on": ends, **done}] if ends else [])]


def fitted(form: Form) -> Form:
    """``form`` with names that a case does not use itself; its first question for files is the case's evidence."""
    renamed: dict[str, str] = {}
    for question in walk_questions(form.questions):
        if question.type in FILES and "evidence" not in renamed.values():
            renamed[question.name] = "evidence"
        elif question.name in _TAKEN:
            renamed[question.name] = f"q_{question.name}"
    return msgspec.structs.replace(form, questions=tuple(_renamed(form.questions, renamed))) if renamed else form


def _renamed(questions: Iterable[Question], names: Mapping[str, str]) -> Iterable[Question]:
    words = ("relevant", "constraint", "calculation", "choice_filter", "repeat_count", "default", "trigger")
    for question in questions:
        changes: dict[str, Any] = {"name": names.get(question.name, question.name)}
        for word in (*words, "required", "read_only"):
            text = getattr(question, word)
            if isinstance(text, str) and "${" in text:
                changes[word] = re.sub(r"\$\{\s*([^}]*?)\s*\}", lambda m: f"${{{names.get(m[1], m[1])}}}", text)
        yield msgspec.structs.replace(question, **changes, children=tuple(_renamed(question.children, names)))
