"""What the form routes and pages share: what a browser needs to fill a form in."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.errors import Forbidden
from core.forms.checks import FormProblem
from core.forms.compiled import compile_form
from core.forms.engine import evaluate_form
from core.forms.model import Form, walk_questions
from core.forms.state import FormState
from core.forms.xlsform.problems import sentence
from core.legal_time.calendar import WorkCalendar, statutory_calendar
from dashboard.auth import Principal
from dashboard.services import Services
from records.filing.prefill import answered_elsewhere
from records.filing.store import datasets
from records.registers.definition import shipped_registers
from storage.forms import FormVersionView, compiled_form
from storage.session import read_scope

EDITORS = ("admin",)


def calendar_of(use: Services) -> WorkCalendar:
    """The district's calendar: its own default one, else the statutory one."""
    return use.cases.calendars.get("default") or statutory_calendar()


def today_of(use: Services) -> str:
    """The date here, as the forms' ``today()`` gives it."""
    return use.clock.now().astimezone(calendar_of(use).zone).date().isoformat()


def for_filling(use: Services, version: FormVersionView) -> dict[str, Any]:
    """All that ``renderForm`` needs, also without a network later."""
    calendar = calendar_of(use)
    return {
        "form_id": version.form_id,
        "version": version.version,
        "state": version.state,
        "hash": version.hash,
        "form": version.body,
        "today": today_of(use),
        "calendar": {
            "weekend": sorted(calendar.weekend),
            "holidays": [date.fromordinal(day).isoformat() for day in sorted(calendar.holidays)],
            "workdays": [date.fromordinal(day).isoformat() for day in sorted(calendar.workdays)],
        },
    }


def state_of(use: Services, version: FormVersionView, answers: dict[str, Any]) -> FormState:
    """The server's own evaluation."""
    return evaluate_form(compiled_form(version), answers, today=today_of(use), calendar=calendar_of(use))


def may_see(who: Principal, version: FormVersionView) -> None:
    """Drafts are their editors'; trials and what is or was live are for everybody with an account."""
    if version.state == "draft" and not who.has(*EDITORS):
        raise Forbidden(action="see a draft without being an administrator")


def answered_already(use: Services, form: Form) -> list[dict[str, str]]:
    """Questions that a register or a data set answers already: ``{question, label, answered_by}``."""
    with read_scope(use.engine) as session:
        return answered_elsewhere(form.questions, shipped_registers(), datasets(session), form.form_id)


def answered_by_title(where: str, language: str) -> str:
    """``register person.phone`` in words: the register's and the field's title."""
    kind, _, path = where.partition(" ")
    name, _, field = path.partition(".")
    register = shipped_registers().get(name) if kind == "register" else None
    if register is None:
        return path
    own = next((f for f in register.fields if f.name == field), None)
    english = language == "en"
    return f"{register.en if english else register.zh} · {(own.en if english else own.zh) if own else field}"


def shown_problems(form: Form, problems: list[FormProblem]) -> list[dict[str, Any]]:
    """Problems for a page: ``{code, index, name, word, list, values, message, blocking}``."""
    names = [question.name for question in walk_questions(form.questions)]
    return [
        {
            "code": p.code,
            "index": p.index,
            "name": names[p.index] if p.index is not None else "",
            "word": p.word,
            "list": p.choice[0] if p.choice else "",
            "row": p.choice[1] if p.choice else None,
            "values": {key: value for key, value in p.values.items() if isinstance(value, str | int | float)},
            "message": sentence(p.code, p.values),
            "blocking": p.blocking,
        }
        for p in problems
    ]


def key_names(form: Form) -> list[dict[str, Any]]:
    """The keys of the answers with their types and labels, for tables and exports."""
    return [
        {"key": item.key, "type": item.type, "label": item.question.label, "repeat": [r.key for r in item.repeats]}
        for item in compile_form(form).structure.items
        if item.type not in ("group", "note")
    ]
