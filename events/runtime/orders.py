"""Another platform's order (12345, sanitation …) becomes a case, and later words of the sender go to that case.

The order acts with the rights of the account that the connection names, through the same door as everybody.  What is
refused (an unknown definition, a missing field, a command that the case's state does not allow) is kept with its reason
beside the order and counted; the orders beside it are taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.errors import Forbidden, NotFound, YiwangError
from core.records import Actor, Command, Observation
from events.cases.service import CaseService
from storage.tables.exchange import Connection, ExchangeOrder
from storage.tables.people import User, UserRole


class OrderDesk:
    """Takes orders inside the worker's transaction."""

    def __init__(self, service: CaseService, clock: Clock) -> None:
        self._service, self._clock = service, clock

    def take(self, session: Session, observation: Observation) -> str | None:
        """The case of the order, None when it was refused (the row then says why)."""
        said = observation.attributes
        key = (str(said.get("connection", "")), str(said.get("number", ""))[:80])
        row = session.get(ExchangeOrder, key)
        if row is None:
            row = ExchangeOrder(
                connection_id=key[0], number=key[1], state="refused", body=dict(said), received_at=self._clock.now()
            )
            session.add(row)
            session.flush()
        try:
            with session.begin_nested():
                row.case_id = self._carry_out(session, row, observation)
            row.state, row.error = "taken", ""
        except YiwangError as error:
            row.error, row.body = f"{said.get('command')}: {error}"[:500], dict(said)
            row.state = "taken" if row.case_id else "refused"
        session.flush()
        return row.case_id

    def _carry_out(self, session: Session, row: ExchangeOrder, observation: Observation) -> str:
        said: Mapping[str, Any] = observation.attributes
        actor = _account(session, row.connection_id)
        name, number = str(said.get("command") or "report"), f"{row.connection_id}:{row.number}"
        if name == "report":
            if row.case_id:
                return row.case_id  # the sender tells the same order again
            data = {"definition_id": said.get("definition"), **dict(said.get("fields") or {})}
            if observation.location is not None:
                data["location"] = {"lon": observation.location.lon, "lat": observation.location.lat}
            command = Command(
                name="report", case_id="", actor_id=actor.user_id, idempotency_key=number[:120], data=data
            )
            return self._service.execute_in(session, command, actor).case_id
        if not row.case_id:
            raise NotFound(what="order", key=row.number)
        given = {"reason": said["reason"]} if said.get("reason") else {}
        key = observation.observation_id
        command = Command(name=name, case_id=row.case_id, actor_id=actor.user_id, idempotency_key=key, data=given)
        self._service.execute_in(session, command, actor)
        return row.case_id


def _account(session: Session, connection_id: str) -> Actor:
    """The account whose rights the connection's orders have."""
    connection = session.get(Connection, connection_id)
    user = session.get(User, connection.account) if connection is not None and connection.account else None
    if user is None or not user.active:
        raise Forbidden(action=f"open cases for the connection {connection_id}, which names no open account")
    roles = session.scalars(select(UserRole.role).where(UserRole.user_id == user.user_id))
    return Actor(user_id=user.user_id, name=user.name, roles=tuple(sorted(roles)), department_id=user.department_id,
                 division_code=user.division_code)  # fmt: skip
