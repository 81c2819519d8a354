"""Ratings as staff read them: groups, rights, what follows a bad one, and a second look by somebody else."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from core.records import Actor
from dashboard.pages.desk.ratings import panel, reasons_of, row_of
from dashboard.persons.ratings import rating_page
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.persons import CaseRating
from tests.unit.dashboard.outside.test_links_and_ratings import Town, town

__all__ = ["town"]


class Reader:
    """Somebody at the page: ``t`` gives names as they are."""

    language = "zh"

    def __init__(self, town: Town) -> None:
        self.services = town.office.app.state.services

    def t(self, key: str, **_: Any) -> str:
        return key


def rated(town: Town, stars: str, key: str, **answers: Any) -> str:
    """A complaint answered by the fire department and rated; the case's id."""
    code, case_id = town.complaint(key * 24)
    town.answer_at_once(case_id)
    with session_scope(town.door.engine) as session:
        session.get_one(Case, case_id).department_id = "dept-fire"
    sent = town.send("rating", code, {"stars": stars, **answers}, f"r{key}" * 12)
    assert sent.get("kind") == "rating", sent
    return case_id


def groups(town: Town, login: str, **filters: str) -> list[int]:
    got = town.office.client(login).get("/api/ratings", params=filters)
    assert got.status_code == 200, got.text
    return [line["stars"] for line in got.json()["items"]]


def test_groups_rights_and_the_second_look(town: Town) -> None:
    rated(town, "5", "a")
    bad = rated(town, "1", "b", reasons=["attitude"], comment="说话难听")
    assert groups(town, "operator") == [1, 5]
    assert groups(town, "operator", group="bad") == groups(town, "operator", group="following") == [1]
    assert groups(town, "operator", group="appealed") == groups(town, "operator", group="upheld") == []
    assert groups(town, "fireman") == [1, 5] and groups(town, "drainer") == []  # the cases they may see
    assert groups(town, "operator", department="dept-drainage") == []
    assert town.office.client("operator").get("/api/ratings?group=worst").status_code == 422

    operator, fireman = town.office.client("operator"), town.office.client("fireman")
    with read_scope(town.door.engine) as session:
        bad_id = session.scalars(select(CaseRating.bad_case_id).where(CaseRating.case_id == bad)).one()

    def give(client: Any, name: str, **data: str) -> int:
        return client.post(f"/api/cases/{bad_id}/commands", json={"name": name, "data": data}).status_code

    assert give(operator, "assign", department_id="dept-fire") == 200
    assert give(fireman, "appeal", reason="当天系统故障") == 200
    line = next(one for one in operator.get("/api/ratings?group=appealed").json()["items"])
    assert (line["bad_case_id"], line["bad_state"], line["bad_open"]) == (bad_id, "appealed", True)
    assert line["due_at"] and [(m["command"], m["by"], m["reason"]) for m in line["moves"]] == [
        ("appeal", "fireman", "当天系统故障")
    ]
    with session_scope(town.door.engine) as session:  # the operator had handled the rated case: not the one to judge
        session.get_one(Case, bad).handler_id = _user(town, "operator")
    assert give(operator, "uphold_appeal", reason="我看没问题") in (403, 409, 422)
    assert give(town.office.client("boss"), "uphold_appeal", reason="情况属实") == 200
    town.refresh()
    assert groups(town, "operator", group="upheld") == [1]
    answer = operator.get("/api/ratings").json()
    assert answer["mean"] == 5.0 and answer["total"] == 2  # out of the mean, not out of the list


def _user(town: Town, login: str) -> str:
    return str(town.office.client(login).get("/api/me").json()["user"]["user_id"])


def test_rows_and_panel_of_the_page(town: Town) -> None:
    rated(town, "2", "c", reasons=["slow", "fee"])
    visit: Any = Reader(town)
    use = visit.services
    admin = Actor(user_id="x", name="x", roles=("admin",))
    with read_scope(use.engine) as session:
        line = rating_page(session, admin, use.cases.definitions, use.clock.now()).items[0]
    row = row_of(visit, line)
    assert row["stars"] == 2 and row["stars_parts"][0]["c"] == "chip bad"
    assert reasons_of(visit, line) == "办理太慢、违规收费" and row["follow_parts"] and row["due_parts"]
    assert "rate-file" in str(panel(visit, line))
