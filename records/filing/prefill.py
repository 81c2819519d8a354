"""Values to begin a filing with (last period, register, measure), and questions that are asked already elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.forms.model import Question, walk_questions
from records.filing.commands import values_of_filing
from records.filing.dataset import Dataset
from records.filing.period_state import Desk
from records.filing.periods import before
from records.registers.definition import Register, shipped_registers
from records.registers.search import below
from storage.tables.filing import Filing, FilingUnit
from storage.tables.records import RegisterRecord


class MeasureSource(Protocol):
    """Gives a measure's value for a unit and period; None when it has none."""

    def value(self, session: Session, measure_id: str, unit_id: str, period: str) -> float | None: ...


class NoMeasures:
    """Where no measures are wired: nothing is prefilled from them."""

    def value(self, session: Session, measure_id: str, unit_id: str, period: str) -> float | None:
        """None."""
        return None


def prefilled(
    session: Session, desk: Desk, unit: str, period: str, measures: MeasureSource | None = None
) -> dict[str, dict[str, Any]]:
    """Question → ``{value, source}`` for the questions that the data set prefills; missing ones are left out."""
    last = _last_values(session, desk, unit, period)
    found: dict[str, dict[str, Any]] = {}
    for question, source in desk.dataset.prefill.items():
        kind, _, what = source.partition(":")
        match kind:
            case "last":
                value = last.get(question)
            case "register":
                value = _counted(session, unit, what)
            case _:
                value = (measures or NoMeasures()).value(session, what, unit, period)
        if value is not None:
            found[question] = {"value": value, "source": source}
    return found


def _last_values(session: Session, desk: Desk, unit: str, period: str) -> dict[str, Any]:
    earlier = before(desk.dataset.period, period)
    if not earlier:
        return {}
    filing_id = session.scalar(
        select(Filing.filing_id).where(
            Filing.dataset_id == desk.dataset.id, Filing.unit_id == unit, Filing.period == earlier[0],
            Filing.state.in_(("filed", "approved")),
        )
    )  # fmt: skip
    return values_of_filing(session, filing_id) if filing_id else {}


def _counted(session: Session, unit: str, what: str) -> int | None:
    """``person`` or ``person:care=elderly_alone``: active records of the unit's division; None without a division."""
    division = session.scalar(select(FilingUnit.division_code).where(FilingUnit.unit_id == unit))
    name, _, condition = what.partition(":")
    register = shipped_registers().get(name)
    if not division or register is None:
        return None
    sql = select(func.count()).select_from(RegisterRecord)
    sql = sql.where(RegisterRecord.register_id == name, RegisterRecord.state == "active", below(division))
    if condition:
        facet, _, value = condition.partition("=")
        column = dict(zip(register.facets, (RegisterRecord.facet_a, RegisterRecord.facet_b), strict=False))
        if facet not in column:
            return None
        sql = sql.where(column[facet] == value)
    return int(session.scalar(sql) or 0)


def already_answered(
    questions: Sequence[tuple[str, str]], registers: Mapping[str, Register], datasets: Sequence[Dataset]
) -> list[dict[str, str]]:
    """Questions ``(name, label)`` of a new form that a register or another data set asks already, with where."""
    known: dict[str, str] = {}
    fields = [(register, field) for register in registers.values() for field in register.fields]
    for register, field in sorted(fields, key=lambda pair: pair[1].name not in pair[0].key):  # the key's register first
        for word in (field.zh, field.en, *field.also):
            known.setdefault(_plain(word), f"register {register.id}.{field.name}")
    for dataset in datasets:
        for question in dataset.questions:
            known.setdefault(_plain(dataset.title(question)), f"dataset {dataset.id}.{question}")
    found = []
    for name, label in questions:
        where = known.get(_plain(label))
        if where is not None:
            found.append({"question": name, "label": label, "answered_by": where})
    return found


def answered_elsewhere(
    questions: Sequence[Question], registers: Mapping[str, Register], datasets: Sequence[Dataset], form_id: str = ""
) -> list[dict[str, str]]:
    """:func:`already_answered` for the questions of a form, in any language; those that are prefilled already are not
    named, nor data sets that file this very form."""
    others = [d for d in datasets if d.form.get("form_id") != form_id]
    found: dict[str, dict[str, str]] = {}
    for question in walk_questions(tuple(questions)):
        if question.children or question.prefill or question.type in ("note", "calculate", "record"):
            continue
        asked = [(question.name, word) for word in question.label.values() if word]
        for each in already_answered(asked, registers, others):
            found.setdefault(question.name, each)
    return list(found.values())


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())
