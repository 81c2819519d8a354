"""What can be wrong with a command to a case.  Every one says what to do instead."""

from __future__ import annotations

from typing import Any

from core.errors import Forbidden, InputInvalid, YiwangError


class DefinitionInvalid(YiwangError):
    """``field``: the path of the first fault, ``problem`` its code; ``problems``: all of them, in both languages."""

    code = "definition_invalid"
    message = "case definition {definition!r}: {detail}"
    remedy = "{how}"
    zh = "案卷定义 {definition!r}：{detail_zh}"
    zh_remedy = "{how_zh}"

    def __init__(self, **data: Any) -> None:
        told = {
            "how": "mend the definition file; docs/case-engine.md lists its fields",
            "how_zh": "请改正定义文件，字段见 docs/case-engine.md", "detail_zh": data.get("detail", ""),
        }  # fmt: skip
        super().__init__(**{**told, **data})


class CommandUnknown(YiwangError):
    code = "command_unknown"
    message = "a {definition} case knows no command {command!r}"
    remedy = "use one of: {known}"
    zh = "{definition} 类案卷没有命令 {command!r}"
    zh_remedy = "请用其中之一：{known}"


class MoveIllegal(YiwangError):
    """``allowed`` lists the commands that the case's state does allow to this actor."""

    code = "move_illegal"
    message = "a case in state {state!r} cannot take {command!r}"
    remedy = "now possible: {allowed_text}"
    zh = "案卷处于 {state!r} 状态，不能执行 {command!r}"
    zh_remedy = "现在可以：{allowed_text}"


class MoveForbidden(Forbidden):
    code = "forbidden"
    message = "you may not {command!r} this case: {detail}"
    remedy = "it is for: {who}"
    zh = "您不能对本案执行 {command!r}：{detail}"
    zh_remedy = "可执行的是：{who}"


class GuardFailed(YiwangError):
    code = "guard_failed"
    message = "{command!r} is not possible yet: {detail}"
    remedy = "{how}"
    zh = "还不能执行 {command!r}：{detail}"
    zh_remedy = "{how}"


class FormInvalid(InputInvalid):
    code = "form_invalid"
    message = "field {field!r} of {command!r}: {detail}"
    remedy = "{how}"
    zh = "{command!r} 的 {field!r}：{detail}"
    zh_remedy = "{how}"


class StaleCase(YiwangError):
    """Somebody moved the case first: ``moved_by``, ``moved_at``, ``by_command``, ``version``."""

    code = "stale_case"
    message = "the case has moved on: {moved_by_name} did {by_command!r} at {moved_at} (version {version})"
    remedy = "look at the case again and decide anew"
    zh = "案卷已有变化：{moved_by_name} 于 {moved_at} 执行了 {by_command!r}（第 {version} 版）"
    zh_remedy = "请重新查看案卷再决定"


class IdempotencyConflict(YiwangError):
    code = "idempotency_conflict"
    message = "key {key!r} was used before for {earlier!r}"
    remedy = "use a new key for a new command"
    zh = "键 {key!r} 已用于 {earlier!r}"
    zh_remedy = "新的命令请用新的键"


class EffectMissing(YiwangError):
    code = "effect_missing"
    message = "the effect {effect!r} is not there in this process"
    remedy = "build the case service with events.runtime.wiring.case_service"


class BounceLimit(YiwangError):
    code = "bounce_limit"
    message = "the case was handed back and forth {bounces} times already"
    remedy = "the arbiter ({arbiter}) must decide: ask for dispatch"
    zh = "案卷已来回退了 {bounces} 次"
    zh_remedy = "须由裁定方（{arbiter}）决定：请申请派遣"
