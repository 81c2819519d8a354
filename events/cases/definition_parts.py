"""The records that a case definition is made of; docs/case-engine.md says what each field means."""

from __future__ import annotations

from core.legal_time.limits import Limit
from core.records import JSON, Record

REMEMBERED = "@remembered"
NEW = "@new"  # the state of a case that is not there yet
ANY = "*"
RELATIONS = frozenset(
    {
        "any", "assigned_department", "lead_department", "unfinished_part", "unfinished_assist", "handler", "reporter",
        "own_division", "party", "asked",
    }
)  # fmt: skip
SITES = ("none", "optional", "required")
TRIGGERS = ("children_closed", "clock_ended", "at")
EffectSpec = str | dict[str, JSON]  # a name, or {"effect": name, …parameters}


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
    """A command.

    ``keep``: fields of its data that become the case's own.  ``forward``: the button that comes first; ``rare``: one
    that stands apart.  ``batch``: may be given to many cases at once.
    """

    name: dict[str, str]
    moves: tuple[Move, ...]
    who: tuple[Who, ...]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    clocks: ClockMoves = ClockMoves()
    effects: tuple[EffectSpec, ...] = ()
    guards: tuple[dict[str, JSON], ...] = ()
    approval: str = ""
    keep: tuple[str, ...] = ()
    forward: bool = False
    rare: bool = False
    batch: bool = False

    @property
    def effect_names(self) -> tuple[str, ...]:
        return tuple(effect_name(each) for each in self.effects)


class ClockSpec(Record, frozen=True):
    """``from_class``: the case's own limit (of its class or draft) goes before ``limit``.

    ``field``: the case's own field that holds such a limit (the legal one beside the promised).
    ``part``: each part that is given out gets a clock of its own (``lead``, ``assist`` or ``*``); "": the case has one.
    ``remind``: when those who must meet it are told, before its definition's; in the clock's own unit: ``-1 work_day``.
    """

    limit: Limit
    from_class: bool = False
    field: str = ""
    part: str = ""
    remind: tuple[str, ...] | None = None
    name: dict[str, str] = {}


class Approval(Record, frozen=True):
    """Levels of approval, each by somebody else; ``then`` what happens after the last."""

    levels: tuple[tuple[Who, ...], ...]
    then: dict[str, tuple[str, ...]] = {}


class Arbiter(Record, frozen=True):
    roles: tuple[str, ...]
    name: dict[str, str]


class Notify(Record, frozen=True):
    """Who is told when.

    ``on``: commands, or states that are entered.  ``to``: ``turn``, a relation, ``role:R``, ``department:D``,
    ``user:U``, ``arbiter``, ``children`` … or a line of who.  ``text``: zh and en, with ``{title}``, ``{number}``,
    ``{state}``, ``{reason}`` and the command's fields.  ``channel`` empty: all that are switched on.
    """

    on: tuple[str, ...]
    to: tuple[str | Who, ...]
    channel: tuple[str, ...] = ()
    text: dict[str, str] = {}
    kind: str = ""


class Trigger(Record, frozen=True, rename={"from_": "from"}):
    """The platform gives ``command`` itself.

    ``on``: ``children_closed``; ``clock_ended`` (of ``clock``); ``at`` the time in the case's field ``field``.
    ``from`` (states; empty: wherever the command is possible).
    """

    on: str
    command: str
    clock: str = ""
    field: str = ""
    from_: tuple[str, ...] = ()
    data: dict[str, JSON] = {}


class RouteLine(Record, frozen=True):
    """The first line all of whose ``when`` hold decides: fact → value or list of values; a division is a prefix.

    ``user`` may be ``${grid_leader}``: the grid worker of the place, where there is one.
    """

    lead: str
    user: str = ""
    when: dict[str, JSON] = {}
    duty: str = ""
    assisting: tuple[dict[str, JSON], ...] = ()


class Counting(Record, frozen=True):
    """What indicators count of this kind.  ``on_time``: the clock that must be met; ``guards``: which apply."""

    handled: tuple[str, ...] = ()
    on_time: str = ""
    guards: tuple[str, ...] = ()


class Recheck(Record, frozen=True):
    """``state``: where cameras and sensors are asked again; the commands for what they answer.

    ``finished``: the command that brought it there.  ``advice_from``: from this severity on (and for ``advice_kinds``)
    their word is advice to a person.  ``relapse_s``: within this time after closing (in a state of
    ``relapse_from``; empty: any) the same case is opened again, by ``relapse``.
    """

    state: str
    clear: str
    standing: str
    person: str
    finished: str = ""
    close: str = ""
    advice_from: int = 5
    advice_kinds: tuple[str, ...] = ()
    relapse: str = ""
    relapse_from: tuple[str, ...] = ()
    relapse_s: float = 0.0


class Numbering(Record, frozen=True):
    """``prefix`` before the date; ``series``: ``day`` or ``year``, each counted apart for each prefix."""

    prefix: str = ""
    series: str = "day"


def effect_name(effect: EffectSpec) -> str:
    """The effect's name, however it is written."""
    return effect if isinstance(effect, str) else str(effect.get("effect", "?"))


def effect_params(effect: EffectSpec) -> dict[str, JSON]:
    """Its parameters, {} for a bare name."""
    return {} if isinstance(effect, str) else {k: v for k, v in effect.items() if k != "effect"}
