"""Benefit rules as data: conditions over a register, an amount, a period; evaluated and explained for one record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import InputInvalid
from core.forms.expression import Expression, parse
from core.forms.scope import Scope
from core.forms.values import as_text
from records.registers.definition import shipped_registers

DATA = Path(__file__).parent / "data"
PERIODS = ("month", "year")
THEN = ("file", "case")


@dataclass(frozen=True)
class BenefitCondition:
    """One condition in words and as an expression; ``shows``: the facts that an explanation names."""

    zh: str
    en: str
    holds: Expression
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Benefit:
    """One benefit.  ``digest`` changes with its rule: a changed rule is simulated anew before it runs again."""

    id: str
    zh: str
    en: str
    register: str
    period: str
    payer: str
    then: str
    amount: Expression
    conditions: tuple[BenefitCondition, ...]
    digest: str
    source: str = ""
    source_en: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The facts that its conditions and amount look at."""
        seen = {name for c in self.conditions for name in (*c.holds.references(), *c.shows)}
        return tuple(sorted(seen | self.amount.references()))


@dataclass(frozen=True)
class Explanation:
    """Whether a record is entitled on a day, why, and to how much (yuan)."""

    entitled: bool
    amount: float
    conditions: list[dict[str, Any]] = field(default_factory=list)


def parse_benefit(body: Mapping[str, Any], where: str = "") -> Benefit:
    """A benefit from its YAML form; :class:`InputInvalid` names what is wrong."""
    name = f"{where} {body.get('id', '?')}"
    lacking = [key for key in ("id", "zh", "en", "register", "period", "payer", "then", "amount") if not body.get(key)]
    if lacking:
        raise InputInvalid(field=name, detail=f"has no {', '.join(lacking)}", how="docs/items.md shows a whole rule")
    register = shipped_registers().get(str(body.get("register")))
    if register is None or body.get("period") not in PERIODS or body.get("then") not in THEN:
        raise InputInvalid(field=name, detail="register, period or then is unknown", how=f"{PERIODS}, {THEN}")
    known = {f.name for f in register.fields} | {"age", "day"}
    conditions = tuple(
        BenefitCondition(row["zh"], row["en"], parse(row["holds"]), tuple(row.get("shows") or ()))
        for row in body.get("conditions") or ()
    )
    if not conditions:
        raise InputInvalid(field=name, detail="has no condition", how="everybody would get it: name one")
    amount = parse(str(body["amount"]))
    used = [(f"{name}.shows", each) for c in conditions for each in c.shows]
    used += [(name, each) for e in (amount, *(c.holds for c in conditions)) for each in sorted(e.references())]
    for place, each in used:
        if each not in known or each in register.sensitive:
            raise InputInvalid(field=place, detail=f"{each!r}", how="name open fields of the register, age or day")
    rule = {key: value for key, value in body.items() if key != "source_en"}
    text = json.dumps(rule, ensure_ascii=False, sort_keys=True, default=str)
    return Benefit(
        str(body["id"]), str(body["zh"]), str(body["en"]), register.id, str(body["period"]), str(body["payer"]),
        str(body["then"]), amount, conditions, hashlib.sha256(text.encode()).hexdigest()[:16],
        str(body.get("source", "")), str(body.get("source_en", "")),
    )  # fmt: skip


@lru_cache(maxsize=1)
def shipped_benefits() -> dict[str, Benefit]:
    """The benefits that come with the product, an example (records/benefits/data/benefits.yaml)."""
    body = yaml.safe_load((DATA / "benefits.yaml").read_text("utf-8"))
    return {b.id: b for b in (parse_benefit(row, "benefits.yaml") for row in body["benefits"])}


def benefits_in(folder: Path | None) -> dict[str, Benefit]:
    """The shipped benefits and the district's own (``<data>/benefits/*.yaml``), which go before them.

    Raises:
        InputInvalid: a file is no YAML or a rule of it is wrong; names the file.
    """
    found = dict(shipped_benefits())
    for path in sorted(folder.glob("*.yaml")) if folder is not None and folder.is_dir() else ():
        try:
            body = yaml.safe_load(path.read_text("utf-8"))
            rows = body["benefits"]
            found |= {b.id: b for b in (parse_benefit(row, path.name) for row in rows)}
        except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
            raise InputInvalid(
                field=path.name, detail=str(error)[:200], how="write benefits: as in docs/items.md"
            ) from error
    return found


def age_on(birth: Any, day: date) -> int | None:
    """Whole years on ``day``; who is born on 29 February is a year older on 1 March of other years."""
    try:
        born = date.fromisoformat(str(birth)[:10])
    except ValueError:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def explain(benefit: Benefit, values: Mapping[str, Any], day: date) -> Explanation:
    """Judge one record as it was on ``day``; pure.  A fact that is not known fulfils nothing."""
    facts: dict[str, Any] = {**values, "day": day.isoformat()}
    age = age_on(values.get("birth"), day)
    facts["age"] = "" if age is None else age
    scope = Scope(facts, today=day.isoformat())
    lines, entitled = [], True
    for condition in benefit.conditions:
        missing = [name for name in condition.shows if facts.get(name) in (None, "")]
        holds = not missing and condition.holds.truth(scope)
        entitled = entitled and holds
        shown = {name: facts.get(name) for name in condition.shows}
        lines.append({"zh": condition.zh, "en": condition.en, "holds": holds, "facts": shown})
    amount = float(as_text(benefit.amount.evaluate(scope)) or 0) if entitled else 0.0
    return Explanation(entitled, amount, lines)


class Judge:
    """Whether records are entitled and to how much, fast over many: equal facts are judged once a day.

    ``judge(values, day)`` answers what :func:`explain` answers, without the reasons.
    """

    MOST = 50_000  # remembered answers

    def __init__(self, benefit: Benefit) -> None:
        self._benefit = benefit
        self._names = tuple(name for name in benefit.names if name not in ("age", "day"))
        self._aged = "age" in benefit.names
        seen = {name for c in benefit.conditions for name in c.holds.references()} | benefit.amount.references()
        self._exact = frozenset(seen)
        self._known: dict[Any, float | None] = {}

    def __call__(self, values: Mapping[str, Any], day: date) -> float | None:
        """The amount in yuan, None for whoever is not entitled."""
        key: list[Any] = [day, age_on(values.get("birth"), day) if self._aged else None]
        for name in self._names:
            value = values.get(name)
            key.append((type(value), str(value)) if name in self._exact else value in (None, ""))
        place = tuple(key)
        if place not in self._known:
            if len(self._known) >= self.MOST:
                self._known.clear()
            said = explain(self._benefit, values, day)
            self._known[place] = said.amount if said.entitled else None
        return self._known[place]


def period_of_day(benefit: Benefit, day: date) -> str:
    """``2026-11`` or ``2026``."""
    return day.isoformat()[:7] if benefit.period == "month" else str(day.year)


def last_day(period: str) -> date:
    """The last day of a month or year."""
    if len(period) == 4:
        return date(int(period), 12, 31)
    year, month = int(period[:4]), int(period[5:7])
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def periods_before(benefit: Benefit, day: date, count: int) -> list[str]:
    """The last ``count`` periods that have ended before ``day``, the oldest first."""
    found, end = [], day
    for _ in range(count):
        end = end.replace(day=1) - timedelta(days=1) if benefit.period == "month" else date(end.year - 1, 12, 31)
        found.append(period_of_day(benefit, end))
    return found[::-1]
