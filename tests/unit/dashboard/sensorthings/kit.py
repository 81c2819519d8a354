"""Keys of partners, and a bus that stores what it is given."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from sqlalchemy import Engine

from core.records import Reading
from storage.readings import store_readings
from storage.session import session_scope
from storage.tables.people import ApiKey, User
from tests.unit.dashboard.web import Office

NOW = datetime(2024, 7, 22, 2, 30, 0, tzinfo=UTC)
ROOT = "/api/sensorthings/v1.1"
STREAM = "gb26875:889|pressure_mpa|11~1~91~1-1"


def key(office: Office, scope: str, login: str = "boss") -> dict[str, str]:
    text = f"{scope}-{login}" * 3
    with session_scope(office.engine) as session:
        user = session.query(User).filter(User.login == login).one()
        digest = hashlib.sha256(text.encode()).hexdigest()
        session.add(ApiKey(key_hash=digest, name=text, user_id=user.user_id, scope=scope, created_at=NOW))
    return {"X-API-Key": text}


class StoringBus:
    """Takes readings as the worker would."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def reading_subject(self, reading: Reading) -> str:
        return "read"

    async def publish(self, subject: str, reading: Reading, message_id: str) -> None:
        with session_scope(self.engine) as session:
            store_readings(session, [reading])
