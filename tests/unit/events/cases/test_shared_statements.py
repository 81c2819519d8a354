"""One statement fetches a case for all who share an office, and nobody sees more by that."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from core.errors import NotFound
from core.records import Actor
from events.cases.access import may_see
from events.cases.definition_check import shipped_definitions
from storage.session import read_scope, session_scope
from storage.sql import statements
from tests.unit.events.casework import PEOPLE, Town, actor


@pytest.fixture
def town(engine: Engine) -> Town:
    return Town(engine)


def reaches(town: Town, who: Actor, case_id: str) -> bool:
    """Can ``who`` fetch the case for a command?"""
    with session_scope(town.engine) as session:
        try:
            town.service.locked(session, case_id, who)
        except NotFound:
            return False
        return True


def twin(who: Actor) -> Actor:
    return msgspec.structs.replace(who, user_id=f"twin-of-{who.user_id}")


def test_what_is_ones_own_is_not_the_colleagues(town: Town) -> None:
    far = "220105009"
    cases = [
        town.report("grid").case_id,
        town.report("inspector").case_id,
        town.report("fire", definition_id="business_flow", title="x", department_id="water").case_id,
        town.open(lead="water", division_code=far, confidential=True, parties=("grid",)).case_id,
        town.open().case_id,
    ]
    people = [made for name in PEOPLE for made in (twin(actor(name)), actor(name))]  # the stranger asks first
    seen = {(p.user_id, c): reaches(town, p, c) for p in people for c in cases}
    assert seen["grid", cases[0]] and not seen["twin-of-grid", cases[0]]
    assert seen["grid", cases[3]] and not seen["twin-of-grid", cases[3]]
    with read_scope(town.engine) as session:
        assert seen == {(p.user_id, c): may_see(session, p, c) for p in people for c in cases}


def test_a_thousand_phones_share_one_statement(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = town.open().case_id
    rendered: list[tuple[Any, ...]] = []

    class Counted(statements._Rendered):
        def __init__(self, *given: Any) -> None:
            rendered.append(given)
            super().__init__(*given)

    fire = actor("fire")
    assert reaches(town, fire, case_id)
    monkeypatch.setattr(statements, "_Rendered", Counted)
    for n in range(30):
        assert reaches(town, msgspec.structs.replace(fire, user_id=f"u{n}", name=f"n{n}"), case_id)
    assert not rendered
    assert not reaches(town, msgspec.structs.replace(fire, department_id="water"), case_id)
    assert len(rendered) == 1


def test_a_new_version_of_a_kind_is_seen_by_whom_it_names(town: Town) -> None:
    case_id = town.open(confidential=True).case_id
    water = actor("water")
    assert not reaches(town, water, case_id)
    shipped = shipped_definitions()
    kind = shipped["city_management"]
    everybody = msgspec.structs.replace(kind.visibility["confidential"][0], relation="any", roles=(), from_=())
    seen = {**kind.visibility, "confidential": (everybody,)}
    newer = msgspec.structs.replace(kind, version=kind.version + 1, visibility=seen)
    town.service._definitions = {**shipped, "city_management": newer}
    assert reaches(town, water, case_id)
