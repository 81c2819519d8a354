"""What can be wrong with a table, said in English and Chinese: (what, remedy) with ``{values}``."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Word(NamedTuple):
    """How grave a problem is, and its two sentences in both languages."""

    severity: Literal["error", "warning"]
    en: tuple[str, str]
    zh: tuple[str, str]


_AS_TEXT = ("format the column as text and enter the value again", "把该列设为“文本”格式后重新录入")
_UTF8 = ("save the file as CSV UTF-8", "另存为“CSV UTF-8”")
_XLSX = ("open it in Excel or WPS and save it as .xlsx or CSV UTF-8", "用 Excel 或 WPS 打开，另存为 .xlsx 或 CSV UTF-8")

_FILE: dict[str, Word] = {
    "more_problems": Word(
        "error",
        ("{count} more problems are not listed", "mend those listed and import again"),
        ("另有 {count} 个问题未列出", "先改正已列出的问题再导入"),
    ),
    "unread_open": Word(
        "error",
        ("not read: a table program has the table open", "close it there, then import again"),
        ("未读取：表格程序正打开着它", "关闭后再导入"),
    ),
    "unread_below": Word(
        "error",
        ("not read: it lies in a folder below", "put tables beside city.yaml"),
        ("未读取：位于下级文件夹", "把表格放在 city.yaml 旁边"),
    ),
    "unread_form": Word(
        "error",
        (
            "not read: files of the form {form}",
            "give CSV, XLSX, XLS, GeoPackage, Shapefile or GeoJSON, or take it away",
        ),
        ("未读取：不支持 {form} 文件", "请提供 CSV、XLSX、XLS、GeoPackage、Shapefile 或 GeoJSON，或移走该文件"),
    ),
    "unread_name": Word(
        "error",
        (
            "not read: its name is that of no table",
            "name it after one of: {known}; or list it under files in city.yaml",
        ),
        ("未读取：文件名不对应任何表", "请用这些名称之一：{known}；或在 city.yaml 的 files 中列出"),
    ),
    "too_large": Word(
        "error",
        ("the file has {size} bytes, at most {limit} are read", "split it"),
        ("文件有 {size} 字节，最多读取 {limit}", "请拆分文件"),
    ),
    "too_many_rows": Word(
        "error",
        ("there are more than {limit} rows; the rest is not read", "split the file"),
        ("超过 {limit} 行，其余未读取", "请拆分文件"),
    ),
    "empty": Word(
        "error",
        ("the file holds no rows", "save it with a heading and rows"),
        ("文件没有数据行", "保存标题行和数据行"),
    ),
    "heading_alone": Word(
        "warning",
        ("the file has a heading and no rows below it", "add the rows, or take the file away"),
        ("文件只有标题行，没有数据行", "补上数据行，或移走该文件"),
    ),
    "not_a_workbook": Word(
        "error",
        ("the file is no readable workbook ({detail})", _XLSX[0]),
        ("文件不是可读取的工作簿（{detail}）", _XLSX[1]),
    ),
    "encrypted": Word(
        "error",
        ("the workbook is protected by a password", "save it without a password"),
        ("工作簿设有打开密码", "去掉密码后另存"),
    ),
    "web_page": Word(
        "error",
        ("the file is a web page with the name of a table", _XLSX[0]),
        ("文件其实是网页，只是用了表格的扩展名", _XLSX[1]),
    ),
    "xml_sheet": Word(
        "error",
        ("the file is an XML document, not a workbook", _XLSX[0]),
        ("文件其实是 XML 文档，不是工作簿", _XLSX[1]),
    ),
    "binary": Word(
        "error",
        ("the file holds bytes that are no text", "give a CSV, XLSX or XLS file"),
        ("文件内容不是文本", "请提供 CSV、XLSX 或 XLS 文件"),
    ),
    "encoding_damaged": Word(
        "warning",
        ("the file is {encoding} with damaged characters", _UTF8[0]),
        ("文件为 {encoding} 编码，含有损坏的字符", _UTF8[1]),
    ),
    "no_heading": Word(
        "error",
        ("no heading is recognised; known columns: {known}", "give the columns these names, or map yours"),
        ("认不出标题行；可用的列：{known}", "把列名改成这些，或设置列的对应关系"),
    ),
    "sheet_unread": Word(
        "warning",
        ("the sheet has no known heading and is not read", "name its columns, or remove the sheet"),
        ("工作表没有可识别的标题，未读取", "改列名，或删除该工作表"),
    ),
    "macros_unread": Word(
        "warning",
        ("the workbook holds macros, which are never run", "save it as .xlsx if the cells depend on them"),
        ("工作簿含有宏，宏不会被执行", "如果单元格的值依赖宏，请另存为 .xlsx 后再导入"),
    ),
    "sheet_hidden": Word(
        "warning",
        ("the sheet is hidden and is not read", "unhide it if its rows are wanted"),
        ("工作表已隐藏，未读取", "需要其中的数据时请取消隐藏"),
    ),
}

_COLUMNS: dict[str, Word] = {
    "column_missing": Word(
        "error",
        ("the column is missing", "add it; the file has: {found}"),
        ("缺少该列", "请补上；文件中有：{found}"),
    ),
    "column_unknown": Word(
        "warning",
        ("the column is unknown and is not read; known: {known}", "correct its name, or map it"),
        ("该列未知，未读取；可用的列：{known}", "改正列名，或设置对应关系"),
    ),
    "column_twice": Word(
        "warning",
        ("the column is given {count} times ({places})", "leave one; rows where they differ are refused"),
        ("该列出现 {count} 次（{places}）", "只保留一列；数值不一致的行不导入"),
    ),
    "column_unnamed": Word(
        "warning",
        ("column {column} has values and no heading; it is not read", "name it"),
        ("{column} 列有数据但没有标题，未读取", "请补上标题"),
    ),
    "merged": Word(
        "warning",
        ("the cells {area} are merged; their value is taken for each row", "undo the merge"),
        ("单元格 {area} 已合并，其值用于每一行", "请取消合并"),
    ),
    "number_in_text": Word(
        "warning",
        ("{value} is a number in a text column: leading zeros may be lost", _AS_TEXT[0]),
        ("文本列中的 {value} 是数字，前导零可能已丢失", _AS_TEXT[1]),
    ),
    "numbers_in_text": Word(
        "warning",
        ("{count} cells from this row on hold numbers in a text column: leading zeros may be lost", _AS_TEXT[0]),
        ("从该行起有 {count} 个单元格在文本列中存为数字，前导零可能已丢失", _AS_TEXT[1]),
    ),
    "date_in_text": Word(
        "warning",
        ("a date ({value}) stands in a text column: the table program may have changed what was typed", _AS_TEXT[0]),
        ("文本列中出现日期（{value}），录入内容可能已被改动", _AS_TEXT[1]),
    ),
}

_ROWS: dict[str, Word] = {
    "row_wide": Word(
        "error",
        (
            "the row has {count} cells, the heading {expected}; beyond it: {surplus}",
            "put values with a comma in quotation marks",
        ),
        ("该行有 {count} 格，标题只有 {expected} 格；多出：{surplus}", "含逗号的内容请加引号"),
    ),
    "row_short": Word(
        "warning",
        ("the row has {count} cells, the heading {expected}; the others are taken as empty", "complete the row"),
        ("该行只有 {count} 格，标题有 {expected} 格；其余按空值处理", "请补全该行"),
    ),
    "quote_open": Word(
        "error",
        ("a quotation mark is opened and not closed", "close it, or write it twice"),
        ("引号没有配对", "补上引号，或把引号写两次"),
    ),
    "cell_too_long": Word(
        "error",
        ("a cell has more than {limit} characters", "look for a quotation mark that is not closed"),
        ("单元格超过 {limit} 个字符", "检查是否有未配对的引号"),
    ),
    "characters_damaged": Word(
        "error",
        ("the text holds characters that are damaged", _UTF8[0]),
        ("文字中有损坏的字符", _UTF8[1]),
    ),
    "missing": Word("error", ("is missing", "give a value"), ("缺少", "请填写")),
    "differs": Word(
        "error",
        ("the column stands there more than once with different values: {found}", "leave one column"),
        ("同名的列数值不一致：{found}", "只保留一列"),
    ),
    "key_twice": Word(
        "error",
        ("{value} stands already in {first}; this row is not taken", "leave one of them"),
        ("{value} 已在 {first} 出现，该行不导入", "只保留一行"),
    ),
}

_CELLS: dict[str, Word] = {
    "cell_error": Word(
        "error",
        ("the cell holds the error {value}", "mend the formula, or paste the value"),
        ("单元格为错误值 {value}", "改正公式，或粘贴为数值"),
    ),
    "formula_empty": Word(
        "error",
        ("the cell holds a formula without its result", "open the file in Excel or WPS and save it again"),
        ("单元格只有公式，没有计算结果", "用 Excel 或 WPS 打开后重新保存"),
    ),
    "digits_lost": Word(
        "error",
        ("{value} was a long number of which only 15 digits are left", _AS_TEXT[0]),
        ("{value} 原为长数字，只剩 15 位有效数字", _AS_TEXT[1]),
    ),
    "not_a_number": Word("error", ("{value!r} is not a number", "give a number"), ("{value!r} 不是数字", "请填写数字")),
    "metres": Word(
        "error",
        (
            "{value} are no degrees; it may be metres of a projected system",
            "give degrees, or name the system (EPSG:4551 …)",
        ),
        ("{value} 不是经纬度，可能是投影坐标（米）", "请给出经纬度，或注明坐标系（EPSG:4551 等）"),
    ),
    "not_whole": Word(
        "error", ("{value!r} is not a whole number", "give a whole number"), ("{value!r} 不是整数", "请填写整数")
    ),
    "outside": Word(
        "error",
        ("{value} is outside {low} … {high}", "give a value within the limits"),
        ("{value} 不在 {low} … {high} 之间", "请填写范围内的值"),
    ),
    "lon_lat_swapped": Word(
        "error",
        ("longitude and latitude are swapped: {lon}, {lat}", "exchange the two columns"),
        ("经纬度颠倒：{lon}, {lat}", "请对调两列"),
    ),
    "place_zero": Word(
        "error",
        ("the place is 0, 0: a missing position", "give the position, or leave both empty"),
        ("坐标为 0, 0，是缺失的位置", "填写坐标，或两项都留空"),
    ),
    "place_outside": Word(
        "warning",
        ("{lon}, {lat} lies outside the district", "check the position"),
        ("{lon}, {lat} 在区划之外", "请核对位置"),
    ),
    "place_half": Word(
        "error",
        ("only one of longitude and latitude is given", "give both, or neither"),
        ("经度和纬度只给了一个", "两项都填，或都不填"),
    ),
    "not_yes_no": Word(
        "error",
        ("{value!r} is neither yes nor no", "give yes or no (是, 否, 1, 0)"),
        ("{value!r} 不是“是”或“否”", "请填 是 或 否"),
    ),
    "not_a_date": Word(
        "error",
        ("{value!r} is not a date", "write 2026-11-28, or 2026-11-28 08:30"),
        ("{value!r} 不是日期", "请写成 2026-11-28 或 2026-11-28 08:30"),
    ),
    "not_json": Word(
        "error",
        ("is not the JSON that is expected: {detail}", "see the example in the documentation"),
        ("不是所要求的 JSON：{detail}", "参见文档中的例子"),
    ),
    "too_long": Word("error", ("longer than {limit} characters", "shorten it"), ("超过 {limit} 个字符", "请缩短")),
    "pattern": Word(
        "error", ("{value!r} does not look like {pattern}", "correct it"), ("{value!r} 不符合格式 {pattern}", "请改正")
    ),
    "choice": Word(
        "error",
        ("{value!r} is none of: {known}", "use one of them"),
        ("{value!r} 不在可选值中：{known}", "请使用其中之一"),
    ),
    "reference": Word(
        "error",
        ("{value!r} of {key!r} is not among the {target}", "add it there, or correct it"),
        ("{key!r} 的 {value!r} 不在 {target} 中", "请先添加，或改正"),
    ),
    "taken": Word(
        "error",
        ("{value!r} belongs to somebody else", "choose another"),
        ("{value!r} 已被他人使用", "请换一个"),
    ),
}

WORDS: dict[str, Word] = {**_FILE, **_COLUMNS, **_ROWS, **_CELLS}


def register(words: dict[str, Word]) -> None:
    """Add the words of another package's problems (called where that package defines them)."""
    WORDS.update(words)
