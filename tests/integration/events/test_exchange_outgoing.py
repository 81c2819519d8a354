"""12345 both ways: an order comes in, what becomes of it is handed back signed; a hand-over that fails is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.clock import ManualClock
from core.errors import InputInvalid
from core.exchange import ConnectionConfig, seal_secrets
from core.network.outgoing import PushParams, filled
from core.records import CaseChanged, Severity
from core.settings import Settings
from dashboard.accounts.users import add_user
from dashboard.connections.deliveries import deliveries, delivery_state
from events.notify.outgoing import Outgoing
from events.notify.webhooks import WebhookFailed, verify
from events.runtime.orders import OrderDesk
from events.runtime.outbox import Row, give_up
from events.runtime.wiring import case_service
from ingest.connections import mapped
from ingest.connections.starter import starters
from ingest.simulate.platforms import senders
from ingest.simulate.platforms.server import Platform
from storage.tables.cases import Case, Outbox
from storage.tables.exchange import Connection, ConnectionVersion
from storage.tables.registry import Department

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def out(session: Session, settings: Settings, name: str, params: dict[str, Any], **secrets: str) -> None:
    sealed = seal_secrets(name, secrets, settings.records_key)
    session.add(Connection(connection_id=name, name=name, kind="push", direction="out", enabled=True, version=1,
                           sealed=sealed, updated_at=NOW, secret_names=sorted(secrets)))  # fmt: skip
    session.flush()
    session.add(ConnectionVersion(connection_id=name, version=1, body={"params": params}, saved_at=NOW, saved_by="x"))


@pytest.fixture
def line(engine: Engine, settings: Settings) -> Iterator[SimpleNamespace]:
    """A centre, its order as a case, and the hand-back to it."""
    settings = settings.with_(connection_networks="127.0.0.0/8")
    centre = senders.HotlineCentre()
    service = case_service(engine, ManualClock(NOW))
    starter = starters()["hotline-orders"]
    config = ConnectionConfig(connection_id="hotline", kind="hotline", mapping=starter["mapping"])
    found = mapped.take(mapped.mapping_of(config), {"data": {"list": [senders.hotline_order(7)]}}, NOW)[1]
    with Platform(centre.routes()) as there, Session(engine, expire_on_commit=False) as session:
        session.add(Department(department_id="dept-command", name="x"))
        session.flush()
        user = add_user(session, login="line", name="热线接口", roles=["operator"], department_id="dept-command")
        session.add(Connection(connection_id="hotline", name="12345", kind="hotline", account=user.user_id,
                               enabled=True, version=1, updated_at=NOW, secret_names=[]))  # fmt: skip
        there_is = {"url": f"{there.url}/order/result", "app_id": senders.APP_ID}
        params = starters()["hotline-results"]["params"] | there_is
        out(session, settings, "results", params, app_secret=senders.APP_SECRET)
        assert OrderDesk(service, ManualClock(NOW)).take(session, found.orders[0])
        case = session.scalars(select(Case)).one()
        session.commit()
        yield SimpleNamespace(
            centre=centre, session=session, case=case, settings=settings, outgoing=Outgoing(settings, engine),
            service=service, actor=user,
        )  # fmt: skip


def change(case: Case, command: str, **more: Any) -> CaseChanged:
    return CaseChanged(
        case_id=case.case_id, number=case.number, version=case.version, stage=case.stage, state=case.state,
        command=command, severity=Severity(case.severity), class_code="", title=case.title, changed_at=NOW, **more,
    )  # fmt: skip


async def test_an_answer_is_handed_back_and_a_failure_is_told(line: SimpleNamespace) -> None:
    line.case.form = {**line.case.form, "answer": "已清理"}
    assert line.outgoing.bodies(line.session, change(line.case, "report"), {}) == []  # not among its commands
    (body,) = line.outgoing.bodies(line.session, change(line.case, "reply", confidential=True), {})
    assert body["payload"] | {"time": "", "unit": None} == {
        "orderNo": "CC2026000007", "action": "答复", "answer": "已清理", "unit": None, "time": "",
    }  # fmt: skip
    line.session.commit()
    line.centre.refuse = True
    with pytest.raises(WebhookFailed, match="HTTP 500.*系统繁忙"):
        await line.outgoing.post("d1", body)
    line.centre.refuse = False
    await line.outgoing.post("d1", body)
    assert line.centre.handed_back[0]["orderNo"] == "CC2026000007"
    row = line.session.get(Connection, "results")
    row.sealed = seal_secrets("results", {"app_secret": "wrong"}, line.settings.records_key)
    line.session.commit()
    with pytest.raises(WebhookFailed, match="4003"):  # 200, and still refused by its code
        await line.outgoing.post("d1", body)


async def test_what_waits_and_what_was_given_up_is_listed(line: SimpleNamespace) -> None:
    body = {"subscriber": "results", "connection": True, "payload": {"orderNo": "1"}, "error": "HTTP 500"}
    line.session.add(Outbox(outbox_id="o1", topic="webhook", body=body, created_at=NOW, attempts=2))
    give_up(line.session, Row("o2", "webhook", body, 11), NOW)
    line.session.flush()
    shown = deliveries(line.session, "results")
    assert [(d["state"], d["attempts"], d["error"]) for d in shown] == [
        ("given_up", 12, "HTTP 500"), ("waiting", 2, "HTTP 500"),
    ]  # fmt: skip
    assert deliveries(line.session, "other") == [] and delivery_state(line.session, "other") == {}
    failing = {"state": "failing", "error": "HTTP 500"}
    assert delivery_state(line.session, "results") == failing
    line.session.get_one(Outbox, "o1").sent_at = NOW
    line.session.flush()
    later = {"subscriber": "results", "connection": True, "payload": {"orderNo": "2"}}
    line.session.add(
        Outbox(outbox_id="o3", topic="webhook", body=later, created_at=NOW + timedelta(hours=1), sent_at=NOW)
    )
    line.session.flush()
    assert delivery_state(line.session, "results") == {"state": "ok", "error": ""}


async def test_a_platform_gets_signed_events_and_nothing_confidential(line: SimpleNamespace) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    def take(_query: dict[str, str], headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        got.append((headers, body))
        return 202, {}

    with Platform({"POST /events": take}) as there:
        out(line.session, line.settings, "events", {"url": f"{there.url}/events"}, signing_secret="s" * 16)
        line.session.commit()
        assert line.outgoing.bodies(line.session, change(line.case, "open", confidential=True), {"id": "1"}) == []
        (body,) = line.outgoing.bodies(line.session, change(line.case, "open"), {"id": "1"})
        line.session.commit()
        await line.outgoing.post("d2", body)
    headers, raw = got[0]
    at = int(headers["x-yiwang-signature"].split(",")[0][2:])
    assert verify("s" * 16, raw, headers["x-yiwang-signature"], at) and headers["x-yiwang-delivery"] == "d2"
    assert not verify("s" * 16, raw, headers["x-yiwang-signature"], at + 301)


async def test_our_own_machine_is_not_told_unless_listed(line: SimpleNamespace, engine: Engine) -> None:
    strict = Outgoing(line.settings.with_(connection_networks=""), engine)
    with pytest.raises(WebhookFailed, match="YIWANG_CONNECTION_NETWORKS"):
        await strict.post("d", {"subscriber": "results", "payload": {}})


def test_a_drill_tells_nobody(line: SimpleNamespace, engine: Engine) -> None:
    drill = Outgoing(line.settings.with_(subject_prefix="drill.x."), engine)
    assert drill.bodies(line.session, change(line.case, "reply"), {}) == []


@given(st.recursive(st.text(max_size=12) | st.integers() | st.none(), lambda i: st.lists(i, max_size=3)
                    | st.dictionaries(st.text(max_size=5), i, max_size=3), max_leaves=8))  # fmt: skip
def test_no_template_breaks(template: Any) -> None:
    filled({"a": template}, {"a": 1, "form": {"b": None}})
    assert filled("{a} {form.b}{none}", {"a": 1, "form": {"b": None}}) == "1 "


@pytest.mark.parametrize("wrong", [{"url": "ftp://x"}, {"url": "https://x", "min_severity": 9}])
def test_a_receiver_that_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((InputInvalid, ValueError)):
        PushParams(**wrong)
