"""A kind of case as tables and as a drawing.  Pure: definition in, rows and figure out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import plotly.graph_objects as go

from dashboard.pages.tables import CHART
from events.cases.definition import NEW, Definition
from events.cases.definition_parts import Who, effect_name

Row = dict[str, Any]


def state_rows(d: Definition, language: str) -> list[Row]:
    """State, its stage, who is expected to act, and where one can go from it."""
    titles = {stage.id: named(stage.name, language) for stage in d.stages}
    return [
        {
            "id": key,
            "title": named(state.name, language),
            "stage": titles.get(state.stage, state.stage),
            "open": state.open,
            "turn": who_text(state.turn or ()) if state.turn is not None else "",
            "next": ", ".join(sorted({to for start, to, _ in edges(d) if start == key and to != key})),
        }
        for key, state in d.states.items()
    ]


def command_rows(d: Definition, language: str) -> list[Row]:
    """Command, its moves, who may, what it asks and does."""
    return [
        {
            "id": key,
            "title": named(spec.name, language),
            "moves": "; ".join(f"{', '.join(move.from_)} → {move.to or '='}" for move in spec.moves),
            "who": who_text(spec.who),
            "required": ", ".join(spec.required),
            "optional": ", ".join(spec.optional),
            "guards": "; ".join(_pairs(guard) for guard in spec.guards),
            "effects": ", ".join(effect_name(effect) for effect in spec.effects),
            "clocks": _clock_moves(msgspec.to_builtins(spec.clocks)),
        }
        for key, spec in d.commands.items()
    ]


def clock_rows(d: Definition, language: str) -> list[Row]:
    """Clock, its limit, whether the class's own goes before it, and for which part it runs."""
    return [
        {
            "id": key,
            "title": named(spec.name, language),
            "limit": f"{spec.limit.value:g} {spec.limit.unit}",
            "from_class": spec.from_class,
            "part": spec.part,
            "remind": ", ".join(spec.remind or ()),
        }
        for key, spec in d.clocks.items()
    ]


def notice_rows(d: Definition, language: str) -> list[Row]:
    """When, to whom, by which channels, which words."""
    return [
        {
            "id": str(number),
            "on": ", ".join(notice.on),
            "to": ", ".join(to if isinstance(to, str) else who_text((to,)) for to in notice.to),
            "channel": ", ".join(notice.channel),
            "text": named(notice.text, language),
        }
        for number, notice in enumerate(d.notify)
    ]


def named(words: Mapping[str, str], language: str) -> str:
    """The text in the language, else in any."""
    return words.get(language) or next(iter(words.values()), "")


def who_text(who: Iterable[Who]) -> str:
    """``dispatcher/operator · handler [in asked]``, one part a line of who."""
    parts = []
    for line in who:
        roles = "/".join(line.roles) or "*"
        relation = f" · {line.relation}" if line.relation != "any" else ""
        parts.append(roles + relation + (f" [{', '.join(line.from_)}]" if line.from_ else ""))
    return "; ".join(parts)


def _pairs(values: Mapping[str, Any]) -> str:
    return " ".join(v if k == "guard" else f"{k}={v}" for k, v in values.items())


def _clock_moves(moves: Mapping[str, Any]) -> str:
    return "; ".join(f"{verb} {', '.join(kinds)}" for verb, kinds in moves.items() if kinds and isinstance(kinds, list))


def edges(d: Definition) -> Iterator[tuple[str, str, str]]:
    """``(from, to, command)`` of every move that changes the state; ``*`` stands for every open state."""
    open_states = [key for key, state in d.states.items() if state.open]
    for key, spec in d.commands.items():
        for move in spec.moves:
            if move.to is None:
                continue
            for start in move.from_:
                for one in open_states if start.startswith("*") or start == "@any" else [start]:
                    yield one, move.to, key


def places(d: Definition) -> dict[str, tuple[float, float]]:
    """Where each state stands: stages from left to right, the states of one below each other."""
    columns: dict[str, list[str]] = {stage.id: [] for stage in d.stages}
    for key, state in d.states.items():
        columns.setdefault(state.stage, []).append(key)
    found = {NEW: (-1.0, 0.0)}
    for x, states in enumerate(columns.values()):
        for y, key in enumerate(states):
            found[key] = (float(x), -float(y) - (x % 2) * 0.35)
    return found


def drawing(d: Definition, language: str) -> go.Figure:
    """States as boxes, moves as arrows; the commands of an arrow show where it is pointed at."""
    at = places(d)
    commands: dict[tuple[str, str], list[str]] = {}
    for start, to, command in edges(d):
        if start in at and to in at and start != to:
            commands.setdefault((start, to), []).append(named(d.commands[command].name, language))
    figure = go.Figure()
    for (start, to), names in commands.items():
        (x0, y0), (x1, y1) = at[start], at[to]
        figure.add_annotation(x=x1, y=y1, ax=x0, ay=y0, xref="x", yref="y", axref="x", ayref="y", showarrow=True,
                              arrowhead=2, arrowwidth=1.2, arrowcolor="#7f9db8", standoff=24, startstandoff=24,
                              text="", hovertext="、".join(names))  # fmt: skip
    middles = [((at[a][0] + 2 * at[b][0]) / 3, (at[a][1] + 2 * at[b][1]) / 3, n) for (a, b), n in commands.items()]
    figure.add_scatter(x=[m[0] for m in middles], y=[m[1] for m in middles], mode="markers", hoverinfo="text",
                       text=["<br>".join(dict.fromkeys(m[2])) for m in middles],
                       marker={"size": 7, "color": "#7f9db8"})  # fmt: skip
    shown = [key for key in at if key != NEW]
    colours = ["#3d8bfd" if d.states[key].open else "#3ddc97" for key in shown]
    figure.add_scatter(
        x=[at[key][0] for key in shown], y=[at[key][1] for key in shown], mode="markers+text", hoverinfo="text",
        text=[named(d.states[key].name, language) for key in shown], textposition="bottom center",
        hovertext=shown, marker={"size": 26, "symbol": "square", "color": colours},
    )  # fmt: skip
    figure.update_layout(**CHART, showlegend=False, height=560)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def difference_rows(old: Any, new: Any, where: str = "") -> list[Row]:
    """What differs between two definitions' JSON, by path."""
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[Row] = []
        for key in dict.fromkeys([*old, *new]):
            found += difference_rows(old.get(key), new.get(key), f"{where}/{key}" if where else str(key))
        return found
    if old == new:
        return []
    change = "added" if old is None else "removed" if new is None else "changed"
    return [{"where": where, "change": change, "before": _short(old), "after": _short(new)}]


def _short(value: Any) -> str:
    text = "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 400 else text[:400] + "…"
