"""Case definitions: stages, states, commands, who may, forms, guards, clocks — data, never code.

A definition is a JSON file in ``events/definitions/``; docs/case-engine.md lists its fields.  What makes one valid is
in :mod:`events.cases.definition_check`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from core.forms.from_schema import fields_of_form, form_of_fields
from core.forms.model import form_json, parse_form
from core.late import Late
from core.records import JSON, Record
from events.cases.definition_parts import (
    ANY,
    NEW,
    RELATIONS,
    REMEMBERED,
    Approval,
    Arbiter,
    ClockMoves,
    ClockSpec,
    CommandSpec,
    Counting,
    Move,
    Notify,
    Numbering,
    Recheck,
    RouteLine,
    Stage,
    State,
    Trigger,
    Who,
)  # fmt: skip

if TYPE_CHECKING:
    import jsonschema
else:
    jsonschema = Late("jsonschema")

__all__ = [
    "ANY", "COMMON_FIELDS", "NEW", "RELATIONS", "REMEMBERED", "ClockMoves", "CommandSpec", "Definition", "Move", "Who",
]  # fmt: skip

# Fields that every command may carry: where and when a phone without network recorded it, and a remark.
OWN_KEYS = ("title", "choices", "hint")  # of a field, in both languages; no JSON Schema
COMMON_FIELDS: dict[str, JSON] = {
    "comment": {"type": "string", "maxLength": 2000},
    "location": {
        "type": ["object", "null"],
        "required": ["lon", "lat"],
        "properties": {
            "lon": {"type": "number", "minimum": -180, "maximum": 180},
            "lat": {"type": "number", "minimum": -90, "maximum": 90},
            "accuracy_m": {"type": ["number", "null"], "minimum": 0, "maximum": 5000},
        },
    },
    "recorded_at": {"type": ["string", "null"], "maxLength": 40},
    "why": {"type": "object"},
}


class Definition(Record, frozen=True, dict=True):
    """One kind of case.  ``automatic``: commands that ``system`` gives for a draft that is sure enough."""

    definition_id: str
    version: int
    name: dict[str, str]
    stages: tuple[Stage, ...]
    states: dict[str, State]
    initial: str
    commands: dict[str, CommandSpec]
    fields: dict[str, dict[str, JSON]]
    clocks: dict[str, ClockSpec]
    approvals: dict[str, Approval] = {}
    automatic: dict[str, str] = {}
    visibility: dict[str, tuple[Who, ...]] = {}
    bounce_limit: int = 3
    arbiter: Arbiter | None = None
    confidential: bool = False  # every case of this kind is
    source: str = ""
    shown_clock: tuple[str, ...] = ()  # kinds; the first that runs is shown and warned of
    notify: tuple[Notify, ...] = ()
    remind: tuple[str, ...] | None = None  # in the shown clock's unit; None: an hour and a quarter before, at, after
    triggers: tuple[Trigger, ...] = ()
    routes: tuple[RouteLine, ...] = ()
    counting: Counting | None = None
    recheck: Recheck | None = None
    numbering: Numbering = Numbering()
    sites: str = "optional"
    correlate: bool = True  # False: a report is never held against other open cases
    documents: dict[str, dict[str, str]] = {}  # kinds of document → their names
    templates: dict[str, dict[str, JSON]] = {}  # documents that are issued: title, text with {field}, prefix
    words: dict[str, dict[str, str]] = {}  # other names that pages show: values of choices, duties
    forms: dict[str, dict[str, JSON]] = {}  # command → its whole form (docs/forms.md), questions are fields

    def form(self, command: str) -> dict[str, JSON]:
        """The JSON Schema of a command's data."""
        spec = self.commands[command]
        names = (*spec.required, *spec.optional)
        own = {n: {k: v for k, v in self.fields[n].items() if k not in OWN_KEYS} for n in names}
        return {
            "type": "object",
            "required": list(spec.required),
            "properties": {**COMMON_FIELDS, **own},
            "additionalProperties": False,
        }

    def ask(self, command: str) -> dict[str, JSON]:
        """The command's fields as a form for the one renderer, as JSON; made when first needed."""
        if command not in self._asks:
            spec = self.commands[command]
            whole = form_json(parse_form(self.forms.get(command) or {}))
            own = fields_of_form(parse_form(whole))
            before, after = ([n for n in names if n not in own] for names in (spec.required, spec.optional))
            first, last = (form_json(form_of_fields(self.fields, n, m, self.documents))
                           for n, m in ((before, ()), ((), after)))  # fmt: skip
            parts = (first, whole, last)
            lists: dict[str, JSON] = {}
            for part in (first, last, whole):
                lists |= part.get("choices", {})
            self._asks[command] = {
                **whole, "questions": [q for part in parts for q in part.get("questions", ())],
                **({"choices": lists} if lists else {}),
            }  # fmt: skip
        return self._asks[command]

    def titles(self, command: str) -> dict[str, dict[str, str]]:
        """The names of a command's fields, as far as the definition gives them."""
        spec = self.commands[command]
        return {n: self.fields[n]["title"] for n in (*spec.required, *spec.optional) if "title" in self.fields[n]}

    def choices(self, command: str) -> dict[str, dict[str, dict[str, str]]]:
        """The names of the values of a command's choices, by field."""
        spec = self.commands[command]
        return {n: self.fields[n]["choices"] for n in (*spec.required, *spec.optional) if "choices" in self.fields[n]}

    def validator(self, command: str) -> jsonschema.Draft202012Validator:
        """The compiled form of ``command``, made when first needed."""
        made = self._validators
        if command not in made:
            made[command] = jsonschema.Draft202012Validator(self.form(command))
        return made[command]

    def empty_fits(self, command: str) -> bool:
        """May ``command`` be given without any data?"""
        made = self._empty_fits
        if command not in made:
            made[command] = self.validator(command).is_valid({})
        return made[command]

    @cached_property
    def _empty_fits(self) -> dict[str, bool]:
        return {}

    @cached_property
    def turns(self) -> dict[str, tuple[Who, ...]]:
        """Who is expected to act, by state; filled by those who work it out."""
        return {}

    @cached_property
    def _validators(self) -> dict[str, jsonschema.Draft202012Validator]:
        return {}

    @cached_property
    def _asks(self) -> dict[str, dict[str, JSON]]:
        return {}

    @cached_property
    def work_clock(self) -> str:
        """The clock that the work itself must meet: of ``counting``, else the one with the class's limit."""
        if self.counting is not None and self.counting.on_time:
            return self.counting.on_time
        return next((kind for kind, spec in self.clocks.items() if spec.from_class), "")

    @cached_property
    def triggered(self) -> frozenset[str]:
        """Commands that the platform gives by itself."""
        return frozenset(trigger.command for trigger in self.triggers)

    @cached_property
    def windows(self) -> frozenset[str]:
        """Clocks within which something may be done, and which end without anybody being late."""
        guards = (guard for spec in self.commands.values() for guard in spec.guards)
        return frozenset(str(g["clock"]) for g in guards if g.get("guard") == "within_clock" and "clock" in g)
