"""The checks of service items: seeded faults are found, clean items are not touched, and it stays quick."""

from __future__ import annotations

import json
import time
from pathlib import Path

import openpyxl
import pytest

from app.cli import main
from bench.parts.item_faults import FAULTS, all_columns, broken_items, clean_item
from records.items.checking import item_problems
from records.items.elements import standard_elements
from records.items.rules import standard_rules


def test_clean_items_have_no_problem() -> None:
    for number in range(80):
        assert item_problems(clean_item(number)) == []
        assert item_problems(all_columns(clean_item(number))) == []


@pytest.mark.parametrize("position", range(len(FAULTS)), ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(FAULTS)])
def test_a_seeded_fault_is_found(position: int) -> None:
    rule, record = broken_items(len(FAULTS))[position]
    assert rule in {problem.rule for problem in item_problems(record)}


def test_two_hundred_faults_are_found_and_name_few_other_rules() -> None:
    broken = broken_items(200)
    found = [{p.rule for p in item_problems(record)} for _, record in broken]
    assert all(rule in rules for (rule, _), rules in zip(broken, found, strict=True))
    assert sum(len(rules) - 1 for rules in found) <= 60  # an emptied element may break a second rule, not ten


@pytest.mark.parametrize(
    "name",
    [
        "其他组织登记证书",
        "相关专业毕业证书",
        "章程规定的出资证明书",
        "劳动合同等级证书",
        "营业执照（复印件）",
        "无其他收入声明书",
        "等级医院诊断书",
    ],
)
def test_a_paper_that_is_named_is_no_catch_all(name: str) -> None:
    record = clean_item(1)
    record["materials"][1]["material_name"] = name
    assert item_problems(record) == []


@pytest.mark.parametrize(
    "text",
    [
        "符合《公共场所卫生管理条例》规定的条件。",
        "申请人年满60周岁，户籍在本区。",
        "场所符合消防要求",
        "无不良信用记录",
        "有与经营规模相适应的设施",
    ],
)
def test_a_condition_that_says_something_is_no_catch_all(text: str) -> None:
    record = clean_item(1) | {"accept_condition": text}
    assert item_problems(record) == []


@pytest.mark.parametrize(
    ("legal", "promise"),
    [((1, "月"), (28, "自然日")), ((7, "自然日"), (5, "工作日")), ((1, "月"), (20, "工作日")), ((1, "年"), (12, "月"))],
)
def test_limits_that_certainly_fit_are_not_told(legal: tuple[int, str], promise: tuple[int, str]) -> None:
    record = clean_item(1) | {"anticipate_day": legal[0], "anticipate_type": legal[1], "parent": {}}
    assert item_problems(record | {"promise_day": promise[0], "promise_type": promise[1]}) == []


def test_two_extensions_of_one_number_differ() -> None:
    record = clean_item(1) | {"link_way": "0431-84563210转801", "supervise_way": "0431-84563210转802"}
    assert item_problems(record) == []


def test_there_are_sixty_five_elements_and_every_rule_is_documented() -> None:
    assert len(standard_elements().elements) == 65
    assert all(rule.zh and rule.en and rule.fix for rule in standard_rules().rules)


def test_fifteen_hundred_items_take_less_than_ten_cpu_seconds() -> None:
    records = [all_columns(clean_item(number)) for number in range(150)]
    began = time.process_time()
    for record in records:
        item_problems(record)
    assert (time.process_time() - began) * 10 < 10


def test_full_width_text_and_labels_are_read_as_codes() -> None:
    record = clean_item(1)
    record.update(project_type="承诺件", is_fee="否", use_level=4.0, promise_day="５", handle_type="1，2，4")
    assert item_problems(record) == []


def _workbook(path: Path, records: list[dict[str, object]]) -> Path:
    book = openpyxl.Workbook()
    heads = list(dict.fromkeys(head for record in records for head in record))
    book.active.append(heads)
    for record in records:
        cells = [record.get(head) for head in heads]
        book.active.append([json.dumps(c, ensure_ascii=False) if isinstance(c, list | dict) else c for c in cells])
    book.save(path)
    return path


def test_the_command_reads_json_and_workbooks_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [clean_item(n) for n in range(20)] + [record for _, record in broken_items(60)]
    source = tmp_path / "items.json"
    source.write_text(json.dumps(records, ensure_ascii=False), "utf-8")
    answers = []
    for path in (source, _workbook(tmp_path / "items.xlsx", records)):
        assert main(["items", "check", str(path), "--json"]) == 1
        answer = json.loads(capsys.readouterr().out)
        answers.append({(line["item"], line["rule"]) for line in answer["problems"]})
        assert answer["items"] == 80
        assert set(answer["problems"][0]) >= {"item", "element", "rule", "severity", "message"}
    assert (
        answers[0] <= answers[1]
    )  # the sheet has every column, so an element that a record leaves out is an empty cell
    assert {rule for _, rule in answers[1] - answers[0]} <= {"R01", "R17", "R18"}


def test_materials_may_stand_on_a_sheet_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = {k: v for k, v in clean_item(2).items() if k not in ("materials", "parent", "fees")}
    path = _workbook(tmp_path / "items.xlsx", [record])
    book = openpyxl.load_workbook(path)
    sheet = book.create_sheet("材料")
    sheet.append(
        ["业务办理项编码", "材料名称", "材料类型", "来源渠道", "材料必要性", "原件份数", "空白表格", "示例样表"]
    )
    sheet.append([record["handling"], "其他相关材料", "其他", "99", "1", 1, "", ""])
    book.save(path)
    assert main(["items", "check", str(path), "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [(p["rule"], p["element"]) for p in problems] == [("R20", "materials/1/material_name")]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 1', "null"])
def test_garbage_is_one_clear_error(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "items.json"
    path.write_text(text, "utf-8")
    assert main(["items", "check", str(path), "--json"]) == 2
    assert "items" in capsys.readouterr().err
