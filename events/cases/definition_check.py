"""Loading case definitions, and everything that can be wrong with one.

Loading checks that everything a definition names exists, so that a misspelt state is found at start and not in the
night.  What is wrong with what, :mod:`events.cases.soundness` says, a subject a module.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from events.cases.definition import Definition
from events.cases.definition_parts import effect_name, effect_params
from events.cases.definition_problems import DefinitionProblem, problem, unknown
from events.cases.definition_words import in_full
from events.cases.errors import DefinitionInvalid
from events.cases.soundness.clocks import clock_problems
from events.cases.soundness.commands import command_problems, length_problems, naming_problems
from events.cases.soundness.course import course_problems, end_problems
from events.cases.soundness.doubles import read_json, read_yaml
from events.cases.soundness.fields import field_problems
from events.cases.soundness.people import people_problems
from events.cases.soundness.shape import shape_problems
from events.cases.soundness.words import ESSENTIAL

FOLDER = Path(__file__).parent.parent / "definitions"
MOST_BYTES = 2_000_000


def parse_definition(body: Any, kinds: Collection[str] | None = None) -> Definition:
    """A definition from its JSON form; :class:`DefinitionInvalid` says what does not fit.

    ``kinds``: every kind of case there is, against which spawned ones are held; None: they are not.
    """
    found = [each for each in body_problems(body, kinds) if not each.advice]
    if found:
        raise invalid(_named(body), found)
    return msgspec.convert(in_full(body), Definition)


def read_stored(body: Mapping[str, Any]) -> Definition:
    """A version that ships or is kept, by which cases run: held only to what they could not go on without."""
    try:
        definition = msgspec.convert(in_full(body), Definition)
    except (msgspec.ValidationError, TypeError) as error:
        raise DefinitionInvalid(definition=_named(body), detail=str(error)) from error
    found = [each for each in (*course_problems(definition), *command_problems(definition)) if each.code in ESSENTIAL]
    if found:
        raise invalid(_named(body), found)
    return definition


def body_problems(body: Any, kinds: Collection[str] | None = None) -> list[DefinitionProblem]:
    """Everything that is wrong with a definition's JSON: its shape, and when that is right what it says."""
    if not isinstance(body, Mapping):
        return list(shape_problems(body, Definition))
    full = in_full(body)
    found = list(shape_problems({k: v for k, v in full.items() if k != "turn"}, Definition))
    found += [unknown(f"states/{name}/turn", "state_unknown", name, full.get("states") or ()) for name in _astray(full)]
    if found:
        return found
    try:
        definition = msgspec.convert(full, Definition)
    except (msgspec.ValidationError, TypeError) as error:
        return [problem("", "not_readable", detail=error)]
    return [*problems(definition), *(_spawned_problems(definition, kinds) if kinds is not None else ())]


def _astray(full: Mapping[str, Any]) -> list[str]:
    """States that only the short table ``turn`` names."""
    turn = full.get("turn")
    return sorted(map(str, set(turn) - set(full.get("states") or ()))) if isinstance(turn, Mapping) else []


def problems(d: Definition) -> Iterator[DefinitionProblem]:
    """Everything that is wrong with ``d``, each with where it is; what is advice comes last."""
    yield from length_problems(d)
    advice, sound = [], True
    for some in (course_problems(d), command_problems(d), people_problems(d), clock_problems(d), field_problems(d)):
        for each in some:
            if each.advice:
                advice.append(each)
            else:
                sound = False
                yield each
    if sound:
        yield from end_problems(d)
    yield from advice
    yield from naming_problems(d)


def spawned(definition: Definition) -> Iterator[tuple[str, str]]:
    """(command, kind of case) of what a definition opens."""
    for command, spec in definition.commands.items():
        for effect in spec.effects:
            if effect_name(effect) == "spawn" and effect_params(effect).get("definition"):
                yield command, str(effect_params(effect)["definition"])


def _spawned_problems(d: Definition, kinds: Collection[str]) -> Iterator[DefinitionProblem]:
    known = {*kinds, d.definition_id}
    for command, kind in spawned(d):
        if kind not in known:
            yield unknown(f"commands/{command}/effects", "kind_unknown", kind, known)


def _named(body: Any) -> str:
    return str(body.get("definition_id", "?")) if isinstance(body, Mapping) else "?"


def invalid(name: str, found: Iterable[DefinitionProblem]) -> DefinitionInvalid:
    """The error that tells them: the first in its own words, the others one a line."""
    listed = list(found)
    first, rest = listed[0], listed[1:]
    more = "".join(f"\n  {each.line()}" for each in rest[:_MOST_TOLD])
    more_zh = "".join(f"\n  {each.line('zh')}" for each in rest[:_MOST_TOLD])
    where = f"{first.where}: " if first.where else ""
    return DefinitionInvalid(
        definition=name, field=first.where, problem=first.code, detail=where + first.said()[0],
        detail_zh=where + first.said("zh")[0], how=first.said()[1] + more, how_zh=first.said("zh")[1] + more_zh,
        problems=[each.as_dict() for each in listed],
    )  # fmt: skip


_MOST_TOLD = 20


def load_definition(path: Path, kinds: Collection[str] | None = None) -> Definition:
    """The definition in a file, JSON or YAML."""
    return parse_definition(read_body(path), kinds)


def read_body(path: Path) -> Any:
    """What a file holds; a name that is written twice is an error, not the last one's."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DefinitionInvalid(definition=path.name, detail=f"has more than {MOST_BYTES} bytes")
        text = path.read_text("utf-8-sig")
        return body_of_text(text, yaml_too=path.suffix.lower() in (".yaml", ".yml"))
    except DefinitionInvalid as error:
        raise DefinitionInvalid(**{**error.data, "definition": path.name}) from error
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise DefinitionInvalid(definition=path.name, detail=str(error)) from error


def body_of_text(text: str, yaml_too: bool = False) -> Any:
    """The body in JSON (or YAML); :class:`DefinitionInvalid` where a name is written twice."""
    twice: list[DefinitionProblem] = []
    body = read_yaml(text, twice) if yaml_too else read_json(text, twice)
    if twice:
        raise invalid(_named(body), twice)
    return body


@cache
def shipped_definitions() -> dict[str, Definition]:
    """The definitions that come with Yiwang, by id; tests hold them to everything, so that starting need not."""
    found = (read_stored(read_body(path)) for path in sorted(FOLDER.glob("*.json")))
    return {d.definition_id: d for d in found}
