"""A place on the picture where an algorithm keeps being wrong: the mask that would have spared those false alarms.

Boxes come from the observations that opened the cases.  A mask is suggested only where it would have dropped at least
half of the false alarms and not one true one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.tables.cases import CaseObservation
from storage.tables.observations import ObservationRow

Box = tuple[float, float, float, float]

LEAST = 3  # false alarms at one place
LARGEST = 0.25  # of the picture: a larger mask blinds the camera
MARGIN = 0.015
# Their box is no place of a detection: people who are there, the whole zone, the whole picture.
WITHOUT = frozenset({"absence", "camera_health", "congestion", "crowding", "queue", "unloading", "waterlogging"})


def boxes_of(session: Session, case_ids: Collection[str]) -> dict[str, Box]:
    """The first box of every case that has one."""
    found: dict[str, Box] = {}
    ids = list(case_ids)
    for start in range(0, len(ids), 500):
        query = (
            select(CaseObservation.case_id, ObservationRow.body)
            .join(ObservationRow, ObservationRow.observation_id == CaseObservation.observation_id)
            .where(CaseObservation.case_id.in_(ids[start : start + 500]), ObservationRow.state == "open")
            .order_by(ObservationRow.observed_at)
        )
        for case_id, body in session.execute(query):
            box = body.get("box")
            if box and case_id not in found:
                x1, y1, x2, y2 = (float(v) for v in box)
                found[case_id] = (x1, y1, x2, y2)
    return found


def suggest(false: Sequence[Box], true: Sequence[Box]) -> dict[str, Any] | None:
    """``{"polygon", "false_dropped", "true_lost"}``, or None when no place stands out."""
    best: list[Box] = []
    for box in false:
        around = [other for other in false if _inside(_centre(other), _grown(box, 0.25))]
        if len(around) > len(best):
            best = around
    if len(best) < LEAST:
        return None
    x1, y1 = (round(max(0.0, min(b[k] for b in best) - MARGIN), 4) for k in (0, 1))
    x2, y2 = (round(min(1.0, max(b[k] for b in best) + MARGIN), 4) for k in (2, 3))
    hidden = (x1, y1, x2, y2)
    dropped = sum(_inside(_centre(b), hidden) for b in false)
    lost = sum(_inside(_centre(b), hidden) for b in true)
    if lost or dropped * 2 < len(false) or (x2 - x1) * (y2 - y1) > LARGEST:
        return None
    corners = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]
    return {"polygon": corners, "false_dropped": dropped, "false_kept": len(false) - dropped, "true_lost": lost}


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _grown(box: Box, by: float) -> Box:
    dx, dy = (box[2] - box[0]) * by, (box[3] - box[1]) * by
    return box[0] - dx, box[1] - dy, box[2] + dx, box[3] + dy


def _inside(point: tuple[float, float], box: Box) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
