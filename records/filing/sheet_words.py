"""What can be wrong with a filled-in sheet, in both languages: (what, remedy)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class SheetWord(NamedTuple):
    """What is wrong and what to do about it."""

    zh: tuple[str, str]
    en: tuple[str, str]


_AGAIN = ("下载新的表格再填", "download the sheet again")
_VALUE = ("选中后“复制—选择性粘贴—数值”", "copy and paste it as a value")
SHEET_WORDS: Mapping[str, SheetWord] = {
    "head-missing": SheetWord(
        ("没有找到表头（单位代码、单位名称）", _AGAIN[0]), ("the head (单位代码, 单位名称) is not there", _AGAIN[1])
    ),
    "unit-unknown": SheetWord(
        ("不是本单位可以填报的单位", "核对单位代码和名称"),
        ("is no unit that you file for", "check the unit's code and name"),
    ),
    "unit-by-name": SheetWord(
        ("代码读不出来，按名称认作这个单位", "核对是否正确"),
        ("the code cannot be read, the name was used", "check that it is the unit you mean"),
    ),
    "unit-twice": SheetWord(
        ("同一单位出现两次，只取第一行", "删去多余的一行"),
        ("the unit stands twice, the first row counts", "delete the other one"),
    ),
    "column-unknown": SheetWord(
        ("表头不认识，没有读取", "不要改动表头"),
        ("the heading is unknown and was not read", "leave the headings as they are"),
    ),
    "column-twice": SheetWord(
        ("两列同名，只取第一列", "删去多余的一列"),
        ("two columns have one name, the first counts", "delete the other one"),
    ),
    "column-missing": SheetWord(("没有这一列", _AGAIN[0]), ("the column is not there", _AGAIN[1])),
    "cell-error": SheetWord(
        ("单元格是错误值（如 #REF!）", "改正公式或填入数值"),
        ("the cell holds an error (such as #REF!)", "mend the formula or enter the value"),
    ),
    "formula-not-calculated": SheetWord(
        ("单元格是公式，没有读取", _VALUE[0]), ("the cell holds a formula and was not read", _VALUE[1])
    ),
    "error-value": SheetWord(("单元格是错误值", _VALUE[0]), ("the cell holds an error", _VALUE[1])),
    "number-lost-digits": SheetWord(
        ("长号码按数字录入，后几位已丢失", "设为文本格式重新录入"),
        ("a long code was typed as a number and has lost digits", "format as text and enter it again"),
    ),
    "not-a-number": SheetWord(("不是数字", "填入数字"), ("is no number", "enter a number")),
    "not-integer": SheetWord(("应为整数", "填入整数"), ("is no whole number", "enter a whole number")),
    "not-a-date": SheetWord(("不是日期", "按 2026-11-28 填写"), ("is no date", "write it like 2026-11-28")),
    "not-offered": SheetWord(("不在可选项里", "从可选项里选"), ("is not offered", "choose one that is offered")),
    "ambiguous-code": SheetWord(
        ("代码对应多个选项", "写选项的名称"), ("the code fits several choices", "write the choice's name")
    ),
    "not-yes-no": SheetWord(("应为是或否", "填“是”或“否”"), ("is neither yes nor no", "write yes or no")),
    "excel-serial": SheetWord(
        ("日期是序列号，已换算", "核对日期"), ("the date was a serial number and was converted", "check it")
    ),
    "code-from-number": SheetWord(
        ("代码按数字录入，已认出", "核对代码"), ("the code was typed as a number and recognised", "check it")
    ),
    "text-from-number": SheetWord(("文字按数字录入", "核对内容"), ("the text was typed as a number", "check it")),
    "from-label": SheetWord(("按选项名称认出", "核对选项"), ("recognised by the choice's title", "check it")),
    "rows-unread": SheetWord(
        ("行数过多，后面的没有读取", "删去多余的空行"),
        ("there are too many rows, the last were not read", "delete the empty ones"),
    ),
}
