"""Answers of the situation report."""

from __future__ import annotations

from typing import TypedDict


class HandoverDraft(TypedDict):
    """The draft of a hand-over note."""

    note: str
