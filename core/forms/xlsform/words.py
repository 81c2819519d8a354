"""The words of XLSForm: columns, types and their other spellings, languages."""

from __future__ import annotations

import re

SURVEY_COLUMNS = {
    "type": "type", "name": "name", "label": "label", "caption": "label", "hint": "hint", "required": "required",
    "required_message": "required_message", "relevant": "relevant", "relevance": "relevant", "constraint": "constraint",
    "constraint_message": "constraint_message", "calculation": "calculation", "calculate": "calculation",
    "choice_filter": "choice_filter", "repeat_count": "repeat_count", "default": "default", "appearance": "appearance",
    "read_only": "read_only", "readonly": "read_only", "trigger": "trigger", "parameters": "parameters",
    "disabled": "disabled",
    "yw:type": "yw:type", "yw:sensitive": "sensitive", "yw:prefill": "prefill", "yw:rollup": "rollup",
    "yw:unit": "unit", "yw:meaning": "meaning",
}  # fmt: skip
SURVEY_COLUMNS |= {  # headings of sheets that were written in Chinese
    "类型": "type", "题型": "type", "名称": "name", "变量名": "name", "字段名": "name",
    "标签": "label", "题目": "label", "问题": "label", "提示": "hint", "必填": "required",
    "必填提示": "required_message", "显示条件": "relevant",
    "相关": "relevant", "约束": "constraint", "校验": "constraint", "约束提示": "constraint_message",
    "校验提示": "constraint_message", "计算": "calculation", "选项筛选": "choice_filter", "重复次数": "repeat_count",
    "默认值": "default", "外观": "appearance", "只读": "read_only", "参数": "parameters",
}  # fmt: skip
TRANSLATED = frozenset(("label", "hint", "required_message", "constraint_message"))
CHOICE_COLUMNS = {
    "list_name": "list_name", "list": "list_name", "name": "name", "value": "name", "label": "label",
    "列表名": "list_name", "选项列表": "list_name", "名称": "name", "值": "name", "标签": "label", "选项": "label",
}  # fmt: skip
SETTINGS = {
    "form_title": "title", "title": "title", "form_id": "form_id", "id_string": "form_id", "version": "version",
    "default_language": "default_language", "instance_name": "instance_name",
    "allow_choice_duplicates": "allow_choice_duplicates",
}  # fmt: skip
TYPE_ALIASES = {
    "string": "text", "int": "integer", "datetime": "dateTime", "photo": "image", "location": "geopoint",
    "gps": "geopoint", "select one": "select_one", "select1": "select_one", "select multiple": "select_multiple",
    "select all that apply": "select_multiple", "select one from file": "select_one_from_file", "qrcode": "barcode",
    "number": "decimal",
}  # fmt: skip
OUR_TYPES = {"person": "text", "unit": "text", "record": "text", "signature": "image"}  # ours → written in XLSForm as
YES = frozenset(("yes", "true", "true()", "是", "1"))
NO = frozenset(("no", "false", "false()", "否", "0"))
LANGUAGES = {
    "中文": "zh", "汉语": "zh", "简体中文": "zh", "chinese": "zh", "zh-cn": "zh", "zh_cn": "zh", "zh-hans": "zh",
    "zh-hans-cn": "zh", "simplified chinese": "zh", "chinese simplified": "zh", "en-us": "en", "en-gb": "en",
    "英文": "en", "英语": "en", "english": "en",
}  # fmt: skip
LANGUAGE_TITLES = {"zh": "中文 (zh)", "en": "English (en)"}
_CODE = re.compile(r"\(([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)\)\s*$")
_LISTED = re.compile(
    r"(select_one_from_file|select_one|select_multiple|rank|select one from file|select one from|select one"
    r"|select all that apply from|select all that apply|select multiple from|select multiple|select1|record)\s+(.+)"
)
_BLOCK = re.compile(r"(begin|end)[ _]+(group|repeat)")


def language_of(title: str) -> str:
    """``中文 (zh)`` → zh, ``English`` → en, anything else as it stands in small letters."""
    title = title.replace("（", "(").replace("）", ")")
    found = _CODE.search(title)
    code = found[1].lower() if found else title.strip().lower()
    return LANGUAGES.get(code, code)


def language_title(code: str) -> str:
    """zh → ``中文 (zh)``"""
    return LANGUAGE_TITLES.get(code, code)


def split_type(text: str) -> tuple[str, str, str]:
    """``(begin | end | "", type, list)`` of a cell of the column ``type``; the type as written when it is not known."""
    shown = " ".join(text.split())
    block = _BLOCK.fullmatch(shown.lower())
    if block:
        return block[1], block[2], ""
    listed = _LISTED.fullmatch(shown)
    if listed:
        kind = listed[1].removesuffix(" from") if listed[1] != "select one from file" else listed[1]
        return "", TYPE_ALIASES.get(kind, kind), listed[2].strip()
    lowered = shown.lower()
    return "", TYPE_ALIASES.get(lowered, lowered if lowered != "datetime" else "dateTime"), ""
