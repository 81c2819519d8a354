"""Rights asked once for all who have the same are the rights that each would have been told."""

from __future__ import annotations

import random

from sqlalchemy import Engine, event, select

from core.records import Actor
from dashboard.live_rights import rights_of
from events.cases.access import visible_cases
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from tests.unit.events.casework import STREET, Town, actor

ROLES = ("staff", "manager", "inspector", "grid_worker", "operator", "drone", "viewer")


def test_the_same_answer_as_asking_for_each_person(engine: Engine) -> None:
    town, rnd = Town(engine), random.Random(5)
    people = [
        Actor(
            user_id=f"p{n}", name="", roles=tuple(sorted(rnd.sample(ROLES, rnd.choice((1, 1, 2))))),
            department_id=rnd.choice(("fire", "water", None)), division_code=rnd.choice((STREET, "220105009", None)),
        )
        for n in range(60)
    ]  # fmt: skip
    people += [actor(name) for name in ("fire", "water", "inspector", "grid", "operator", "fire_boss")]
    ids = []
    for n in range(12):
        lead, division = rnd.choice(("fire", "water")), rnd.choice((STREET, "220105009"))
        case = town.open(lead=lead, division_code=division, title=f"{n}")
        ids.append(case.case_id)
    with session_scope(engine) as session:
        for case_id in ids:
            row = session.get(Case, case_id)
            assert row is not None
            row.reporter_id, row.handler_id = rnd.choice(people).user_id, rnd.choice((None, rnd.choice(people).user_id))
            row.confidential = rnd.random() < 0.3
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    with read_scope(engine) as session:
        secret = set(session.scalars(select(Case.case_id).where(Case.confidential.is_(True))))
        before = len(asked)
        found = rights_of(session, people, [i for i in ids if i not in secret], [])
        assert len(asked) - before < len(people), "one question for all who have the same rights"
        found = rights_of(session, people, [i for i in ids if i not in secret], sorted(secret))
        for person in people:
            query = select(Case.case_id).where(Case.case_id.in_(ids), visible_cases(person))
            assert found[person.user_id] == frozenset(session.scalars(query)), person
