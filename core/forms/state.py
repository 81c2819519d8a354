"""What a form says about a set of answers: relevance, values, offers, errors, and what is submitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FormState:
    """Paths are ``key`` or, in a repeat, ``repeat[0].key``.

    ``errors`` are ``(path, code)``: required, constraint, not-offered, unknown-field, not-a-number, not-integer,
    not-a-date, not-a-choice, not-a-text, not-a-point, not-a-file, not-a-value, too-many-rows, not-a-list, too-long.
    ``replaced`` are sent calculations that differ from ours;
    ``draft_keeps`` are answers that stay in a draft but are not submitted because their question is not relevant.
    """

    relevant: dict[str, bool]
    values: dict[str, Any]
    offered: dict[str, list[str]]
    errors: list[tuple[str, str]]
    submitted: dict[str, Any]
    replaced: list[str] = field(default_factory=list)
    draft_keeps: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As the browser's engine gives it."""
        return {
            "relevant": self.relevant,
            "values": self.values,
            "offered": self.offered,
            "errors": [list(error) for error in self.errors],
            "submitted": self.submitted,
            "replaced": self.replaced,
            "draft_keeps": self.draft_keeps,
        }
