"""A plug-in's parameters as fields: drawn from the JSON Schema of its ``Params`` and the titles of its ``ABOUT``.

The fields of form ``f`` bear the ids ``{"form": f, "param": name, "part": part}``; ``part`` is ``value`` (text,
numbers, choices), ``checked`` (yes or no), ``rows`` (a list of records as a small table) or ``said`` (what is wrong,
below the field).  :func:`states` asks a callback for all of them, :func:`collect` makes parameters of the answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import ALL, MATCH, Input, Output, State, ctx, html, no_update

from core import plugins
from core.errors import InputInvalid, YiwangError
from dashboard.i18n import words
from dashboard.pages.frame import Page, Visit
from dashboard.pages.tables import locale_text
from vision.params import EXPERT, WORDS

Schema = Mapping[str, Any]
PARTS = {"value": "value", "checked": "checked", "rows": "rowData"}
SEVERITY = "severity"


@dataclass(frozen=True)
class Field:
    """One parameter.  ``kind``: switch, choice, number, whole, words, text, severity, lines or json."""

    name: str
    kind: str
    schema: Schema
    required: bool = False
    cells: tuple[Field, ...] = ()

    @property
    def part(self) -> str:
        """Which property of its component holds the value."""
        return {"switch": "checked", "lines": "rows"}.get(self.kind, "value")


def fields_of(schema: Schema) -> list[Field]:
    """The fields of an object's schema (with ``$ref`` and ``$defs``, as msgspec writes it)."""
    return _fields(schema, schema.get("$defs", {}))


def _fields(schema: Schema, defs: Mapping[str, Schema]) -> list[Field]:
    found = defs[str(schema["$ref"]).rsplit("/", 1)[-1]] if "$ref" in schema else schema
    needed = found.get("required", ())
    return [_field(name, _plain(s), name in needed, defs) for name, s in found.get("properties", {}).items()]


def _plain(schema: Schema) -> Schema:
    """``number or null`` is a number that may be left out."""
    if "anyOf" not in schema:
        return schema
    kept: Schema = next((s for s in schema["anyOf"] if s.get("type") != "null"), {})
    return {**kept, "default": schema.get("default")}


def _field(name: str, schema: Schema, required: bool, defs: Mapping[str, Schema]) -> Field:
    kind, items = schema.get("type"), schema.get("items") or {}
    if name == SEVERITY and kind == "integer":
        return Field(name, "severity", schema, required)
    if kind == "array" and isinstance(items, Mapping) and "$ref" in items and items["$ref"].split("/")[-1] in defs:
        cells = tuple(_fields(items, defs))
        simple = all(cell.kind not in {"json", "lines"} for cell in cells)
        return Field(name, "lines" if simple else "json", schema, required, cells if simple else ())
    if kind == "array" and isinstance(items, Mapping) and items.get("type") == "string":
        return Field(name, "words", schema, required)
    known = {"boolean": "switch", "number": "number", "integer": "whole", "string": "text"}
    return Field(name, "choice" if "enum" in schema else known.get(str(kind), "json"), schema, required)


def param_title(language: str, group: str, kind: str, param: str) -> tuple[str, bool]:
    """What the plug-in ``kind`` calls a parameter, and whether everybody may want to set it."""
    prefix = {"algorithm": "aparam", "rule": "param"}.get(group, "param")
    said = rare = None
    try:
        about = plugins.about(group, kind)
    except YiwangError:
        pass  # a plug-in that does not load has no names
    else:
        said, rare = about.params.get(param) or WORDS.get(param), about.expert.get(param) or EXPERT.get(param)
    known = getattr(said, language) if said else words(language).get(f"{prefix}.{param}")
    return known or (getattr(rare, language) if rare else param.replace("_", " ")), known is not None


@dataclass(frozen=True)
class Form:
    """The fields of one plug-in (``group``, ``kind``), drawn for ``visit`` under the id ``name``."""

    visit: Visit
    name: str
    group: str
    kind: str
    schema: Schema
    off: bool = False

    def identifier(self, param: str, part: str) -> dict[str, str]:
        """The id of a part of a field."""
        return {"form": self.name, "param": param, "part": part}

    def title(self, param: str) -> tuple[str, bool]:
        """What a parameter is called, and whether the plug-in names it."""
        return param_title(self.visit.language, self.group, self.kind, param)

    def draw(self, given: Mapping[str, Any]) -> Any:
        """The fields that the plug-in names first, the experts' folded away."""
        fields = fields_of(self.schema)
        main = [f for f in fields if f.required or self.title(f.name)[1]]
        more = [f for f in fields if f not in main]
        if not fields:
            return html.P(self.visit.t("kit.empty"), className="quiet")
        parts = [html.Div([self._row(f, given.get(f.name)) for f in main], className="desk-fields")]
        if more:
            rest = html.Div([self._row(f, given.get(f.name)) for f in more], className="desk-fields")
            parts.append(html.Details([html.Summary(self.visit.t("vision.more_params")), rest], className="section"))
        return html.Div(parts)

    def _row(self, field: Field, given: Any) -> Any:
        said = html.Small(id=self.identifier(field.name, "said"), className="field-error", role="alert")
        wide = " wide" if field.kind in {"lines", "json"} else ""
        return html.Div([self._input(field, given), said], className=f"desk-field{wide}", title=field.name)

    def _input(self, field: Field, given: Any) -> Any:
        title, default = self.title(field.name)[0], field.schema.get("default")
        common: dict[str, Any] = {
            "id": self.identifier(field.name, field.part), "label": title, "disabled": self.off, "size": "sm",
        }  # fmt: skip
        if field.kind == "lines":
            return self._lines(field, title, given if given is not None else default or [])
        if field.kind == "switch":
            return dmc.Switch(**common, checked=bool(default if given is None else given), mt=24)
        if field.kind in {"choice", "severity"}:
            value = given if given is not None else default
            value = str(2 if value is None and field.kind == "severity" else value or field.schema["enum"][0])
            return dmc.Select(**common, data=self._choices(field), value=value, allowDeselect=False)
        common |= {"withAsterisk": field.required}
        if field.kind in {"number", "whole"}:
            limits = {"min": field.schema.get("minimum"), "max": field.schema.get("maximum")}
            return dmc.NumberInput(
                **common, value="" if given is None else given, placeholder=_shown(default), hideControls=True,
                allowDecimal=field.kind == "number", **{k: v for k, v in limits.items() if v is not None},
            )  # fmt: skip
        if field.kind == "words":
            return dmc.TagsInput(**common, value=list(given or []), placeholder="" if given else _shown(default))
        if field.kind == "text":
            return dmc.TextInput(**common, value=given or "", placeholder=_shown(default))
        body = given if given is not None else default
        text = "" if body is None else json.dumps(body, ensure_ascii=False)
        return dmc.Textarea(**common, value=text, autosize=True, minRows=2, maxRows=10, spellCheck=False)

    def _choices(self, field: Field) -> list[dict[str, str]]:
        if field.kind == "severity":
            return [{"value": str(n), "label": self.visit.t(f"severity.{n}")} for n in range(1, 5)]
        known = words(self.visit.language)
        return [{"value": v, "label": known.get(f"option.{v}", v)} for v in field.schema["enum"]]

    def _lines(self, field: Field, title: str, given: Sequence[Mapping[str, Any]]) -> Any:
        """A list of records as a table that is typed into, a line more, a line less."""
        rows = [{"id": str(i), **{k: _cell(v) for k, v in line.items()}} for i, line in enumerate(given)]
        columns = [{"field": c.name, "headerName": self.title(c.name)[0], **self._cell_editor(c)} for c in field.cells]
        grid = dag.AgGrid(
            id=self.identifier(field.name, "rows"), rowData=rows, columnDefs=columns, className="desk-grid",
            getRowId="params.data.id", style={"height": None, "width": "100%"},
            defaultColDef={"flex": 1, "minWidth": 90, "editable": not self.off, "sortable": False},
            dashGridOptions={"domLayout": "autoHeight", "singleClickEdit": True, "stopEditingWhenCellsLoseFocus": True,
                         "localeText": locale_text(self.visit, "lines"),
                             "rowSelection": {"mode": "singleRow", "checkboxes": False}, "rowHeight": 36,
                             "headerHeight": 32, "noRowsOverlayComponentParams": {}},
        )  # fmt: skip
        t = self.visit.t
        tools = [
            dmc.Button(t("rules.add_line"), id=self.identifier(field.name, "add"), size="xs", variant="default"),
            dmc.Button(t("rules.drop_line"), id=self.identifier(field.name, "drop"), size="xs", variant="default"),
        ]
        return html.Div([html.Span(title, className="label"), grid, None if self.off else dmc.Group(tools, mt=6)])

    def _cell_editor(self, cell: Field) -> dict[str, Any]:
        if cell.kind in {"choice", "severity"}:
            choices = self._choices(cell)
            return {
                "cellEditor": "agSelectCellEditor", "cellEditorParams": {"values": [c["value"] for c in choices]},
                "refData": {c["value"]: c["label"] for c in choices},
            }  # fmt: skip
        return {}


def _shown(default: Any) -> str:
    if default is None or default in ("", [], {}):
        return ""
    return ", ".join(map(str, default)) if isinstance(default, list | tuple) else str(default)


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value) if isinstance(value, int) else value


def states(form: str) -> list[State]:
    """What a callback asks for to read a form; their values go to :func:`answers`."""
    return [State({"form": form, "param": ALL, "part": part}, prop) for part, prop in PARTS.items()]


def answers(state_lists: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Parameter → what stands in its field, from the entries of ``ctx.states_list`` that belong to the form."""
    return {entry["id"]["param"]: entry.get("value") for part in state_lists for entry in part or []}


def collect(schema: Schema, given: Mapping[str, Any], *, sparse: bool) -> dict[str, Any]:
    """Parameters from what the fields hold; ``sparse`` leaves out what equals the default.

    Raises:
        InputInvalid: a field that holds no value of its type; names the field.
    """
    found: dict[str, Any] = {}
    for field in fields_of(schema):
        if field.name not in given:
            continue
        value = _value(field, given[field.name])
        default = field.schema.get("default")
        if value is None or (sparse and value in (list(default) if isinstance(default, tuple) else default, [])):
            continue
        found[field.name] = value
    return found


def _value(field: Field, raw: Any) -> Any:
    if field.kind == "switch":
        return bool(raw)
    if field.kind == "lines":
        lines = [{c.name: _value(c, row.get(c.name)) for c in field.cells} for row in raw or []]
        return [{k: v for k, v in line.items() if v is not None} for line in lines]
    if field.kind == "words":
        return [w for w in re.split(r"[,，、\s]+", raw) if w] if isinstance(raw, str) else list(raw or [])
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    if field.kind in {"number", "whole", "severity"}:
        return _number(field, raw)
    if field.kind == "json":
        try:
            return json.loads(raw)
        except ValueError as error:
            raise InputInvalid(field=field.name, detail=str(error), how="write JSON") from error
    return str(raw).strip()


def _number(field: Field, raw: Any) -> float | int:
    try:
        number = float(raw)
    except (TypeError, ValueError) as error:
        raise InputInvalid(field=field.name, detail=f"{raw!r} is no number", how="write a number") from error
    return int(number) if number.is_integer() and (field.kind != "number" or isinstance(raw, int)) else number


def field_named(error: YiwangError, names: Sequence[str]) -> str | None:
    """Which of ``names`` an error is about: the field that it carries, else the first that its detail names."""
    if error.data.get("field") in names:
        return str(error.data["field"])
    text = str(error.data.get("detail", ""))
    at = {n: found.start() for n in names if (found := re.search(rf"(?<![a-z_]){re.escape(n)}(?![a-z_])", text))}
    return min(at, key=lambda n: at[n], default=None)


def changed_lines(rows: list[dict[str, Any]], clicked: Mapping[str, Any], *, drop: bool) -> list[dict[str, Any]]:
    """The lines of a table with an empty one more, or without the one that was clicked last (else the last)."""
    if drop:
        ids = [row["id"] for row in rows]
        gone = clicked.get("rowId") if clicked.get("rowId") in ids else (ids[-1] if ids else None)
        return [row for row in rows if row["id"] != gone]
    return [*rows, {"id": str(max((int(row["id"]) for row in rows), default=-1) + 1)}]


def wire_lines(page: Page, form: str) -> None:
    """The buttons that add and remove a line of the tables of ``form``."""

    def part(name: str) -> dict[str, Any]:
        return {"form": form, "param": MATCH, "part": name}

    @page.callback(
        Output(part("rows"), "rowData"), Input(part("add"), "n_clicks"), Input(part("drop"), "n_clicks"),
        State(part("rows"), "rowData"), State(part("rows"), "cellClicked"), True,
    )  # fmt: skip
    async def change(_visit: Visit, adds: int | None, drops: int | None, rows: Any, clicked: Any) -> Any:
        if not adds and not drops:
            return no_update
        drop = isinstance(ctx.triggered_id, dict) and ctx.triggered_id.get("part") == "drop"
        return changed_lines(rows or [], clicked or {}, drop=drop)
