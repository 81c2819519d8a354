"""Forms as districts bring them: each comes back with equal meaning, or is told by sheet, row and column."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest

from core.forms.model import form_json
from core.forms.xlsform.exporting import export_xlsform
from core.forms.xlsform.importing import import_xlsform

Rows = list[list[Any]]
H = ["type", "name", "label"]
P: Rows = [["list_name", "name", "label"], ["p", "x", "某"], ["p", "y", "另"]]
FILTERED: Rows = [["list_name", "name", "label", "area"], ["a", "ed", "二道", ""], ["b", "ds", "东盛", "ed"]]
REPEAT: Rows = [["begin_repeat", "r", "人"], ["integer", "v", "值"], ["end_repeat"]]


def book(survey: Rows, choices: Rows | None = None, change: Callable[[Any], None] | None = None) -> bytes:
    made = openpyxl.Workbook()
    made.active.title = "survey"
    for name, rows in (("survey", survey), ("choices", choices)):
        sheet = made[name] if name in made.sheetnames else made.create_sheet(name) if rows else None
        for row in rows or ():
            sheet.append(row)
    if change:
        change(made)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def hidden(made: Any) -> None:
    made.create_sheet("填写说明")
    made["survey"].sheet_state = "hidden"


GOOD: dict[str, tuple[Rows, Rows | None]] = {
    "languages": (
        [
            ["type", "name", "label::中文 (zh)", "label::English (en)", "hint::中文 (zh)"],
            ["text", "姓名", "姓名", "Name", "全名"],
        ],
        None,
    ),
    "full-width brackets": ([["type", "name", "label::中文（zh）", "label::英文"], ["text", "a", "甲", "A"]], None),
    "zh-Hans": ([["type", "name", "label::zh_CN", "label::en-US"], ["text", "a", "甲", "A"]], None),
    "Chinese head": (
        [
            ["题型", "变量名", "题目", "必填", "显示条件"],
            ["text", "a", "甲", "是", ""],
            ["integer", "b", "乙", "否", "${a} = '有'"],
        ],
        None,
    ),
    "one colon": ([["type", "name", "label:zh", "label:en"], ["text", "a", "甲", "A"]], None),
    "capitals": ([["Type", "Name", "Label"], ["Text", "a", "甲"], ["Integer", "b", "乙"]], None),
    "cascade": (
        [[*H, "choice_filter"], ["select_one a", "a", "区"], ["select_one b", "b", "街道", "area=${a}"]],
        FILTERED,
    ),
    "filtered multiple": (
        [[*H, "choice_filter"], ["select_one a", "a", "区"], ["select_multiple b", "b", "街道", "area=${a}"]],
        FILTERED,
    ),
    "repeat in groups": (
        [H, ["begin_group", "g", "组"], ["begin group", "h", "内"], *REPEAT, ["end group"], ["end_group"]],
        None,
    ),
    "sums": (
        [
            [*H, "calculation", "relevant"],
            *REPEAT,
            ["calculate", "s", "", "sum(${v})"],
            ["note", "m", "合计 ${s}", "", "${s} > 3"],
            ["text", "why", "原因", "", "sum(${v}) > 10"],
        ],
        None,
    ),
    "count": ([[*H, "calculation"], *REPEAT, ["calculate", "n", "", "count(${r})"]], None),
    "messages": (
        [
            [*H, "constraint", "constraint_message::中文 (zh)", "constraint_message::English (en)"],
            ["integer", "a", "甲", ". >= 0 and . <= 120", "0到120", "0 to 120"],
        ],
        None,
    ),
    "telephone": (
        [[*H, "constraint", "constraint_message"], ["text", "a", "电话", "regex(., '1[3-9][0-9]{9}')", "不对"]],
        None,
    ),
    "yes in many ways": (
        [
            [*H, "required"],
            ["text", "a", "甲", "是"],
            ["text", "b", "乙", "否"],
            ["text", "c", "丙", True],
            ["integer", "d", "丁", 1],
            ["text", "e", "戊", "${d} > 3"],
        ],
        None,
    ),
    "other": ([H, ["select_one p or_other", "a", "甲"]], P),
    "numbers as choices": ([H, ["select_one p", "a", "甲"]], [P[0], ["p", 1, "一"], ["p", 3.0, "三"]]),
    "defaults": ([[*H, "default"], ["date", "d", "日期", "today()"], ["integer", "i", "数", 5]], None),
    "blank rows and spaces": (
        [[" type ", "name ", " label"], [], ["text ", " a", " 甲 "], [None, None], ["text", "b", "乙"]],
        None,
    ),
    "a note without a name": ([H, ["note", "", "说明"], ["text", "a", "甲"]], None),
    "media": ([[*H, "media::image"], ["text", "a", "甲", "x.png"]], None),
    "parameters": (
        [
            [*H, "parameters", "appearance"],
            ["range", "a", "甲", "start=0 end=10 step=1"],
            ["text", "b", "乙", "", "multiline"],
        ],
        None,
    ),
    "many types": (
        [
            H,
            ["geopoint", "a", "位置"],
            ["image", "b", "照片"],
            ["barcode", "c", "码"],
            ["acknowledge", "d", "确认"],
            ["time", "e", "时间"],
            ["dateTime", "f", "时刻"],
            ["rank p", "g", "排序"],
        ],
        P,
    ),
    "ours": (
        [[*H, "yw:type", "yw:sensitive"], ["text", "a", "人员", "person", "yes"], ["image", "b", "签名", "signature"]],
        None,
    ),
    "as many as said": (
        [
            [*H, "repeat_count"],
            ["integer", "k", "几个"],
            ["begin_repeat", "r", "人", "${k}"],
            ["text", "n", "名"],
            ["end_repeat"],
        ],
        None,
    ),
    "names of objects": ([H, ["text", "constructor", "甲"], ["text", "toString", "乙"]], None),
    "long texts": ([H, ["text", "a", "😀" * 50], ["text", "b", "长" * 2000]], None),
}
Place = tuple[int, str, str]
BAD: dict[str, tuple[Rows, Rows | None, Place]] = {
    "audio": ([H, ["audio", "a", "甲"]], None, (2, "type", "unsupported-type")),
    "start of the form": ([H, ["start", "start"]], None, (2, "type", "unsupported-type")),
    "circle of three": (
        [
            [*H, "calculation"],
            ["calculate", "a", "", "${b}+1"],
            ["calculate", "b", "", "${c}+1"],
            ["calculate", "c", "", "${a}+1"],
        ],
        None,
        (2, "calculation", "cycle"),
    ),
    "circle of one": ([[*H, "calculation"], ["calculate", "a", "", "${a}+1"]], None, (2, "calculation", "cycle")),
    "circle of conditions": (
        [[*H, "relevant"], ["text", "a", "甲", "${b} = 'x'"], ["text", "b", "乙", "${a} = 'y'"]],
        None,
        (2, "relevant", "cycle"),
    ),
    "full-width sign": (
        [[*H, "relevant"], ["integer", "a", "甲"], ["text", "b", "乙", "${a}＞3"]],
        None,
        (3, "relevant", "syntax"),
    ),
    "typographic quotes": (
        [[*H, "relevant"], ["text", "a", "甲"], ["text", "b", "乙", "${a} = “x”"]],
        None,
        (3, "relevant", "syntax"),
    ),
    "two equal signs": (
        [[*H, "relevant"], ["text", "a", "甲"], ["text", "b", "乙", "${a} == 'x'"]],
        None,
        (3, "relevant", "syntax"),
    ),
    "no such list": ([H, ["select_one nope", "a", "甲"]], P, (2, "type", "no-such-list")),
    "no choices": ([H, ["select_one nope", "a", "甲"]], None, (2, "type", "no-such-list")),
    "name twice": ([H, ["text", "a", "甲"], ["text", "a", "乙"]], None, (3, "name", "duplicate-name")),
    "not closed": ([H, ["begin_group", "g", "组"], ["text", "n", "姓名"]], None, (2, "type", "unclosed")),
    "closed too often": ([H, ["text", "n", "姓名"], ["end_group"]], None, (3, "type", "unmatched-end")),
    "unknown name": ([[*H, "relevant"], ["text", "a", "甲", "${zzz} = 1"]], None, (2, "relevant", "unknown-reference")),
    "unknown function": (
        [[*H, "calculation"], ["calculate", "b", "", "pulldata('x', 'a', 'b', 1)"]],
        None,
        (2, "calculation", "unknown-function"),
    ),
    "name with a space": ([H, ["text", "my name", "甲"]], None, (2, "name", "bad-name")),
    "text names nobody": ([H, ["note", "n", "您好 ${b}"]], None, (2, "label", "unknown-reference")),
    "formula": ([H, ["text", "a", '="甲"']], None, (2, "label", "formula-in-cell")),
}


@pytest.mark.parametrize("name", GOOD)
def test_it_comes_back_with_equal_meaning(name: str) -> None:
    first = import_xlsform(book(*GOOD[name]))
    assert [p.code for p in first.problems if not p.code.startswith("warn-")] == []
    again = import_xlsform(export_xlsform(first.form))
    assert not again.blocked and form_json(again.form) == form_json(first.form)


@pytest.mark.parametrize("name", BAD)
def test_it_is_told_where_it_stands(name: str) -> None:
    survey, choices, place = BAD[name]
    read = import_xlsform(book(survey, choices))
    assert read.blocked and place in [(p.row, p.column, p.code) for p in read.problems]
    assert all(p.as_json()["message"] for p in read.problems)


def test_hidden_sheets_are_as_good_as_others() -> None:
    assert not import_xlsform(book([H, ["text", "a", "甲"]], change=hidden)).problems


def test_a_merged_head_is_named() -> None:
    read = import_xlsform(book([H, ["text", "a", "甲"]], change=lambda made: made["survey"].merge_cells("B1:C1")))
    assert read.problems[0].code == "merged-head" and read.problems[0].row == 1


def test_both_languages_are_told_apart() -> None:
    question = import_xlsform(book(*GOOD["full-width brackets"])).form.questions[0]
    assert question.label == {"zh": "甲", "en": "A"}
