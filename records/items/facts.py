"""An item record as the rules see it: one name an element, comparable values, and a few facts about its texts."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from records.items.elements import Element, ElementTable, spelled

Facts = dict[str, Any]
_YES = frozenset({"1", "是", "有", "TRUE", "YES", "Y", "支持", "收费"})
_NO = frozenset({"0", "否", "无", "FALSE", "NO", "N", "不支持", "不收费"})
_UNITS = {
    **dict.fromkeys(("工作日", "个工作日", "W", "WORK_DAY", "WORKDAY", "WORKING DAY"), "工作日"),
    **dict.fromkeys(("自然日", "天", "日", "个自然日", "D", "NATURAL_DAY", "CALENDAR DAY"), "自然日"),
    **dict.fromkeys(("月", "个月", "MONTH"), "月"),
    **dict.fromkeys(("小时", "工作时", "时", "HOUR"), "小时"),
    **dict.fromkeys(("年", "YEAR"), "年"),
}
_DEPTHS = {"Ⅰ": "Ⅰ", "Ⅱ": "Ⅱ", "Ⅲ": "Ⅲ", "Ⅳ": "Ⅳ", "I": "Ⅰ", "II": "Ⅱ", "III": "Ⅲ", "IV": "Ⅳ"}
_DEPTHS |= {"信息发布": "Ⅰ", "网上预审": "Ⅱ", "网上受理": "Ⅲ", "全程网办": "Ⅳ"}
_DEPTHS |= {"1": "Ⅰ", "2": "Ⅱ", "3": "Ⅲ", "4": "Ⅳ", "一": "Ⅰ", "二": "Ⅱ", "三": "Ⅲ", "四": "Ⅳ"}
_NEED = {"是": "1", "必要": "1", "必须": "1", "否": "2", "非必要": "2", "容缺": "3", "容缺后补": "3", "0": "2"}
_SOURCE = {"申请人自备": "10", "政府部门核发": "20", "中介机构出具": "30", "中介机构或法定机构产生": "30", "其他": "99"}
_NOTHING = frozenset({"无", "暂无", "没有", "空", "略", "N/A", "NA", "NULL", "NONE", "NIL"})
_SPEAKING = frozenset(  # elements of which such a word says nothing; elsewhere (limits on numbers …) 无 is an answer
    (
        "task_name", "dept_code", "by_law", "fee_basis", "limit_scene_explain", "online_handle_url", "result_sample",
        "transact_addr", "transact_time", "link_way", "supervise_way", "handle_flow", "source_explain", "form",
        "example", "fee_name", "fee_stand",
    )
)  # fmt: skip
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_COUNTED = ("original", "copies")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)
_SIGNS = re.compile(r"^\(?[0-9一二三四五六七八九十]{1,3}[.、)]+|[\s《》〈〉“”‘’\"'。;,、:.]")
_TELEPHONE = re.compile(r"(?:0[0-9]{2,3}[)-]? ?)?([1-9][0-9]{3} ?[0-9]{3,4})(?![0-9])")
_SPLIT = re.compile(r"[,，;；、|/\s]+")
_AREA_CODE = re.compile(r"(?<![0-9])\(?0[0-9]{2,3}\)?[- ]*[0-9]{5,8}(?![0-9])")
_HOURS = re.compile(
    r"([01]?[0-9]|2[0-4])[:.时点][0-5]?[0-9]?.{0,4}?[-–—~至到].{0,6}?([01]?[0-9]|2[0-4])[:.时点]|24 ?小时|全天"
)


def facts_of(record: Mapping[str, Any], table: ElementTable) -> Facts:
    """``record`` with the table's names and comparable values; ``materials`` and ``fees`` are lists of row facts."""
    facts: Facts = {}
    for key, value in record.items():
        name = table.named(str(key))
        element = table.get(name)
        titles = table.rows.get(name, {})
        facts[name] = comparable(value, element, titles) if element is not None else value
    facts.setdefault("code_scheme", "")
    _derive(facts)
    return facts


def listed(value: Any) -> Any:
    """A list that came as JSON text, as the list."""
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _row_names(titles: Mapping[str, str]) -> dict[str, str]:
    """Heading (name, title, name with blanks) → name of a row's field."""
    return {"".join(heading.split()): name for name, title in titles.items() for heading in (name, title)} | {
        "".join(heading.split()): name for name in titles for heading in spelled(name)
    }


def comparable(value: Any, element: Element, titles_of: Mapping[str, str] = MappingProxyType({})) -> Any:
    """The value as the rules compare it; empty text for empty.  ``titles_of``: titles of its rows' fields."""
    match element.type:
        case "rows":
            rows, titles = listed(value), _row_names(titles_of)
            return [_row(row, titles) for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
        case "codes":
            return [code_of(part, element.codes) for part in _parts(listed(value))]
        case "code":
            return code_of(text_of(value), element.codes)
        case "flag":
            return flag_of(value)
        case "unit":
            text = text_of(value)
            return _UNITS.get(text.upper(), text)
        case "depth":
            return _depth(value)
        case "number" | "count":
            return _number(value)
        case _:
            return said(element.name, text_of(value))


def said(name: str, text: str) -> str:
    """``text``, or nothing where it is signs alone or, for an element that must speak, 无 and its like."""
    if text and not any(c.isalnum() for c in text):
        return ""
    return "" if name in _SPEAKING and text.upper() in _NOTHING else text


def _depth(value: Any) -> str:
    text = re.sub(r"\(.*\)|\s", "", text_of(value))
    for suffix in ("深度", "级", "度"):
        text = text.removesuffix(suffix)
    return _DEPTHS.get(text.upper(), _DEPTHS.get(str(value or "").strip(), text))


def text_of(value: Any) -> str:
    """Half-width text without blanks at the ends; whole floats of a spreadsheet without their point."""
    if value is None or value is False:
        return "" if value is None else "0"
    if value is True:
        return "1"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFKC", str(value)).strip() if not isinstance(value, str) else _fold(value)


def _fold(text: str) -> str:
    return text.strip() if text.isascii() else _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).strip()


def code_of(text: str, codes: Mapping[str, str]) -> str:
    """A code as it is, or the code of a label (行政许可 → 01; 1 → 01 where only one code fits)."""
    if text in codes or not text:
        return text
    for code, label in codes.items():
        if text == label:
            return code
    fitting = [code for code in codes if code.lstrip("0") == text.lstrip("0")] if text.isdigit() else []
    return fitting[0] if len(fitting) == 1 else text


def flag_of(value: Any) -> str:
    text = text_of(value)
    if text.upper() in _YES:
        return "1"
    return "0" if text.upper() in _NO else text


def _parts(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [text for item in value if (text := text_of(item))]
    return [part for part in _SPLIT.split(text_of(value)) if part]


def _number(value: Any) -> Any:
    """A number where the text is one; a list counts its rows; other text stays, for the format rule."""
    value = listed(value)
    if isinstance(value, list | tuple):
        return len(value)
    text = text_of(value)
    for suffix in ("个工作日", "工作日", "个自然日", "自然日", "个月", "小时", "天", "次", "份"):
        text = text.removesuffix(suffix).strip()
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    return int(number) if number.is_integer() else number


def _row(row: Mapping[str, Any], names: Mapping[str, str]) -> Facts:
    facts: Facts = {}
    for key, value in row.items():
        name = names.get("".join(str(key).split()), str(key))
        kept = value if isinstance(value, list | dict) else said(name, text_of(value))
        facts[name] = _number(kept) if name in _COUNTED else kept
    if need := facts.get("is_need"):
        facts["is_need"] = _NEED.get(need, need)
    if source := facts.get("source_type"):
        facts["source_type"] = _SOURCE.get(source, source)
    return facts


def _derive(facts: Facts) -> None:
    """Facts about the texts that an expression cannot see: numbers, hours, rows that repeat, complete fee rows."""
    for name, short in (("link_way", "link"), ("supervise_way", "supervise")):
        text = text_of(facts.get(name))
        facts[f"{short}_digits"] = "".join(c for c in text if c in "0123456789")
        facts[f"{short}_area"] = int(bool(_AREA_CODE.search(text)))
    facts["same_number"] = int(bool(_telephones(facts.get("link_way")) & _telephones(facts.get("supervise_way"))))
    for name in ("promise", "anticipate"):
        least, most = natural_days(facts.get(f"{name}_day"), facts.get(f"{name}_type"))
        facts[f"{name}_least"], facts[f"{name}_most"] = least, most
        facts[f"{name}_unit"], facts[f"{name}_units"] = _in_months(facts.get(f"{name}_day"), facts.get(f"{name}_type"))
    facts["hours_readable"] = int(bool(_HOURS.search(text_of(facts.get("transact_time")))))
    facts["accept_condition_text"] = " ".join(text_of(facts.get("accept_condition")).split())[:1000]
    fees = facts.get("fees") or []
    complete = [row for row in fees if row.get("fee_name") and row.get("fee_stand")]
    facts["fee_rows_complete"] = len(complete) if len(complete) == len(fees) else 0
    seen: dict[str, int] = {}
    for row in facts.get("materials") or []:
        name = row["plain_name"] = _SIGNS.sub("", str(row.get("material_name") or ""))
        row["same_name_before"] = seen.get(name, 0) if name else 0
        seen[name] = seen.get(name, 0) + 1
        row["is_own_form"] = int(_own_form(row))


def _in_months(count: Any, unit: Any) -> tuple[Any, Any]:
    """``(unit, count)``; a year is twelve months."""
    if unit == "年" and isinstance(count, int | float) and not isinstance(count, bool):
        return "月", count * 12
    return "" if unit is None else unit, "" if count is None else count


def natural_days(count: Any, unit: Any) -> tuple[Any, Any]:
    """The shortest and the longest time without holidays that a limit can take, in natural days (standards/11 §1.3)."""
    if isinstance(count, bool) or not isinstance(count, int | float) or count < 0:
        return "", ""
    match unit:
        case "自然日":
            return count, count
        case "工作日":
            return count + 2 * max(0, (math.ceil(count) - 1) // 5), count + 2 * math.ceil(count / 5)
        case "月":
            return (30.4 * count - 2.4 if count else 0), (30.5 * count + 0.5 if count else 0)  # 28 to 31 days for one
        case "年":
            return 365 * count, 366 * count
        case "小时":  # of the day, or of eight an office has
            return count / 24, count / 8 + 2 * math.ceil(count / 40)
        case _:
            return "", ""


def _telephones(value: Any) -> set[str]:
    """The numbers in a text without area code; an extension belongs to its number."""
    text = text_of(value).replace("转", "#")
    found = set()
    for match in _TELEPHONE.finditer(text):
        extension = re.match(r"[ -]?#? ?([0-9]{1,6})(?![0-9])", text[match.end() :])
        found.add("".join(match[1].split()) + (f"#{extension[1]}" if extension and "#" in extension[0] else ""))
    return found


def _own_form(row: Facts) -> bool:
    kind, name = str(row.get("material_type") or ""), str(row.get("material_name") or "")
    form = "申请表" in kind or kind in ("1", "01") or ("表格" in kind and "证" not in kind)
    return form and row.get("source_type") in (None, "", "10") and bool(name)


def rows_of(facts: Facts, scope: str) -> Iterator[tuple[int, Facts]]:
    """The rows of ``materials`` or ``fees`` with their positions."""
    yield from enumerate(facts.get(scope) or [])
