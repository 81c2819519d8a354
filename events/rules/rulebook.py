"""The rulebook: configured rules, by the observation kinds they want; reloaded when the table changes."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import plugins
from core.errors import YiwangError
from core.records import Record
from events.rules.findings import DraftSpec, Rule, RuleSpec, TickingRule
from storage.tables.observations import Rule as RuleRow

DEFAULTS_AUTHOR = "defaults"
CLASS_PREFIX = "class:"  # a class that no rule opens is a happening of its own: "class:event-01-10"


class RuleInvalid(YiwangError):
    code = "rule_invalid"
    message = "rule {rule_id!r}: {detail}"
    remedy = "correct it in the rule editor or in events/rules/rules.yaml; the API reference lists the fields"
    zh = "规则 {rule_id!r}：{detail}"
    zh_remedy = "请在规则编辑页或 events/rules/rules.yaml 中改正，字段见接口参考"


class Happening(Record, frozen=True):
    """How far reports may lie apart and still be one happening; see rules.yaml."""

    radius_m: float = 50.0
    window_s: float = 86400.0
    same_site: bool = False
    same_source: bool = False
    by_zone: bool = False  # two zones of one camera are two happenings (two blocked lanes)
    auto: float = 0.7
    propose: float = 0.4
    area_radius_m: float = 0.0  # > 0: many of these within it make an area-wide event
    area_min: int = 5  # how many


class RulesFile(Record, frozen=True):
    """The file rules.yaml."""

    happenings: dict[str, Happening]
    rules: tuple[RuleSpec, ...]


def parse_rules(text: str) -> RulesFile:
    """``text`` (YAML) as rules; every rule is built once, so that a wrong one is named here."""
    try:
        parsed = msgspec.convert(yaml.safe_load(text), RulesFile)
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise RuleInvalid(rule_id="rules.yaml", detail=str(error)) from error
    seen: set[str] = set()
    for spec in parsed.rules:
        if spec.rule_id in seen:
            raise RuleInvalid(rule_id=spec.rule_id, detail="the id stands twice")
        seen.add(spec.rule_id)
        check_spec(spec, parsed.happenings)
    return parsed


@cache
def default_rules() -> RulesFile:
    """The rules we ship."""
    return parse_rules(resources.files("events.rules").joinpath("rules.yaml").read_text(encoding="utf-8"))


def check_spec(spec: RuleSpec, happenings: dict[str, Happening]) -> None:
    """Raise :class:`RuleInvalid` (or a plug-in error) when ``spec`` cannot work."""
    if spec.draft.happening not in happenings:
        known = ", ".join(sorted(happenings))
        raise RuleInvalid(rule_id=spec.rule_id, detail=f"unknown happening {spec.draft.happening!r}; known: {known}")
    if not spec.applies_to:
        raise RuleInvalid(rule_id=spec.rule_id, detail="applies_to is empty")
    if not 1 <= spec.draft.severity <= 4:
        raise RuleInvalid(rule_id=spec.rule_id, detail="draft.severity must be 1, 2, 3 or 4")
    try:
        spec.draft.title.format(place="", value="", unit="", level="")
    except (KeyError, IndexError, ValueError) as error:
        detail = f"draft.title: {error}; it may hold {{place}}, {{value}}, {{unit}}, {{level}}"
        raise RuleInvalid(rule_id=spec.rule_id, detail=detail) from error
    build_rule(spec)


def build_rule(spec: RuleSpec) -> Rule:
    """The plug-in of ``spec``, with validated parameters."""
    rule: Rule = plugins.build("rule", spec.kind, dict(spec.params), spec=spec)
    return rule


def needs_ticks(spec: RuleSpec) -> bool:
    """A standing alarm without a holding time never needs a tick."""
    return spec.kind != "state_alarm" or bool(spec.params.get("hold_s"))


class Rulebook:
    """Built rules by observation kind."""

    def __init__(self, specs: tuple[RuleSpec, ...], happenings: dict[str, Happening]) -> None:
        self.happenings = happenings
        self.specs = {spec.rule_id: spec for spec in specs}
        self._by_kind: dict[str, list[Rule]] = {}
        self.ticking: list[TickingRule] = []
        self.problems: list[YiwangError] = []
        for spec in specs:
            if not spec.enabled:
                continue
            try:
                check_spec(spec, happenings)
                rule = build_rule(spec)
            except YiwangError as error:  # one broken rule must not silence the others
                self.problems.append(error)
                continue
            if isinstance(rule, TickingRule) and needs_ticks(spec):
                self.ticking.append(rule)
            for kind in spec.applies_to:
                self._by_kind.setdefault(kind, []).append(rule)

    def rules_for(self, kind: str) -> list[Rule]:
        """Rules that want observations of ``kind``; a rule that applies to ``*`` wants all."""
        found = self._by_kind.get(kind)
        everywhere = self._by_kind.get("*")
        if everywhere:
            return [*(found or []), *everywhere]
        return found or _NONE

    def happening(self, name: str) -> Happening:
        """The happening ``name``; a class's own goes by ``same_class``, an unknown one by ``general``."""
        if name.startswith(CLASS_PREFIX):
            name = "same_class"
        return self.happenings.get(name) or self.happenings.get("general") or Happening()

    def of_kinds(self, kinds: set[str]) -> list[RuleSpec]:
        """Enabled specs that apply to any of ``kinds``."""
        return [s for s in self.specs.values() if s.enabled and kinds & set(s.applies_to)]


_NONE: list[Rule] = []


def default_rulebook() -> Rulebook:
    """The rulebook of the defaults alone: tests, simulations."""
    file = default_rules()
    return Rulebook(file.rules, file.happenings)


def with_rule(book: Rulebook, spec: RuleSpec) -> Rulebook:
    """``book`` with ``spec`` added, or in the place of the rule with its id: to try it out before saving."""
    return Rulebook(tuple({**book.specs, spec.rule_id: spec}.values()), book.happenings)


def sync_defaults(session: Session, now: datetime) -> int:
    """Copy the default rules into the table; rows that somebody edited stay.  Returns how many were written."""
    written = 0
    rows = {row.rule_id: row for row in session.scalars(select(RuleRow))}
    for spec in default_rules().rules:
        row = rows.get(spec.rule_id)
        fields = _fields(spec)
        if row is None:
            session.add(RuleRow(rule_id=spec.rule_id, version=1, updated_at=now, updated_by=DEFAULTS_AUTHOR, **fields))
            written += 1
        elif row.updated_by == DEFAULTS_AUTHOR and any(getattr(row, k) != v for k, v in fields.items()):
            for name, value in fields.items():
                setattr(row, name, value)
            row.version += 1
            row.updated_at = now
            written += 1
    return written


def _fields(spec: RuleSpec) -> dict[str, Any]:
    return {
        "kind": spec.kind,
        "name": spec.name,
        "applies_to": list(spec.applies_to),
        "params": dict(spec.params),
        "draft": msgspec.to_builtins(spec.draft),
        "enabled": spec.enabled,
    }


def spec_of(row: RuleRow) -> RuleSpec:
    """The row as a spec; :class:`RuleInvalid` when it cannot be read."""
    try:
        return RuleSpec(
            rule_id=row.rule_id,
            kind=row.kind,
            name=row.name,
            applies_to=tuple(row.applies_to),
            draft=msgspec.convert(row.draft, DraftSpec),
            params=row.params,
            enabled=row.enabled,
            version=row.version,
        )
    except msgspec.ValidationError as error:
        raise RuleInvalid(rule_id=row.rule_id, detail=str(error)) from error


def read_rulebook(session: Session) -> Rulebook:
    """The rulebook as the table has it; unreadable rows are listed in ``problems``."""
    specs, problems = [], []
    for row in session.scalars(select(RuleRow).order_by(RuleRow.rule_id)):
        try:
            specs.append(spec_of(row))
        except RuleInvalid as error:
            problems.append(error)
    book = Rulebook(tuple(specs), default_rules().happenings)
    book.problems.extend(problems)
    return book


def rulebook_mark(session: Session) -> tuple[int, str]:
    """Changes whenever the table changes (rows, versions, time of the newest edit): a cheap poll."""
    count, newest, versions = session.execute(
        select(func.count(), func.max(RuleRow.updated_at), func.sum(RuleRow.version)).select_from(RuleRow)
    ).one()
    return int(count), f"{newest}/{versions}"
