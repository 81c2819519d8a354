"""Short ways to write a definition, brought into the one long form before it is read.

``"turn": {"state": "handler"}``, a single name where a list is meant, ``{"spawn": {"definition": …}}`` for
``{"effect": "spawn", …}``, ``do`` for ``command``: people write definitions by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import YiwangError
from events.cases.definition_parts import RELATIONS
from events.legal_time.requests import parse_words

# The parameter that is meant where an effect or a guard is given one value alone: {"issue": "notice"}.
_FIRST: dict[str, dict[str, str]] = {
    "effect": {"issue": "template", "spawn": "definition", "copy_up": "fields", "ask_party": "fields"},
    "guard": {
        "documents": "types", "form_complete": "fields", "record_valid": "field", "holds": "expr",
        "within_clock": "clock", "before_deadline": "clock", "clock_running": "clock", "evidence": "purpose",
        "pending": "approval", "no_pending": "approval", "not_extended": "times",
    },
}  # fmt: skip
_ALIASES = {"requester": "reporter", "lead": "lead_department", "parties": "party", "assisting": "unfinished_assist"}


def in_full(body: Mapping[str, Any]) -> dict[str, Any]:
    """``body`` in its long form; what is already long stays as it is."""
    found = dict(body)
    turn = found.pop("turn", None)
    states = {name: dict(state) if isinstance(state, Mapping) else state for name, state in _items(found.get("states"))}
    for name, who in _items(turn):
        if isinstance(states.get(name), dict):
            states[name]["turn"] = who
        else:
            found["turn"] = turn  # an unknown state: the check names it
    for state in states.values():
        if isinstance(state, dict) and state.get("turn") is not None:
            state["turn"] = [_who(each) for each in _list(state["turn"])]
    if states:
        found["states"] = states
    if isinstance(found.get("commands"), Mapping):
        found["commands"] = {name: _command(spec) for name, spec in found["commands"].items()}
    if isinstance(found.get("clocks"), Mapping):
        found["clocks"] = {kind: _clock(spec) for kind, spec in found["clocks"].items()}
    if isinstance(found.get("numbering"), str):
        found["numbering"] = {"prefix": found["numbering"]}
    if "notify" in found:
        found["notify"] = [_notify(line) for line in _list(found["notify"])]
    for name in ("remind", "shown_clock"):
        if found.get(name) is not None:
            found[name] = [str(each) for each in _list(found[name])]
    if "triggers" in found:
        found["triggers"] = [_trigger(each) for each in _list(found["triggers"])]
    if isinstance(found.get("visibility"), Mapping):
        found["visibility"] = {k: [_who(each) for each in _list(v)] for k, v in found["visibility"].items()}
    return found


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, Mapping) else []


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _who(value: Any) -> Any:
    """A line of who; a bare word is a relation, or else a role."""
    if not isinstance(value, str):
        return value
    word = _ALIASES.get(value, value)
    return {"relation": word} if word in RELATIONS else {"roles": [word.removeprefix("role:")]}


def _clock(spec: Any) -> Any:
    """``{"limit": "3 work_day"}``; reminders may be numbers."""
    if not isinstance(spec, Mapping):
        return spec
    found = dict(spec)
    if isinstance(found.get("limit"), str):
        try:
            found["limit"] = msgspec.to_builtins(parse_words(found["limit"]))
        except YiwangError:
            return found  # the check names it
    if found.get("remind") is not None:
        found["remind"] = [str(each) for each in _list(found["remind"])]
    return found


def _command(spec: Any) -> Any:
    if not isinstance(spec, Mapping):
        return spec
    found = dict(spec)
    if "effects" in found:
        found["effects"] = [_effect(each) for each in _list(found["effects"])]
    if "guards" in found:
        found["guards"] = [_named(each, "guard") for each in _list(found["guards"])]
    if "keep" in found and isinstance(found["keep"], str):
        found["keep"] = [found["keep"]]
    return found


def _effect(value: Any) -> Any:
    full = _named(value, "effect")
    return full["effect"] if isinstance(full, dict) and set(full) == {"effect"} else full


def _named(value: Any, key: str) -> Any:
    """``{"spawn": {…}}`` and ``"spawn"`` as ``{key: "spawn", …}``."""
    if isinstance(value, str):
        return {key: value}
    if isinstance(value, Mapping) and key not in value and len(value) == 1:
        ((name, params),) = value.items()
        if isinstance(params, Mapping):
            return {key: name, **params}
        if name in _FIRST[key]:
            several = _FIRST[key][name] in ("fields", "types") and isinstance(params, str)
            return {key: name, _FIRST[key][name]: [params] if several else params}
    return dict(value) if isinstance(value, Mapping) else value


def _notify(line: Any) -> Any:
    if not isinstance(line, Mapping):
        return line
    found = {("on" if key is True else key): value for key, value in line.items()}  # YAML reads a bare "on" as true
    for key in ("on", "channel"):
        if key in found:
            found[key] = [str(each) for each in _list(found[key])] if found[key] else []
    if "to" in found:
        found["to"] = _list(found["to"])
    if isinstance(found.get("text"), str):
        found["text"] = {"zh": found["text"]}
    return found


def _trigger(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    found = {("on" if key is True else key): each for key, each in value.items()}
    if "do" in found:
        found["command"] = found.pop("do")
    for name in ("clock_ended", "at"):
        if isinstance(found.get("on"), Mapping) and name in found["on"]:
            inner = found["on"][name]
            key = "clock" if name == "clock_ended" else "field"
            found |= {"on": name, key: inner if isinstance(inner, str) else inner.get(key, "")}
    if isinstance(found.get("from"), str):
        found["from"] = [found["from"]]
    return found
