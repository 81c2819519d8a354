"""Trying a draft: people, commands and waits against a throw-away instance, everything seen after each step.

The page keeps the steps and plays them all again each time: nothing of a trial lives in the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from core.records import Record
from events.cases.definition import Definition
from events.trial.play import play
from events.trial.script import ROLES, ScriptInvalid, parse_script

MOST_STEPS = 60
MOST_PEOPLE = 40


class TrialPerson(Record, frozen=True):
    """Somebody of the cast."""

    user_id: str
    name: str
    roles: tuple[str, ...]
    department: str | None = None


def cast_of(definition: Definition, departments: Mapping[str, str]) -> list[TrialPerson]:
    """People who between them can give every command: each role that the definition names, in two departments.

    ``departments``: id → name of the installation; the first two are used.
    """
    named = {role for spec in definition.commands.values() for line in spec.who for role in line.roles}
    named |= {role for state in definition.states.values() for line in state.turn or () for role in line.roles}
    roles = [role for role in ROLES if role in named] or ["staff"]
    places: list[str | None] = [*list(departments)[:2]] or [None]
    return [
        TrialPerson(user_id=f"{role}-{at}", name=f"{role} · {departments.get(place or '', '')}".rstrip(" ·"),
                    roles=(role,), department=place)
        for role in roles
        for at, place in enumerate(places, 1)
    ]  # fmt: skip


def script_of(
    start: datetime, people: Iterable[TrialPerson], departments: Mapping[str, str], steps: list[dict[str, Any]]
) -> dict[str, Any]:
    """The script of a trial, as ``python -m app try`` reads it."""
    cast = {
        p.user_id: {"roles": list(p.roles), "name": p.name, **({"department": p.department} if p.department else {})}
        for p in list(people)[:MOST_PEOPLE]
    }
    return {
        "start": start.isoformat(timespec="minutes"), "departments": dict(departments), "people": cast, "steps": steps,
    }  # fmt: skip


def try_out(definition: Definition, script: Mapping[str, Any], language: str = "en") -> list[dict[str, Any]]:
    """What is seen after each step (docs/case-trials.md), refusals in ``language``; at least one line, also without
    steps.

    Raises:
        ScriptInvalid: a step that cannot be played, or too many of them.
    """
    steps = list(script.get("steps") or ())
    if len(steps) > MOST_STEPS:
        raise ScriptInvalid(field="steps", detail=f"has {len(steps)} steps", how=f"begin anew after {MOST_STEPS}")
    played = [{**step, "data": without_files(step["data"])} if "data" in step else dict(step) for step in steps]
    return list(play(parse_script({**script, "steps": played}), definition, language))


def without_files(data: Mapping[str, Any]) -> dict[str, Any]:
    """Uploads of the page as names: the throw-away instance has no files."""
    found = dict(data)
    if isinstance(found.get("evidence"), list):
        found["evidence"] = [_name(each, "photo.jpg") for each in found["evidence"]]
    if isinstance(found.get("documents"), list):
        papers = [each for each in found["documents"] if isinstance(each, Mapping)]
        found["documents"] = [{"type": each.get("type"), "name": _name(each, "document.pdf")} for each in papers]
    return found


def _name(each: Any, otherwise: str) -> str:
    if isinstance(each, Mapping):
        each = each.get("name") or each.get("id") or each.get("item")
    return each if isinstance(each, str) and 0 < len(each) <= 200 else otherwise
