"""A kind of case as tables and as a drawing.  Pure: definition in, rows and figure out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import plotly.graph_objects as go

from dashboard.pages.tables import CHART
from events.cases.definition import NEW, Definition
from events.cases.definition_parts import Who, effect_name

Row = dict[str, Any]
Point = tuple[float, float]
LINE = "#7f9db8"


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
    """States as boxes, moves as bent arrows with the name of their first command; all of them show when pointed at."""
    at = places(d)
    commands: dict[tuple[str, str], list[str]] = {}
    for start, to, command in edges(d):
        if start in at and to in at and start != to:
            commands.setdefault((start, to), []).append(named(d.commands[command].name, language))
    figure = go.Figure()
    marks: list[tuple[float, float, str, str]] = []
    taken: list[Point] = []
    for (start, to), found in commands.items():
        names = list(dict.fromkeys(found))
        more = f" +{len(names) - 1}" if len(names) > 1 else ""
        place = _free(_bent(figure, at[start], at[to]), [*taken, *at.values()])
        taken.append(place)
        marks.append((*place, _cut(names[0]) + more, "<br>".join(names)))
    figure.add_scatter(
        x=[m[0] for m in marks], y=[m[1] for m in marks], mode="markers+text", text=[m[2] for m in marks],
        hovertext=[m[3] for m in marks], hoverinfo="text", textposition="middle right", textfont={"size": 11},
        marker={"size": 6, "color": LINE},
    )  # fmt: skip
    for key, (x, y) in at.items():
        if key != NEW:
            figure.add_annotation(
                x=x, y=y, text=named(d.states[key].name, language) or key, showarrow=False, hovertext=key, borderpad=6,
                bgcolor="#2f6fd6" if d.states[key].open else "#1f9d6b", font={"color": "#ffffff", "size": 13},
            )  # fmt: skip
    figure.update_layout(**CHART, showlegend=False, height=620)
    xs, ys = [x for x, _ in at.values()], [y for _, y in at.values()]
    figure.update_xaxes(visible=False, range=[min(xs) - 0.3, max(xs) + 0.5])
    figure.update_yaxes(visible=False, range=[min(ys) - 0.5, max(ys) + 0.5])
    return figure


def _cut(name: str, most: int = 24) -> str:
    """A name that is cut off says so."""
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


def _free(points: Sequence[Point], taken: Sequence[Point]) -> Point:
    """The first of ``points`` at which a name stands beside no other, else the one farthest from them."""

    def room(point: Point) -> float:  # a name is about half a column wide and a tenth of a row high
        return min((max(abs(point[0] - x) / 0.5, abs(point[1] - y) / 0.1) for x, y in taken), default=9.0)

    return next((point for point in points if room(point) >= 1), max(points, key=room))


def _bent(figure: go.Figure, start: Point, end: Point) -> list[Point]:
    """Draw a bent arrow; the way there and the way back lie apart.  Where its name may stand, best first."""
    (x0, y0), (x1, y1) = start, end
    bend = 0.16
    cx, cy = (x0 + x1) / 2 - (y1 - y0) * bend, (y0 + y1) / 2 + (x1 - x0) * bend
    path = f"M {x0:.3f},{y0:.3f} Q {cx:.3f},{cy:.3f} {x1:.3f},{y1:.3f}"
    figure.add_shape(type="path", path=path, line={"color": LINE, "width": 1.3}, layer="below")

    def along(t: float, a: float, c: float, b: float) -> float:
        return (1 - t) ** 2 * a + 2 * t * (1 - t) * c + t**2 * b

    def on(t: float) -> Point:
        return along(t, x0, cx, x1), along(t, y0, cy, y1)

    (hx, hy), (tx, ty) = on(0.8), on(0.76)
    figure.add_annotation(
        x=hx, y=hy, ax=tx, ay=ty, xref="x", yref="y", axref="x", ayref="y", showarrow=True, arrowhead=2, arrowsize=1.4,
        arrowwidth=1.3, arrowcolor=LINE, text="",
    )  # fmt: skip
    return [on(t) for t in (0.5, 0.4, 0.6, 0.32, 0.68, 0.24)]


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
