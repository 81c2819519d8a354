"""Answers about registers and filing."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict


class RegisterRow(TypedDict):
    """A register that the person may read, with its fields."""

    register_id: str
    zh: str
    en: str
    title: Any
    facets: Any
    place: str
    key: Any
    fields: list[dict[str, Any]]


class RegisterList(TypedDict):
    """The registers that the person may read."""

    items: list[RegisterRow]
    next: None


class RecordRow(TypedDict):
    """A record, masked."""

    record_id: str
    register_id: str
    name: str
    state: str
    version: int
    division_code: str | None
    grid_code: str | None
    lon: float | None
    lat: float | None
    visit_due: str | None
    updated_at: datetime
    values: dict[str, Any]
    history: NotRequired[list[dict[str, Any]]]
    links: NotRequired[list[dict[str, Any]]]


class RecordPage(TypedDict):
    """A page of records."""

    items: list[RecordRow]
    total: int
    next: None


class CellCount(TypedDict):
    """How many records a grid cell has."""

    grid_code: str
    count: int


class CellCounts(TypedDict):
    """Records a grid cell."""

    items: list[CellCount]
    next: None


class RegisterImport(TypedDict):
    """What became of the rows of a file, and every problem by row and field."""

    run_id: str
    dry_run: bool
    rows: int
    created: int
    changed: int
    unchanged: int
    refused: int
    problems: list[dict[str, Any]]


class WholeValues(TypedDict):
    """Sensitive fields in full."""

    values: dict[str, Any]


class CorrectionState(TypedDict):
    """A proposed correction."""

    request_id: str
    state: str
    fields: NotRequired[list[str]]


class CorrectionRow(TypedDict):
    """A correction with old and new values by field."""

    request_id: str
    record_id: str
    register_id: str
    name: str
    changes: list[dict[str, Any]]
    reason: str
    asked_by: str
    asked_at: datetime
    state: str


class CorrectionList(TypedDict):
    """Corrections, oldest first."""

    items: list[CorrectionRow]
    next: None


class VisitNoted(TypedDict):
    """A visit, the day of the next one, and the case that an exception opened."""

    visit_id: str
    next_due: str | None
    case_id: str | None


class MyGrid(TypedDict):
    """The own grid: divisions, registers with counts and what is due, the forms of a visit and of a correction."""

    division: str
    divisions: list[dict[str, Any]]
    today: str
    registers: list[dict[str, Any]]


class FieldRecord(TypedDict):
    """The least of a record of the own grid."""

    record_id: str
    register_id: str
    name: str
    pinyin: str
    initials: str
    version: int
    division_code: str
    grid_code: str
    building: str
    visit_due: str | None
    lon: float | None
    lat: float | None
    about: dict[str, Any]


class FieldRecords(TypedDict):
    """A page of the own grid's records."""

    items: list[FieldRecord]
    total: int
    next: None


class BuildingInside(TypedDict):
    """A registered building: floors with households, enterprises, places and people by right (null: not readable)."""

    record_id: str
    number: str
    name: str
    matched: str
    distance_m: float | None
    values: dict[str, Any]
    floors: list[dict[str, Any]]
    held: dict[str, int]
    enterprises: list[dict[str, str]] | None
    special_places: list[dict[str, str]] | None
    people: list[dict[str, str]] | None


class Headings(TypedDict):
    """A file's headings with first values, the fields that they suggest, saved mappings that fit, and problems."""

    headings: list[dict[str, Any]]
    suggested: dict[str, str]
    saved: list[dict[str, Any]]
    geodata: bool
    problems: list[dict[str, Any]]


class SavedView(TypedDict):
    """A saved view: a list's filters under a name."""

    name: str
    filters: dict[str, Any]
    saved_at: datetime


class SavedViews(TypedDict):
    """The person's own views of a register, by name."""

    items: list[SavedView]
    next: None


class MappingRow(TypedDict):
    """A file's headings mapped onto fields, under a name."""

    name: str
    mapping: dict[str, str]
    saved_by: str
    saved_at: datetime


class MappingList(TypedDict):
    """Saved mappings of a register, the latest first."""

    items: list[MappingRow]
    next: None


class VisitsDue(TypedDict):
    """Records whose visit is due, the longest overdue first."""

    items: list[dict[str, Any]]
    next: None


class DatasetList(TypedDict):
    """The data sets with their periods, and the units that the person stands for."""

    items: list[dict[str, Any]]
    units: list[dict[str, Any]]
    next: None


class FilingMatrix(TypedDict):
    """Units × periods, and per period how many filed, in all and on time."""

    periods: list[str]
    rows: list[dict[str, Any]]
    rates: list[dict[str, Any]]


class LedgerLights(TypedDict):
    """A task ledger of a period: units, indicators with lights, how many of each colour."""

    period: str
    units: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    counts: dict[str, int]


class FilingState(TypedDict):
    """Where a unit's filing of a period stands."""

    dataset_id: str
    unit: str
    period: str
    state: str
    version: int
    note: str
    on_time: bool | None


class FilingWhole(FilingState):
    """A unit's filing of a period with values, prefill, problems, remarks and the form.

    ``comments``: remarks by question; ``returned``: the questions that were sent back.
    """

    name: str
    values: dict[str, Any]
    prefill: dict[str, Any]
    problems: list[dict[str, Any]]
    comments: dict[str, str]
    returned: list[str]
    questions: list[dict[str, Any]]
    form: dict[str, Any]


class FilingSaved(TypedDict):
    """The state, and the version to send with the next change."""

    state: str
    version: int


class FilingTotals(TypedDict):
    """Totals by question; ``stale`` where a part has changed since."""

    totals: dict[str, dict[str, Any]]


class FilingParts(TypedDict):
    """What a total is made of, one level down."""

    items: list[dict[str, Any]]
    next: None


class SheetTaken(TypedDict):
    """The units whose cells were taken, those that were found, and every problem by sheet, row and column."""

    units: list[str]
    found: list[str]
    problems: list[dict[str, Any]]


class FilingDue(TypedDict):
    """What the person's units file: ``datasets`` with their forms, ``filings`` with state, values and prefill."""

    today: str
    datasets: list[dict[str, Any]]
    filings: list[dict[str, Any]]
