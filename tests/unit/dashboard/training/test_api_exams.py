"""Exams by the interface: drawing, saving, the time limit, retakes, results, rights."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from core.clock import ManualClock
from core.settings import load_settings
from dashboard.accounts.users import add_user
from storage.session import session_scope
from tests.unit.dashboard.web import _HASH, Office, make_office

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
CHOICES = [{"name": "a", "zh": "甲"}, {"name": "b", "zh": "乙"}]
BODY: dict[str, Any] = {
    "id": "fire_basics", "zh": "消防基础", "en": "Fire basics", "roles": ["staff"], "minutes": 10, "passing": 60,
    "attempts": 2, "draw": 2,
    "questions": [{"name": f"q{n}", "zh": f"第{n}题", "choices": CHOICES, "answer": "b", "why": "见手册"}
                  for n in range(4)],
}  # fmt: skip


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def office(tmp_path: Path, clock: ManualClock) -> Iterator[Office]:
    made = make_office(load_settings({"YIWANG_DATA_DIR": str(tmp_path)}), clock)
    with session_scope(made.engine) as session:
        add_user(
            session, login="chief", name="chief", roles=["manager"], department_id="dept-fire"
        ).password_hash = _HASH
    made.client("boss").post("/api/exams", json={"exam": BODY}).raise_for_status()
    yield made
    made.engine.dispose()


def row(client: TestClient, exam: str = "fire_basics") -> dict[str, Any]:
    found: list[dict[str, Any]] = client.get("/api/exams").json()["items"]
    return next(one for one in found if one["exam_id"] == exam)


def begun(client: TestClient) -> dict[str, Any]:
    answer = client.post("/api/exams/fire_basics/attempts")
    assert answer.status_code == 200, answer.text
    whole: dict[str, Any] = answer.json()
    return whole


def names(attempt: dict[str, Any]) -> list[str]:
    return [question["name"] for question in attempt["form"]["questions"]]


def test_an_attempt_is_drawn_saved_handed_in_and_told(office: Office, clock: ManualClock) -> None:
    fireman = office.client("fireman")
    attempt = begun(fireman)
    assert len(names(attempt)) == 2 and attempt["left_s"] == 600 and not attempt["ended"]
    assert "见手册" not in fireman.get(f"/api/exam-attempts/{attempt['attempt_id']}").text
    assert begun(fireman)["attempt_id"] == attempt["attempt_id"]  # the one that runs
    url = f"/api/exam-attempts/{attempt['attempt_id']}"
    first, second = names(attempt)
    assert fireman.put(url, json={"answers": {first: "b"}}).json()["answers"] == {first: "b"}
    clock.advance(timedelta(minutes=5).total_seconds())
    done = fireman.put(url, json={"answers": {first: "b", second: "a"}, "end": True}).json()
    assert done["marks"] == {"points": 1.0, "out_of": 2.0, "percent": 50.0, "passed": False}
    assert [(line["right"], line["answer"], line["why"]["zh"]) for line in done["lines"]] == [
        (True, "b", "见手册"), (False, "b", "见手册")]  # fmt: skip
    assert fireman.put(url, json={"answers": {}}).status_code == 409
    assert row(fireman)["best"] == 50.0 and row(fireman)["made"] == 1
    again = begun(fireman)
    assert not set(names(again)) & {first, second}  # fresh questions first
    won = fireman.put(
        f"/api/exam-attempts/{again['attempt_id']}", json={"answers": dict.fromkeys(names(again), "b"), "end": True}
    )
    assert won.json()["marks"]["passed"] and row(fireman)["passed"]
    over = fireman.post("/api/exams/fire_basics/attempts")
    assert over.status_code == 409 and "no_attempts_left" in over.text


def test_what_was_saved_in_time_counts_when_the_time_runs_out(office: Office, clock: ManualClock) -> None:
    fireman = office.client("fireman")
    attempt = begun(fireman)
    url = f"/api/exam-attempts/{attempt['attempt_id']}"
    fireman.put(url, json={"answers": {names(attempt)[0]: "b"}})
    clock.advance(timedelta(minutes=10, seconds=5).total_seconds())  # under way when the time ran out
    assert fireman.put(url, json={"answers": dict.fromkeys(names(attempt), "b")}).status_code == 200
    clock.advance(timedelta(seconds=30).total_seconds())
    late = fireman.put(url, json={"answers": {}, "end": True})
    assert late.status_code == 409 and late.json()["error"] == "attempt_ended"
    assert row(fireman)["best"] == 100.0 and row(fireman)["running"] is None
    seen = fireman.get(url).json()
    assert seen["ended"] and seen["marks"]["percent"] == 100.0


def test_the_examiner_sees_the_own_people_and_the_weak_questions(office: Office, clock: ManualClock) -> None:
    fireman, chief, boss = office.client("fireman"), office.client("chief"), office.client("boss")
    attempt = begun(fireman)
    clock.advance(timedelta(seconds=90).total_seconds())
    fireman.put(f"/api/exam-attempts/{attempt['attempt_id']}", json={"answers": {}, "end": True})
    mine = chief.get("/api/exams/fire_basics/results").json()
    assert [(p["login"], p["state"], p["best"], p["seconds"]) for p in mine["people"]] == [
        ("fireman", "failed", 0.0, 90)
    ]
    assert mine["pass_rate"] == 0.0 and sum(q["asked"] for q in mine["questions"]) == 2
    every = boss.get("/api/exams/fire_basics/results").json()
    assert {p["login"]: p["state"] for p in every["people"]} == {"fireman": "failed", "drainer": "open"}
    assert fireman.get("/api/exams/fire_basics/results").status_code == 403


def test_who_takes_what(office: Office) -> None:
    inspector, fireman, boss = office.client("inspector"), office.client("fireman"), office.client("boss")
    assert "fire_basics" not in [one["exam_id"] for one in inspector.get("/api/exams").json()["items"]]
    assert inspector.post("/api/exams/fire_basics/attempts").status_code == 409
    assert row(boss)["why"] == "not_for_you"
    attempt = begun(fireman)
    stranger = office.client("drainer")
    for answer in (stranger.get(f"/api/exam-attempts/{attempt['attempt_id']}"),
                   stranger.put(f"/api/exam-attempts/{attempt['attempt_id']}", json={"answers": {}})):  # fmt: skip
        assert answer.status_code == 404
    assert fireman.post("/api/exams", json={"exam": BODY}).status_code == 403
    assert fireman.post("/api/exams/fire_basics/state", json={"closed": True}).status_code == 403
    assert boss.post("/api/exams/fire_basics/state", json={"closed": True}).status_code == 200
    assert "fire_basics" not in [one["exam_id"] for one in stranger.get("/api/exams").json()["items"]]
    assert boss.post("/api/exams", json={"exam": {**BODY, "draw": 9}}).status_code == 422
    assert fireman.get("/api/exams/nothing/results").status_code == 403
    assert boss.get("/api/exams/nothing/results").status_code == 404


def test_an_attempt_keeps_the_version_that_it_began_with(office: Office) -> None:
    fireman, boss = office.client("fireman"), office.client("boss")
    attempt = begun(fireman)
    turned = [{**question, "answer": "a"} for question in BODY["questions"]]
    taken = boss.post("/api/exams", json={"exam": {**BODY, "questions": turned}}).json()
    assert taken["version"] == 2
    assert boss.post("/api/exams", json={"exam": {**BODY, "questions": turned}}).json()["version"] == 2
    done = fireman.put(
        f"/api/exam-attempts/{attempt['attempt_id']}", json={"answers": dict.fromkeys(names(attempt), "b"), "end": True}
    )
    assert done.json()["marks"]["percent"] == 100.0


def test_a_wait_between_attempts(office: Office, clock: ManualClock) -> None:
    boss, fireman = office.client("boss"), office.client("fireman")
    boss.post("/api/exams", json={"exam": {**BODY, "wait_hours": 2}})
    attempt = begun(fireman)
    fireman.put(f"/api/exam-attempts/{attempt['attempt_id']}", json={"answers": {}, "end": True})
    refused = fireman.post("/api/exams/fire_basics/attempts")
    assert refused.status_code == 409 and "2026-11-20 04:00" in refused.text
    assert row(fireman)["again_at"].startswith("2026-11-20T04:00")
    clock.advance(timedelta(hours=2).total_seconds())
    assert len(names(begun(fireman))) == 2


def test_files_of_the_city_are_taken_in_without_a_restart(office: Office) -> None:
    boss, folder = office.client("boss"), office.settings.data_dir / "exams"
    folder.mkdir()
    (folder / "city.yaml").write_text(yaml.safe_dump({**BODY, "id": "city", "roles": []}), encoding="utf-8")
    (folder / "broken.yaml").write_text("id: [", encoding="utf-8")
    (folder / "wrong.yaml").write_text(yaml.safe_dump({**BODY, "id": "wrong", "passing": 300}), encoding="utf-8")
    (folder / "bytes.yaml").write_bytes(b"\xff\xfe\x00id")
    found = boss.get("/api/exams").json()
    assert {"city", "grid_worker", "operator", "counter"} <= {one["exam_id"] for one in found["items"]}
    assert [one["name"] for one in found["files"]] == ["broken.yaml", "bytes.yaml", "wrong.yaml"]
    assert office.client("fireman").get("/api/exams").json()["files"] == []
    (folder / "wrong.yaml").unlink()
    (folder / "city.yaml").write_text(yaml.safe_dump({**BODY, "id": "city", "passing": 90}), encoding="utf-8")
    again = boss.get("/api/exams").json()
    assert [one["name"] for one in again["files"]] == ["broken.yaml", "bytes.yaml"]
    assert row(boss, "city")["version"] == 2 and row(boss, "city")["passing"] == 90
