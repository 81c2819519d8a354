"""A phone against the real web process: the office of the web tests with its pages, on a port, without a bus."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from core.clock import Clock
from core.settings import Settings
from dashboard.factory import create_app
from events.cases.drafts import CaseDraft, Part, Route
from events.runtime.wiring import case_service
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseEvidence, CaseTransition
from tests.conftest import free_port
from tests.unit.dashboard.web import PASSWORD, Office, make_office


@dataclass
class Town:
    """A running web process and its office."""

    base: str
    office: Office

    def case(self, title: str, department: str = "dept-fire", **draft: Any) -> str:
        """A case that was dispatched to ``department``."""
        clock = self.office.app.state.services.clock
        body = {"auto_register": True, "route": Route(lead=Part(department_id=department)), **draft}
        with session_scope(self.office.engine) as session:
            service = case_service(self.office.engine, clock)
            return service.open_case(session, CaseDraft(title=title, **body), {}).case_id

    def titles(self) -> list[str]:
        with read_scope(self.office.engine) as session:
            return list(session.scalars(select(Case.title).order_by(Case.opened_at)))

    def moves(self, case_id: str) -> list[tuple[str, str]]:
        """Commands with their actors."""
        with read_scope(self.office.engine) as session:
            rows = session.scalars(
                select(CaseTransition).where(CaseTransition.case_id == case_id).order_by(CaseTransition.seq)
            )
            return [(row.command, row.actor_id) for row in rows]

    def evidence(self, case_id: str) -> list[CaseEvidence]:
        with read_scope(self.office.engine) as session:
            return list(session.scalars(select(CaseEvidence).where(CaseEvidence.case_id == case_id)))

    def user_id(self, login: str) -> str:
        answer = self.office.client(login).get("/api/me").json()
        return str(answer["user_id"])


@contextmanager
def town(settings: Settings, clock: Clock | None = None) -> Iterator[Town]:
    """Start it, with a clock of its own where one is given; stop it at the end."""
    port = free_port()
    settings = settings.with_(web_port=port, public_url=f"http://127.0.0.1:{port}")
    office = make_office(settings, clock)
    office.app = create_app(settings, clock)
    config = uvicorn.Config(office.app, port=port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.started
    try:
        yield Town(f"http://127.0.0.1:{port}", office)
    finally:
        server.should_exit = True
        thread.join(10)


def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    """Through the phone's own form."""
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", password)
    page.tap("form.login button[type=submit]")
    page.wait_for_selector(".foot")


def sign_out(page: Page) -> None:
    page.tap('[data-tab="me"]')
    page.once("dialog", lambda d: d.accept())
    page.tap('[data-do="logout"]')
    page.wait_for_selector("input[name=login]")


def offline(context: BrowserContext, page: Page, off: bool) -> None:
    context.set_offline(off)
    page.evaluate(f"() => window.dispatchEvent(new Event('{'offline' if off else 'online'}'))")
