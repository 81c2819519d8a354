"""How a definition's parts are written in the cells of a table.

    who      dispatcher/operator @lead_department [sent, accepted]; @reporter; *
    moves    @new → sent; sent, accepted → done; accepted (assist: accepted) → accepted; * stays
    clocks   start whole; stop *; part lead; deed
    verbs    assign, spawn {"definition": "help_request"}
    limit    3 work_day

Reading answers what :func:`events.cases.definition_words.in_full` makes; a cell that cannot be read is a
:class:`CellUnreadable`.  Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.errors import YiwangError
from events.cases.definition_parts import RELATIONS
from events.legal_time.requests import parse_words

ARROWS = ("→", "->", "=>", "⇒")
CLOCK_VERBS = ("start", "stop", "suspend", "resume", "reopen")
NOBODY = "—"
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_WIDE = str.maketrans("，；（）【】｛｝＠＊、", ",;()[]{}@*,")


class CellUnreadable(YiwangError):
    code = "cell_unreadable"
    message = "{detail}"
    remedy = "{how}"
    zh = "{detail}"
    zh_remedy = "{how}"


def parted(text: str, signs: str) -> list[str]:
    """``text`` between the ``signs`` that stand outside brackets and quotes; empty parts are left out."""
    found, depth, quoted, start = [], 0, False, 0
    for at, sign in enumerate(text):
        if sign == '"' and (at == 0 or text[at - 1] != "\\"):
            quoted = not quoted
        elif quoted:
            continue
        elif sign in _PAIRS:
            depth += 1
        elif sign in _PAIRS.values():
            depth -= 1
        elif sign in signs and depth == 0:
            found.append(text[start:at])
            start = at + 1
    if depth or quoted:
        raise CellUnreadable(detail=f"a bracket or quote stays open in {text!r}", how="close it")
    return [part.strip() for part in (*found, text[start:]) if part.strip()]


def plain(text: str) -> str:
    """Full-width signs as the narrow ones, outside quoted texts."""
    return "".join(p if i % 2 else p.translate(_WIDE) for i, p in enumerate(re.split(r'("(?:\\.|[^"\\])*")', text)))


def names(text: str) -> list[str]:
    """``"a, b"`` → ``["a", "b"]``."""
    return parted(plain(text), ",")


def who_lines(text: str) -> list[dict[str, Any]]:
    """Lines of who."""
    return [_who(part) for part in parted(plain(text), ";")]


def _who(text: str) -> dict[str, Any]:
    found = re.fullmatch(r"([^@\[\]]*?)\s*(?:@\s*([\w]+))?\s*(?:\[([^\]]*)\])?", text)
    if found is None:
        raise CellUnreadable(detail=f"{text!r} does not say who", how="write roles/roles @relation [states]")
    roles = [role.strip() for role in found[1].split("/") if role.strip()]
    line: dict[str, Any] = {"roles": [] if roles == ["*"] else roles, "relation": found[2] or "any"}
    if found[2] is None and len(roles) == 1 and roles[0] in RELATIONS:
        line = {"roles": [], "relation": roles[0]}
    return {**line, "from": [part.strip() for part in (found[3] or "").split(",") if part.strip()]}


def who_text(lines: Iterable[Mapping[str, Any]]) -> str:
    """Lines of who as a cell."""
    return "; ".join(_who_line(line) for line in lines)


def _who_line(line: Mapping[str, Any]) -> str:
    relation = line.get("relation", "any")
    parts = ["/".join(line.get("roles", ()))] if line.get("roles") else []
    parts += [f"@{relation}"] if relation != "any" else []
    states = f" [{', '.join(line['from'])}]" if line.get("from") else ""
    return (" ".join(parts) or "*") + states


def moves(text: str) -> list[dict[str, Any]]:
    """The moves of a command; without an arrow the state stays."""
    return [_move(part) for part in parted(plain(text), ";")]


def _move(text: str) -> dict[str, Any]:
    arrow = next((sign for sign in ARROWS if sign in text), None)
    start, _, to = text.partition(arrow) if arrow else (text, "", "")
    found = re.fullmatch(r"([^()]*)(?:\(\s*(\w+)\s*(?::\s*(\w+)\s*)?\))?\s*", start)
    origins = [part.strip() for part in found[1].split(",") if part.strip()] if found else []
    if found is None or not origins or (arrow and not to.strip()):
        raise CellUnreadable(detail=f"{text!r} is no move", how="write state, state → state")
    part = {"part": found[2] or "", "part_state": found[3] or ""}
    return {"from": origins, "to": to.strip() or None, **part}


def moves_text(given: Iterable[Mapping[str, Any]]) -> str:
    """Moves as a cell."""
    parts = []
    for move in given:
        state = f": {move['part_state']}" if move.get("part_state") else ""
        part = f" ({move['part']}{state})" if move.get("part") else ""
        parts.append(", ".join(move["from"]) + part + (f" → {move['to']}" if move.get("to") else ""))
    return "; ".join(parts)


def verbs(text: str, key: str) -> list[Any]:
    """Effects (``key`` effect) or guards (``key`` guard): names with their parameters as JSON."""
    return [_verb(part, key) for part in parted(plain(text), ",;")]


def _verb(text: str, key: str) -> Any:
    name, brace, rest = text.partition("{")
    if not brace:
        return name.strip() if key == "effect" else {key: name.strip()}
    return {key: name.strip(), **object_of(brace + rest)}


def verbs_text(given: Iterable[Any], key: str) -> str:
    """Effects or guards as a cell."""
    parts = []
    for verb in given:
        params = {k: v for k, v in verb.items() if k != key} if isinstance(verb, Mapping) else {}
        name = verb if isinstance(verb, str) else verb.get(key, "")
        parts.append(f"{name} {json.dumps(params, ensure_ascii=False)}" if params else str(name))
    return ", ".join(parts)


def object_of(text: str) -> dict[str, Any]:
    """The JSON object in a cell; an empty cell is an empty one."""
    try:
        found = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise CellUnreadable(detail=f"is no JSON: {error}", how='write {"name": "value"}') from error
    if not isinstance(found, dict):
        raise CellUnreadable(detail="is no JSON object", how='write {"name": "value"}')
    return found


def objects_of(text: str) -> list[dict[str, Any]]:
    """The JSON list of objects in a cell; an empty cell is an empty one."""
    return [object_of(json.dumps(each)) for each in object_of(f'{{"all": {text}}}')["all"]] if text.strip() else []


def clock_moves(text: str) -> dict[str, Any]:
    """What a command does to clocks."""
    found: dict[str, Any] = {**{verb: [] for verb in CLOCK_VERBS}, "part": "", "deed": False}
    for part in parted(plain(text), ";"):
        verb, _, rest = part.partition(" ")
        if verb == "deed" and not rest:
            found["deed"] = True
        elif verb == "part" and rest.strip():
            found["part"] = rest.strip()
        elif verb in CLOCK_VERBS and rest.strip():
            found[verb] = [*found[verb], *names(rest)]
        else:
            raise CellUnreadable(detail=f"{part!r} moves no clock", how=f"write {' | '.join(CLOCK_VERBS)} and clocks")
    return found


def clock_moves_text(given: Mapping[str, Any]) -> str:
    """Moves of clocks as a cell."""
    parts = [f"{verb} {', '.join(given[verb])}" for verb in CLOCK_VERBS if given.get(verb)]
    parts += [f"part {given['part']}"] if given.get("part") else []
    return "; ".join([*parts, *(["deed"] if given.get("deed") else [])])


def limit(text: str) -> dict[str, Any]:
    """``"3 work_day"``, ``"4 工作时"`` → value and unit."""
    try:
        found = parse_words(text)
    except YiwangError as error:
        raise CellUnreadable(detail=f"{text!r} is no limit", how='write e.g. "3 work_day", "4 工作时"') from error
    return {"value": found.value, "unit": found.unit}


def recipients(text: str) -> list[Any]:
    """Who is told: words, or lines of who in brackets."""
    return [_who(part[1:-1].strip()) if part.startswith("(") and part.endswith(")") else part for part in names(text)]


def recipients_text(given: Iterable[Any]) -> str:
    """Who is told, as a cell."""
    return ", ".join(to if isinstance(to, str) else f"({_who_line(to)})" for to in given)


def optional_list(text: str) -> list[str] | None:
    """Reminders: empty is "as elsewhere", a dash none."""
    return [] if text.strip() in (NOBODY, "-", "–") else names(text) or None


def optional_text(given: Sequence[str] | None) -> str:
    """The other way round."""
    return "" if given is None else ", ".join(given) or NOBODY


def choices(text: str) -> dict[str, dict[str, str]]:
    """``"low=低/Low; high=高"`` → value → names."""
    found = {}
    for part in parted(text.replace("；", ";"), ";"):
        name, _, words = part.partition("=")
        zh, _, en = words.partition("/")
        found[name.strip()] = {k: v for k, v in (("zh", zh.strip()), ("en", en.strip())) if v}
    return found


def choices_text(given: Mapping[str, Mapping[str, str]]) -> str:
    """The other way round."""
    parts = []
    for name, words in given.items():
        en = f"/{words['en']}" if words.get("en") else ""
        parts.append(f"{name}={words.get('zh', '')}{en}" if words else name)
    return "; ".join(parts)
