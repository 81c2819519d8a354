"""What somebody who opens a case hands in: a rule, a person, another platform."""

from __future__ import annotations

from core.legal_time.limits import Limit
from core.records import JSON, EvidenceRef, GeoPoint, Record, Severity


class Part(Record, frozen=True):
    """A department's part in a case."""

    department_id: str
    duty: str = ""
    user_id: str | None = None
    after: str = ""  # the department whose part comes first
    limit: Limit | None = None  # of this part's own clock


class Route(Record, frozen=True):
    """Where a case goes: the lead department, the assisting ones, and why (routing steps)."""

    lead: Part
    assisting: tuple[Part, ...] = ()
    steps: tuple[dict[str, JSON], ...] = ()


class CaseDraft(Record, frozen=True):
    """A case that somebody wants opened.

    ``definition_id``: which kind of file it is.  ``auto_register`` / ``route``: the opener is sure enough that
    the file is registered, and dispatched along ``route``, at once (by ``system``), if the definition allows it.
    ``limit``: handling limit; None takes the class's, then the definition's.
    ``parties``: user ids of the parties of a confidential case.  ``form``: the definition's own fields.
    """

    title: str
    definition_id: str = "city_management"
    kind: str = ""  # observation kind it grew from
    class_code: str = ""  # event-05-06, component-01-01; see docs/case-engine.md
    class_version: str = "2013"
    severity: Severity = Severity.BLUE
    description: str = ""
    site_id: str | None = None
    location: GeoPoint | None = None
    division_code: str | None = None  # found from the location when not given
    grid_code: str | None = None
    source_type: str = ""  # camera, device, drone, citizen, platform
    source_id: str = ""
    confidence: float | None = None
    happening_key: str | None = None
    observation_ids: tuple[str, ...] = ()
    evidence: tuple[EvidenceRef, ...] = ()
    limit: Limit | None = None
    auto_register: bool = False
    route: Route | None = None
    confidential: bool = False
    parties: tuple[str, ...] = ()
    parent_case_id: str | None = None
    form: dict[str, JSON] = {}
    why: dict[str, JSON] = {}  # observation, rule, merge: what made the opener open it
