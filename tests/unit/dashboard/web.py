"""Helpers of the web tests: an application on a throw-away database, people with passwords, logged-in clients."""

from __future__ import annotations

from dataclasses import dataclass

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from core.clock import Clock
from core.settings import Settings
from dashboard.accounts.users import add_user
from dashboard.factory import create_app
from storage.session import make_engine, session_scope
from storage.tables.registry import Camera, Department, Device, Division, Site
from tests.answers import Held
from tests.databases import create_all

PASSWORD = "a-long-enough-word"
_HASH = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)  # cheap: many tests log in


@dataclass
class Office:
    """One application and its people."""

    app: FastAPI
    engine: Engine
    settings: Settings

    def client(self, login: str | None = None) -> TestClient:
        """A browser; logged in as ``login`` when given, with the CSRF header set."""
        client = TestClient(Held(self.app), base_url="http://testserver", follow_redirects=False)
        if login:
            answer = client.post("/api/login", json={"login": login, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return client


PEOPLE = {
    "boss": (["admin"], "dept-command"),
    "operator": (["operator"], "dept-command"),
    "fireman": (["staff"], "dept-fire"),
    "drainer": (["staff"], "dept-drainage"),
    "inspector": (["inspector"], "dept-command"),
}


def make_office(settings: Settings, clock: Clock | None = None, *, pages: bool = False) -> Office:
    """A small district: two departments, a site each, cameras, devices, five people."""
    engine = make_engine(settings.database_url)
    create_all(engine)
    with session_scope(engine) as session:
        session.add(Division(code="220105", name="二道区", level="district"))
        session.flush()
        for name in ("dept-command", "dept-fire", "dept-drainage"):
            session.add(Department(department_id=name, name=name))
        session.flush()
        session.add(
            Site(site_id="s-fire", name="Mall", kind="key_fire_site", lon=125.37, lat=43.88, department_id="dept-fire")
        )
        session.add(  # fmt: skip
            Site(site_id="s-water", name="Bridge", kind="waterlogging", lon=125.4, lat=43.9,
                 department_id="dept-drainage")
        )
        session.flush()
        session.add(
            Camera(
                camera_id="c-fire", name="Room", category="fire_control_room", site_id="s-fire", lon=125.37, lat=43.88,
                url="rtsp://viewer:secret@192.0.2.1/live", department_id="dept-fire",
            )
        )  # fmt: skip
        session.add(
            Camera(camera_id="c-water", name="Road", category="waterlogging", site_id="s-water", lon=125.4, lat=43.9,
                   department_id="dept-drainage", enabled=False)
        )  # fmt: skip
        session.add(
            Device(device_id="gb26875:889", source="gb26875", address="889", site_id="s-fire", status="accepted",
                   department_id="dept-fire")
        )  # fmt: skip
        session.add(Device(device_id="mqtt:unknown", source="mqtt", address="unknown", status="quarantine"))
        for login, (roles, department) in PEOPLE.items():
            user = add_user(session, login=login, name=login, roles=roles, department_id=department)
            user.password_hash = _HASH
    return Office(create_app(settings, clock, pages=pages), engine, settings)
