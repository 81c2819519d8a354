"""What exams refuse."""

from __future__ import annotations

from core.errors import InputInvalid, YiwangError


class ExamInvalid(InputInvalid):
    code = "exam_invalid"


class ExamClosed(YiwangError):
    code = "exam_closed"
    message = "exam {exam} cannot be begun: {why}"
    remedy = "{how}"


class AttemptEnded(YiwangError):
    code = "attempt_ended"
    message = "this attempt has ended; what was saved until {at} counts"
    remedy = "look at the result, or begin again where the exam allows it"
