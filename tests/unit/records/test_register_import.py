"""Import into a register: dry run, mapping, every problem by row and field, nothing doubled."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine, func, select

from records.registers.importing import suggest_mapping
from records.registers.search import Query, count, page
from records.registers.storing import history, values_of
from storage.session import read_scope
from storage.tables.records import ImportRun, RegisterRecord
from tests.unit.records.registry import PERSON, SEAL, csv_of, fresh, people, take


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return fresh(tmp_path)


def _total(engine: Engine) -> int:
    with read_scope(engine) as session:
        return int(session.scalar(select(func.count()).select_from(RegisterRecord)) or 0)


def test_a_dry_run_counts_and_writes_nothing(engine: Engine) -> None:
    report = take(engine, csv_of(people(50)), dry_run=True)
    assert (report.rows, report.created, report.refused) == (50, 50, 0)
    assert _total(engine) == 0
    with read_scope(engine) as session:
        assert session.scalars(select(ImportRun)).one().state == "tried"


def test_the_same_file_again_changes_nothing(engine: Engine) -> None:
    body = csv_of(people(50))
    assert take(engine, body).created == 50
    again = take(engine, body)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 50)


def test_a_changed_field_is_written_with_its_source_and_an_empty_one_left(engine: Engine) -> None:
    lines = people(20)
    take(engine, csv_of(lines), name="first.csv")
    lines[4] = {**lines[4], "address": "迁入新址", "nation": ""}
    report = take(engine, csv_of(lines), name="second.csv")
    assert (report.changed, report.unchanged) == (1, 19)
    with read_scope(engine) as session:
        record = page(session, Query("person", lines[4]["id_number"]), SEAL)[0]
        assert values_of(record, SEAL)["address"] == "迁入新址"
        assert values_of(record, SEAL)["nation"]
        assert [(h["field"], h["source"]) for h in history(session, record, PERSON, SEAL)] == [
            ("address", "second.csv"),
            ("", "first.csv"),
        ]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("id_number", "220105189901010013", "code_wrong"),
        ("id_number", "2.20105E+17", "digits_lost"),
        ("phone", "不详", "phone_wrong"),
        ("division", "火星社区", "division_unknown"),
        ("division", "", "missing"),
        ("name", "", "missing"),
        ("name", "长" * 61, "too_long"),
        ("birth", "2026-02-30", "not_a_date"),
        ("birth", "1950-01-01", "birth_differs"),
        ("sex", "未知", "choice"),
        ("grid", "220105009009001", "grid_elsewhere"),
        ("grid", "12", "grid_unknown"),
        ("category", "外星人", "choice"),
    ],
)
def test_a_wrong_cell_is_named_and_the_good_rows_come(engine: Engine, field: str, value: str, code: str) -> None:
    lines = people(10)
    lines[6] = {**lines[6], field: value}
    report = take(engine, csv_of(lines))
    assert (report.created, report.refused) == (9, 1)
    told = [(p.code, p.row, p.field) for p in report.problems if p.severity == "error"]
    assert told == [(code, 8, field)]
    if code != "digits_lost":  # what is left of a lost number says nothing about anybody
        assert lines[6]["id_number"] not in str([p.as_dict() for p in report.problems])


def test_without_leave_one_wrong_row_takes_nothing(engine: Engine) -> None:
    lines = people(10)
    lines[2] = {**lines[2], "phone": "x"}
    report = take(engine, csv_of(lines), take_good_rows=False)
    assert (report.created, report.refused) == (0, 1)
    assert _total(engine) == 0


def test_a_key_twice_in_a_file_is_told(engine: Engine) -> None:
    lines = people(5)
    report = take(engine, csv_of([*lines, {**lines[0], "address": "别处"}]))
    assert (report.created, report.refused) == (5, 1)
    assert [(p.code, p.row) for p in report.problems] == [("key_twice", 7)]


def test_a_workbook_with_title_and_numbers_as_text_is_read(engine: Engine) -> None:
    lines = people(3)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["二道区人口台账", None, None, None])
    sheet.merge_cells("A1:D1")
    sheet.append(["居民姓名", "身份证号码", "手机号", "社区"])
    for line in lines:
        sheet.append([line["name"], line["id_number"], line["phone"], line["division"]])
    sheet.append([lines[0]["name"], 220105189901010012, lines[0]["phone"], lines[0]["division"]])
    out = io.BytesIO()
    book.save(out)
    report = take(engine, out.getvalue(), name="台账.xlsx")
    assert (report.created, report.refused) == (3, 1)
    wrong = next(p for p in report.problems if p.severity == "error")
    assert (wrong.row, wrong.field, wrong.code) == (6, "id_number", "digits_lost")


def test_full_width_digits_and_titles_of_choices_are_taken(engine: Engine) -> None:
    line = people(1)[0]
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    line = {
        **line,
        "id_number": line["id_number"].translate(wide),
        "phone": line["phone"].translate(wide),
        "category": "流动人口",
    }
    assert take(engine, csv_of([line])).created == 1
    with read_scope(engine) as session:
        record = page(session, Query("person"), SEAL)[0]
        assert record.facet_a == "floating"
        assert values_of(record, SEAL)["id_number"].isascii()


def test_birth_and_sex_follow_from_the_number(engine: Engine) -> None:
    line = {k: v for k, v in people(1)[0].items() if k not in ("birth", "sex")}
    take(engine, csv_of([line]))
    with read_scope(engine) as session:
        values = values_of(page(session, Query("person"), SEAL)[0], SEAL)
    assert values["birth"].replace("-", "") == line["id_number"][6:14]
    assert values["sex"] in ("男", "女")


def test_people_without_a_number_are_taken_and_not_doubled_by_key(engine: Engine) -> None:
    lines = [{k: v for k, v in line.items() if k not in ("id_number", "birth", "sex")} for line in people(3)]
    assert take(engine, csv_of(lines)).created == 3
    with read_scope(engine) as session:
        assert count(session, Query("person"), SEAL) == 3


def test_headings_are_mapped_by_the_user_and_suggested(engine: Engine) -> None:
    line = people(1)[0]
    body = f"谁,证,哪\n{line['name']},{line['id_number']},{line['division']}\n".encode()
    assert take(engine, body).created == 0
    assert take(engine, body, mapped={"谁": "name", "证": "id_number", "哪": "division"}).created == 1
    headings = ["姓 名", "身份证号码", "联系电话1", "所属社区名称", "毫不相干"]
    assert suggest_mapping(headings, PERSON) == {
        "姓 名": "name",
        "身份证号码": "id_number",
        "联系电话1": "phone",
        "所属社区名称": "division",
    }


@pytest.mark.parametrize("body", [b"", b"\x00\x01\x02", b"PK\x03\x04broken", b"<html></html>", "姓名".encode()])
def test_a_file_that_is_no_table_is_one_problem(engine: Engine, body: bytes) -> None:
    report = take(engine, body)
    assert report.created == 0
    assert _total(engine) == 0


def test_a_row_that_contradicts_itself_counts_as_refused_and_a_shortened_telephone_is_told(engine: Engine) -> None:
    first, second = people(2)
    heads = [*first, "姓名"]
    lines = [",".join(heads), ",".join([*map(str, first.values()), "别人"]), ",".join([*map(str, second.values()), ""])]
    report = take(engine, "\n".join(lines).encode())
    assert (report.rows, report.created, report.refused) == (2, 1, 1)
    wrong = take(engine, csv_of([{**people(3)[2], "phone": "1.3812345678E+19"}]))
    assert wrong.refused == 1 and [p.code for p in wrong.problems] == ["digits_lost"]
