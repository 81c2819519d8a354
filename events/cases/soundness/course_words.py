"""Words for what is wrong with the course of a case, its people and its clocks."""

from __future__ import annotations

from events.cases.soundness.wording import USE, USE_ZH, ProblemWords, worded

COURSE: dict[str, ProblemWords] = {
    "stage_unknown": worded(
        "state {state!r} has unknown stage {name!r}", USE, "状态“{state}”的阶段“{name}”不存在", USE_ZH
    ),
    "stage_twice": worded("stage {name!r} is there twice", "keep one of them", "阶段“{name}”重复", "请只留一个"),
    "initial_unknown": worded("initial state {name!r} does not exist", USE, "初始状态“{name}”不存在", USE_ZH),
    "initial_closed": worded(
        "the initial state {name!r} is closed", "begin in an open state", "初始状态“{name}”已是终点", "请以在办状态开始"
    ),
    "state_unknown": worded("unknown state {name!r}", USE, "没有状态“{name}”", USE_ZH),
    "state_unreachable": worded(
        "no command leads to state {name!r}",
        "let a command lead there, or remove it",
        "没有操作通向状态“{name}”",
        "请让某个操作通向它，或删去",
    ),
    "dead_end": worded(
        "state {name!r} is open and can never end: no command that anybody gives there leads to a closed state",
        "add a command that leads on, or write open: false",
        "状态“{name}”在办却无法结束：没有人能执行的操作通向终点",
        "请加一个通向下一步的操作，或设为 open: false",
    ),
    "closed_never": worded(
        "no state is closed: a case could never end",
        "add a state with open: false",
        "没有终点状态，案卷无法结束",
        "请加一个 open: false 的状态",
    ),
    "remembered_never": worded(
        "goes back to the state before, but no command remembers one",
        "add the effect 'remember_state' to the command before",
        "要回到此前状态，却没有操作记下它",
        "请给之前的操作加上作用 remember_state",
    ),
    "move_missing": worded(
        "has no move",
        "say from which states: moves: [{{from: [STATE], to: STATE}}]",
        "没有写从哪些状态可用",
        "请写 moves: [{{from: [状态], to: 状态}}]",
    ),
    "move_new": worded("only 'report' begins a case (@new)", "name states", "只有 report 从 @new 开始", "请写状态名"),
    "part_unknown": worded(
        "part {name!r} is none of {known}", "{perhaps}use one of: {known}", "承办部分“{name}”不是 {known} 之一", USE_ZH
    ),
    "report_missing": worded(
        "there is no command 'report': nobody could begin a case of this kind",
        "add a command 'report' with moves from '@new'",
        "没有操作 report：谁也不能登记此类案卷",
        "请加操作 report，从 @new 开始",
    ),
    "automatic_unknown": worded(
        "automatic {key!r}: {name!r} does not exist", USE, "自动操作 {key}：“{name}”不存在", USE_ZH
    ),
    "automatic_key_unknown": worded("there is no automatic {name!r}", USE, "没有自动环节“{name}”", USE_ZH),
    "automatic_who": worded(
        "automatic {key!r}: the platform may not give {name!r}",
        "add the role 'system' to its who",
        "自动操作 {key}：平台无权执行“{name}”",
        "请在其 who 中加上角色 system",
    ),
    "automatic_data": worded(
        "automatic {key!r}: {name!r} wants {field!r}, which 'report' does not ask",
        "let 'report' ask it, or make it optional",
        "自动操作 {key}：“{name}”要求“{field}”，而 report 没有填写它",
        "请让 report 填写，或改为选填",
    ),
    "trigger_unknown": worded("{name!r} is none of {known}", USE, "“{name}”不是 {known} 之一", USE_ZH),
    "trigger_never": worded(
        "{name!r} is not possible in {state!r}",
        "name states in which it is, or leave out 'from'",
        "“{name}”在状态“{state}”中不可用",
        "请写可用的状态，或不写 from",
    ),
    "trigger_data": worded(
        "{name!r} wants {field!r}, which the trigger does not bring",
        "give it in data, or make it optional",
        "“{name}”要求“{field}”，而触发没有给出",
        "请在 data 中给出，或改为选填",
    ),
    "trigger_no_time": worded(
        "field {name!r} is no date or time",
        "give it format date or date-time",
        "字段“{name}”不是日期或时间",
        "请设 format: date 或 date-time",
    ),
    "trigger_childless": worded(
        "nothing opens cases out of this one: the trigger never fires",
        "add the effect 'spawn' or 'split', or remove it",
        "没有操作派生案卷，此触发永不发生",
        "请加作用 spawn 或 split，或删去",
    ),
    "command_unknown": worded("unknown command {name!r}", USE, "没有操作“{name}”", USE_ZH),
    "recheck_state_unknown": worded("recheck: unknown state {name!r}", USE, "复核：没有状态“{name}”", USE_ZH),
    "recheck_command_unknown": worded("recheck: unknown command {name!r}", USE, "复核：没有操作“{name}”", USE_ZH),
    "sites_unknown": worded("sites: {name!r} is none of {known}", USE, "地点“{name}”不是 {known} 之一", USE_ZH),
    "visibility_unknown": worded("{name!r} is none of {known}", USE, "可见范围“{name}”不是 {known} 之一", USE_ZH),
}
PEOPLE: dict[str, ProblemWords] = {
    "relation_unknown": worded("unknown relation {name!r}", USE, "没有关系“{name}”", USE_ZH),
    "role_unknown": worded("unknown role {name!r}", USE, "没有角色“{name}”", USE_ZH),
    "who_missing": worded(
        "nobody may give it",
        "say who: [{{roles: [staff], relation: lead_department}}]",
        "谁也不能执行",
        "请写 who：[{{roles: [staff], relation: lead_department}}]",
    ),
    "notice_on_unknown": worded("{name!r} is no command or state", USE, "“{name}”既不是操作也不是状态", USE_ZH),
    "notice_never": worded(
        "the notice is never sent: 'on' names nothing",
        "name commands or states",
        "此通知永不发出：on 为空",
        "请写操作或状态",
    ),
    "notice_nobody": worded(
        "the notice goes to nobody: 'to' names nobody",
        "name turn, a relation, role:R, department:D or user:U",
        "此通知没有接收人：to 为空",
        "请写 turn、某种关系、role:角色、department:部门 或 user:人员",
    ),
    "notice_to_unknown": worded(
        "nobody is meant by {name!r}",
        "{perhaps}name turn, approver, checker, arbiter, a relation, role:R, department:D or user:U",
        "“{name}”指不到任何人",
        "{perhaps}请写 turn、approver、checker、arbiter、某种关系、role:角色、department:部门 或 user:人员",
    ),
    "channel_unknown": worded("unknown channel {name!r}", USE, "没有通知渠道“{name}”", USE_ZH),
    "word_unknown": worded(
        "the text names {name!r}, which no command brings",
        "{perhaps}name title, number, state, reason or a field",
        "文字中的“{name}”没有任何操作填写",
        "{perhaps}可写 title、number、state、reason 或字段名",
    ),
    "approval_empty": worded(
        "approval {name!r} has a level at which nobody approves",
        "say who approves at each level",
        "审批“{name}”有一级无人审批",
        "请写明每一级由谁审批",
    ),
    "approval_then_unknown": worded("after an approval {name!r} is not known", USE, "审批之后的“{name}”不存在", USE_ZH),
    "approval_unknown": worded("unknown approval {name!r}", USE, "没有审批“{name}”", USE_ZH),
}
CLOCKS: dict[str, ProblemWords] = {
    "clock_unknown": worded("unknown clock {name!r}", USE, "没有时限“{name}”", USE_ZH),
    "shown_clock_unknown": worded("shown_clock: unknown clock {name!r}", USE, "显示的时限“{name}”不存在", USE_ZH),
    "limit_too_small": worded(
        "a limit of {value} is over before it begins",
        "write a number above 0",
        "时限 {value} 还没开始就已结束",
        "请写大于 0 的数",
    ),
    "limit_too_long": worded(
        "a limit of {value} {unit} is longer than {most}",
        "write at most {most}",
        "时限 {value} {unit} 超过 {most}",
        "请写不超过 {most} 的数",
    ),
    "reminder_invalid": worded(
        "{name!r} is no reminder such as -1 {unit}",
        "write e.g. -3 {unit}, 0, +1 {unit}",
        "“{name}”不是提醒，应如 -1 {unit}",
        "请写如 -3 {unit}、0、+1 {unit}",
    ),
    "clock_never_started": worded(
        "no command starts the clock {name!r}",
        "start it with a command (clocks: {{start: [{name}]}}), or remove it",
        "没有操作启动时限“{name}”",
        "请在操作中启动（clocks: {{start: [{name}]}}），或删去",
    ),
    "clock_never_stopped": worded(
        "the clock {name!r} is started and nothing stops it",
        "stop it with the command that meets it (clocks: {{stop: [{name}]}})",
        "时限“{name}”启动后没有操作停止它",
        "请在完成它的操作中停止（clocks: {{stop: [{name}]}}）",
    ),
    "counting_unknown": worded("counting: unknown clock {name!r}", USE, "统计：没有时限“{name}”", USE_ZH),
    "counting_state_unknown": worded("counting: unknown state {name!r}", USE, "统计：没有状态“{name}”", USE_ZH),
    "counting_guard_unknown": worded(
        "counting: {name!r} is no guard against gaming", USE, "统计：没有防作弊条件“{name}”", USE_ZH
    ),
}
