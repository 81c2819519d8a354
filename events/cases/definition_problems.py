"""What is wrong with a case definition, as codes with values: where (table, row, field), which fault, which word."""

from __future__ import annotations

from core.records import Record

TEXTS: dict[str, str] = {
    "too_long": "{what} {name!r} has more than {most} characters",
    "stage_unknown": "state {state!r} has unknown stage {name!r}",
    "initial_unknown": "initial state {name!r} does not exist",
    "shown_clock_unknown": "shown_clock: unknown clock {name!r}",
    "automatic_unknown": "automatic {key!r}: {name!r} does not exist",
    "state_unknown": "unknown state {name!r}",
    "field_unknown": "unknown field {name!r}",
    "keep_unknown": "keep: unknown field {name!r}",
    "effect_unknown": "unknown effect {name!r}",
    "spawn_nameless": "effect spawn names no definition",
    "template_unknown": "effect issue: unknown template {name!r}",
    "clock_unknown": "unknown clock {name!r}",
    "approval_unknown": "unknown approval {name!r}",
    "guard_unknown": "unknown guard {name!r}",
    "guard_clock_unknown": "guard {guard}: unknown clock {name!r}",
    "guard_incomplete": "guard {guard}: {name!r} is missing",
    "guard_field_unknown": "guard {guard}: unknown field {name!r}",
    "guard_document_unknown": "guard {guard}: unknown document {name!r}",
    "guard_expression": "guard holds: {detail}",
    "relation_unknown": "unknown relation {name!r}",
    "role_unknown": "unknown role {name!r}",
    "notice_on_unknown": "{name!r} is no command or state",
    "notice_to_unknown": "nobody is meant by {name!r}",
    "trigger_unknown": "{name!r} is none of {known}",
    "command_unknown": "unknown command {name!r}",
    "reminder_invalid": "{name!r} is no reminder such as -1 {unit}",
    "sites_unknown": "sites: {name!r} is none of {known}",
    "part_unknown": "part {name!r} is none of {known}",
    "counting_unknown": "counting: unknown clock {name!r}",
    "recheck_state_unknown": "recheck: unknown state {name!r}",
    "recheck_command_unknown": "recheck: unknown command {name!r}",
    "form_command_unknown": "forms: unknown command {name!r}",
    "form_wrong": "its form, {at}: {detail}",
    "dead_end": "state {name!r} is open and can never end: no command leads from it to a closed state",
    "kind_unknown": "effect spawn: there is no kind of case {name!r}",
    "report_missing": "there is no command 'report': nobody could begin a case of this kind",
    "not_readable": "{detail}",
}
_PLACES = {"commands": "command {0!r}: ", "clocks": "clock {0!r}: ", "notify": "notify[{0}]: ",
           "triggers": "triggers[{0}]: "}  # fmt: skip
_SELF_NAMED = frozenset(("too_long", "stage_unknown", "dead_end"))


class DefinitionProblem(Record, frozen=True):
    """``where``: ``commands/accept/moves``, ``states/sent/turn``, ``notify/0/to``, ``initial``.  ``code``: of
    :data:`TEXTS`, with its ``values``; pages word it in their language."""

    where: str
    code: str
    values: dict[str, str] = {}

    @property
    def row(self) -> tuple[str, str, str]:
        """(table, row, field); what is missing is empty."""
        table, _, rest = self.where.partition("/")
        row, _, field = rest.partition("/")
        return table, row, field

    @property
    def text(self) -> str:
        """In English, with its place before it."""
        table, row, field = self.row
        place = "" if self.code in _SELF_NAMED else _PLACES.get(table, "").format(row)
        if table == "states" and field == "turn":
            place = f"state {row!r}, turn: "
        if self.code == "reminder_invalid" and table == "remind":
            place = "remind: "
        return place + TEXTS[self.code].format_map(self.values)


def problem(where: str, code: str, **values: object) -> DefinitionProblem:
    """One problem; values become texts."""
    return DefinitionProblem(where=where, code=code, values={key: str(value) for key, value in values.items()})
