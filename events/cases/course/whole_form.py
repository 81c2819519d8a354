"""The whole form of a command: the server evaluates it again, whatever the browser made of it."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from core.forms.compiled import Compiled, compile_form
from core.forms.engine import evaluate_form
from core.forms.model import FILES, parse_form
from core.legal_time.calendar import WorkCalendar
from core.records import Command
from events.cases.definition import Definition
from events.cases.errors import FormInvalid

HOW = "answer the form as it asks; its conditions and sums are worked out again here"


def with_form_answers(definition: Definition, command: Command, now: datetime, calendar: WorkCalendar) -> Command:
    """``command`` with what its form makes of the data: calculations our own, irrelevant answers left out.

    Files are judged where they are claimed.  A command without a whole form stays as it is.

    Raises:
        FormInvalid: the first answer that does not fit, with the form's own code (required, constraint, not-offered …).
    """
    if command.name not in definition.forms:
        return command
    compiled = _compiled(msgspec.json.encode(definition.forms[command.name]))
    carriers = [item for item in compiled.structure.scopes[-1] if item.type != "note"]
    own = {item.key for item in carriers}
    files = {item.key for item in carriers if item.type in FILES}
    answers = {key: value for key, value in command.data.items() if key in own - files and value is not None}
    state = evaluate_form(compiled, answers, today=now.astimezone(calendar.zone).date().isoformat(), calendar=calendar)
    for path, code in state.errors:
        if path not in files:
            raise FormInvalid(field=path, command=command.name, detail=code, how=HOW)
    rest = {key: value for key, value in command.data.items() if key not in own - files}
    submitted = {key: value for key, value in state.submitted.items() if key in own - files}
    return msgspec.structs.replace(command, data={**rest, **submitted})


@lru_cache(maxsize=256)
def _compiled(body: bytes) -> Compiled:
    read: Any = msgspec.json.decode(body)
    return compile_form(parse_form(read))
