"""What exams refuse."""

from __future__ import annotations

from core.errors import InputInvalid, YiwangError


class ExamInvalid(InputInvalid):
    code = "exam_invalid"


class ExamClosed(YiwangError):
    code = "exam_closed"
    message = "exam {exam} cannot be begun: {why}"
    remedy = "{how}"
    zh = "不能开始考试 {exam}：{why}"
    zh_remedy = "{how}"


class AttemptEnded(YiwangError):
    code = "attempt_ended"
    message = "this attempt has ended; what was saved until {at} counts"
    remedy = "look at the result, or begin again where the exam allows it"
    zh = "这次答题已结束；{at} 之前保存的有效"
    zh_remedy = "请查看成绩；允许重考的可再次开始"
