"""Answers about the catalogue of data sets."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NotRequired, TypedDict


class CatalogueRow(TypedDict):
    """A data set with its state."""

    dataset_id: str
    zh: str
    en: str
    abstract: str
    code: str
    register: str
    provider: str
    provider_name: str
    theme: str
    sharing: str
    condition: str
    cycle: str
    fields: list[str]
    open_to_public: bool
    changed_at: datetime | None
    due_at: datetime | None
    late: bool
    rows: int
    grants: int


class CatalogueList(TypedDict):
    """All data sets."""

    items: list[CatalogueRow]
    next: None


class CatalogueDetail(CatalogueRow):
    """A data set with elements, quality and the last fetches."""

    elements: list[dict[str, Any]]
    quality: list[dict[str, Any]]
    fetched: list[dict[str, Any]]


class ShareRequestRow(TypedDict):
    """A request for a data set; ``key`` and ``path`` once, when it was just granted."""

    request_id: str
    dataset_id: str
    state: str
    purpose: str
    fields: list[str]
    filters: dict[str, Any]
    until: date | None
    asked_by: str
    department_id: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str
    key: NotRequired[str]
    path: NotRequired[str]


class ShareRequestList(TypedDict):
    """Requests, the newest first."""

    items: list[ShareRequestRow]
    next: None


class SharedRows(TypedDict):
    """Rows of a shared data set; ``next``: the offset of the next page."""

    dataset_id: str
    items: list[dict[str, Any]]
    next: int | None


class LineageList(TypedDict):
    """OpenLineage run events."""

    items: list[dict[str, Any]]
    next: None


DcatCatalogue = TypedDict(  # a DCAT-AP catalogue as JSON-LD; the document's ``@context`` says what its prefixes mean
    "DcatCatalogue",
    {
        "@context": dict[str, str],
        "@id": str,
        "@type": str,
        "dct:title": list[dict[str, str]],
        "dct:description": list[dict[str, str]],
        "dct:publisher": dict[str, Any],
        "dct:modified": dict[str, str],
        "dcat:dataset": list[dict[str, Any]],
    },
)


class ResponsibilityList(TypedDict):
    """Who must deliver which elements of which data set, how often, and whether it is late."""

    items: list[dict[str, Any]]
    next: None
