"""The directory taken over by itself: when it is due, what went wrong, answers that are empty or cut."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from core.clock import ManualClock
from core.settings import Settings
from dashboard.identity.directory import source
from dashboard.identity.directory.config import DirectoryConfig, DirectoryList, read_directory
from dashboard.identity.directory.periodic import DirectoryWork
from dashboard.identity.directory.plan import MINE, DirectoryPerson, KnownAccount, Ours, make_plan
from dashboard.identity.directory.source import DirectoryAway, people_of
from tests.unit.dashboard.identity.scim import ScimDirectory, scim_directory
from tests.unit.dashboard.identity.test_directory import configured, people
from tests.unit.dashboard.web import make_office


@pytest.fixture
def scim() -> Iterator[ScimDirectory]:
    with scim_directory() as made:
        yield made


def test_it_runs_when_it_is_due_and_tells_what_went_wrong(settings: Settings, scim: ScimDirectory) -> None:
    configured(settings, scim)
    clock = ManualClock(datetime(2026, 11, 28, 3, tzinfo=UTC))
    office = make_office(settings, clock)
    work = DirectoryWork(office.engine, clock, settings.data_dir)
    boss = office.client("boss")
    scim.user("s-1", "m0001", "王一", "dept-fire")
    assert not asyncio.run(work.once())  # it is off
    for wrong in (-1, 0.1, 1000):
        assert boss.put("/api/directory/schedule", json={"every_hours": wrong}).status_code == 422
    state = boss.put("/api/directory/schedule", json={"every_hours": 6}).json()
    assert state["every_hours"] == 6 and state["next_at"] is None
    assert read_directory(settings.data_dir).token  # type: ignore[union-attr]  # nothing else was changed
    assert asyncio.run(work.once()) and "m0001" in people(office)
    assert not asyncio.run(work.once())
    clock.advance(6 * 3600)
    scim.breaks_after = 0
    assert asyncio.run(work.once())
    state = boss.get("/api/directory").json()
    assert state["failed"]["code"] == "directory_away" and "HTTP 500" in state["failed"]["detail"]
    assert state["last"]["counts"] == {"new": 1} and people(office)["m0001"].active
    clock.advance(6 * 3600)
    scim.breaks_after = None
    assert asyncio.run(work.once()) and boss.get("/api/directory").json()["failed"] is None
    (settings.data_dir / "directory.json").write_text("{")
    assert asyncio.run(work.once())  # told, not raised: the worker goes on
    office.engine.dispose()


def asked(monkeypatch: pytest.MonkeyPatch, pages: list[Any], **more: Any) -> tuple[int, bool]:
    """``people_of`` a directory that answers ``pages``, then nothing."""
    left = list(pages)

    async def page(*_: Any) -> Any:
        return left.pop(0) if left else {"Resources": []}

    monkeypatch.setattr(source, "_page", page)
    config = DirectoryConfig(url="https://d.example", page_size=2, **more)
    found, whole = asyncio.run(people_of(config))
    return len(found), whole


def rows(n: int) -> list[dict[str, str]]:
    return [{"id": str(i)} for i in range(n)]


def test_a_cut_answer_is_no_whole_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {"totalResults": 3}
    assert asked(monkeypatch, [{"Resources": rows(2), **whole}, {"Resources": rows(1), **whole}]) == (3, True)
    with pytest.raises(DirectoryAway):
        asked(monkeypatch, [{"Resources": rows(2), **whole}, {"Resources": [], **whole}])
    with pytest.raises(DirectoryAway):
        asked(monkeypatch, [{"Resources": rows(2), **whole}], paging="none")
    assert asked(monkeypatch, [{"Resources": rows(2)}], paging="none") == (2, True)
    assert asked(monkeypatch, [{"Resources": rows(2)}, {"Resources": rows(1)}], paging="page") == (3, False)
    # a number that is the page's own, not the directory's
    own = [{"Resources": rows(2), "totalResults": 2}, {"Resources": rows(2), "totalResults": 2}]
    assert asked(monkeypatch, own)[0] == 4
    with pytest.raises(DirectoryAway):
        asked(monkeypatch, [{"items": rows(2)}], people=DirectoryList(path="/p", items="/none",
              fields={"subject": "/id", "login": "/id", "name": "/id"}))  # fmt: skip


def account(n: int) -> KnownAccount:
    return KnownAccount(
        user_id=f"u{n}", login=f"m{n}", name="n", active=True, department="", division="", phone="", source=MINE,
        roles=frozenset({"staff"}), subject=f"s{n}", power=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("here", "there", "whole", "closed", "code"),
    [(10, 9, True, 1, ""), (10, 9, False, 0, "uncounted"), (6, 1, True, 0, "held_back"), (10, 0, True, 0, "held_back"),
     (2, 1, True, 1, ""), (3, 1, True, 0, "held_back"), (200, 180, True, 20, ""), (200, 179, True, 0, "held_back")],
)  # fmt: skip
def test_no_account_is_closed_in_silence(here: int, there: int, whole: bool, closed: int, code: str) -> None:
    came = [
        DirectoryPerson(at="r", subject=f"s{n}", login=f"m{n}", name="n", active=True, department="", division="",
                        phone="", roles=()) for n in range(there)
    ]  # fmt: skip
    ours = Ours(accounts=tuple(account(n) for n in range(here)), departments={}, divisions=frozenset())
    config = DirectoryConfig(url="https://d.example", issuer="https://id.example")
    plan = make_plan(config, came, [], ours, whole=whole)
    assert len([s for s in plan.steps if s.kind == "close"]) == closed
    assert [p.code for p in plan.problems] == ([code] if code else [])
