"""Which findings of drones are told, and as what: observations like any camera's, judged by the same rules.

A thing is told once.  Flame and smoke tell themselves when two pictures show them or one is very sure; what learnt from
the ground (rubbish) waits until somebody confirms it; vehicles and people are counted and never a case by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from core.ids import derived_id
from core.records import EvidenceRef, GeoPoint, ModelRef, Observation
from storage.aerial import FindingView
from storage.drones import FileView
from vision.aerial.trust import SURE, TRUST

KINDS = {
    "fire": "flame_smoke", "smoke": "flame_smoke", "garbage": "tidiness", "overflow": "tidiness",
    "construction_waste": "tidiness", "blocked_lane": "blocked_lane", "water": "waterlogging",
}  # fmt: skip
SAID = ("confirmed", "added")


def due(findings: Iterable[FindingView]) -> list[list[FindingView]]:
    """Things that are to be told, each with its findings, the surest first; ``findings`` are of whole things."""
    things: dict[str, list[FindingView]] = {}
    for finding in findings:
        if finding.state != "rejected" and finding.name in KINDS and finding.lon is not None:
            things.setdefault(finding.thing_id, []).append(finding)
    return [
        sorted(some, key=lambda f: (f.state not in SAID, -f.confidence)) for some in things.values() if _is_due(some)
    ]


def _is_due(some: Sequence[FindingView]) -> bool:
    if any(f.reported_at for f in some):
        return False
    if any(f.state in SAID for f in some):
        return True
    trusted = [f for f in some if TRUST.get(f.name) == "twice"]
    return len({f.file_id for f in trusted}) >= 2 or any(f.confidence >= SURE for f in trusted)


def observation(some: Sequence[FindingView], file: FileView, aircraft: str, now: datetime) -> Observation:
    """The observation of a thing; ``file`` is the picture of its surest finding."""
    best = some[0]
    assert best.lon is not None and best.lat is not None
    taken = min(file.taken_at or file.created_at, now)
    photo = EvidenceRef(
        kind="photo", uri=file.uri, sha256=file.sha256, media_type=file.media_type, taken_at=taken,
        size_bytes=file.size, location=GeoPoint(lon=best.lon, lat=best.lat), accuracy_m=best.uncertainty_m,
    )  # fmt: skip
    x1, y1, x2, y2 = (float(v) for v in best.box)
    return Observation(
        observation_id=derived_id("aerial", best.thing_id), kind=KINDS[best.name], state="open", source_type="drone",
        source_id=aircraft or f"flight:{best.flight_id}", observed_at=taken, received_at=now,
        location=GeoPoint(lon=best.lon, lat=best.lat), confidence=best.confidence, box=(x1, y1, x2, y2),
        model=ModelRef(name=best.model, sha256=best.model_sha256) if best.model else None, evidence=(photo,),
        attributes={
            "found": best.name, "finding_id": best.finding_id, "file_id": best.file_id, "file": file.name,
            "pictures": len({f.file_id for f in some}), "uncertainty_m": best.uncertainty_m,
            "confirmed_by": next((f.judged_by for f in some if f.state in SAID), ""),
        },
    )  # fmt: skip
