"""A campaign as data: its check-list as a form, the problems that answers show, the figures of its report.  Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import InputInvalid
from core.forms.compiled import compile_form
from core.forms.engine import evaluate_form
from core.forms.errors import ExpressionError
from core.forms.expression import Expression, parse
from core.forms.model import Form, parse_form
from core.forms.scope import Names, Scope
from records.registers.definition import shipped_registers

DATA = Path(__file__).parent / "data"
ANSWERS: Mapping[str, Mapping[str, str]] = {
    "yes": {"zh": "符合", "en": "in order"}, "no": {"zh": "不符合", "en": "not in order"},
    "na": {"zh": "不涉及", "en": "does not apply"},
}  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_HOW = "docs/registers.md shows a whole campaign"


@dataclass(frozen=True)
class CheckPoint:
    """One question of the check-list and when its answer is a problem."""

    name: str
    zh: str
    en: str
    fault: Expression
    severity: int = 2
    department: str = ""


@dataclass(frozen=True)
class CampaignPlan:
    """What is looked at and how; ``letter``: the last line of the warning letter; ``register``: what is visited."""

    id: str
    zh: str
    en: str
    points: tuple[CheckPoint, ...]
    register: str = ""
    letter: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def form(self) -> Form:
        """The check-list as the form renderers fill it in."""
        choices = {"answer": [{"name": name, "label": dict(words)} for name, words in ANSWERS.items()]}
        asked: list[dict[str, Any]] = [
            {"name": p.name, "type": "select_one", "list": "answer", "label": {"zh": p.zh, "en": p.en},
             "required": True} for p in self.points
        ]  # fmt: skip
        note = {"name": "note", "type": "text", "label": {"zh": "情况说明", "en": "note"}, "appearance": "multiline"}
        title = {"zh": self.zh, "en": self.en}
        return parse_form({"form_id": self.id, "title": title, "questions": [*asked, note], "choices": choices})


def parse_plan(body: Mapping[str, Any], where: str = "campaign") -> CampaignPlan:
    """A campaign from its data; :class:`InputInvalid` names the question and what is wrong with it."""
    name = str(body.get("id") or "")
    if not _NAME.fullmatch(name) or not body.get("zh"):
        raise InputInvalid(field=f"{where}.id", detail=f"{name!r} is no name, or zh is missing", how=_HOW)
    register = str(body.get("register") or "")
    if register and register not in shipped_registers():
        raise InputInvalid(field=f"{where}.register", detail=f"{register!r} is unknown", how="app registers list")
    rows = body.get("questions")
    if not isinstance(rows, list) or not 0 < len(rows) <= 100:
        raise InputInvalid(field=f"{where}.questions", detail="must be a list of 1 to 100", how=_HOW)
    names = frozenset(str(row.get("name")) for row in rows if isinstance(row, Mapping))
    if len(names) < len(rows):
        raise InputInvalid(field=f"{where}.questions", detail="two have one name, or one has none", how=_HOW)
    points = tuple(_point(row, names, f"{where}.questions[{at}]") for at, row in enumerate(rows, 1))
    zh, letter = str(body["zh"])[:100], str(body.get("letter") or "")[:1000]
    return CampaignPlan(name, zh, str(body.get("en") or zh)[:100], points, register, letter, dict(body))


def _point(row: Any, names: frozenset[str], where: str) -> CheckPoint:
    name = str(row.get("name") or "")
    if not _NAME.fullmatch(name) or name == "note" or not row.get("zh"):
        raise InputInvalid(field=where, detail="name or zh is missing", how=_HOW)
    severity = row.get("severity", 2)
    if severity not in (1, 2, 3, 4):
        raise InputInvalid(field=f"{where}.severity", detail=repr(severity), how="1 (minor) to 4 (extreme)")
    try:
        fault = parse(str(row.get("fault") or f"${{{name}}} = 'no'"))
        fault.check(Names(values=names))
    except ExpressionError as error:
        raise InputInvalid(field=f"{where}.fault", detail=str(error), how="an expression over the answers") from error
    zh = str(row["zh"])[:200]
    return CheckPoint(name, zh, str(row.get("en") or zh)[:200], fault, severity, str(row.get("department") or "")[:40])


@lru_cache(maxsize=1)
def example_plans() -> dict[str, CampaignPlan]:
    """The campaigns that come with the product, as examples."""
    bodies = (yaml.safe_load(path.read_text("utf-8")) for path in sorted(DATA.glob("*.yaml")))
    return {plan.id: plan for plan in (parse_plan(body) for body in bodies)}


def checked_answers(plan: CampaignPlan, answers: Mapping[str, Any], today: str) -> dict[str, Any]:
    """The check-list's answers; :class:`InputInvalid` names the first question that is missing or wrong."""
    state = evaluate_form(compile_form(plan.form), dict(answers), today=today)
    for path, code in state.errors:
        raise InputInvalid(field=path, detail=code, how="answer every question of the check-list")
    return dict(state.submitted)


def problems_of(plan: CampaignPlan, answers: Mapping[str, Any], department: str) -> list[dict[str, Any]]:
    """What the answers show: question, title, severity and the department that mends it."""
    scope = Scope(dict(answers))
    return [
        {"question": p.name, "title": p.zh, "severity": p.severity, "department_id": p.department or department}
        for p in plan.points
        if p.fault.truth(scope)
    ]


def report_of(plan: CampaignPlan, visits: Iterable[Mapping[str, Any]], today: str) -> dict[str, Any]:
    """Planned, visited, overdue, visits with problems, problems by question and by department; rates in percent.

    A rate without anything to divide by is None.
    """
    rows = list(visits)
    done = [row for row in rows if row["state"] == "visited"]
    wanted = [row for row in rows if row["state"] != "waived"]
    faulty = [row for row in done if row["problems"]]
    found = [problem for row in done for problem in row["problems"]]
    by_question, by_department = Counter(p["question"] for p in found), Counter(p["department_id"] for p in found)
    return {
        "planned": len(wanted), "visited": len(done), "waived": len(rows) - len(wanted),
        "overdue": sum(row["state"] == "planned" and str(row["due"]) < today for row in rows),
        "with_problems": len(faulty), "problems": len(found), "done_rate": _rate(len(done), len(wanted)),
        "problem_rate": _rate(len(faulty), len(done)),
        "questions": [{"question": p.name, "zh": p.zh, "en": p.en, "problems": by_question[p.name]}
                      for p in plan.points],
        "departments": [{"department_id": d, "problems": n} for d, n in by_department.most_common()],
    }  # fmt: skip


def _rate(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None
