"""Classes and limits: the table we ship, and what a district's own table does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import Engine, func, select

from app.cli import main
from core.errors import InputInvalid
from core.legal_time.limits import Limit
from events.dispatching.explain import suggest
from events.dispatching.routing import default_routing
from events.taxonomy.classes import SHIPPED, limit_of, shipped_standards
from events.taxonomy.codesets import as_current, old_classes
from events.taxonomy.importer import parse_rows, read_table
from storage.session import read_scope
from storage.tables.cases import Case, CaseStandard
from tests.unit.events.casework import Town


@pytest.fixture
def url(engine: Engine) -> str:
    return str(engine.url)


def test_the_shipped_table_is_whole() -> None:
    standards = shipped_standards()
    assert len(standards) == 527  # 519 of the city's list and 8 local extensions
    assert len({s.standard_id for s in standards}) == 527 - _doubles()
    good, problems = parse_rows(read_table(SHIPPED))
    assert len(good) + len(problems) == 527 and len(problems) == _doubles()


def _doubles() -> int:
    keys = [(s.class_version, s.class_code, s.condition) for s in shipped_standards()]
    return len(keys) - len(set(keys))


def test_limits_come_from_the_class(engine: Engine) -> None:
    with read_scope(engine) as session:
        assert limit_of(session, "event-05-06", "2013") == Limit(value=2, unit="urgent_hour")
        assert limit_of(session, "component-01-01", "2013") == Limit(value=2, unit="urgent_hour")  # the strictest
        assert limit_of(session, "event-05-06", "2007") == Limit(value=2, unit="work_hour")  # bicycles, not water
        assert limit_of(session, "event-04-06", "2007") == Limit(value=2, unit="urgent_hour")  # water
        assert limit_of(session, "event-05-09", "2007") is None  # the newer set has no such class
        assert limit_of(session, "event-99-99", "2013") is None


def test_import_dry_run_then_for_real(engine: Engine, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["taxonomy", "import", "--shipped", "--database", url, "--json"]
    main([*argv, "--dry-run"])
    dry = json.loads(capsys.readouterr().out)
    with read_scope(engine) as session:
        assert session.scalar(select(func.count()).select_from(CaseStandard)) == 0
    main(argv)
    real = json.loads(capsys.readouterr().out)
    assert real["added"] == dry["added"] == 527 - _doubles()
    main(argv)
    again = json.loads(capsys.readouterr().out)
    assert (again["added"], again["changed"], again["same"]) == (0, 0, real["added"])
    assert main(["taxonomy", "list", "event-05-06", "--database", url]) == 0
    assert "道路积水" in capsys.readouterr().out


def test_a_districts_own_table(engine: Engine, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["类型", "大类代码", "大类名称", "小类代码", "小类名称", "立案情形", "处置时限", "结案条件", "本地扩展"],
        ["事件", 5, "突发事件", 6, "道路积水", "深度超过15cm", "1紧急工作时", "消除积水", "否"],
        ["事件", "05", "突发事件", "97", "井下被困", "", "30 分钟", "", "是"],
        ["事件", "05", "突发事件", "abc", "坏行", "", "1天", "", ""],
        ["植物", "05", "", "01", "树", "", "", "", ""],
        ["部件", "01", "公用设施", "01", "上水井盖", "缺失", "3小时", "恢复", ""],
        ["部件", "01", "公用设施", "01", "上水井盖", "缺失", "3小时", "恢复", ""],
    ):
        sheet.append(row)
    file = tmp_path / "own.xlsx"
    book.save(file)
    assert main(["taxonomy", "import", str(file), "--database", url, "--json"]) == 1
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["added"] == 2
    assert [(p["row"], p["field"]) for p in outcome["problems"]] == [
        (2, "limit"), (3, "small_code"), (4, "kind"), (6, "condition"),
    ]  # fmt: skip
    with read_scope(engine) as session:
        assert limit_of(session, "event-05-06", "2013") == Limit(value=1, unit="urgent_hour")
        assert limit_of(session, "component-01-01", "2013") == Limit(value=3, unit="work_hour")


def test_tables_that_cannot_be_read(tmp_path: Path) -> None:
    for name, data in (
        ("a.xlsx", b"not a workbook"),
        ("b.csv", b""),
        ("c.csv", "kind,colour\n事件,red\n".encode()),
        ("d.csv", b"\xff\xfe\x80\x81\x00"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputInvalid):
            read_table(tmp_path / name)
    with pytest.raises(InputInvalid):
        read_table(tmp_path / "nowhere.csv")


def test_gb18030_tables_are_read(tmp_path: Path) -> None:
    file = tmp_path / "gb.csv"
    file.write_bytes("类型,大类代码,小类代码,小类名称,时限\n事件,5,6,道路积水,2紧急工作时\n".encode("gb18030"))
    good, problems = parse_rows(read_table(file))
    assert not problems and good[0].class_code == "event-05-06" and good[0].limit == Limit(value=2, unit="urgent_hour")


def test_changing_the_class_changes_the_limit(engine: Engine) -> None:
    town = Town(engine)
    case = town.report(class_code="component-02-01")
    town.do(case.case_id, "register", "operator", class_code="event-05-06")
    town.do(case.case_id, "dispatch", "operator", department_id="water")
    clock = town.clock_of(case.case_id, "handling")
    assert (clock.limit_value, clock.limit_unit) == (2, "urgent_hour")


def test_the_code_sets_are_not_mixed_up(engine: Engine) -> None:
    known = {s.class_code for s in shipped_standards()} | {"event-04-88"}  # 88 is a local extension of the rules
    assert all(not old.code_2013 or old.code_2013 in known for old in old_classes().values())
    assert as_current("event-05-02", "2007") == "event-04-" and as_current("event-05-02", "2013") == "event-05-02"
    town = Town(engine)
    flood = town.report(class_code="event-04-06", class_version="2007")
    bicycles = town.report(class_code="event-05-06", class_version="2007")
    with read_scope(engine) as session:
        rows = {c: session.get_one(Case, c.case_id) for c in (flood, bicycles)}
        keys = [row.happening_key.partition("@")[0] for row in rows.values() if row.happening_key]
        assert keys == ["waterlogging", "class:event-04-10"]
        assert rows[flood].class_version == "2007"  # filed as it came
        now = town.clock.now()
        book = town.service.book(session)
        leads = [suggest(session, row, book, default_routing(), set(), now).lead for row in rows.values()]
        assert [lead.department_id for lead in leads] == ["dept-drainage", "dept-urban"]
