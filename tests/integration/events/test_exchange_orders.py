"""Another platform's orders become cases with the rights of the connection's account; what is refused says why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.clock import ManualClock
from core.exchange import ConnectionConfig
from core.records import Observation
from dashboard.accounts.users import add_user
from events.correlation.case_placement import Desk
from events.correlation.intake import Intake
from events.correlation.places import PlaceRegistry
from events.dispatching.routing import default_routing
from events.rules.rulebook import default_rulebook
from events.runtime.orders import OrderDesk
from events.runtime.wiring import case_service
from ingest.connections import mapped
from ingest.connections.starter import starters
from ingest.simulate.platforms.senders import hotline_order
from storage.session import session_scope
from storage.tables.cases import Case
from storage.tables.exchange import Connection, ExchangeOrder
from storage.tables.registry import Department

NOW = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)


def orders(*changes: dict[str, str]) -> list[Observation]:
    starter = starters()["hotline-orders"]
    config = ConnectionConfig(connection_id="hotline", kind="hotline", mapping=starter["mapping"])
    listed = [hotline_order(1) | change for change in changes]
    return mapped.take(mapped.mapping_of(config), {"data": {"list": listed}}, NOW)[1].orders


@pytest.fixture
def intake(engine: Engine) -> Iterator[Intake]:
    clock = ManualClock(NOW)
    with session_scope(engine) as session:
        session.add(Department(department_id="dept-command", name="x"))
        session.flush()
        user = add_user(session, login="line", name="热线接口", roles=["operator"], department_id="dept-command")
        session.add(Connection(connection_id="hotline", name="12345", kind="hotline", account=user.user_id,
                               enabled=True, version=1, updated_at=NOW, secret_names=[]))  # fmt: skip
        session.add(Connection(connection_id="nobody", name="x", kind="hotline", updated_at=NOW, secret_names=[]))
    service, registry = case_service(engine, clock), PlaceRegistry(clock)
    desk = Desk(service, clock, registry, default_routing())
    yield Intake(clock, default_rulebook(), registry, desk, OrderDesk(service, clock))


def order(session: Session, number: str = "CC2026000001") -> ExchangeOrder:
    row = session.get(ExchangeOrder, ("hotline", number))
    assert row is not None
    return row


def test_an_order_is_one_case_however_often_it_is_told(engine: Engine, intake: Intake) -> None:
    for _ in range(2):
        with session_scope(engine) as session:
            intake.take_observations(session, orders({}))
    with session_scope(engine) as session:
        intake.take_observations(session, orders({"content": "又打来一次"}))  # told anew with other words
        case = session.scalars(select(Case)).one()
        assert (case.definition_id, case.form["request_kind"]) == ("hotline_complaint", "complaint")
        assert case.title == "楼道堆物 第1单"
        assert order(session).case_id == case.case_id and order(session).state == "taken"


def test_urging_and_withdrawal_go_to_the_case(engine: Engine, intake: Intake) -> None:
    with session_scope(engine) as session:
        intake.take_observations(session, orders({}, {"action": "催办", "content": "还没人来"}))
        case = session.scalars(select(Case)).one()
        assert case.urged == 1
        intake.take_observations(session, orders({"action": "撤诉", "content": "已解决"}))
        assert case.state == "withdrawn" and not case.open
        intake.take_observations(session, orders({"action": "催办", "content": "再催"}))  # too late for this state
        assert order(session).state == "taken" and "urge" in order(session).error


def test_what_cannot_become_a_case_says_why_and_the_others_are_taken(engine: Engine, intake: Intake) -> None:
    with session_scope(engine) as session:
        wrong = orders({"orderNo": "A1", "title": ""}, {"orderNo": "A2"}, {"orderNo": "A3", "action": "催办"})
        taken = intake.take_observations(session, wrong)
        assert len(taken.case_ids) == 1
        assert order(session, "A2").state == "taken"
        assert order(session, "A1").state == "refused" and "title" in order(session, "A1").error
        assert order(session, "A3").state == "refused" and "A3" in order(session, "A3").error
        intake.take_observations(session, orders({"orderNo": "A1", "title": "现在有题目"}))
        assert order(session, "A1").state == "taken"


def test_a_connection_without_an_account_opens_nothing(engine: Engine, intake: Intake) -> None:
    starter = starters()["hotline-orders"]
    config = ConnectionConfig(connection_id="nobody", kind="hotline", mapping=starter["mapping"])
    found = mapped.take(mapped.mapping_of(config), {"data": {"list": [hotline_order(1)]}}, NOW)[1].orders
    with session_scope(engine) as session:
        assert intake.take_observations(session, found).case_ids == []
        row = session.get(ExchangeOrder, ("nobody", "CC2026000001"))
        assert row is not None and row.state == "refused" and "account" in row.error
