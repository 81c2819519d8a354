"""Two cases that are two happenings: said once by a person, held for good."""

from __future__ import annotations

from storage.tables.cases import Case


def declare_distinct(one: Case, other: Case, by: str, at: str, reason: str) -> None:
    """Note on both cases that they are two happenings: never proposed again, never joined by the system."""
    for case, mate in ((one, other), (other, one)):
        why = dict(case.why or {})
        entry = {"number": mate.number, "by": by, "at": at, "reason": reason}
        case.why = why | {"distinct": {**why.get("distinct", {}), mate.case_id: entry}}
