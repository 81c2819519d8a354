"""Drafts of kinds of case: two editors, four eyes, two publishing at once, running cases keep their version."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from core.clock import ManualClock
from core.records import Actor, Command
from events.cases import kinds_in_force
from events.cases.definition_check import shipped_definitions
from events.cases.kinds_in_force import KindFolder, definitions_in_force
from events.runtime.wiring import case_service
from events.workshop import drafts as d
from events.workshop import errors
from events.workshop.starter import STATES, new_kind, state_lines
from storage.session import read_scope, session_scope
from storage.tables.cases import CaseDefinition
from storage.tables.registry import Department
from tests.unit.events.casework import FRIDAY


@pytest.fixture(autouse=True)
def only_shipped() -> Iterator[None]:
    yield
    kinds_in_force._InForce.added = {}


def begun(engine: Engine, definition_id: str = "business_flow", who: str = "ann") -> d.DraftView:
    with session_scope(engine) as session:
        return d.begin_draft(session, definition_id, who, FRIDAY)


def saved(engine: Engine, draft: d.DraftView, who: str = "ann", **more: object) -> d.DraftView:
    with session_scope(engine) as session:
        return d.save_draft(session, draft.draft_id, {**draft.body, **more}, draft.revision, who, FRIDAY)


def proposed(engine: Engine, draft: d.DraftView, who: str = "ann") -> d.DraftView:
    with session_scope(engine) as session:
        return d.propose_draft(session, draft.draft_id, draft.revision, who, FRIDAY)


def published(engine: Engine, draft: d.DraftView, who: str = "bob") -> d.DraftView:
    with session_scope(engine) as session:
        return d.publish_draft(session, draft.draft_id, draft.revision, who, FRIDAY)


def test_somebody_else_publishes_and_running_cases_keep_their_version(engine: Engine, tmp_path: Path) -> None:
    with session_scope(engine) as session:
        session.add(Department(department_id="water", name="水务局"))
    folder, service = KindFolder(tmp_path / "definitions"), case_service(engine, ManualClock(FRIDAY))
    actor = Actor(user_id="li", name="李", roles=("staff",), department_id="water")
    data = {"definition_id": "business_flow", "title": "旧", "department_id": "water"}
    old = service.execute(Command(name="report", case_id="", actor_id="li", data=data), actor)
    draft = proposed(engine, saved(engine, begun(engine), bounce_limit=9))
    with pytest.raises(errors.OwnDraft):
        published(engine, draft, "ann")
    version = shipped_definitions()["business_flow"].version + 1
    assert published(engine, draft).published_version == version
    folder.look(engine)
    assert definitions_in_force()["business_flow"].bounce_limit == 9
    new = service.execute(Command(name="report", case_id="", actor_id="li", data={**data, "title": "新"}), actor)
    with read_scope(engine) as session:
        from storage.tables.cases import Case

        versions = [session.get(Case, view.case_id).definition_version for view in (old, new)]  # type: ignore[union-attr]
    assert versions == [version - 1, version]


def test_whoever_saved_it_is_an_author(engine: Engine) -> None:
    draft = proposed(engine, saved(engine, saved(engine, begun(engine)), who="bob", bounce_limit=5), who="bob")
    for who in ("ann", "bob"):
        with pytest.raises(errors.OwnDraft):
            published(engine, draft, who)
    assert published(engine, draft, "cid").state == "published"


def test_two_drafts_of_one_version_are_not_both_published(engine: Engine) -> None:
    first, second = (proposed(engine, saved(engine, begun(engine, who=w), w, bounce_limit=n), w)
                     for w, n in (("ann", 4), ("bob", 5)))  # fmt: skip
    published(engine, first, "cid")
    with pytest.raises(errors.DefinitionMoved) as told:
        published(engine, second, "cid")
    assert told.value.as_dict()["current"] == told.value.as_dict()["base"] + 1
    with read_scope(engine) as session:
        assert d.draft_of(session, second.draft_id).state == "proposed"  # nothing of it is half saved


def test_two_people_publishing_at_one_moment(engine: Engine) -> None:
    made = [proposed(engine, saved(engine, begun(engine), bounce_limit=n)) for n in (4, 5)]
    together, told = threading.Barrier(4), []

    def press(draft: d.DraftView, who: str) -> None:
        together.wait(30)
        try:
            told.append(published(engine, draft, who).state)
        except (errors.DefinitionMoved, errors.DraftChanged, errors.DraftStateWrong) as error:
            told.append(error.code)

    threads = [threading.Thread(target=press, args=(draft, who)) for draft in made for who in ("cid", "dan")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(told) == 4 and told.count("published") == 1, told
    with read_scope(engine) as session:
        version = shipped_definitions()["business_flow"].version + 1
        query = select(func.count()).where(
            CaseDefinition.definition_id == "business_flow", CaseDefinition.version == version
        )
        assert session.scalar(query) == 1


def test_an_older_picture_of_a_draft_changes_nothing(engine: Engine) -> None:
    draft = begun(engine)
    saved(engine, draft, bounce_limit=8)
    with pytest.raises(errors.DraftChanged):
        saved(engine, draft, bounce_limit=2)
    with read_scope(engine) as session:
        assert d.draft_of(session, draft.draft_id).body["bounce_limit"] == 8


def test_a_draft_with_problems_is_kept_but_not_proposed(engine: Engine) -> None:
    draft = saved(engine, begun(engine), initial="nowhere")
    with pytest.raises(errors.DraftBlocked) as told:
        proposed(engine, draft)
    assert "nowhere" in str(told.value)
    assert [one.where for one in d.problems_of(draft.body)] == ["initial"]
    with pytest.raises(errors.DraftStateWrong):
        published(engine, draft)


@pytest.mark.parametrize("definition_id", ["X", "1abc", "business_flow", "a" * 41, "树木", ""])
def test_a_new_kind_needs_an_id_of_its_own(engine: Engine, definition_id: str) -> None:
    body = new_kind({"zh": "甲"}, state_lines(STATES))
    with pytest.raises(errors.DefinitionIdInvalid), session_scope(engine) as session:
        d.begin_draft(session, definition_id, "ann", FRIDAY, body)


def test_a_proposed_one_is_frozen_until_it_is_taken_back(engine: Engine) -> None:
    draft = proposed(engine, begun(engine))
    with pytest.raises(errors.DraftStateWrong):
        saved(engine, draft)
    with session_scope(engine) as session:
        back = d.take_back(session, draft.draft_id, draft.revision, "bob", FRIDAY)
    again = saved(engine, back, bounce_limit=6)
    with session_scope(engine) as session:
        d.discard_draft(session, again.draft_id, again.revision)
        assert d.drafts(session) == []


@pytest.mark.parametrize(
    "body",
    [{}, {"states": 3}, {"commands": {"x": {}}}, {"notify": [{"on": 1}]},
     {"commands": {"report": {"name": {}, "moves": [], "who": [], "guards": [{"guard": "documents", "types": 3}]}}}],
)  # fmt: skip
def test_odd_bodies_are_problems_and_no_faults(body: dict[str, object]) -> None:
    full = {**d.long_form(shipped_definitions()["business_flow"]), **body} if body else {}
    assert all(one.text for one in d.problems_of(full)) and d.problems_of(full)
