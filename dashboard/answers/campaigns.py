"""Answers about supervision campaigns."""

from __future__ import annotations

from typing import Any, TypedDict


class CampaignRow(TypedDict):
    """A campaign and the figures of its report."""

    campaign_id: str
    zh: str
    en: str
    register: str
    department_id: str
    due: str
    state: str
    report: dict[str, Any]


class CampaignList(TypedDict):
    """The campaigns that the person may see."""

    items: list[CampaignRow]
    next: None


class CampaignWhole(CampaignRow):
    """A campaign with its check-list (a form) and its visits."""

    form: dict[str, Any]
    visits: list[dict[str, Any]]


class CampaignMade(TypedDict):
    """The new campaign."""

    campaign_id: str


class CampaignAdded(TypedDict):
    """How many lines of the visit list are new."""

    campaign_id: str
    added: int


class CampaignVisited(TypedDict):
    """What a visit showed, and the case of its problems."""

    visit_id: str
    problems: list[dict[str, Any]]
    case_id: str | None


class CampaignState(TypedDict):
    """open or closed."""

    campaign_id: str
    state: str
