"""How well do we see?  Precision per camera and algorithm, from how cases were closed.

A case closed with ``false_alarm`` in its form counts against the algorithm, one closed otherwise counts for it; open
ones and those that nobody judged do not count.  The interval is Wilson's, because n is small.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import plugins
from core.errors import InputInvalid, YiwangError
from events.learning import masks
from storage.tables.cases import Case
from storage.tables.registry import Camera

FEW = 5  # below this many judged cases nothing is suggested
POOR = 0.7
# The parameters that a case's confidence is compared with.  Where the confidence is none of a detector (sleeping, a
# blocked lane, a depth of water) no threshold can be set.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "absence": ("confidence", "hold_confidence"),
    "flame_smoke": ("fire_confidence", "smoke_confidence"),
    "phone_use": ("phone_confidence",),
    "smoking": ("cigarette_confidence",),
    "tidiness": ("garbage_confidence", "overflow_confidence"),
    **dict.fromkeys(
        ("congestion", "crowding", "ebike", "intrusion", "queue", "stopped_vehicle", "unloading", "wrong_parking"),
        ("confidence",),
    ),
}
JUDGED_STATES = ("closed", "force_closed", "rejected", "cancelled")


def wilson(good: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share; (0, 1) when nothing was judged."""
    if total == 0:
        return 0.0, 1.0
    p = good / total
    centre = p + z * z / (2 * total)
    spread = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    under = 1 + z * z / total
    return max(0.0, (centre - spread) / under), min(1.0, (centre + spread) / under)


def was_wrong(form: dict[str, Any] | None, state: str) -> bool | None:
    """Whether a case that is over was a false alarm; None where nobody said anything about the detection."""
    said = (form or {}).get("false_alarm")
    if said is None and state != "closed":
        return None  # thrown out without a word on the detection: says nothing about the eye
    return bool(said)


def by_camera(
    session: Session, camera_id: str | None = None, start: datetime | None = None, end: datetime | None = None
) -> list[dict[str, Any]]:
    """A line per camera and algorithm, the worst first."""
    query = (
        select(Case.source_id, Case.kind, Case.form, Case.confidence, Case.state, Case.case_id, Camera.name)
        .outerjoin(Camera, Camera.camera_id == Case.source_id)
        .where(Case.source_type == "camera", Case.open.is_(False), Case.state.in_(JUDGED_STATES))
    )
    if camera_id:
        query = query.where(Case.source_id == camera_id)
    if start:
        query = query.where(Case.closed_at >= start)
    if end:
        query = query.where(Case.closed_at < end)
    groups: dict[tuple[str, str], list[tuple[bool, float | None, str]]] = {}
    names: dict[str, str] = {}
    for source_id, kind, form, confidence, state, case_id, name in session.execute(query):
        wrong = was_wrong(form, state)
        if wrong is None:
            continue
        groups.setdefault((source_id, kind), []).append((wrong, confidence, case_id))
        names[source_id] = name or source_id
    placed = [f[2] for (_, kind), found in groups.items() if _wants_mask(kind, found) for f in found]
    boxes = masks.boxes_of(session, placed)
    rows = [_line(source, names[source], kind, found, boxes) for (source, kind), found in groups.items()]
    return sorted(rows, key=lambda r: (r["precision"], -r["closed"]))


def _wants_mask(kind: str, found: list[tuple[bool, float | None, str]]) -> bool:
    return kind not in masks.WITHOUT and sum(f[0] for f in found) >= masks.LEAST


def _line(
    source: str, name: str, kind: str, found: list[tuple[bool, float | None, str]], boxes: dict[str, masks.Box]
) -> dict[str, Any]:
    false_alarms = [f for f in found if f[0]]
    good = len(found) - len(false_alarms)
    low, high = wilson(good, len(found))
    threshold = suggested_threshold([(f[0], f[1]) for f in found])
    mask = None
    if _wants_mask(kind, found) and len(found) >= FEW:
        mask = masks.suggest(
            [boxes[f[2]] for f in found if f[0] and f[2] in boxes],
            [boxes[f[2]] for f in found if not f[0] and f[2] in boxes],
        )
    return {
        "camera_id": source,
        "camera_name": name,
        "algorithm": kind,
        "closed": len(found),
        "false_alarms": len(false_alarms),
        "precision": round(good / len(found), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "threshold": threshold,
        "parameters": list(PARAMETERS.get(kind, ())),
        "thresholds": other_thresholds([(f[0], f[1]) for f in found]),
        "mask": mask,
        "suggestion": _suggestion(len(found), high, threshold, mask),
        "false_case_ids": [case_id for _, _, case_id in false_alarms][-20:],
    }


def other_thresholds(judged: Sequence[tuple[bool | None, float | None]]) -> list[dict[str, Any]]:
    """What other thresholds would have done, in steps of 0.05; only those that change anything, at most 12."""
    out: list[dict[str, Any]] = []
    for step in range(1, 20):
        tried = outcome(judged, round(0.05 * step, 2))
        lost = tried["true_lost"] + tried["false_dropped"]
        if lost and (not out or lost != out[-1]["true_lost"] + out[-1]["false_dropped"]):
            out.append(tried)
    return out[:12]


def suggested_threshold(judged: list[tuple[bool, float | None]]) -> float | None:
    """The lowest confidence that would have kept every true alarm and dropped at least half of the false ones.

    None when there is none: then a mask or a hard negative helps, a threshold does not.
    """
    true = [c for wrong, c in judged if not wrong and c is not None]
    false = [c for wrong, c in judged if wrong and c is not None]
    if not true or not false or len(judged) < FEW:
        return None
    threshold = math.floor(min(true) * 100 - 0.5) / 100
    dropped = sum(c < threshold for c in false)
    return threshold if dropped * 2 >= len(false) else None


def _suggestion(total: int, high: float, threshold: float | None, mask: dict[str, Any] | None) -> str:
    if total < FEW:
        return "wait"  # too few judged cases to say anything
    if threshold is not None:
        return "threshold"
    if mask is not None:
        return "mask"
    return "mask_or_hard_negative" if high < POOR else "keep"


def with_threshold(kind: str, params: dict[str, Any], threshold: float) -> dict[str, Any]:
    """``params`` such that cases of less than ``threshold`` would not open; never laxer than before.

    Absence is sure of a missing person when nothing resembles one, so its threshold works the other way round: what
    resembles a person by 1 - ``threshold`` counts as one.
    """
    names = [n for n in PARAMETERS.get(kind, ()) if n in plugins.load("algorithm", kind).Params.__struct_fields__]
    if not names:
        raise InputInvalid(
            field="algorithm", detail=f"{kind} has no confidence to raise", how="draw a mask, or keep a hard negative"
        )
    parsed = plugins.parse_params("algorithm", kind, params)
    before = {name: getattr(parsed, name) for name in names}
    if kind == "absence":
        return params | {name: round(max(0.05, min(now, 1 - threshold)), 2) for name, now in before.items()}
    shipped = _shipped(kind, parsed)
    return params | {
        name: max(threshold, shipped.get(name, 0.0) if now is None else now) for name, now in before.items()
    }


def _shipped(kind: str, parsed: msgspec.Struct) -> dict[str, float]:
    """The thresholds of the model's card, by parameter; empty where the model is not installed."""
    of_card = getattr(plugins.load("algorithm", kind), "thresholds", None)
    try:
        return {f"{name}_confidence": float(value) for name, value in of_card(parsed).items()} if of_card else {}
    except YiwangError:
        return {}


def what_if(session: Session, camera_id: str, algorithm: str, threshold: float) -> dict[str, Any]:
    """What ``threshold`` would have done to the judged cases, before it goes live."""
    query = select(Case.form, Case.confidence, Case.state).where(
        Case.source_type == "camera",
        Case.source_id == camera_id,
        Case.kind == algorithm,
        Case.open.is_(False),
        Case.state.in_(JUDGED_STATES),
    )
    found = [(was_wrong(form, state), confidence) for form, confidence, state in session.execute(query)]
    return outcome(found, threshold)


def outcome(judged: Iterable[tuple[bool | None, float | None]], threshold: float) -> dict[str, Any]:
    """What ``threshold`` would have done to alarms of (wrong, confidence); None in either counts as unknown."""
    counts = {"true_kept": 0, "true_lost": 0, "false_kept": 0, "false_dropped": 0, "unknown": 0}
    for wrong, confidence in judged:
        if confidence is None or wrong is None:
            counts["unknown"] += 1
        elif wrong:
            counts["false_dropped" if confidence < threshold else "false_kept"] += 1
        else:
            counts["true_lost" if confidence < threshold else "true_kept"] += 1
    kept = counts["true_kept"] + counts["false_kept"]
    low, high = wilson(counts["true_kept"], kept)
    return counts | {"threshold": threshold, "precision": round(counts["true_kept"] / kept, 4) if kept else None,
                     "low": round(low, 4), "high": round(high, 4)}  # fmt: skip
