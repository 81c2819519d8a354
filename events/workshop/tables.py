"""A definition as the tables that people edit, and the tables as a definition again.  Pure.

    tables = tables_of(body)          # {"stages": [row, …], "states": …, "commands": …, "fields": …, "clocks": …,
                                      #  "notify": …, "triggers": …, "routes": …, "templates": …}: cells are texts
                                      #  (see notation) or true/false
    body, unread = body_of(tables, settings, base)

``unread`` are the cells that could not be read, as problems with table, row and field.  What has no table (approvals,
visibility, counting …) is the JSON of ``settings["further"]``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from events.cases.definition_problems import DefinitionProblem, problem
from events.workshop import field_rows
from events.workshop import notation as n

Row = dict[str, Any]
TABLES = ("stages", "states", "commands", "fields", "clocks", "notify", "triggers", "routes", "templates")
FURTHER = (
    "approvals", "automatic", "visibility", "arbiter", "counting", "recheck", "documents", "words", "forms",
)  # fmt: skip
FLAGS = ("forward", "rare", "batch")
_TITLED = ("zh", "en")


def tables_of(body: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Rows of each table of a definition's long form."""
    clocks = body.get("clocks") or {}
    return {
        "stages": [{"name": each["id"], **_title(each.get("name"))} for each in body.get("stages") or ()],
        "states": [_state_row(name, each) for name, each in (body.get("states") or {}).items()],
        "commands": [_command_row(name, each) for name, each in (body.get("commands") or {}).items()],
        "fields": [field_rows.row_of(name, each) for name, each in (body.get("fields") or {}).items()],
        "clocks": [_clock_row(name, each) for name, each in clocks.items()],
        "notify": [_notice_row(each) for each in body.get("notify") or ()],
        "triggers": [_trigger_row(each) for each in body.get("triggers") or ()],
        "routes": [_route_row(each) for each in body.get("routes") or ()],
        "templates": [_template_row(name, each) for name, each in (body.get("templates") or {}).items()],
    }


def settings_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is no table."""
    numbering = body.get("numbering") or {}
    return {
        **_title(body.get("name")), "initial": body.get("initial", ""), "source": body.get("source", ""),
        "prefix": numbering.get("prefix", ""), "series": numbering.get("series", "day"),
        "sites": body.get("sites", "optional"), "correlate": bool(body.get("correlate", True)),
        "confidential": bool(body.get("confidential", False)), "bounce_limit": int(body.get("bounce_limit", 3)),
        "shown_clock": ", ".join(body.get("shown_clock") or ()), "remind": n.optional_text(body.get("remind")),
        "further": json.dumps({k: body[k] for k in FURTHER if body.get(k)}, ensure_ascii=False, indent=1),
    }  # fmt: skip


def body_of(
    tables: Mapping[str, Iterable[Row]], settings: Mapping[str, Any], base: Mapping[str, Any]
) -> tuple[dict[str, Any], list[DefinitionProblem]]:
    """The definition's long form of ``tables`` over ``base`` (id, version), and the cells that could not be read."""
    reader = _Reader()
    states = reader.table("states", tables.get("states", ()), _STATE)
    fields = {name: field_rows.field_of(row, reader.cell) for name, row in reader.named("fields", tables)}
    further = reader.cell("further", n.object_of, str(settings.get("further") or ""), {})
    for key in further:
        if key not in FURTHER:
            reader.unread.append(problem("further", "not_readable", detail=f"{key!r} is none of {', '.join(FURTHER)}"))
    body = {
        **{key: base[key] for key in ("definition_id", "version") if key in base},
        "name": _words(settings), "source": str(settings.get("source") or ""),
        "stages": [{"id": name, "name": _words(row)} for name, row in reader.named("stages", tables)],
        "states": states, "initial": str(settings.get("initial") or "").strip(),
        "commands": reader.table("commands", tables.get("commands", ()), _COMMAND), "fields": fields,
        "clocks": reader.table("clocks", tables.get("clocks", ()), _CLOCK),
        **{
            table: [reader.row(f"{table}/{at}", row, cells) for at, row in enumerate(tables.get(table, ()))]
            for table, cells in (("notify", _NOTICE), ("triggers", _TRIGGER), ("routes", _ROUTE))
        },
        "templates": reader.table("templates", tables.get("templates", ()), _TEMPLATE),
        **_numbering(settings),
        "sites": settings.get("sites") or "optional", "correlate": bool(settings.get("correlate", True)),
        "confidential": bool(settings.get("confidential")), "bounce_limit": int(settings.get("bounce_limit") or 3),
        "shown_clock": reader.cell("shown_clock", n.names, str(settings.get("shown_clock") or ""), []),
        "remind": reader.cell("remind", n.optional_list, str(settings.get("remind") or ""), None),
        **{key: value for key, value in further.items() if key in FURTHER},
    }  # fmt: skip
    return body, reader.unread


def _numbering(settings: Mapping[str, Any]) -> Row:
    prefix, series = str(settings.get("prefix") or "").strip(), settings.get("series") or "day"
    return {"numbering": {"prefix": prefix, "series": series}} if prefix or series != "day" else {}


class _Reader:
    """Reads cells; what cannot be read is noted, the rest goes on."""

    def __init__(self) -> None:
        self.unread: list[DefinitionProblem] = []

    def cell(self, where: str, read: Callable[[str], Any], text: str, empty: Any) -> Any:
        try:
            return read(text)
        except n.CellUnreadable as error:
            self.unread.append(problem(where, "not_readable", detail=error))
            return empty

    def named(self, table: str, tables: Mapping[str, Iterable[Row]]) -> list[tuple[str, Row]]:
        """Rows by name; doubles and rows without one are problems."""
        return self._named(table, tables.get(table, ()))

    def _named(self, table: str, rows: Iterable[Row]) -> list[tuple[str, Row]]:
        found: dict[str, Row] = {}
        for at, row in enumerate(rows):
            name = str(row.get("name") or "").strip()
            if not name or name in found:
                detail = f"{name!r} is there twice" if name else f"row {at + 1} has no name"
                self.unread.append(problem(f"{table}/{name or at + 1}/name", "not_readable", detail=detail))
                continue
            found[name] = row
        return list(found.items())

    def table(self, table: str, rows: Iterable[Row], cells: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.row(f"{table}/{name}", row, cells) for name, row in self._named(table, rows)}

    def row(self, where: str, row: Row, cells: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, (column, read, empty) in cells.items():
            if read is bool:
                found[key] = _true(row.get(column))
            elif read is dict:
                found[key] = _words(row)
            else:
                found[key] = self.cell(f"{where}/{column}", read, str(row.get(column) or ""), empty)
        if "clocks" in found and not any(found["clocks"].values()):
            found.pop("clocks")  # what moves nothing is not written
        return found


def _true(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("true", "1", "yes", "是")


def _words(row: Mapping[str, Any]) -> dict[str, str]:
    return {code: text for code in _TITLED if (text := str(row.get(code) or "").strip())}


def _title(words: Mapping[str, str] | None) -> Row:
    return {code: (words or {}).get(code, "") for code in _TITLED}


def _turn(text: str) -> list[dict[str, Any]] | None:
    return [] if text.strip() in (n.NOBODY, "-", "–") else n.who_lines(text) or None


_STATE = {
    "stage": ("stage", str.strip, ""), "name": ("", dict, {}), "open": ("open", bool, True),
    "turn": ("turn", _turn, None),
}  # fmt: skip
_COMMAND = {
    "name": ("", dict, {}), "moves": ("moves", n.moves, []), "who": ("who", n.who_lines, []),
    "required": ("required", n.names, []), "optional": ("optional", n.names, []),
    "clocks": ("clocks", n.clock_moves, {}), "effects": ("effects", lambda text: n.verbs(text, "effect"), []),
    "guards": ("guards", lambda text: n.verbs(text, "guard"), []), "approval": ("approval", str.strip, ""),
    "keep": ("keep", n.names, []), **{flag: (flag, bool, False) for flag in FLAGS},
}  # fmt: skip
_CLOCK = {
    "limit": ("limit", n.limit, {"value": 1.0, "unit": "work_day"}), "from_class": ("from_class", bool, False),
    "part": ("part", str.strip, ""), "field": ("field", str.strip, ""), "remind": ("remind", n.optional_list, None),
    "name": ("", dict, {}),
}  # fmt: skip
_NOTICE = {
    "on": ("on", n.names, []), "to": ("to", n.recipients, []), "channel": ("channel", n.names, []),
    "text": ("", dict, {}), "kind": ("kind", str.strip, ""),
}  # fmt: skip


_TRIGGER = {
    "on": ("on", str.strip, ""), "command": ("command", str.strip, ""), "clock": ("clock", str.strip, ""),
    "field": ("field", str.strip, ""), "from": ("from", n.names, []), "data": ("data", n.object_of, {}),
}  # fmt: skip
_ROUTE = {
    "when": ("when", n.object_of, {}), "lead": ("lead", str.strip, ""), "user": ("user", str.strip, ""),
    "duty": ("duty", str.strip, ""), "assisting": ("assisting", n.objects_of, []),
}  # fmt: skip
_TEMPLATE = {
    "title": ("title", str.strip, ""), "prefix": ("prefix", str.strip, ""),
    "text": ("text", str.splitlines, []), "seal": ("seal", str.strip, ""),
}  # fmt: skip


def _state_row(name: str, state: Mapping[str, Any]) -> Row:
    turn = state.get("turn")
    text = "" if turn is None else n.who_text(turn) or n.NOBODY
    return {"name": name, **_title(state.get("name")), "stage": state.get("stage", ""),
            "open": bool(state.get("open", True)), "turn": text}  # fmt: skip


def _command_row(name: str, spec: Mapping[str, Any]) -> Row:
    return {
        "name": name, **_title(spec.get("name")), "moves": n.moves_text(spec.get("moves") or ()),
        "who": n.who_text(spec.get("who") or ()),
        **{key: ", ".join(spec.get(key) or ()) for key in ("required", "optional", "keep")},
        "clocks": n.clock_moves_text(spec.get("clocks") or {}),
        "effects": n.verbs_text(spec.get("effects") or (), "effect"),
        "guards": n.verbs_text(spec.get("guards") or (), "guard"), "approval": spec.get("approval", ""),
        **{flag: bool(spec.get(flag)) for flag in FLAGS},
    }  # fmt: skip


def _clock_row(name: str, spec: Mapping[str, Any]) -> Row:
    limit = spec["limit"]
    return {
        "name": name, **_title(spec.get("name")), "limit": f"{limit['value']:g} {limit['unit']}",
        "from_class": bool(spec.get("from_class")), "part": spec.get("part", ""), "field": spec.get("field", ""),
        "remind": n.optional_text(spec.get("remind")),
    }  # fmt: skip


def _notice_row(line: Mapping[str, Any]) -> Row:
    return {
        "on": ", ".join(line.get("on") or ()), "to": n.recipients_text(line.get("to") or ()),
        "channel": ", ".join(line.get("channel") or ()), **_title(line.get("text")), "kind": line.get("kind", ""),
    }  # fmt: skip


def _trigger_row(line: Mapping[str, Any]) -> Row:
    return {
        **{key: line.get(key, "") for key in ("on", "command", "clock", "field")},
        "from": ", ".join(line.get("from") or ()), "data": _json(line.get("data")),
    }  # fmt: skip


def _route_row(line: Mapping[str, Any]) -> Row:
    return {
        "when": _json(line.get("when")), **{key: line.get(key, "") for key in ("lead", "user", "duty")},
        "assisting": _json(line.get("assisting")),
    }  # fmt: skip


def _template_row(name: str, template: Mapping[str, Any]) -> Row:
    text = "\n".join(str(line) for line in template.get("text") or ())
    return {"name": name, **{key: template.get(key, "") for key in ("title", "prefix", "seal")}, "text": text}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""
