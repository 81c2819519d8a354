"""Words for what is wrong with the shape of a definition, its fields, effects and guards."""

from __future__ import annotations

from events.cases.soundness.wording import USE, USE_ZH, ProblemWords, worded

SHAPE: dict[str, ProblemWords] = {
    "not_readable": worded(
        "{detail}",
        "mend it; docs/case-engine.md lists the fields",
        "无法读取：{detail}",
        "请改正；字段见 docs/case-engine.md",
    ),
    "key_unknown": worded("{name!r} is not known here", USE, "这里没有“{name}”这一项", USE_ZH),
    "key_missing": worded("{name!r} is missing", "add it", "缺少“{name}”", "请补上"),
    "key_twice": worded(
        "{name!r} is written twice (line {line})",
        "keep one of them, or give the other another name",
        "“{name}”写了两次（第 {line} 行）",
        "请只留一个，或给另一个改名",
    ),
    "type_wrong": worded(
        "{found} is no {wanted}", "write a value of type {wanted}", "{found} 不是{wanted_zh}", "请写{wanted_zh}类型的值"
    ),
    "value_wrong": worded("{name!r} is not known here", USE, "“{name}”不能用在这里", USE_ZH),
    "name_wrong": worded(
        "{name!r} is no name",
        "use small letters, digits and _, beginning with a letter; quote what YAML reads otherwise",
        "“{name}”不能作名称",
        "请用小写字母、数字和下划线，以字母开头；YAML 会误读的请加引号",
    ),
    "too_long": worded(
        "{what} {name!r} has more than {most} characters",
        "shorten the name",
        "“{name}”超过 {most} 个字符",
        "请缩短名称",
    ),
    "too_small": worded(
        "{name} is less than {least}", "write at least {least}", "{name} 小于 {least}", "请写不小于 {least} 的数"
    ),
    "translation_missing": worded(
        "the {language} name is missing", "add {language}", "缺少名称的 {language} 译文", "请补上 {language}"
    ),
    "twice": worded("{name!r} is listed twice", "list it once", "“{name}”列了两次", "请只列一次"),
    "title_same": worded(
        "{name!r} has the same name as {other!r} ({title}), and both are possible in {state!r}",
        "give one another name",
        "“{name}”与“{other}”同名（{title}），在“{state}”中都可用",
        "请给其中一个改名",
    ),
}
FIELDS: dict[str, ProblemWords] = {
    "field_unknown": worded(
        "unknown field {name!r}",
        "{perhaps}add it to fields, or name one of: {known}",
        "没有字段“{name}”",
        "{perhaps}请在 fields 中加上，或用：{known}",
    ),
    "field_twice": worded("{name!r} is required and optional", "list it once", "“{name}”既必填又选填", "请只列一次"),
    "keep_unknown": worded(
        "keep: unknown field {name!r}",
        "{perhaps}keep what the command asks: {known}",
        "存入案卷的“{name}”不是该操作的字段",
        "{perhaps}只能存该操作填写的：{known}",
    ),
    "regex_invalid": worded(
        "{name!r} is no regular expression: {detail}",
        "mend the pattern",
        "“{name}”不是正则表达式：{detail}",
        "请改正表达式",
    ),
    "regex_slow": worded(
        "the expression {name!r} may take for ever: a repetition within a repetition",
        "write it without nested + or *",
        "正则表达式“{name}”可能极慢：重复中又有重复",
        "请不要嵌套 + 或 *",
    ),
    "schema_wrong": worded(
        "{detail}", "write it as JSON Schema says", "字段的写法不对：{detail}", "请按 JSON Schema 书写"
    ),
    "bounds_wrong": worded(
        "{low} is more than {high}: no answer fits", "exchange them", "{low} 大于 {high}，没有答案能满足", "请对调"
    ),
    "choices_none": worded("there is nothing to choose", "list values in enum", "没有可选的值", "请在 enum 中列出"),
    "choice_unknown": worded(
        "{name!r} is named but is no choice", "{perhaps}use one of: {known}", "“{name}”有名称却不是选项", USE_ZH
    ),
    "form_command_unknown": worded("forms: unknown command {name!r}", USE, "表单：没有操作“{name}”", USE_ZH),
    "form_wrong": worded(
        "its form, {at}: {detail}",
        "mend the form (docs/forms.md)",
        "表单的 {at}：{detail}",
        "请改正表单（docs/forms.md）",
    ),
    "template_wrong": worded(
        "{detail}",
        "write title as text and text as a list of lines",
        "模板的写法不对：{detail}",
        "title 写文字，text 写若干行",
    ),
}
VERBS: dict[str, ProblemWords] = {
    "effect_unknown": worded("unknown effect {name!r}", USE, "没有作用“{name}”", USE_ZH),
    "guard_unknown": worded("unknown guard {name!r}", USE, "没有条件“{name}”", USE_ZH),
    "spawn_nameless": worded(
        "effect spawn names no definition",
        "write {{effect: spawn, definition: KIND}}",
        "作用 spawn 未指明类型",
        "请写 {{effect: spawn, definition: 类型}}",
    ),
    "kind_unknown": worded(
        "effect spawn: there is no kind of case {name!r}", USE, "作用 spawn：没有案卷类型“{name}”", USE_ZH
    ),
    "template_unknown": worded("effect issue: unknown template {name!r}", USE, "作用 issue：没有模板“{name}”", USE_ZH),
    "effect_param_unknown": worded("effect {effect} takes no {name!r}", USE, "作用 {effect} 没有参数“{name}”", USE_ZH),
    "effect_param_missing": worded(
        "effect {effect}: {name!r} is missing", "add it", "作用 {effect}：缺少“{name}”", "请补上"
    ),
    "effect_param_wrong": worded(
        "effect {effect}: {name!r} is no {wanted}",
        "write a value of type {wanted}",
        "作用 {effect}：“{name}”不是{wanted_zh}",
        "请写{wanted_zh}类型的值",
    ),
    "effect_field_unknown": worded(
        "effect {effect}: unknown field {name!r}", USE, "作用 {effect}：没有字段“{name}”", USE_ZH
    ),
    "guard_param_unknown": worded("guard {guard} takes no {name!r}", USE, "条件 {guard} 没有参数“{name}”", USE_ZH),
    "guard_param_wrong": worded(
        "guard {guard}: {name!r} is no {wanted}",
        "write a value of type {wanted}",
        "条件 {guard}：“{name}”不是{wanted_zh}",
        "请写{wanted_zh}类型的值",
    ),
    "guard_clock_unknown": worded(
        "guard {guard}: unknown clock {name!r}", USE, "条件 {guard}：没有时限“{name}”", USE_ZH
    ),
    "guard_approval_unknown": worded(
        "guard {guard}: unknown approval {name!r}", USE, "条件 {guard}：没有审批“{name}”", USE_ZH
    ),
    "guard_incomplete": worded("guard {guard}: {name!r} is missing", "add it", "条件 {guard}：缺少“{name}”", "请补上"),
    "guard_field_unknown": worded(
        "guard {guard}: unknown field {name!r}",
        "{perhaps}add it to fields, or name one of: {known}",
        "条件 {guard}：没有字段“{name}”",
        "{perhaps}请在 fields 中加上，或用：{known}",
    ),
    "guard_document_unknown": worded(
        "guard {guard}: unknown document {name!r}", USE, "条件 {guard}：没有材料“{name}”", USE_ZH
    ),
    "guard_expression": worded(
        "guard holds: {detail}",
        "mend the expression (docs/forms.md)",
        "条件 holds：{detail}",
        "请改正表达式（docs/forms.md）",
    ),
}
