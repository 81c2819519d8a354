"""A script for trying a kind of case, read from YAML and checked before anything is played.

Shape: ``{start, people: {id: {roles, department}}, departments: [...], steps: [...]}``; a step is one of
``{as, do, data}``, ``{wait: "3 work_day"}``, ``{at: ISO time}``, ``{expect: {...}}``.  More: docs/case-trials.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from core.errors import YiwangError
from core.legal_time.calendar import WorkCalendar, statutory_calendar
from core.legal_time.limits import Limit
from core.legal_time.workclock import deadline
from core.records import SYSTEM, Actor, Record
from events.cases.definition_problems import DefinitionProblem
from events.cases.soundness.doubles import read_yaml
from events.legal_time.requests import parse_moment, parse_words

MAX_STEPS = 2000
ROLES = ("admin", "operator", "dispatcher", "staff", "inspector", "grid_worker", "manager", "drone", "viewer")
EXPECTED = (
    "state", "stage", "open", "turn", "allowed", "clocks", "shown_clock", "notices", "children", "error", "data",
)  # fmt: skip
_NATURAL_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_ROWS = ((str, list, dict, int), "is nothing to be compared", "give a list, or a number: so many")
_SHAPES: dict[str, tuple[tuple[type, ...], str, str]] = {
    "turn": ((str, list), "does not say whose turn it is", "give a list of people"),
    "allowed": ((dict,), "does not say who may do what", "give {person: [commands]}"),
    "clocks": _ROWS, "notices": _ROWS, "children": _ROWS,
}  # fmt: skip
_TOP = ("start", "people", "departments", "divisions", "steps", "definition", "title", "source")


class ScriptInvalid(YiwangError):
    """``field`` is the path of what is wrong: ``steps[3].as``."""

    code = "script_invalid"
    message = "script, {field}: {detail}"
    remedy = "{how}"
    zh = "脚本 {field}：{detail}"
    zh_remedy = "{how}"


class ScriptPerson(Record, frozen=True):
    """Somebody who acts in a script."""

    user_id: str
    roles: tuple[str, ...]
    department: str | None = None
    division: str | None = None
    name: str = ""

    def actor(self) -> Actor:
        return Actor(
            user_id=self.user_id,
            name=self.name or self.user_id,
            roles=self.roles,
            department_id=self.department,
            division_code=self.division,
        )


class ScriptStep(Record, frozen=True):
    """One step; exactly one of ``do``, ``wait``, ``at``, ``expect`` is set.  ``file``: which case (1: the first)."""

    who: str = ""
    do: str = ""
    data: dict[str, Any] = {}
    file: str | int | None = None
    wait: str = ""
    at: datetime | None = None
    expect: dict[str, Any] | None = None


class Script(Record, frozen=True):
    """``divisions``: code → name.  ``departments``: id → name."""

    start: datetime
    people: dict[str, ScriptPerson]
    departments: dict[str, str]
    divisions: dict[str, str]
    steps: tuple[ScriptStep, ...]


def read_script(path: Path) -> Script:
    """The script in a YAML (or JSON) file; :class:`ScriptInvalid` names the first thing that is wrong."""
    twice: list[DefinitionProblem] = []
    try:
        raw = read_yaml(path.read_text("utf-8-sig"), twice)
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptInvalid(field=str(path), detail=str(error), how="give a file that can be read, in UTF-8") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ScriptInvalid(field=str(path), detail=f"is no YAML: {error}", how="mend the file") from error
    for each in twice:
        what, how = each.said()
        raise ScriptInvalid(field=each.where.replace("/", "."), detail=what, how=how)
    return parse_script(raw)


def parse_script(raw: Any) -> Script:
    """The script in what YAML gave."""
    top = _mapping(raw, "script")
    unknown = sorted(str(key) for key in top if key not in _TOP)
    if unknown:
        raise ScriptInvalid(field=unknown[0], detail="is not known", how=f"use: {', '.join(_TOP)}")
    calendar = statutory_calendar()
    if "start" not in top:
        raise ScriptInvalid(field="start", detail="is missing", how="say when it begins: 2026-06-05T09:00:00+08:00")
    departments = _departments(top.get("departments") or [])
    divisions = _named(top.get("divisions") or [], "divisions")
    people = {
        str(key): _person(str(key), value, departments, divisions)
        for key, value in _mapping(top.get("people") or {}, "people").items()
    }
    steps = _list(top.get("steps"), "steps")
    if len(steps) > MAX_STEPS:
        raise ScriptInvalid(field="steps", detail=f"has {len(steps)} steps", how=f"give at most {MAX_STEPS}")
    return Script(
        start=_moment(top["start"], "start", calendar),
        people=people,
        departments=departments,
        divisions=divisions,
        steps=tuple(_step(step, f"steps[{n}]", people, calendar) for n, step in enumerate(steps)),
    )


def _step(raw: Any, at: str, people: Mapping[str, ScriptPerson], calendar: WorkCalendar) -> ScriptStep:
    step = _mapping(raw, at)
    kinds = [kind for kind in ("do", "wait", "at", "expect") if kind in step]
    if len(kinds) != 1:
        detail = "is of several kinds: " + ", ".join(kinds) if kinds else "says nothing to do"
        raise ScriptInvalid(field=at, detail=detail, how="give one of {as, do, data}, {wait}, {at}, {expect}")
    known = {"do": ("as", "do", "data", "case")}.get(kinds[0], (kinds[0], "case"))
    for key in step:
        if key not in (*known, "note"):
            raise ScriptInvalid(field=f"{at}.{key}", detail="is not known here", how=f"use: {', '.join(known)}")
    file = step.get("case")
    if file is not None and (isinstance(file, bool) or not isinstance(file, str | int)):
        raise ScriptInvalid(field=f"{at}.case", detail="names no case", how="give 1 for the first, or a case number")
    if kinds == ["wait"]:
        words = str(step["wait"])
        waited(calendar, datetime(2026, 1, 5, tzinfo=calendar.zone), words, f"{at}.wait")
        return ScriptStep(wait=words, file=file)
    if kinds == ["at"]:
        return ScriptStep(at=_moment(step["at"], f"{at}.at", calendar), file=file)
    if kinds == ["expect"]:
        return ScriptStep(expect=_expectation(step["expect"], f"{at}.expect", people), file=file)
    return _command(step, at, people, file)


def _command(
    step: Mapping[str, Any], at: str, people: Mapping[str, ScriptPerson], file: str | int | None
) -> ScriptStep:
    if "as" not in step:
        raise ScriptInvalid(field=f"{at}.as", detail="is missing", how="say who does it")
    who = str(step["as"])
    if who not in people and who != SYSTEM.user_id:
        known = ", ".join(people) or "nobody"
        raise ScriptInvalid(field=f"{at}.as", detail=f"unknown user {who!r}", how=f"people has: {known}")
    if not isinstance(step["do"], str) or not step["do"]:
        raise ScriptInvalid(field=f"{at}.do", detail=f"{step['do']!r} is no command", how="name a command, quoted")
    data = {str(k): plain(v) for k, v in _mapping(step.get("data") or {}, f"{at}.data").items()}
    return ScriptStep(who=who, do=step["do"], data=data, file=file)


def _expectation(raw: Any, at: str, people: Mapping[str, ScriptPerson]) -> dict[str, Any]:
    wanted = {str(key): plain(value) for key, value in _mapping(raw, at).items()}
    for key, value in wanted.items():
        if key not in EXPECTED:
            raise ScriptInvalid(field=f"{at}.{key}", detail="is not known", how=f"use: {', '.join(EXPECTED)}")
        _comparable(key, value, f"{at}.{key}")
        for name in _named_people(key, value):
            if name not in people:
                known = ", ".join(people) or "nobody"
                raise ScriptInvalid(field=f"{at}.{key}", detail=f"unknown user {name!r}", how=f"people has: {known}")
    return wanted


def _named_people(key: str, value: Any) -> list[str]:
    if key not in ("turn", "allowed") or not value:
        return []
    return [value] if isinstance(value, str) else [str(name) for name in value]


def _comparable(key: str, value: Any, field: str) -> None:
    """An expectation that could never be compared is told before anything is played."""
    if value is None or key not in _SHAPES:
        return
    kinds, what, how = _SHAPES[key]
    of_people = value.values() if isinstance(value, dict) and key == "allowed" else ()
    odd = not all(each is None or isinstance(each, str | list) for each in of_people)
    if odd or isinstance(value, bool) or not isinstance(value, kinds):
        raise ScriptInvalid(field=field, detail=f"{value!r} {what}", how=how)


def waited(calendar: WorkCalendar, since: datetime, words: str, field: str) -> datetime:
    """When ``words`` (``"3 work_day"``, ``"4 工作时"``, ``"90 minutes"``) after ``since`` are over."""
    natural = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(second|minute|hour|day|week)s?\s*", words)
    try:
        limit = (
            Limit(value=float(natural[1]) * _NATURAL_S[natural[2]] / 3600, unit="urgent_hour")
            if natural
            else parse_words(words)
        )
        end = deadline(since, limit, calendar).at
    except YiwangError as error:
        detail = str(error.data.get("detail") or error)
        raise ScriptInvalid(field=field, detail=detail, how='give e.g. "3 work_day" or "90 minutes"') from error
    assert end is not None  # nothing suspends this
    return end


def plain(value: Any) -> Any:
    """JSON out of what YAML gave: times become ISO text, keys text."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple | set) else value


def _moment(value: Any, field: str, calendar: WorkCalendar) -> datetime:
    try:
        return parse_moment(plain(value), field, calendar)
    except YiwangError as error:
        raise ScriptInvalid(
            field=field, detail=f"{value!r} is not a time", how="give e.g. 2026-06-05T09:00:00+08:00"
        ) from error


def _person(user_id: str, raw: Any, departments: Mapping[str, str], divisions: Mapping[str, str]) -> ScriptPerson:
    at = f"people.{user_id}"
    if not 1 <= len(user_id) <= 40 or user_id == SYSTEM.user_id:
        raise ScriptInvalid(field=at, detail="is no id of a person", how="use 1 to 40 characters, not 'system'")
    body = _mapping(raw or {}, at)
    fields = ("roles", "role", "department", "division", "name")
    for key in body:
        if key not in fields:
            raise ScriptInvalid(field=f"{at}.{key}", detail="is not known", how=f"use: {', '.join(fields)}")
    roles = body.get("roles", body.get("role", []))
    roles = [roles] if isinstance(roles, str) else _list(roles, f"{at}.roles")
    for role in roles:
        if role not in ROLES:
            raise ScriptInvalid(field=f"{at}.roles", detail=f"unknown role {role!r}", how=f"use: {', '.join(ROLES)}")
    department, division = body.get("department"), body.get("division")
    if department is not None and str(department) not in departments:
        known = ", ".join(departments) or "none"
        raise ScriptInvalid(
            field=f"{at}.department", detail=f"unknown department {department!r}", how=f"departments has: {known}"
        )
    if division is not None and str(division) not in divisions:
        raise ScriptInvalid(
            field=f"{at}.division", detail=f"unknown division {division!r}", how="list it under divisions"
        )
    return ScriptPerson(
        user_id=user_id,
        roles=tuple(roles),
        department=None if department is None else str(department),
        division=None if division is None else str(division),
        name=str(body.get("name") or ""),
    )


def _departments(raw: Any) -> dict[str, str]:
    return _named(raw, "departments")


def _named(raw: Any, field: str) -> dict[str, str]:
    """Ids with names, from ``[id, …]``, ``[{id, name}, …]`` or ``{id: name}``."""
    if isinstance(raw, Mapping):
        raw = [{"id": key, **(value if isinstance(value, Mapping) else {"name": value})} for key, value in raw.items()]
    found: dict[str, str] = {}
    for n, each in enumerate(_list(raw, field)):
        body = each if isinstance(each, Mapping) else {"id": each}
        key = body.get("id", body.get("department_id", body.get("code")))
        if key is None or not 1 <= len(str(key)) <= 40:
            raise ScriptInvalid(field=f"{field}[{n}]", detail="has no id of 1 to 40 characters", how="give {id, name}")
        found[str(key)] = str(body.get("name") or key)
    return found


def _mapping(raw: Any, field: str) -> Mapping[Any, Any]:
    if not isinstance(raw, Mapping):
        raise ScriptInvalid(field=field, detail="is no mapping", how="write key: value lines")
    return raw


def _list(raw: Any, field: str) -> list[Any]:
    if not isinstance(raw, list):
        raise ScriptInvalid(field=field, detail="is missing or no list", how="write a list")
    return raw
