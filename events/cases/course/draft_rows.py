"""From a draft to the rows of a new case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.records import SYSTEM, Actor, GeoPoint
from events.cases.definition import Definition
from events.cases.drafts import CaseDraft
from events.cases.grid import locate
from events.cases.transition import add_evidence
from storage.tables.cases import Case, CaseObservation, CaseParty
from storage.tables.registry import Site

_COPIED = (
    "class_code", "class_version", "kind", "description", "source_type", "source_id", "site_id", "confidence",
    "happening_key", "parent_case_id",
)  # fmt: skip


def case_of(session: Session, draft: CaseDraft, definition: Definition, actor: Actor, now: datetime) -> Case:
    """The case in its first state, with division and grid cell; its id and number are still to be given."""
    division, grid = draft.division_code, draft.grid_code
    point = _place(session, draft)
    if point is not None and (division is None or grid is None):
        found_division, found_grid = locate(session, point)
        division, grid = division or found_division, grid or found_grid
    return Case(
        **{name: getattr(draft, name) for name in _COPIED},
        definition_id=definition.definition_id,
        definition_version=definition.version,
        stage=definition.states[definition.initial].stage,
        state=definition.initial,
        open=True,
        version=0,
        severity=int(draft.severity),
        title=draft.title[:200],
        lon=point.lon if point else None,
        lat=point.lat if point else None,
        division_code=division,
        grid_code=grid,
        confidential=draft.confidential or definition.confidential,
        reporter_id=None if actor.user_id == SYSTEM.user_id else actor.user_id,
        opened_at=now,
        updated_at=now,
        form=dict(draft.form),
        bounces=0,
        reworks=0,
        reopened=0,
        urged=0,
    )


def add_belongings(session: Session, case: Case, draft: CaseDraft, actor: Actor, now: datetime) -> None:
    """Evidence, observations and parties that the draft brings."""
    for ref in draft.evidence:
        add_evidence(session, case.case_id, ref, "finding", actor.user_id, now)
    for observation_id in dict.fromkeys(draft.observation_ids):
        session.add(
            CaseObservation(case_id=case.case_id, observation_id=observation_id, linked_at=now, score=1.0, reason={})
        )
    for user_id in dict.fromkeys(draft.parties):
        session.add(CaseParty(case_id=case.case_id, user_id=user_id, role="party", added_at=now))


def _place(session: Session, draft: CaseDraft) -> GeoPoint | None:
    if draft.location is not None:
        return draft.location
    site = session.get(Site, draft.site_id) if draft.site_id else None
    if draft.site_id and site is None:
        raise NotFound(what="site", key=draft.site_id)
    return GeoPoint(lon=site.lon, lat=site.lat) if site is not None else None


def draft_of(definition: Definition, data: dict[str, Any]) -> CaseDraft:
    """A reported case as a draft; fields of the definition's own go into its form."""
    known = {f.name for f in msgspec.structs.fields(CaseDraft)}
    own = {k: v for k, v in data.items() if k in known and k not in ("auto_register", "route", "why") and v is not None}
    rest = {k: v for k, v in data.items() if k not in known and k != "why"}
    try:
        return msgspec.convert(
            {**own, "definition_id": definition.definition_id, "form": {**own.get("form", {}), **rest}}, CaseDraft
        )
    except msgspec.ValidationError as error:
        raise InputInvalid(field="report", detail=str(error), how="send the fields of the report form") from error


def check_place(definition: Definition, draft: CaseDraft) -> None:
    """A kind of case may want a place, or have none."""
    if definition.sites == "required" and draft.location is None and not draft.site_id:
        raise InputInvalid(field="location", detail="is missing", how="say where it is: location or site_id")
