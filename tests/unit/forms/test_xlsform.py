"""XLSForm workbooks: the shared import vectors, twenty real-like forms there and back, and hostile files."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from app.cli import main
from core.forms.model import form_hash, form_json, parse_form
from core.forms.xlsform.exporting import export_xlsform
from core.forms.xlsform.importing import import_xlsform
from core.forms.xlsform.problems import SENTENCES
from tests.unit.forms.sample_forms import FORMS, sample_workbook, workbook_of

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())


def _found(content: bytes) -> list[list[Any]]:
    problems = import_xlsform(content).problems
    return [[p.row, p.code] if p.sheet == "survey" else [p.sheet, p.row, p.code] for p in problems]


@pytest.mark.parametrize("vector", VECTORS["import"], ids=lambda v: v["id"])
def test_import_vectors(vector: dict[str, Any]) -> None:
    assert _found(workbook_of(vector["survey"], vector["choices"])) == vector["expect"]


def _check(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    status = main(["forms", "check", str(path), "--json"])
    problems: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["problems"]
    return status, problems


def test_the_command_names_sheet_row_and_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = ["type", "name", "label", "Relevant"]
    content = workbook_of([head, ["text", "a", "甲"], ["text", "b", "乙", "${zz} = 1"]], [])
    (tmp_path / "f.xlsx").write_bytes(content)
    status, problems = _check(tmp_path / "f.xlsx", capsys)
    assert status == 1
    assert [(p["sheet"], p["row"], p["column"], p["code"]) for p in problems] == [
        ("survey", 3, "Relevant", "unknown-reference")
    ]
    assert set(problems[0]) == {"sheet", "row", "column", "code", "message"}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_comes_back_with_equal_meaning(name: str) -> None:
    first = import_xlsform(sample_workbook(name))
    assert [(p.row, p.code) for p in first.problems] == []
    again = import_xlsform(export_xlsform(first.form))
    assert form_json(again.form) == form_json(first.form)
    assert form_hash(again.form) == form_hash(first.form)
    assert form_json(parse_form(json.loads(json.dumps(form_json(first.form))))) == form_json(first.form)


def test_both_languages_come_back() -> None:
    survey = [
        [
            "type",
            "name",
            "label::中文 (zh)",
            "label::English (en)",
            "hint::English",
            "constraint",
            "constraint_message::en",
        ],
        ["integer", "n", "人数", "People", "How many", ". > 0", "too few"],
    ]
    choices = [["list_name", "name", "label::中文 (zh)", "label::English (en)"]]
    settings = [["form_title", "form_title::English (en)", "default_language"], ["人口", "Population", "中文 (zh)"]]
    form = import_xlsform(workbook_of(survey, choices, settings)).form
    assert form.title == {"zh": "人口", "en": "Population"}
    assert form.questions[0].label == {"zh": "人数", "en": "People"}
    assert form.questions[0].hint == {"en": "How many"}
    assert form_hash(import_xlsform(export_xlsform(form)).form) == form_hash(form)


def test_user_text_is_never_written_as_a_formula() -> None:
    exported = export_xlsform(import_xlsform(sample_workbook("odd_text")).form)
    book = openpyxl.load_workbook(io.BytesIO(exported))
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def test_every_problem_is_told_at_once() -> None:
    head = ["type", "name", "label", "required", "calculation", "constraint"]
    rows = [
        ["osm", "a", "x"], ["text", "1b", "x"], ["text", "c"], ["calculate", "d"], ["integer", "e", "x", "maybe"],
        ["text", "f", "x", "", "", ". >= "], ["end group"], ["begin repeat", "r", "R"],
    ]  # fmt: skip
    assert _found(workbook_of([head, *rows], [])) == [
        [2, "unsupported-type"], [3, "bad-name"], [4, "no-label"], [5, "no-calculation"], [6, "required-value"],
        [7, "syntax"], [8, "unmatched-end"], [9, "unclosed"],
    ]  # fmt: skip


CIRCLE = ["type", "name", "label", "calculation", "relevant"]


@pytest.mark.parametrize(
    ("rows", "expect"),
    [
        ([["calculate", "a", "", "${b} + 1"], ["calculate", "b", "", "${a} + 1"]], [2, 3]),
        ([["calculate", "a", "", "${a} + 1"]], [2]),
        ([["calculate", "a", "", "${b}"], ["calculate", "b", "", "${c}"], ["calculate", "c", "", "${a}"],
          ["calculate", "d", "", "${a}"]], [2, 3, 4]),
        ([["begin group", "g", "G", "", "${x} = 1"], ["integer", "x", "X"], ["end group"]], [2, 3]),
        ([["begin repeat", "r", "R"], ["calculate", "x", "", "sum(${y})"], ["end repeat"],
          ["calculate", "y", "", "sum(${x})"]], [3, 5]),
        ([["integer", "a", "A"], ["calculate", "b", "", "${a}"], ["calculate", "c", "", "${b} + ${a}"]], []),
    ],
)  # fmt: skip
def test_circles_are_named_with_every_row_in_them(rows: list[list[str]], expect: list[int]) -> None:
    found = _found(workbook_of([CIRCLE, *rows], []))
    assert [row for row, code in found if code == "cycle"] == expect


@pytest.mark.parametrize(
    ("expression", "codes"),
    [
        ("selected(${n}, 'a')", ["type-error"]),
        ("${d} + 1", ["type-error"]),
        ("${d} > 5", ["type-error"]),
        ("${s} < 'abc'", ["type-error"]),
        ("days-between(${n}, today())", ["type-error"]),
        ("add-workdays(today(), ${d})", ["type-error"]),
        ("sum(${r})", ["repeat-as-value"]),
        ("selected('a b', ${s})", []),
        ("${t} + 1", []),
        ("${d} > '2026-01-01' and ${n} > '5'", []),
        ("selected(${m}, 'nope')", ["warn-unknown-choice"]),
        ("${s} != '1'", []),
        ("12345678901234567 > ${n}", ["warn-long-number"]),
    ],
)
def test_types_are_checked_as_far_as_they_are_certain(expression: str, codes: list[str]) -> None:
    survey = [
        ["type", "name", "label", "calculation"],
        ["integer", "n", "N"], ["date", "d", "D"], ["text", "t", "T"], ["select_one l", "s", "S"],
        ["select_multiple l", "m", "M"], ["begin repeat", "r", "R"], ["integer", "x", "X"], ["end repeat"],
        ["calculate", "c", "", expression],
    ]  # fmt: skip
    content = workbook_of(survey, [["list_name", "name", "label"], ["l", "1", "甲"], ["l", "2", "乙"]])
    assert _found(content) == [[10, code] for code in codes]


def _with_part(content: bytes, name: str, data: bytes) -> bytes:
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not-a-workbook"),
        (b"type,name\ntext,a\n", "not-a-workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "not-a-workbook"),
        (_with_part(sample_workbook("water"), "xl/vbaProject.bin", b"x"), "macro-workbook"),
        (_with_part(sample_workbook("water"), "xl/bomb.xml", b"0" * (60 << 20)), "too-large"),
        (sample_workbook("water")[:900], "not-a-workbook"),
    ],
)
def test_files_that_are_refused_before_they_are_read(
    content: bytes, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "f.xlsx").write_bytes(content)
    status, problems = _check(tmp_path / "f.xlsx", capsys)
    assert status == 1
    assert [problem["code"] for problem in problems] == [code]


def test_merged_heads_formulas_and_lost_digits_are_named() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "survey"
    for row in (["type", "name", "label", None], ["text", "a", "=1+1"], ["text", "b", 2.201051949023e17]):
        sheet.append(row)
    sheet.merge_cells("C1:D1")
    buffer = io.BytesIO()
    book.save(buffer)
    assert [p.code for p in import_xlsform(buffer.getvalue()).problems if p.blocking] == [
        "merged-head", "formula-in-cell", "no-label", "number-lost-digits",
    ]  # fmt: skip


def test_a_workbook_without_a_survey_is_named() -> None:
    buffer = io.BytesIO()
    openpyxl.Workbook().save(buffer)
    assert [p.code for p in import_xlsform(buffer.getvalue()).problems] == ["no-survey-sheet"]


def test_a_deep_or_huge_form_is_refused_not_recursed_into() -> None:
    head = ["type", "name", "label"]
    deep = [["begin group", f"g{i}", "G"] for i in range(60)] + [["text", "a", "x"]] + [["end group"]] * 60
    assert [0, "too-large"] in _found(workbook_of([head, *deep], []))
    assert [0, "too-large"] in _found(workbook_of([head, *(["text", f"q{i}", "x"] for i in range(2100))], []))


def test_every_code_has_a_sentence() -> None:
    for code, text in SENTENCES.items():
        assert text and not text.endswith("."), code
