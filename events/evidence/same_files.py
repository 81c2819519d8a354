"""The very same photograph sent to a second case: shown, never refused (one picture may prove two things)."""

from __future__ import annotations

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from core.records import Actor
from events.cases.access import visible_cases
from storage.tables.cases import Case, CaseEvidence

MAX_SHOWN = 200  # numbers of other cases


def same_files(
    session: Session, actor: Actor, uris: set[str], own: set[str]
) -> tuple[dict[str, int], dict[str, list[str]]]:
    """The very same files in other cases: how many cases by uri, and the numbers of those that ``actor`` may see."""
    count: dict[str, int] = {}
    shown: dict[str, list[str]] = {}
    for some in (sorted(uris)[n : n + 200] for n in range(0, len(uris), 200)):
        others = and_(CaseEvidence.uri.in_(some), CaseEvidence.case_id.not_in(own))
        query = select(CaseEvidence.uri, func.count(CaseEvidence.case_id.distinct())).where(others)
        for uri, number in session.execute(query.group_by(CaseEvidence.uri)):
            count[uri] = number
        if count:
            named = select(CaseEvidence.uri, Case.number).join(Case, Case.case_id == CaseEvidence.case_id)
            named = named.where(others, visible_cases(actor)).distinct().order_by(Case.number).limit(MAX_SHOWN)
            for uri, case_number in session.execute(named):
                shown.setdefault(uri, []).append(case_number)
    return count, shown
