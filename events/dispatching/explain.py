"""Where a case should go, and whether it went there for the reasons it keeps: routing asked again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.records import JSON, Record
from events.cases.drafts import Route
from events.correlation.happening import happening_of
from events.dispatching.duty_roster import to_person
from events.dispatching.routing import RoutingFacts, RoutingTable, fingerprint, recompute, route
from events.rules.rulebook import Rulebook
from events.taxonomy.codesets import as_current
from storage.tables.cases import Case
from storage.tables.registry import Department, Site


class Advice(Record, frozen=True, omit_defaults=False):
    """``stored``: the steps the case keeps, [] when people decided.  ``again``: the same facts, by today's table.

    ``same``: both say the same; when not, ``table_changed`` or a department that is no longer there is why.
    ``suggestion``: where the case as it is now would go.
    """

    stored: list[dict[str, JSON]]
    again: list[dict[str, JSON]]
    same: bool | None
    table_changed: bool
    suggestion: Route


def advise(session: Session, case: Case, book: Rulebook, table: RoutingTable, now: datetime) -> Advice:
    """The routing of ``case`` asked again, and a suggestion for it as it stands."""
    departments = set(session.scalars(select(Department.department_id)))
    stored = list((case.why or {}).get("routing", []))
    again = list(recompute(stored, table, departments).steps) if stored else []
    marks = {step.get("table") for step in stored if step.get("step") == "facts"}
    return Advice(
        stored=stored,
        again=again,
        same=_plain(stored) == _plain(again) if stored else None,
        table_changed=bool(stored) and marks != {fingerprint(table)},
        suggestion=suggest(session, case, book, table, departments, now),
    )


def suggest(
    session: Session, case: Case, book: Rulebook, table: RoutingTable, departments: set[str], now: datetime
) -> Route:
    """Where ``case`` would go now: by class, place, time, and who is on duty there."""
    site = session.get(Site, case.site_id) if case.site_id else None
    facts = RoutingFacts(
        happening=happening_of(case, book),
        class_code=as_current(case.class_code, case.class_version),
        kind=case.kind,
        severity=case.severity,
        division_code=case.division_code,
        site_department=site.department_id if site is not None else None,
        local_time=now.astimezone(BEIJING).strftime("%H:%M"),
    )
    return to_person(session, route(facts, table, departments), now)


def _plain(steps: list[dict[str, JSON]]) -> list[dict[str, JSON]]:
    """Steps without the table's mark."""
    return [{k: v for k, v in step.items() if k != "table"} for step in steps]
