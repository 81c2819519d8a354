"""Answers about benefits without application."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypedDict


class BenefitRow(TypedDict):
    """A benefit: its rule in words and expressions, its state, what it gives."""

    benefit_id: str
    zh: str
    en: str
    register: str
    period: str
    payer: str
    payer_name: str
    then: str
    source: str
    amount: str
    digest: str
    conditions: list[dict[str, str]]
    state: str
    simulation: list[dict[str, Any]]
    simulated_at: datetime | None
    asked_at: datetime | None
    asked_by: str
    decided_by: str
    decided_at: datetime | None
    reason: str
    evaluated_at: datetime | None
    current: str
    figures: dict[str, dict[str, float]]
    files: list[dict[str, Any]]
    allowed: list[str]
    sees_people: bool


class BenefitList(TypedDict):
    """The benefits."""

    items: list[BenefitRow]
    next: None


class BenefitSimulated(TypedDict):
    """What a rule would have given, by period."""

    benefit_id: str
    periods: list[dict[str, Any]]


class BenefitState(TypedDict):
    """off, simulated, asked, on or changed."""

    benefit_id: str
    state: str


class GrantRow(TypedDict):
    """Who gets a benefit in a period (name masked), how much, why, and how far it is."""

    grant_id: str
    record_id: str
    period: str
    amount: float
    name: str
    division_code: str
    why: list[dict[str, Any]]
    state: str
    case_id: str | None
    made_at: datetime
    changed_at: datetime


class BenefitGrants(TypedDict):
    """A page of grants."""

    items: list[GrantRow]
    total: int
    next: None


class BenefitExplained(TypedDict):
    """Why a record is entitled on a day, or not."""

    benefit_id: str
    record_id: str
    day: date
    entitled: bool
    amount: float
    conditions: list[dict[str, Any]]
    periods: list[dict[str, Any]]
    refusals: list[dict[str, Any]]


class BenefitRefused(TypedDict):
    """Whether the person's refusal stands now, and which periods were taken back with it."""

    record_id: str
    refused: bool
    taken_back: list[str]
