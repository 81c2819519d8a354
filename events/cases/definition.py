"""Case definitions: stages, states, commands, who may, forms, guards, clocks — data, never code.

A definition is a JSON file in ``events/definitions/``; docs/case-engine.md lists its fields.  What makes one valid is
in :mod:`events.cases.definition_check`.
"""

from __future__ import annotations

from functools import cached_property

from jsonschema import Draft202012Validator

from core.legal_time.limits import Limit
from core.records import JSON, Record

REMEMBERED = "@remembered"
NEW = "@new"  # the state of a case that is not there yet
ANY = "*"
RELATIONS = frozenset(
    {"any", "assigned_department", "lead_department", "handler", "reporter", "own_division", "party", "asked"}
)
# Fields that every command may carry: where and when a phone without network recorded it, and a remark.
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


class Stage(Record, frozen=True):
    id: str
    name: dict[str, str]


class Who(Record, frozen=True, rename={"from_": "from"}):
    """Any of ``roles`` (empty: all) who stands in ``relation`` to the case, in the states ``from`` (empty: all)."""

    roles: tuple[str, ...] = ()
    relation: str = "any"
    from_: tuple[str, ...] = ()


class State(Record, frozen=True):
    """``turn``: who is expected to act; None: everybody who may give a command that changes the state."""

    stage: str
    name: dict[str, str]
    open: bool = True
    turn: tuple[Who, ...] | None = None


class Move(Record, frozen=True, rename={"from_": "from"}):
    """``to`` None: the state stays.  ``part``: only for an actor whose department has that part (lead, assist)."""

    from_: tuple[str, ...]
    to: str | None = None
    part: str = ""
    part_state: str = ""


class ClockMoves(Record, frozen=True):
    """What a command does to clocks; ``part`` limits it to moves of that part.

    ``deed``: the command reports a fact (work done, a case taken on).  Where the phone that reports it later is
    believed (:mod:`core.deed`), clocks stop at the time of the deed; a declaration counts when it arrives.
    """

    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    suspend: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    reopen: tuple[str, ...] = ()
    part: str = ""
    deed: bool = False


class CommandSpec(Record, frozen=True):
    name: dict[str, str]
    moves: tuple[Move, ...]
    who: tuple[Who, ...]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    clocks: ClockMoves = ClockMoves()
    effects: tuple[str, ...] = ()
    guards: tuple[dict[str, JSON], ...] = ()
    approval: str = ""


class ClockSpec(Record, frozen=True):
    """``from_class``: the case's own limit (of its class or draft) goes before ``limit``."""

    limit: Limit
    from_class: bool = False


class Approval(Record, frozen=True):
    """Levels of approval, each by somebody else; ``then`` what happens after the last."""

    levels: tuple[tuple[Who, ...], ...]
    then: dict[str, tuple[str, ...]] = {}


class Arbiter(Record, frozen=True):
    roles: tuple[str, ...]
    name: dict[str, str]


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

    def form(self, command: str) -> dict[str, JSON]:
        """The JSON Schema of a command's data."""
        spec = self.commands[command]
        names = (*spec.required, *spec.optional)
        return {
            "type": "object",
            "required": list(spec.required),
            "properties": {**COMMON_FIELDS, **{n: self.fields[n] for n in names}},
            "additionalProperties": False,
        }

    def validator(self, command: str) -> Draft202012Validator:
        """The compiled form of ``command``, made when first needed."""
        made = self._validators
        if command not in made:
            made[command] = Draft202012Validator(self.form(command))
        return made[command]

    @cached_property
    def _validators(self) -> dict[str, Draft202012Validator]:
        return {}

    @cached_property
    def windows(self) -> frozenset[str]:
        """Clocks within which something may be done, and which end without anybody being late."""
        guards = (guard for spec in self.commands.values() for guard in spec.guards)
        return frozenset(str(g["clock"]) for g in guards if g.get("guard") == "within_clock" and "clock" in g)
