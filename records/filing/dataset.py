"""What is filed: a form by period and unit, who approves, how questions roll up, what is checked; read from data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from core.errors import InputInvalid
from core.forms.compiled import Compiled, compile_form
from core.forms.expression import Expression, parse
from core.forms.model import parse_form
from records.filing.periods import KINDS
from records.filing.rollup import RULES
from records.filing.timeliness import NATURAL_DAY, WORK_DAY, FilingRule

PREFILLS = ("last", "register", "measure")


class DatasetInvalid(InputInvalid):
    code = "dataset_invalid"


@dataclass(frozen=True)
class Ratio:
    """A question that is a rate: it rolls up from its numerator and denominator questions."""

    num: str
    den: str


@dataclass(frozen=True)
class TaskTarget:
    """A year's target of an indicator by responsible unit (a task ledger, records/filing/ledger.py).

    ``better``: more, or less (a ceiling); ``yellow``: percent of the plan from which the light is yellow, not red;
    ``milestones``: month → share of the target that is planned until its end, instead of a twelfth a month.
    """

    units: Mapping[str, float]
    better: str = "more"
    yellow: float = 90.0
    milestones: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class RowCheck:
    """``fault`` is true when the row is wrong; ``block`` stops filing, ``warn`` asks for a comment."""

    id: str
    question: str
    severity: str
    zh: str
    en: str
    fault: Expression


@dataclass(frozen=True, eq=False)  # a version never changes: compared by identity
class Dataset:
    """One data set.  ``questions`` are the form's numeric and text questions in order; ``rollup``: question → rule."""

    id: str
    zh: str
    en: str
    period: str
    rule: FilingRule
    form: Mapping[str, Any]
    rollup: Mapping[str, str]
    ratios: Mapping[str, Ratio] = field(default_factory=dict)
    checks: tuple[RowCheck, ...] = ()
    prefill: Mapping[str, str] = field(default_factory=dict)  # question → last, register:<id>[:facet], measure:<id>
    units: tuple[str, ...] = ()  # none: all leaves
    owner: str = ""
    drift: float = 30.0  # percent against the mean of the last twelve that asks for a look
    version: int = 1
    targets: Mapping[str, TaskTarget] = field(default_factory=dict)  # of a task ledger

    @cached_property
    def compiled(self) -> Compiled:
        return compile_form(parse_form(dict(self.form)))

    @cached_property
    def questions(self) -> tuple[str, ...]:
        return tuple(i.key for i in self.compiled.structure.items if i.type not in ("group", "repeat", "note"))

    def title(self, question: str) -> str:
        """The question's label in Chinese, else its name."""
        return self._titles.get(question, question)

    @cached_property
    def _titles(self) -> dict[str, str]:
        found: dict[str, str] = {}
        _titles(self.form.get("questions") or (), found)
        return found


def _titles(rows: Sequence[Mapping[str, Any]], found: dict[str, str]) -> None:
    for row in rows:
        label = row.get("label")
        if isinstance(label, Mapping):
            found[str(row.get("name"))] = str(label.get("zh") or next(iter(label.values()), row.get("name")))
        elif label:
            found[str(row.get("name"))] = str(label)
        _titles(row.get("children") or (), found)


def parse_dataset(body: Mapping[str, Any], version: int = 1) -> Dataset:
    """A data set from its JSON or YAML form; :class:`DatasetInvalid` names the field."""
    name = str(body.get("id", "?"))
    if body.get("period") not in KINDS:
        raise DatasetInvalid(
            field=f"{name}.period", detail=f"{body.get('period')!r}", how=f"use one of {', '.join(KINDS)}"
        )
    unit = body.get("day_unit", NATURAL_DAY)
    if unit not in (NATURAL_DAY, WORK_DAY):
        raise DatasetInvalid(field=f"{name}.day_unit", detail=f"{unit!r}", how=f"use {NATURAL_DAY} or {WORK_DAY}")
    rule = FilingRule(int(body.get("timely_days", 5)), int(body.get("expiry_days", 0)), unit)
    dataset = Dataset(
        id=name, zh=str(body.get("zh", name)), en=str(body.get("en", name)), period=body["period"], rule=rule,
        form=body["form"], rollup=dict(body.get("rollup") or {}),
        ratios={k: Ratio(**v) for k, v in (body.get("ratios") or {}).items()},
        checks=tuple(_check(name, row) for row in body.get("checks") or ()), prefill=dict(body.get("prefill") or {}),
        units=tuple(body.get("units") or ()), owner=str(body.get("owner", "")), drift=float(body.get("drift", 30.0)),
        version=version, targets={q: _target(f"{name}.targets.{q}", v) for q, v in (body.get("targets") or {}).items()},
    )  # fmt: skip
    _must_fit(dataset)
    return dataset


def _target(where: str, row: Mapping[str, Any]) -> TaskTarget:
    units, better = row.get("units") or {}, row.get("better", "more")
    months = {int(month): float(share) for month, share in (row.get("milestones") or {}).items()}
    wrong = not units or better not in ("more", "less") or any(not 1 <= month <= 12 for month in months)
    try:
        numbers = {str(unit): float(wanted) for unit, wanted in units.items()}
    except (TypeError, ValueError):
        wrong, numbers = True, {}
    if wrong or any(not math.isfinite(wanted) or wanted < 0 for wanted in numbers.values()):
        raise DatasetInvalid(
            field=where, detail="is no target", how="give units: {unit: number}, better: more or less, milestones"
        )
    return TaskTarget(numbers, better, float(row.get("yellow", 90.0)), months)


def _check(name: str, row: Mapping[str, Any]) -> RowCheck:
    try:
        return RowCheck(
            row["id"], row["question"], row.get("severity", "block"), row["zh"], row["en"], parse(row["fault"])
        )
    except KeyError as error:
        raise DatasetInvalid(
            field=f"{name}.checks", detail=f"lacks {error}", how="give id, question, zh, en, fault"
        ) from error


def _must_fit(dataset: Dataset) -> None:
    known = set(dataset.questions)
    named = {*dataset.rollup, *dataset.ratios, *dataset.prefill, *dataset.targets}
    named |= {check.question for check in dataset.checks}
    named |= {part for ratio in dataset.ratios.values() for part in (ratio.num, ratio.den)}
    for question in sorted(named - known):
        raise DatasetInvalid(
            field=f"{dataset.id}.{question}", detail="is no question of the form", how="name a question"
        )
    for question, rule in dataset.rollup.items():
        if rule not in RULES or (rule == "ratio") != (question in dataset.ratios):
            raise DatasetInvalid(
                field=f"{dataset.id}.rollup.{question}",
                detail=f"{rule!r}",
                how="ratio needs ratios: {question: {num, den}}",
            )
    for question, source in dataset.prefill.items():
        if source.partition(":")[0] not in PREFILLS:
            raise DatasetInvalid(field=f"{dataset.id}.prefill.{question}", detail=f"{source!r}", how=f"use {PREFILLS}")
