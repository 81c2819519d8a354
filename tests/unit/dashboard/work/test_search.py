"""Search: two Chinese characters, pinyin, initials, rights; the index of cases follows what changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select, text, update

from core.clock import ManualClock
from core.settings import Settings
from dashboard.search.spelling import match, spell
from events.cases.drafts import CaseDraft, Part, Route
from records.registers.naming import spelled
from storage import case_text
from storage.case_text import catch_up, find, grams
from storage.session import make_engine, session_scope
from storage.tables.cases import Case
from storage.tables.people import User
from storage.tables.records import RegisterRecord
from tests.databases import create_all
from tests.unit.dashboard.web import Office, make_office

NOW = datetime(2026, 6, 5, 3, tzinfo=UTC)


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings, ManualClock(NOW))
    yield office
    office.engine.dispose()


def open_case(office: Office, title: str, site: str = "s-water") -> str:
    with session_scope(office.engine) as session:
        draft = CaseDraft(
            title=title, kind="waterlogging", class_code="event-05-06", site_id=site, source_type="citizen"
        )
        return office.app.state.services.cases.open_case(session, draft).case_id


def found(office: Office, q: str, kind: str = "case", login: str = "operator") -> list[str]:
    answer = office.client(login).get("/api/search", params={"q": q}).json()
    group = next((g for g in answer["groups"] if g["kind"] == kind), {"items": []})
    return [item["id"] for item in group["items"]]


def test_a_word_of_two_characters_finds_cases_wherever_it_stands(office: Office) -> None:
    first, second = open_case(office, "吉林大路铁路桥下道路积水"), open_case(office, "积水已退")
    open_case(office, "水积成冰")
    assert set(found(office, "积水")) == {first, second}
    assert found(office, "道路积水") == [first]
    assert found(office, "积水 吉林") == [first]
    assert found(office, "桥下") == [first]
    assert found(office, "火灾") == []
    assert set(found(office, "水")) >= {first, second}


def test_who_sees_little_finds_his_own_case_among_many_of_others(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_text, "MOST", 3)
    with session_scope(office.engine) as session:
        draft = CaseDraft(
            title="泵房积水", kind="waterlogging", class_code="event-05-06", site_id="s-water",
            source_type="citizen", auto_register=True, route=Route(lead=Part(department_id="dept-fire")),
        )  # fmt: skip
        own = office.app.state.services.cases.open_case(session, draft).case_id
    for n in range(5):
        open_case(office, f"积水{n}")
    assert found(office, "积水", login="fireman") == [own]
    assert len(found(office, "积水")) == 3


def test_people_and_records_are_found_by_right(office: Office) -> None:
    with session_scope(office.engine) as session:
        ids = {user.login: user for user in session.scalars(select(User))}
        ids["fireman"].name, ids["drainer"].name = "李大海", "王小河"
        for key, register, name in (("r1", "emergency_stock", "沙袋"), ("r2", "network_line", "沙河线路")):
            session.add(RegisterRecord(record_id=key, register_id=register, name=name, pinyin=spelled(name)[0],
                                       initials=spelled(name)[1], data={}, created_at=NOW, updated_at=NOW))  # fmt: skip
    assert found(office, "ldh", "person") == [ids["fireman"].user_id]
    assert found(office, "王小", "person") == [ids["drainer"].user_id]
    assert found(office, "王小", "person", login="fireman") == []  # another department's
    assert found(office, "李大", "person", login="fireman") == [ids["fireman"].user_id]
    assert found(office, "沙袋", "record", login="fireman") == ["r1"]
    assert found(office, "沙河", "record") == ["r2"] and found(office, "沙河", "record", login="fireman") == []


def test_the_index_follows_a_changed_title_and_finds_by_number(office: Office) -> None:
    case_id = open_case(office, "井盖缺失")
    assert found(office, "井盖") == [case_id]
    with session_scope(office.engine) as session:
        later = datetime(2026, 6, 5, 4, tzinfo=UTC)
        session.execute(update(Case).where(Case.case_id == case_id).values(title="路面塌陷", updated_at=later))
        number = session.get_one(Case, case_id).number
    assert found(office, "塌陷") == [case_id] and found(office, "井盖") == []
    assert found(office, number.split("-")[-1]) == [case_id]


def test_only_what_a_person_may_see(office: Office) -> None:
    case_id = open_case(office, "道路积水")
    assert found(office, "积水") == [case_id]
    assert found(office, "积水", login="fireman") == []
    assert found(office, "Road", "camera", "operator") == ["c-water"]
    assert found(office, "Road", "camera", "fireman") == []


def test_sites_and_divisions_by_pinyin(office: Office) -> None:
    assert found(office, "erdaoqu", "division") == ["220105"]
    assert found(office, "edq", "division") == ["220105"]
    assert found(office, "二道", "division") == ["220105"]
    assert found(office, "mal", "site") == ["s-fire"]


@pytest.mark.parametrize("q", ["", " ", '"', '积水"', "' OR 1=1", "*", "NEAR(", "a" * 500, "积*水", "-", "\x00积水"])
def test_odd_queries_break_nothing(office: Office, q: str) -> None:
    open_case(office, "道路积水")
    answer = office.client("operator").get("/api/search", params={"q": q})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("query", "span"),
    [("jldl", (0, 4)), ("jilin", (0, 2)), ("jilindalu", (0, 4)), ("dalu", (2, 4)), ("大路", (2, 4)), ("dal", (2, 4))],
)
def test_spellings(query: str, span: tuple[int, int]) -> None:
    at = match(query, spell("吉林大路"))
    assert at is not None and (at.start, at.end) == span


def test_what_is_not_in_a_name_is_not_found() -> None:
    assert match("xyz", spell("吉林大路")) is None
    assert match("jd", spell("吉林大路")) is None
    assert match("l12", spell("公路12号")) is not None  # digits stand for themselves


_WORDS = st.text(alphabet="积水道路火灾桥下吉林ab1 ", min_size=1, max_size=30)


@settings_of(max_examples=40, deadline=None)
@given(st.lists(_WORDS, min_size=1, max_size=12), st.text(alphabet="积水道路火灾桥下", min_size=2, max_size=4))
def test_pairs_find_exactly_what_holds_the_word(titles: list[str], word: str) -> None:
    with session_scope(_memory()) as session:
        session.execute(delete(Case))
        for table in ("case_text", "case_text_fts"):
            session.execute(text(f"DROP TABLE IF EXISTS {table}"))
        for n, title in enumerate(titles):
            session.add(
                Case(
                    case_id=f"c{n}", number=f"n{n}", definition_id="d", definition_version=1, stage="s", state="s",
                    title=title, opened_at=NOW, updated_at=NOW,
                )
            )  # fmt: skip
        session.flush()
        assert catch_up(session) == len(titles)
        assert catch_up(session) == 0
        assert set(find(session, word)) == {f"c{n}" for n, title in enumerate(titles) if word in title}


@cache
def _memory() -> Engine:
    engine = make_engine("sqlite://")
    create_all(engine)
    return engine


def test_grams() -> None:
    assert grams("道路积水 A12") == ["道路", "路积", "积水", "水", "a12"]
