"""What the counter refuses."""

from __future__ import annotations

from core.errors import YiwangError


class AnswersRefused(YiwangError):
    code = "answers_refused"
    message = "the application has answers that do not fit"
    remedy = "correct the questions that are named"
    zh = "申请中有不合适的回答"
    zh_remedy = "请改正指出的问题"


class PapersMissing(YiwangError):
    code = "papers_missing"
    message = "necessary papers are neither there nor found: {papers}"
    remedy = "tick where each comes from, or ask for it"
    zh = "必要材料既没有提交也没有查到：{papers}"
    zh_remedy = "请勾选每份材料的来源，或要求提供"


class SlotTaken(YiwangError):
    code = "slot_taken"
    message = "{slot} on {day} is full ({most} appointments)"
    remedy = "choose another time"
    zh = "{day} {slot} 已满（{most} 个预约）"
    zh_remedy = "请选其他时间"
