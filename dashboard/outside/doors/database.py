"""As a database role of PostgreSQL that may insert requests and call two functions that read (storage/outside.py)."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.records import JSON
from dashboard.outside.problems import DoorClosed
from dashboard.outside.settings import OutsideSettings
from dashboard.outside.wire import Answer, Submission
from storage.session import make_engine

_INSERT = text(
    "INSERT INTO outside_request (request_id, token_hash, kind, body, data, language, created_at) "
    "VALUES (:request_id, :token_hash, :kind, CAST(:body AS json), :data, :language, :created_at)"
)
_READ = text("SELECT outside_read(:name)")
_PAGE = text("SELECT outside_page(:name)")


class DatabaseDoor:
    """A thread for each statement; the pool bounds how many at once."""

    def __init__(self, settings: OutsideSettings) -> None:
        self._engine = make_engine(settings.database_url)

    async def submit(self, submission: Submission) -> None:
        """See :class:`Door`."""
        await asyncio.to_thread(self._insert, submission)

    async def read(self, token_hash: str) -> Answer:
        """See :class:`Door`."""
        found = await asyncio.to_thread(self._one, _READ, token_hash)
        if found is None:
            return Answer(found=False)
        return Answer(state=found["state"], view=found["view"] or {})

    async def page(self, name: str) -> dict[str, JSON]:
        """See :class:`Door`."""
        return await asyncio.to_thread(self._one, _PAGE, name) or {}

    async def close(self) -> None:
        """Close the pool."""
        self._engine.dispose()

    def _insert(self, submission: Submission) -> None:
        row = {
            "request_id": submission.request_id,
            "token_hash": submission.token_hash,
            "kind": submission.kind,
            "body": json.dumps(submission.body, ensure_ascii=False),
            "data": submission.data or None,
            "language": submission.language,
            "created_at": datetime.now(UTC),
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(_INSERT, row)
        except IntegrityError:
            pass  # the same form, sent again
        except (DBAPIError, PoolTimeout) as error:
            raise DoorClosed() from error

    def _one(self, statement: object, name: str) -> dict[str, JSON] | None:
        try:
            with self._engine.connect() as connection:
                found = connection.execute(statement, {"name": name}).scalar()  # type: ignore[call-overload]
        except (DBAPIError, PoolTimeout) as error:
            raise DoorClosed() from error
        return found if isinstance(found, dict) else None
