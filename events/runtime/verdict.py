"""What a source says of a case whose work is reported finished, and one word for all of them."""

from __future__ import annotations

from collections.abc import Iterable

from core.records import EvidenceRef, Record


class Verdict(Record, frozen=True):
    """What the sources say: ``clear`` None when nobody could judge."""

    clear: bool | None
    detail: str
    evidence: tuple[EvidenceRef, ...] = ()


def judge(verdicts: Iterable[Verdict]) -> Verdict:
    """One word for all: any "still there" wins, then any "cannot say", then "clear"."""
    all_of = list(verdicts)
    worst = [v for v in all_of if v.clear is False] or [v for v in all_of if v.clear is None] or all_of
    return Verdict(
        clear=worst[0].clear,
        detail="; ".join(v.detail for v in worst),
        evidence=tuple(ref for v in worst for ref in v.evidence),
    )
