"""Drone files that are kept no longer; what a finding or a mission's answer rests on stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, delete, select

from storage.session import session_scope
from storage.tables.drones import AerialFinding, AerialLook, DroneFile, DroneFlight
from storage.tables.missions import DroneMission

BATCH = 500


def expire(engine: Engine, before: datetime) -> int:
    """Forget files that arrived before ``before``, and flights without any; how many files.

    Their bytes go with the next sweep of files that no row knows (``events.evidence.sweep``).
    """
    with session_scope(engine) as session:
        answers = {file_id for row in session.scalars(select(DroneMission.pictures)) for file_id in row}
        found = select(AerialFinding.file_id)
        old = session.scalars(
            select(DroneFile.file_id).where(DroneFile.created_at < before, DroneFile.file_id.not_in(found))
            .order_by(DroneFile.created_at).limit(BATCH + len(answers))
        )  # fmt: skip
        gone = [file_id for file_id in old if file_id not in answers][:BATCH]
        if gone:
            session.execute(delete(AerialLook).where(AerialLook.file_id.in_(gone)))
            session.execute(delete(DroneFile).where(DroneFile.file_id.in_(gone)))
            left = select(DroneFile.flight_id)
            named = select(AerialFinding.flight_id)
            session.execute(delete(DroneFlight).where(
                DroneFlight.created_at < before, DroneFlight.flight_id.not_in(left),
                DroneFlight.flight_id.not_in(named),
            ))  # fmt: skip
        return len(gone)
