"""The demo district's last weeks (closed cases that the engine led at past moments) and its roster; made once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from app.demo_history import MARK, fill_history
from app.demo_roster import fill_roster
from core.settings import Settings
from events.dispatching.duty_roster import on_duty
from events.evidence.audit_log import chain, check_chain
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.people import User, UserRole
from storage.tables.registry import Department, Site
from tests.unit.dashboard.web import make_office

KINDS = ("waterlogging", "key_fire_site", "key_place", "fuel_station")
BODIES = ("drainage", "fire", "traffic", "urban", "emergency")


def test_the_last_weeks_are_led_by_the_engine_and_only_once(settings: Settings) -> None:
    office = make_office(settings)
    with session_scope(office.engine) as session:
        for body in BODIES:
            if session.get(Department, f"dept-{body}") is None:
                session.add(Department(department_id=f"dept-{body}", name=body))
        session.flush()
        for number, body in enumerate(BODIES):
            session.add(User(user_id=f"h{number}", login=f"h{number}", name=body, department_id=f"dept-{body}"))
            session.flush()
            session.add(UserRole(user_id=f"h{number}", role="staff"))
        for kind in KINDS:
            session.add(Site(site_id=f"site-h-{kind}", name=kind, kind=kind, lon=125.4, lat=43.87))
    assert fill_history(office.engine, days=20, cases=40) == 40
    with read_scope(office.engine) as session:
        rows = session.scalars(select(Case)).all()
        assert {row.state for row in rows} == {"closed", "cancelled"} and not any(row.open for row in rows)
        assert all(row.description == MARK and row.source_id == "demo" for row in rows)
        now = datetime.now(UTC)
        opened = [row.opened_at for row in rows]
        assert max(opened) < now and now - min(opened) > timedelta(days=7)
        assert all(row.closed_at and row.opened_at < row.closed_at <= now for row in rows)
        assert len({row.department_id for row in rows}) > 2
        assert not [flaw for row in rows for flaw in check_chain(chain(session, row.case_id))]
    board = office.client("boss").get("/api/boards/public_management", params={"days": 30}).json()
    figures = {each["measure"]: each["value"] for each in board["items"] if "measure" in each}
    assert figures["on_time_rate"] is not None  # closed cases have a limit that they kept or not
    assert fill_history(office.engine) == 0
    office.engine.dispose()


def test_somebody_of_the_centre_is_on_duty_at_every_hour(settings: Settings) -> None:
    office = make_office(settings)
    with session_scope(office.engine) as session:
        if session.get(Department, "dept-command") is None:
            session.add(Department(department_id="dept-command", name="指挥中心"))
        session.flush()
        for number, role in enumerate(("manager", "operator", "operator")):
            session.add(User(user_id=f"c{number}", login=f"c{number}", name=role, department_id="dept-command"))
            session.flush()
            session.add(UserRole(user_id=f"c{number}", role=role))
    now = datetime.now(UTC)
    assert fill_roster(office.engine, now, days=3) == 12
    with read_scope(office.engine) as session:
        for hours in range(24):
            present = on_duty(session, "dept-command", now + timedelta(hours=hours))
            assert sorted(person.post for person in present) == ["duty", "leader"]
    assert fill_roster(office.engine, now) == 0
    office.engine.dispose()
