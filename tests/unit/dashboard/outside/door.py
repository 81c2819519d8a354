"""An outside door whose inside is a database beside it: the same mailbox and handling, without a bus between."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from core.clock import BEIJING, Clock
from core.media import MediaStore
from core.records import SYSTEM
from core.sealing import Seal
from dashboard.outside.application import create_outside_app
from dashboard.outside.problems import DoorClosed
from dashboard.outside.settings import OutsideSettings
from dashboard.outside.wire import Answer, Submission
from dashboard.reception import mailbox
from dashboard.reception.guides import public_guides
from dashboard.reception.handling import Handled, Reception
from dashboard.reception.telephones import TextMessage
from events.runtime.wiring import case_service
from records.items.bundles import get_bundle, offered_items, release_bundle, save_bundle, shipped_bundles
from records.items.catalogue import ItemDesk
from records.items.generating import basics, item_of
from records.items.reading import ReadItems
from records.items.taking import take_items
from storage.session import read_scope, session_scope
from storage.tables.outside import OutsidePage, OutsideRequest
from storage.tables.people import User, UserRole
from storage.tables.registry import Department, Division

STREET, COMMUNITY = "220105001", "220105001002"
PLACES = {
    "streets": [{"name": STREET, "label": {"zh": "东盛街道"}}],
    "communities": [{"name": COMMUNITY, "label": {"zh": "公平社区"}, "street": STREET}],
}


@dataclass
class BesideDoor:
    """A door over a database; what is handed in is handled at once."""

    engine: Engine
    reception: Reception
    clock: Clock
    handled: list[Handled] = field(default_factory=list)
    messages: list[TextMessage] = field(default_factory=list)
    away: bool = False
    submitted: int = 0

    async def submit(self, submission: Submission) -> None:
        self._there()
        self.submitted += 1
        await asyncio.to_thread(self._submit, submission)

    def _submit(self, submission: Submission) -> None:
        with session_scope(self.engine) as session:
            assert mailbox.insert(session, submission, self.clock.now()) == ""
        with session_scope(self.engine) as session:
            for row in session.scalars(select(OutsideRequest).where(OutsideRequest.state == "new")):
                done = self.reception.handle(session, row)
                if row.state == "new":
                    row.state = "taken"
                self.handled.append(done)
                self.messages += done.messages

    async def read(self, token_hash: str) -> Answer:
        self._there()
        with read_scope(self.engine) as session:
            return mailbox.read(session, token_hash, self.clock.now())

    async def page(self, name: str) -> dict[str, Any]:
        self._there()
        with read_scope(self.engine) as session:
            return mailbox.page(session, name)

    async def close(self) -> None:
        return None

    def _there(self) -> None:
        if self.away:
            raise DoorClosed()


def small_town(engine: Engine) -> None:
    """A street, its community, a grid worker; the pages that everybody reads."""
    with session_scope(engine) as session:
        session.add(Division(code="220105", name="二道区", level="district"))
        session.flush()
        session.add(Division(code=STREET, name="东盛街道", level="street", parent_code="220105"))
        session.flush()
        session.add(Division(code=COMMUNITY, name="公平社区", level="community", parent_code=STREET))
        session.add_all(
            [
                Department(department_id="dept-command", name="指挥中心"),
                Department(department_id=f"street-{STREET}", name="东盛街道办"),
            ]
        )
        session.flush()
        session.add(
            User(user_id="grid", login="grid", name="王网格", department_id=f"street-{STREET}", division_code=COMMUNITY)
        )
        session.flush()
        session.add(UserRole(user_id="grid", role="grid_worker"))


def door_beside(
    engine: Engine, clock: Clock, folder: Path, *, can_send: bool = False, key: str = "a-key-of-enough-characters"
) -> BesideDoor:
    """The door over ``engine``, with its pages written."""
    reception = Reception(
        case_service(engine, clock), clock, MediaStore(str(folder / "media")), Seal(key),
        timedelta(days=180), can_send,
    )  # fmt: skip
    settings = {"confirm_phone": can_send, "hotline": "12345", "keep_days": 180}
    with session_scope(engine) as session:
        for name, body in (("places", PLACES), ("settings", settings), ("guides", {"items": []})):
            session.add(OutsidePage(name=name, body=body, updated_at=clock.now()))
    return BesideDoor(engine, reception, clock)


def publish_guides(engine: Engine, now: datetime) -> None:
    """Thirty released items and the life events that come of them, as the pages of guides show them."""
    department, today = f"street-{STREET}", now.astimezone(BEIJING).date()
    with session_scope(engine) as session:
        records = [item_of(basics()[n], "4", department, 301) for n in range(30)]
        read = ReadItems(tuple((str(r["handling"]), r) for r in records))
        take_items(session, ItemDesk(SYSTEM, now, lambda basic: True), read, {department: department}, source="test",
                   in_force=True)  # fmt: skip
        for body in shipped_bundles(offered_items(session, today, frequent=True)):
            names = {"zh": body["zh"], "en": body["en"]}
            save_bundle(session, SYSTEM, now, body["bundle_id"], names, body["items"])
            session.flush()
            bundle = get_bundle(session, body["bundle_id"], today)
            release_bundle(session, SYSTEM, now, bundle, "published")
        session.flush()
        session.merge(OutsidePage(name="guides", body=public_guides(session, today), updated_at=now))


def outside_client(door: Any, address: str = "192.0.2.7") -> TestClient:
    """A browser of somebody at ``address``."""
    settings = OutsideSettings(host="127.0.0.1", port=1, url="http://testserver", secret="a-secret-of-the-door")
    return TestClient(create_outside_app(settings, door), follow_redirects=False, client=(address, 5000))


def solution(client: TestClient) -> dict[str, Any]:
    """The check against robots, solved."""
    asked = client.get("/h/api/challenge").json()
    for number in range(asked["maxnumber"] + 1):
        if hashlib.sha256(f"{asked['salt']}{number}".encode()).hexdigest() == asked["challenge"]:
            return {k: asked[k] for k in ("algorithm", "challenge", "salt", "signature")} | {"number": number}
    raise AssertionError("no solution")


HELP = {
    "for_whom": "family", "helped_name": "李秀兰", "matter": "pension", "description": "老人不便出门", "street": STREET,
    "community": COMMUNITY, "address": "公平社区3栋", "person_name": "王小红", "phone": "13812345678", "consent": "OK",
}  # fmt: skip
REPORT = {"service": "water", "description": "桥下积水", "address": "东盛大街", "consent": "OK"}
COMPLAINT = {
    "request_kind": "complaint", "about": "窗口态度", "description": "等了两个小时", "person_name": "张三",
    "phone": "13912345678", "hidden": "yes", "consent": "OK",
}  # fmt: skip
