"""A person's lists over every kind of case, drafts, batches, and the words of a file."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from core.errors import InputInvalid, NotFound
from core.records import SYSTEM, Command
from events.cases.definition_check import shipped_definitions
from events.cases.definition_store import definition_of
from events.cases.queries import CaseFilter
from events.cases.worklists import lists
from events.cases.worklists.beginning import command_to_many, drafts_of, drop_draft, kinds_to_report, save_draft
from events.cases.worklists.lists import VIEWS, work_page
from events.cases.worklists.words import file_text, plain_text, words_of
from storage import case_text
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from tests.unit.events.casework import Town, actor

KINDS = shipped_definitions()


@pytest.fixture
def town(engine: Engine) -> Town:
    return Town(engine)


def ask(town: Town, title: str = "核实供水", who: str = "fire", to: str = "water") -> str:
    return town.report(who, definition_id="business_flow", title=title, department_id=to).case_id


def listed(town: Town, who: str, view: str, **more: Any) -> list[str]:
    with read_scope(town.engine) as session:
        return [item.case.case_id for item in work_page(session, actor(who), view, KINDS, **more).items]


def test_the_turn_moves_with_the_case_and_the_requester_keeps_it_in_sight(town: Town) -> None:
    case_id = ask(town)
    assert listed(town, "water", "turn") == [case_id] and listed(town, "fire", "turn") == []
    assert listed(town, "fire", "started") == [case_id] and listed(town, "water", "started") == []
    town.do(case_id, "accept", "water")
    town.do(case_id, "reply", "water", answer="供水正常")
    assert listed(town, "water", "turn") == [] and listed(town, "fire", "turn") == [case_id]
    town.do(case_id, "confirm", "fire")
    assert all(listed(town, who, "turn") == [] for who in ("fire", "water", "operator"))
    assert listed(town, "water", "all") == [case_id] == listed(town, "operator", "all")
    assert listed(town, "water", "all", is_open=True) == []
    assert listed(town, "grid", "all") == []


def test_pages_are_whole_and_do_not_overlap(town: Town) -> None:
    made = [ask(town, f"请求{n}") for n in range(7)]
    seen: list[str] = []
    cursor = None
    with read_scope(town.engine) as session:
        while True:
            page = work_page(session, actor("water"), "turn", KINDS, cursor=cursor, limit=3)
            seen += [item.case.case_id for item in page.items]
            cursor = page.next
            if cursor is None:
                break
    assert seen == made[::-1]
    assert page.items[0].state_name == {"zh": "待签收", "en": "Sent"} and page.items[0].kind_name["zh"] == "业务流转"


def test_search_finds_what_people_wrote(town: Town) -> None:
    case_id = ask(town)
    town.do(case_id, "accept", "water")
    town.do(case_id, "reply", "water", answer="泵站今晨恢复")
    for view in VIEWS:
        assert listed(town, "fire", view, search="泵站") in ([case_id], [])
    assert listed(town, "fire", "all", search="泵站") == [case_id]
    assert listed(town, "fire", "all", search="没有这样的话") == []


def everything(town: Town, who: str, **more: Any) -> list[str]:
    """A list read to its end."""
    found: list[str] = []
    cursor = None
    with read_scope(town.engine) as session:
        while True:
            page = work_page(session, actor(who), "all", KINDS, cursor=cursor, **more)
            found += [item.case.case_id for item in page.items]
            cursor = page.next
            if cursor is None:
                return found


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("who", ["fire", "operator"])
def test_a_search_reaches_the_oldest_file(town: Town, who: str, indexed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_READ", 6)  # files that one page looks at
    monkeypatch.setattr(lists, "CHUNK", 4)
    oldest = ask(town, "泵站停电")
    others = [ask(town, f"请求{n}") for n in range(30)]
    if indexed:
        with session_scope(town.engine) as session:
            case_text.catch_up(session)
    assert everything(town, who, search="泵站") == [oldest]
    assert everything(town, who, search="请求", limit=7) == others[::-1]
    late = ask(town, "泵站又停电")  # newer than the index
    assert everything(town, who, search="泵站") == [late, oldest]
    number = town.detail(oldest).case["number"]
    assert everything(town, who, search=number[-3:])[-1] == oldest


def test_filters_stand_beside_the_view(town: Town) -> None:
    asked = [ask(town, f"请求{n}") for n in range(3)]
    fire = town.open(lead="fire", title="起火", severity=4)
    assert everything(town, "operator", also=CaseFilter(severity=4)) == [fire.case_id]
    assert everything(town, "operator", also=CaseFilter(definition="business_flow")) == asked[::-1]
    assert set(everything(town, "operator", also=CaseFilter(department="water"))) >= set(asked)
    assert everything(town, "operator", also=CaseFilter(open=False)) == []


def test_wrong_questions_are_refused(town: Town) -> None:
    with read_scope(town.engine) as session:
        for wrong in ({"view": "mine"}, {"view": "turn", "limit": 0}, {"view": "turn", "cursor": "x"}):
            with pytest.raises(InputInvalid):
                work_page(session, actor("water"), definitions=KINDS, **wrong)  # type: ignore[arg-type]


def test_everybody_may_report_his_kinds_alone(town: Town) -> None:
    now = town.clock.now()
    assert {k.definition_id for k in kinds_to_report(actor("water"), KINDS, now)} >= {"business_flow", "help_request"}
    viewer = {k.definition_id for k in kinds_to_report(actor("viewer"), KINDS, now)}
    assert "business_flow" not in viewer and "information_request" in viewer


def test_drafts_are_one_s_own(town: Town) -> None:
    flow, now = KINDS["business_flow"], town.clock.now()
    with session_scope(town.engine) as session:
        made = save_draft(session, actor("fire"), flow, {"title": "半份"}, now, None)
        again = save_draft(session, actor("fire"), flow, {"title": "整份"}, now, made.draft_id)
        assert [d.title for d in drafts_of(session, actor("fire"))] == ["整份"] and again.draft_id == made.draft_id
        assert drafts_of(session, actor("water")) == []
        with pytest.raises(NotFound):
            drop_draft(session, actor("water"), made.draft_id)
        with pytest.raises(InputInvalid):
            save_draft(session, actor("fire"), flow, {"colour": "red"}, now, None)
        drop_draft(session, actor("fire"), made.draft_id)
        assert drafts_of(session, actor("fire")) == []


def test_a_batch_answers_for_each_case_and_only_where_it_may(town: Town) -> None:
    ids = [ask(town, f"请求{n}") for n in range(3)]
    for case_id in ids[:2]:
        town.do(case_id, "accept", "water")
        town.do(case_id, "reply", "water", answer="完成")
    answers = command_to_many(town.service, actor("fire"), "confirm", [*ids, "nothing"], {}, "k")
    assert [a["ok"] for a in answers] == [True, True, False, False]
    assert answers[2]["error"]["error"] == "move_illegal" and answers[3]["error"]["error"] == "not_found"
    (refused,) = command_to_many(town.service, actor("fire"), "withdraw", ids[2:], {"reason": "不需要"}, "")
    assert not refused["ok"] and refused["error"]["field"] == "name"


def test_what_people_wrote_stands_in_the_file_and_its_print(town: Town) -> None:
    case_id = ask(town)
    town.do(case_id, "accept", "water")
    town.do(case_id, "reply", "water", answer="供水<正常>")
    detail = town.detail(case_id, "fire")
    with read_scope(town.engine) as session:
        flow = definition_of(session, session.get_one(Case, case_id), KINDS)
    (word,) = [word for word in words_of(detail, flow) if word.command == "reply"]
    assert (word.field, word.value, word.title["zh"]) == ("answer", "供水<正常>", "答复")
    assert detail.case["form"]["answer"] == "供水<正常>"
    page = file_text(detail, flow, [])
    assert "供水&lt;正常&gt;" in page and "盖章" in page and detail.case["number"] in page
    assert "Seal" in file_text(detail, flow, [], "en")


def test_lists_choices_and_rows_are_read_as_a_person_reads_them() -> None:
    schema = {
        "type": "array",
        "items": {"type": "object", "properties": {"name": {"title": {"zh": "姓名", "en": "Name"}}, "contact": {}}},
    }
    rows = [{"name": "张三", "contact": ""}, {"name": "李四", "contact": "138"}]
    assert plain_text(rows, schema, "zh") == "姓名：张三\n姓名：李四，contact：138"
    assert plain_text(rows, schema, "en").startswith("Name: 张三")
    several = {"type": "array", "items": {"enum": ["a", "b"]}, "choices": {"a": {"zh": "甲", "en": "A"}}}
    assert plain_text(["a", "b"], several, "zh") == "甲；b" and plain_text(["a", "b"], several, "en") == "A; b"
    assert (plain_text(True, {}, "zh"), plain_text(False, {}, "en"), plain_text(3.0, {}, "zh")) == ("是", "no", "3")
    assert plain_text({"value": 3, "unit": "work_day"}, {}, "zh") == "数量：3，单位：工作日"
    assert plain_text(["u1", "u2"], {}, "en", {"u1": "Li"}, "parties") == "Li; u2"


def test_people_of_a_request_stand_in_words_in_its_file(town: Town) -> None:
    who = {"name": "王小红", "role": "requester", "contact": "13812345678"}
    case_id = town.report(
        "grid", definition_id="help_request", title="帮办", person_name="李秀兰", subjects=[who]
    ).case_id
    (word,) = [w for w in words_of(town.detail(case_id), KINDS["help_request"]) if w.field == "subjects"]
    assert word.text["zh"] == "姓名：王小红，身份：求助人，联系方式：13812345678"
    assert word.text["en"] == "Name: 王小红, Role: requester, Contact: 13812345678"


def test_what_the_platform_copies_from_the_report_is_not_said_twice(town: Town) -> None:
    case_id = town.report("grid", definition_id="help_request", title="帮办", person_name="李秀兰").case_id
    copied = {"person_name": "李秀兰", "phone": "0431-12345678"}
    data = {"department_id": "fire", **copied}
    town.service.execute(
        Command(name="assign_by_address", case_id=case_id, actor_id=SYSTEM.user_id, data=data), SYSTEM
    )
    said = [(w.field, w.value) for w in words_of(town.detail(case_id), KINDS["help_request"])]
    assert said.count(("person_name", "李秀兰")) == 1
    assert ("phone", "0431-12345678") in said  # what is new is said, whoever wrote it
