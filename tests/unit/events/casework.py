"""A small city for tests of the case engine: two departments, people of every role, a clock one can set."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Engine

from core.clock import ManualClock
from core.records import Actor, Command, EvidenceRef
from events.cases.detail import case_detail
from events.cases.drafts import CaseDraft, Part, Route
from events.cases.read_models import CaseDetail, CaseView
from events.runtime.wiring import case_service
from storage.session import read_scope, session_scope
from storage.tables.people import User
from storage.tables.registry import Department, Division

FRIDAY = datetime(2026, 6, 5, 1, 0, tzinfo=UTC)  # 09:00 in Beijing, a working day
STREET = "220105001"
PEOPLE = {
    "admin": ("admin", None, None),
    "operator": ("operator", "command", None),
    "dispatcher": ("dispatcher", "command", None),
    "fire": ("staff", "fire", None),
    "fire2": ("staff", "fire", None),
    "fire_boss": ("manager", "fire", None),
    "water": ("staff", "water", None),
    "inspector": ("inspector", "command", STREET),
    "far_inspector": ("inspector", "command", "220105009"),
    "grid": ("grid_worker", None, STREET),
    "viewer": ("viewer", None, None),
}


def actor(name: str) -> Actor:
    role, department, division = PEOPLE[name]
    return Actor(user_id=name, name=name.title(), roles=(role,), department_id=department, division_code=division)


def photo(text: str = "a", purpose_kind: str = "photo") -> dict[str, Any]:
    sha = (text * 64)[:64]
    return {
        "kind": purpose_kind,
        "uri": f"{sha[:2]}/{sha}.jpg",
        "sha256": sha,
        "media_type": "image/jpeg",
        "taken_at": "2026-06-05T02:00:00Z",
        "size_bytes": 10,
    }


@dataclass
class Town:
    """The engine, a service, a clock, and short ways to act."""

    engine: Engine
    clock: ManualClock = field(default_factory=lambda: ManualClock(FRIDAY))

    def __post_init__(self) -> None:
        with session_scope(self.engine) as session:
            session.add_all(Department(department_id=d, name=d.title()) for d in ("command", "fire", "water"))
            session.add(Division(code=STREET, name="Dongsheng", level="street"))
            session.add(Division(code="220105009", name="Far", level="street"))
            session.flush()
            session.add_all(
                User(user_id=name, login=name, name=name.title(), department_id=dep, division_code=div)
                for name, (_, dep, div) in PEOPLE.items()
            )
        self.service = case_service(self.engine, self.clock)

    def do(
        self, case_id: str, name: str, who: str, *, version: int | None = None, key: str | None = None, **data: Any
    ) -> CaseView:
        # The server stores files and hands them on; what a client says of a file counts for nothing.
        files = tuple(msgspec.convert(item, EvidenceRef) for item in data.pop("evidence", ()))
        command = Command(
            name=name, case_id=case_id, actor_id=who, expected_version=version, idempotency_key=key, data=data,
            files=files,
        )  # fmt: skip
        self.clock.advance(60)
        return self.service.execute(command, actor(who))

    def report(self, who: str = "operator", **data: Any) -> CaseView:
        return self.do("", "report", who, **{"title": "Something", **data})

    def open(self, *assisting: str, lead: str = "fire", **draft: Any) -> CaseView:
        """A case that a rule opened and the system dispatched to ``lead``."""
        route = Route(lead=Part(department_id=lead), assisting=tuple(Part(department_id=a) for a in assisting))
        body = {"title": "Smoke", "auto_register": True, "route": route, "division_code": STREET, **draft}
        with session_scope(self.engine) as session:
            return self.service.open_case(session, CaseDraft(**body), {"rule": {"rule_id": "test"}})

    def finish(self, case_id: str, who: str = "fire") -> CaseView:
        self.do(case_id, "accept", who)
        return self.do(case_id, "finish", who, evidence=[photo()])

    def close(self, case_id: str) -> CaseView:
        self.finish(case_id)
        self.do(case_id, "check_pass", "inspector")
        return self.do(case_id, "close", "operator")

    def detail(self, case_id: str, who: str = "operator") -> CaseDetail:
        with read_scope(self.engine) as session:
            return case_detail(session, actor(who), case_id, self.clock.now())

    def clock_of(self, case_id: str, kind: str) -> Any:
        return [c for c in self.detail(case_id).clocks if c.kind == kind][-1]
