"""What the counter refuses."""

from __future__ import annotations

from core.errors import YiwangError


class AnswersRefused(YiwangError):
    code = "answers_refused"
    message = "the application has answers that do not fit"
    remedy = "correct the questions that are named"


class PapersMissing(YiwangError):
    code = "papers_missing"
    message = "necessary papers are neither there nor found: {papers}"
    remedy = "tick where each comes from, or ask for it"


class SlotTaken(YiwangError):
    code = "slot_taken"
    message = "{slot} on {day} is full ({most} appointments)"
    remedy = "choose another time"
