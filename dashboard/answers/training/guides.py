"""Answers about tours and the handbook."""

from __future__ import annotations

from typing import Any, TypedDict


class GuideRow(TypedDict):
    """A tour of a page: ``steps`` with ``selector`` and ``title``, ``text`` by language."""

    tour_id: str
    zh: str
    en: str
    seen: bool
    steps: list[dict[str, Any]]


class GuideList(TypedDict):
    """The tours of a page."""

    items: list[GuideRow]
    next: None


class HandbookTitle(TypedDict):
    """A page of the handbook; ``own``: of the person's roles."""

    name: str
    title: str
    own: bool


class HandbookList(TypedDict):
    """The handbook's pages."""

    items: list[HandbookTitle]
    next: None


class HandbookText(TypedDict):
    """A page of the handbook as Markdown."""

    name: str
    title: str
    text: str
