"""What benefits without application refuse."""

from __future__ import annotations

from core.errors import YiwangError


class BenefitMoveIllegal(YiwangError):
    code = "benefit_move_illegal"
    message = "benefit {benefit} is {state}: {detail}"
    remedy = "{how}"
    zh = "{benefit} 处于 {state} 状态：{detail}"
    zh_remedy = "{how}"


class BenefitSamePerson(YiwangError):
    code = "same_person"
    message = "whoever asked for a benefit to be switched on does not confirm it"
    remedy = "let another manager of the payer or an administrator confirm it"
    zh = "申请启用的人不能自己确认"
    zh_remedy = "请由发放单位的另一位管理员或系统管理员确认"
