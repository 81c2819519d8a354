"""What an expression sees while it is evaluated, and which names it may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.forms.dates import PlainWorkDays, WorkDays

Labels = Callable[[str | None, str], str]  # (question or None, chosen name) → label


def _same(_question: str | None, name: str) -> str:
    return name


@dataclass(frozen=True)
class Scope:
    """``values`` are the form's answers by question name (a question inside a repeat: the list of its rows' values; a
    repeat: the list of its rows).  ``rows`` are the rows around the expression, innermost first.

    ``today`` is an ISO date, from the server's zone; ``columns`` the choice a filter looks at; ``dot`` this answer.
    """

    values: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...] = ()
    dot: Any = None
    today: str = ""
    calendar: WorkDays = field(default_factory=PlainWorkDays)
    columns: Mapping[str, Any] = field(default_factory=dict)
    labels: Labels = _same

    def lookup(self, name: str) -> Any:
        """The value called ``name``: of the innermost row that has it, else of the form; None when unanswered."""
        for row in self.rows:
            if name in row:
                return row[name]
        return self.values.get(name)


@dataclass(frozen=True)
class Names:
    """Which references an expression may use.

    ``values`` are questions, ``repeats`` are names of repeats, ``ambiguous`` stand for several questions, ``columns``
    are the columns of the choices (choice filters only).
    """

    values: frozenset[str] = frozenset()
    repeats: frozenset[str] = frozenset()
    ambiguous: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()
