"""What a tab of the administration is made of: a list, the panel of one row, actions with their questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dash_mantine_components as dmc
from dash import html

from core.errors import InputInvalid
from dashboard.pages.choices import Choice
from dashboard.pages.frame import Visit

Row = dict[str, Any]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Action:
    """What a button does.  ``ask``: the fields or the question (None: at once); ``act``: done with their values.

    What ``act`` gives back stays in the dialog (a secret that is shown once); None closes it.
    """

    title: str
    act: Callable[[Visit, str, Values], Any]
    ask: Callable[[Visit, str], Any] | None = None


@dataclass(frozen=True)
class Tab:
    """A tab: ``columns`` and ``rows`` of its list (``key``: the field that names a row), the ``panel`` of one row."""

    title: str
    key: str
    columns: Callable[[Visit], Sequence[Mapping[str, Any]]]
    rows: Callable[[Visit], Sequence[Row]]
    panel: Callable[[Visit, str], Any]
    actions: Mapping[str, Action] = field(default_factory=dict)
    new: Sequence[str] = ()
    tools: Callable[[Visit], Sequence[Any]] = lambda _visit: ()
    note: Callable[[Visit], Any] = lambda _visit: None
    tall: bool = False
    role: str = "admin"  # who finds the tab: the system's, the security's or the audit's administrator


def button(visit: Visit, tab: str, action: str, key: str, title: str, **more: Any) -> Any:
    """The button of an action on one row (``key``), or of a new one ("")."""
    shown: dict[str, Any] = {"size": "xs", "variant": "default"} | more
    return dmc.Button(visit.t(title), id={"adm-tab": tab, "adm-do": action, "adm-key": key}, **shown)


def text(name: str, label: str, value: Any = "", **more: Any) -> Any:
    """A field of text."""
    return dmc.TextInput(id={"adm-field": name}, label=label, value="" if value is None else str(value), **more)


def choose(name: str, label: str, data: Sequence[Choice], value: Any = None, **more: Any) -> Any:
    """A field to choose one of ``data``."""
    return dmc.Select(id={"adm-field": name}, label=label, data=list(data), value=value, searchable=True, limit=100,
                      clearable=True, **more)  # fmt: skip


def several(name: str, label: str, data: Sequence[Choice], value: Sequence[str], **more: Any) -> Any:
    """A field to choose several of ``data``."""
    return dmc.MultiSelect(id={"adm-field": name}, label=label, data=list(data), value=list(value), **more)


def yes_no(name: str, label: str, value: bool, visit: Visit) -> Any:
    """A field that is on or off."""
    data = [{"value": "1", "label": visit.t("rules.on")}, {"value": "", "label": visit.t("rules.off")}]
    switch = dmc.SegmentedControl(id={"adm-field": name}, data=data, value="1" if value else "")
    return html.Div([html.Span(label, className="label"), html.Div(switch)])


def number(values: Values, name: str) -> float:
    """A number that was typed.

    Raises:
        InputInvalid: it is none.
    """
    try:
        return float(str(values.get(name, "")).strip())
    except ValueError as error:
        raise InputInvalid(field=name, detail=f"{values.get(name)!r} is no number", how="write a number") from error


def facts(pairs: Sequence[tuple[str, Any]]) -> Any:
    """Names and values."""
    return html.Dl([part for name, value in pairs for part in (html.Dt(name), html.Dd(value if value else "—"))],
                   className="facts")  # fmt: skip


def once(title: str, name: str, secret: str) -> Any:
    """A secret that is shown this once."""
    return [html.H2(title), html.P(name), html.Code(secret, className="big-code")]
