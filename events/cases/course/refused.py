"""A refusal in a clerk's words: the kind's own names stand in for the ids of commands, states and fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.errors import YiwangError
from events.cases.definition import Definition
from events.cases.definition_parts import Who

ROLES = {
    "admin": "管理员", "operator": "值班员", "dispatcher": "派遣员", "staff": "处置员", "inspector": "核查员",
    "grid_worker": "网格员", "manager": "负责人", "drone": "无人机班组", "viewer": "查看", "system": "平台",
}  # fmt: skip
RELATIONS = {
    "assigned_department": "主办或协办部门", "lead_department": "主办部门", "unfinished_part": "还没办完的部门",
    "unfinished_assist": "还没办完的协办部门", "handler": "承办人", "reporter": "上报人", "own_division": "本辖区",
    "party": "当事人", "asked": "被指定的人",
}  # fmt: skip


def named_by(error: YiwangError, definition: Definition) -> None:
    """Give ``error`` the Chinese names of what it speaks of (``command_zh`` beside ``command`` …); codes stay."""
    data = error.data
    spec = definition.commands.get(str(data.get("command", "")))
    state = definition.states.get(str(data.get("state", "")))
    allowed = data.get("allowed")
    found = {
        "command_zh": _chinese(spec.name) if spec else "",
        "state_zh": _chinese(state.name) if state else "",
        "field_zh": _chinese(definition.fields.get(str(data.get("field", "")), {}).get("title")),
        "who_zh": "；".join(map(_person, spec.who)) if spec and "who" in data else "",
        "known_zh": "、".join(_command(definition, name) for name in definition.commands) if "known" in data else "",
    }
    if isinstance(allowed, list):
        found["allowed_text_zh"] = "、".join(_command(definition, str(each)) for each in allowed) or "没有"
    if spec and error.code == "form_invalid":
        found |= _of_form(definition, str(data["command"]), str(data.get("detail", "")))
    data.update({key: said for key, said in found.items() if said and key not in data})


def _of_form(definition: Definition, command: str, detail: str) -> dict[str, str]:
    form = definition.form(command)
    asked, known = (_titles(definition, form[key]) for key in ("required", "properties"))
    told = {"how_zh": f"必填：{asked or '没有'}；可填：{known}"}
    return told | ({"detail_zh": "必须填写"} if detail.endswith("is a required property") else {})


def _titles(definition: Definition, names: Iterable[str]) -> str:
    return "、".join(_chinese(definition.fields.get(name, {}).get("title")) or name for name in names)


def _command(definition: Definition, name: str) -> str:
    spec = definition.commands.get(name)
    return (_chinese(spec.name) if spec else "") or name


def _person(line: Who) -> str:
    roles = "、".join(ROLES.get(role, role) for role in line.roles) or "任何人"
    relation = RELATIONS.get(line.relation, "")
    if not relation:
        return roles
    return f"{relation}的{roles}" if line.roles else relation


def _chinese(words: Any) -> str:
    return str(words.get("zh") or "") if isinstance(words, Mapping) else ""
