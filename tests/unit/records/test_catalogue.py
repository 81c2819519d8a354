"""The stored catalogue: reuse and locks, two people, release by duty list and rules, problem lists, workbooks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from core.errors import Forbidden, InputInvalid, NotFound
from records.items import catalogue, releasing, running
from records.items.comparing import changes
from records.items.errors import ElementLocked, ItemChanged, ItemMoveIllegal, ItemNotReleasable, SamePerson
from records.items.finding import ItemQuery, listed
from records.items.generating import generated_items
from records.items.reading import ReadItems, read_item_file
from records.items.taking import take_items
from records.items.workbook import write_items
from storage.session import make_engine
from storage.tables.items import ItemProblemRow, ServiceItem
from tests.databases import create_all
from tests.unit.records.item_desk import BOSS, NOW, SECOND, STRANGER, desk, item


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    engine = make_engine(f"sqlite:///{tmp_path / 'items.db'}")
    create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def released(session: Session, number: int = 0, level: str = "4", body: int = 301) -> ServiceItem:
    row = catalogue.create(session, desk(BOSS), item(number, level, body), "dept-market")
    catalogue.submit(session, desk(BOSS), row)
    catalogue.review(session, desk(SECOND), row, True, "")
    releasing.publish(session, desk(SECOND), row, date(2026, 12, 1))
    return row


def test_a_version_goes_from_draft_to_release_over_two_people(session: Session) -> None:
    row = catalogue.create(session, desk(), item(), "dept-market")
    with pytest.raises(ItemMoveIllegal):
        catalogue.review(session, desk(SECOND), row, True, "")
    catalogue.submit(session, desk(), row)
    with pytest.raises(ItemMoveIllegal):
        catalogue.save(session, desk(), row, {"promise_day": 3})
    with pytest.raises(Forbidden):
        catalogue.review(session, desk(), row, True, "")
    catalogue.review(session, desk(SECOND), row, True, "齐全")
    with pytest.raises(InputInvalid):
        releasing.publish(session, desk(SECOND), row, date(2026, 12, 1), date(2026, 11, 1))
    version = releasing.publish(session, desk(SECOND), row, date(2026, 12, 1), date(2027, 12, 1))
    assert (row.state, row.live, version.state, version.duty_number) == ("published", 1, "published", row.basic)
    assert not releasing.in_force(version, date(2026, 11, 30))
    assert releasing.in_force(version, date(2026, 12, 1)) and not releasing.in_force(version, date(2027, 12, 2))


def test_nobody_reviews_his_own_version(session: Session) -> None:
    row = catalogue.create(session, desk(SECOND), item(), "dept-market")
    catalogue.submit(session, desk(SECOND), row)
    with pytest.raises(SamePerson):
        catalogue.review(session, desk(SECOND), row, True, "")
    with pytest.raises(InputInvalid):
        catalogue.review(session, desk(BOSS), row, False, "")
    catalogue.review(session, desk(BOSS), row, False, "补依据")
    version = catalogue.save(session, desk(), row, {"remark": "已补"})
    assert (version.version, version.state) == (2, "draft")


def test_what_the_duty_list_lacks_or_a_rule_blocks_is_not_released(session: Session) -> None:
    row = catalogue.create(session, desk(), {**item(), "promise_day": 99}, "dept-market")
    assert row.blocking == 1
    catalogue.submit(session, desk(), row)
    catalogue.review(session, desk(SECOND), row, True, "")
    with pytest.raises(ItemNotReleasable, match="R03"):
        releasing.publish(session, desk(SECOND), row, NOW.date())
    with pytest.raises(ItemNotReleasable, match="权责清单"):
        releasing.publish(session, desk(SECOND, duty=False), row, NOW.date())
    assert (row.live, row.state) == (0, "draft")


def test_a_lower_item_takes_the_locked_elements_over_and_cannot_change_them(session: Session) -> None:
    upper = released(session, level="2", body=201)
    own = {**item(), "by_law": "自己的依据", "anticipate_day": 5}
    lower = catalogue.create(session, desk(), own, "dept-market", parent_id=upper.item_id)
    data = catalogue.version_of(session, lower).data
    assert data["by_law"] == item()["by_law"] and data["anticipate_day"] == 20 and lower.parent_version == 1
    assert (lower.blocking, data["dept_code"]) == (0, own["dept_code"])
    with pytest.raises(ElementLocked, match="设定依据"):
        catalogue.save(session, desk(), lower, {"by_law": "《别的》第一条"})
    catalogue.save(session, desk(), lower, {"by_law": f" {item()['by_law']} ", "promise_day": 7})
    with pytest.raises(InputInvalid):
        catalogue.create(session, desk(BOSS), item(1, "2", 202), "dept-market", parent_id=upper.item_id)


def test_a_change_of_the_upper_item_is_answered_by_the_lower_ones(session: Session) -> None:
    upper = released(session, level="2", body=201)
    lower = catalogue.create(session, desk(), item(), "dept-market", parent_id=upper.item_id)
    changed = {"accept_condition": "1.新的条件。"}
    catalogue.save(session, desk(BOSS), upper, changed)
    catalogue.submit(session, desk(BOSS), upper)
    catalogue.review(session, desk(SECOND), upper, True, "")
    releasing.publish(session, desk(SECOND), upper, NOW.date())
    assert lower.answer_due == date(2026, 12, 10)  # ten work days after Thursday 26 November
    assert [p.rule for p in catalogue.problems_of(session, lower)] == ["R30"]
    catalogue.adopt(session, desk(), lower)
    assert lower.answer_due is None and catalogue.problems_of(session, lower) == []
    releasing.set_state(session, desk(SECOND), upper, "withdrawn")
    assert lower.state == "draft"  # only what is released is suspended with it


def test_locked_elements_are_the_owners_to_choose(session: Session) -> None:
    upper = released(session, level="2", body=201)
    with pytest.raises(InputInvalid):
        releasing_locked(session, upper, ["nonsense"])
    releasing_locked(session, upper, ["task_name", "basic"])
    lower = catalogue.create(session, desk(), item(), "dept-market", parent_id=upper.item_id)
    catalogue.save(session, desk(), lower, {"by_law": "《别的》第一条"})


def releasing_locked(session: Session, row: ServiceItem, names: list[str]) -> None:
    catalogue.set_locked(session, desk(SECOND), row, names)


def test_the_slower_of_two_is_told(session: Session) -> None:
    row = released(session)
    catalogue.save(session, desk(BOSS), row, {"remark": "a"}, expected=1)
    with pytest.raises(ItemChanged):
        catalogue.save(session, desk(BOSS), row, {"remark": "b"}, expected=1)


def test_drafts_are_for_their_department_and_the_centre(session: Session) -> None:
    row = catalogue.create(session, desk(), item(), "dept-market")
    assert catalogue.get_item(session, row.item_id, SECOND) is row
    with pytest.raises(NotFound):
        catalogue.get_item(session, row.item_id, STRANGER)
    with pytest.raises(Forbidden):
        catalogue.save(session, desk(STRANGER), row, {"remark": "x"})
    assert listed(session, ItemQuery(), STRANGER)[1] == 0 and listed(session, ItemQuery(), BOSS)[1] == 1


@pytest.mark.parametrize("text", ["食品经营", "shipinjingying", "spjyxk", "11220105TEXT", "2201100"])
def test_items_are_found_by_name_pinyin_and_code(session: Session, text: str) -> None:
    row = released(session)
    released(session, 14, body=302)  # 高龄津贴
    found, total = listed(session, ItemQuery(text), BOSS)
    assert row in found and total >= 1
    assert listed(session, ItemQuery("glf"), BOSS)[1] == 0


def test_a_run_keeps_problems_over_runs_and_marks_what_is_mended(session: Session) -> None:
    row = catalogue.create(session, desk(), {**item(), "promise_day": 99, "handle_flow": "随便"}, "dept-market")
    first = running.run_checks(session, desk(BOSS))
    assert (first.items, first.found, first.new) == (1, 2, 2)
    rows, total = running.problem_rows(session, desk(), "dept-market")
    assert total == 2 and {(p.rule, p.severity) for p, _, _ in rows} == {("R03", "block"), ("R18", "warn")}
    assert {p.due for p, _, _ in rows} == {date(2026, 12, 3), date(2026, 12, 24)}
    with pytest.raises(InputInvalid):
        running.accept(session, desk(SECOND), row.item_id, "promise_day", "R03", "就这样吧")
    with pytest.raises(Forbidden):
        running.accept(session, desk(), row.item_id, "handle_flow", "R18", "流程有特殊规定")
    running.accept(session, desk(SECOND), row.item_id, "handle_flow", "R18", "流程有特殊规定")
    catalogue.save(session, desk(), row, {"promise_day": 5})
    second = running.run_checks(session, desk(BOSS))
    assert (second.new, second.fixed) == (0, 1)
    [numbers] = running.overview(session, desk(SECOND))
    assert (numbers.open, numbers.fixed, numbers.accepted, numbers.clean_rate) == (0, 1, 1, 100.0)
    catalogue.save(session, desk(), row, {"promise_day": 99})
    later = desk(BOSS, at=NOW + timedelta(days=30))
    running.run_checks(session, later)
    again = session.get_one(ItemProblemRow, (row.item_id, "promise_day", "R03"))
    assert (again.state, again.fixed_at, again.due > date(2026, 12, 3)) == ("open", None, True)
    assert running.overview(session, desk(STRANGER)) == []
    with pytest.raises(Forbidden):
        running.problem_rows(session, desk(STRANGER), "dept-market")


def test_a_workbook_comes_back_as_it_went_out(session: Session) -> None:
    fee = {"fee_name": "工本费", "fee_stand": "10元", "by_law": "文件"}
    records = [{**next(iter(generated_items())), "remark": "=1+1", "fees": [fee]}]
    content = write_items(records)
    read = read_item_file(io.BytesIO(content), Path("a.xlsx"))
    assert list(read.problems) == [] and len(read.records) == 1
    merged = {**records[0], **read.records[0][1]}
    assert changes(records[0], merged) == []


def test_a_file_is_taken_as_drafts_and_a_second_time_changes_nothing(session: Session) -> None:
    records = [item(number, body=301) for number in range(6)]
    read = ReadItems(tuple((str(r.get("handling")), r) for r in [*records, records[0], {"task_name": ""}]))
    names = {"市场监督管理局": "dept-market"}
    tried = take_items(session, desk(), read, names, source="f", dry_run=True)
    assert (tried.created, len(tried.refused)) == (6, 2) and listed(session, ItemQuery(), BOSS)[1] == 0
    done = take_items(session, desk(), read, names, source="f")
    assert done.created == 6 and {why for _, why in done.refused} == {"twice_in_file", "no_name"}
    again = take_items(session, desk(), read, names, source="f")
    assert (again.created, again.unchanged) == (0, 6)
    other = take_items(session, desk(STRANGER), read, names, source="f")
    assert (other.created, other.unchanged, len(other.refused)) == (0, 0, 8)
    with pytest.raises(Forbidden):
        take_items(session, desk(), read, names, source="f", in_force=True)


def test_a_first_filling_links_levels_and_releases_what_is_clean(session: Session) -> None:
    items = [item(0, "2", 201), item(0, "4", 301), {**item(1, "4", 302), "promise_day": 99}]
    read = ReadItems(tuple((str(r["handling"]), r) for r in items))
    take_items(session, desk(BOSS), read, {}, source="f", in_force=True)
    rows = {r.level + r.basic[-6:]: r for r in listed(session, ItemQuery(), BOSS)[0]}
    upper, lower, broken = (rows[k] for k in sorted(rows))
    assert lower.parent_id == upper.item_id and (lower.state, broken.state) == ("published", "draft")
