"""Drills by the interface: started as a process, timed by the server, scored by what the live city did."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.clock import ManualClock
from core.settings import load_settings
from dashboard.training import drills
from dashboard.training.drill_process import DrillProcess, drill_command
from events.runtime.drill import drill_settings
from storage.session import make_engine, session_scope
from storage.tables.cases import Case, CaseObservation
from storage.tables.training.drills import DrillRun
from tests.databases import create_all
from tests.unit.dashboard.web import Office, make_office

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
PERIOD = {"title": "夜间火情", "since": "2026-11-19T20:00:00+08:00", "until": "2026-11-19T21:00:00+08:00", "speed": 600}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def office(tmp_path: Path, clock: ManualClock) -> Iterator[Office]:
    made = make_office(load_settings({"YIWANG_DATA_DIR": str(tmp_path)}), clock)
    yield made
    made.engine.dispose()


def program(text: str) -> Any:
    """Another program in the place of the drill's command line."""
    return lambda *_asked: [sys.executable, "-c", text]


def until(ask: Any, wanted: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found: dict[str, Any] = ask()
        if found["state"] == wanted:
            return found
        time.sleep(0.05)
    raise AssertionError(f"never {wanted}: {found}")


def test_a_drill_is_started_reported_and_one_at_a_time(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    boss, operator = office.client("boss"), office.client("operator")
    report = {"cases": 3, "published": 9, "stored": 9, "busiest_10_min": 2, "database_url": "sqlite:///secret"}
    gate = office.settings.data_dir / "go"
    wait = f"import pathlib,time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(.05)\n"
    monkeypatch.setattr(drills, "drill_command", program(f"{wait}print('noise'); print({json.dumps(report)!r})"))
    made = boss.post("/api/drills", json=PERIOD)
    assert made.status_code == 200, made.text
    drill = made.json()["drill_id"]
    assert operator.get(f"/api/drills/{drill}").json()["lasts_s"] == 6.0
    busy = operator.post("/api/drills", json=PERIOD)
    assert busy.status_code == 409 and busy.json()["error"] == "drill_busy"
    gate.touch()
    done = until(lambda: operator.get(f"/api/drills/{drill}").json(), "done")
    assert done["report"]["cases"] == 3 and "database_url" not in done["report"] and done["told"] == ""
    assert [one["state"] for one in operator.get("/api/drills").json()["items"]] == ["done"]


def test_a_drill_that_fails_says_why_and_one_is_stopped(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    boss = office.client("boss")
    monkeypatch.setattr(drills, "drill_command", program("import sys; sys.exit('no bus can be reached')"))
    drill = boss.post("/api/drills", json=PERIOD).json()["drill_id"]
    assert until(lambda: boss.get(f"/api/drills/{drill}").json(), "failed")["told"] == "no bus can be reached"
    monkeypatch.setattr(drills, "drill_command", program("import time; time.sleep(600)"))
    drill = boss.post("/api/drills", json=PERIOD).json()["drill_id"]
    assert boss.post(f"/api/drills/{drill}/stop").status_code == 200
    until(lambda: boss.get(f"/api/drills/{drill}").json(), "stopped")


def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.training.drill_process.START_S", 0.2)
    monkeypatch.setattr("dashboard.training.drill_process.SETTLE_S", 0.2)
    told: list[Any] = []
    process = DrillProcess()
    process.start("x", program("import time; time.sleep(600)")(), {}, 0.1, lambda *said: told.append(said))
    deadline = time.monotonic() + 20
    while not told and time.monotonic() < deadline:
        time.sleep(0.05)
    assert told[0][0] == "failed" and "more than" in told[0][2] and not process.runs("x")


def test_a_drill_whose_process_has_gone_does_not_hold_up_the_next(office: Office, clock: ManualClock) -> None:
    with session_scope(office.engine) as session:
        session.add(DrillRun(drill_id="gone", title="x", since=NOW - timedelta(hours=2), until=NOW - timedelta(hours=1),
                             speed=60, state="running", started_at=NOW, started_by="u", report={}))  # fmt: skip
    boss = office.client("boss")
    assert boss.get("/api/drills").json()["items"][0]["state"] == "running"
    clock.advance(3600)
    assert boss.get("/api/drills").json()["items"][0]["state"] == "failed"


@pytest.mark.parametrize(
    "wrong",
    [{"title": " "}, {"since": "2026-11-19T22:00:00+08:00"}, {"until": "2026-12-19T21:00:00+08:00"}, {"speed": 0.5},
     {"since": "2026-11-01T20:00:00+08:00"}, {"since": "2026-11-19T20:00:00"}, {"speed": 5000}],
)  # fmt: skip
def test_a_wrong_period_is_refused(office: Office, wrong: dict[str, Any]) -> None:
    assert office.client("boss").post("/api/drills", json={**PERIOD, **wrong}).status_code == 422


def test_the_command_names_the_period() -> None:
    command = drill_command("abc", "2026-11-19T12:00:00+00:00", "2026-11-19T13:00:00+00:00", 60)
    assert command[command.index("app") + 1 :] == [
        "drill", "--from", "2026-11-19T12:00:00+00:00", "--to", "2026-11-19T13:00:00+00:00", "--speed", "60", "--name",
        "abc", "--json"]  # fmt: skip


def case(session: Session, name: str, department: str | None, state: str, seen: str, severity: int = 4) -> None:
    session.add(Case(case_id=name, number=name, definition_id="city_management", definition_version=1, stage="handle",
                     state=state, severity=severity, title=f"case {name}", department_id=department, opened_at=NOW,
                     updated_at=NOW, form={}, why={}))  # fmt: skip
    session.flush()
    session.add(CaseObservation(case_id=name, observation_id=seen, linked_at=NOW, reason={}))


@pytest.fixture
def played(office: Office) -> Office:
    """A drill with three cases; the live city had one of them at another department and one as a false alarm."""
    own = drill_settings(office.settings, "night")
    own.data_dir.mkdir(parents=True)
    engine = make_engine(own.database_url)
    create_all(engine)
    with session_scope(engine) as session:
        for name, department in (("a", "dept-fire"), ("b", "dept-fire"), ("c", "dept-drainage")):
            case(session, name, department, "dispatched", f"o-{name}")
    engine.dispose()
    with session_scope(office.engine) as session:
        case(session, "live-a", "dept-drainage", "closed", "o-a")
        case(session, "live-b", "dept-fire", "rejected", "o-b")
        began = NOW - timedelta(hours=2)
        session.add(DrillRun(drill_id="night", title="夜间", since=began, until=NOW, speed=60, state="done",
                             started_at=NOW, started_by="u", ended_at=NOW, report={}))  # fmt: skip
    return office


def test_decisions_are_timed_and_scored(played: Office, clock: ManualClock) -> None:
    operator, url = played.client("operator"), "/api/drills/night"

    def following() -> Any:
        return operator.post(f"{url}/next").json()["case"]

    first = following()
    assert first["case_id"] == "a" and first["left"] == 3 and "department_id" not in first
    clock.advance(30)
    assert following() == first  # the time does not begin again
    got = operator.post(f"{url}/answers", json={"case_id": "a", "department_id": "dept-drainage"}).json()
    assert (got["points"], got["seconds"], got["right_department"]) == (100.0, 30.0, "dept-drainage")
    assert operator.post(f"{url}/answers", json={"case_id": "a", "false_alarm": True}).status_code == 422
    assert operator.post(f"{url}/answers", json={"case_id": "c", "false_alarm": True}).status_code == 422  # not shown
    assert following()["case_id"] == "b"
    clock.advance(120)
    got = operator.post(f"{url}/answers", json={"case_id": "b", "false_alarm": True}).json()
    assert got["points"] == 85.0 and got["right_false_alarm"]
    assert following()["case_id"] == "c"
    assert operator.post(f"{url}/answers", json={"case_id": "c", "department_id": "nobody"}).status_code == 422
    got = operator.post(f"{url}/answers", json={"case_id": "c", "department_id": "dept-fire"}).json()
    assert got["points"] == 0.0 and got["right_department"] == "dept-drainage"  # what routing says
    assert following() is None
    whole = played.client("boss").get(url).json()
    (marks,) = whole["people"]
    assert whole["cases"] == 3 and (marks["percent"], marks["right"], marks["missed"]) == (61.7, 2, 0)
    assert len(operator.get(url).json()["own"]) == 3


def test_who_takes_part(played: Office) -> None:
    fireman = played.client("fireman")
    assert fireman.get("/api/drills").status_code == 403
    assert fireman.post("/api/drills", json=PERIOD).status_code == 403
    assert fireman.post("/api/drills/night/next").status_code == 403
    boss = played.client("boss")
    assert boss.post("/api/drills/nothing/next").status_code == 404
    assert boss.get("/api/drills/..%2F..%2Fnight").status_code == 404
    assert boss.post("/api/drills/nothing/stop").status_code == 404
