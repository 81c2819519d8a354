"""The rules of a service item as data: parsed once, versioned, changed without code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import InputInvalid
from core.forms.expression import Expression, parse
from records.items.elements import DATA

SCOPES = ("item", "materials", "fees", "required", "code", "length", "format", "locked")
SEVERITIES = ("block", "warn")


@dataclass(frozen=True)
class Rule:
    """One rule.  ``fault`` is true when the rule is broken; scopes in code (R01, R30, R32–R34) have none."""

    id: str
    scope: str
    element: str
    severity: str
    zh: str
    en: str
    fix: str
    fault: Expression | None
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleSet:
    version: str
    rules: tuple[Rule, ...]

    def of_scope(self, scope: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.scope == scope)


def read_rules(path: Path) -> RuleSet:
    """The rule set in a YAML file; an expression that does not parse names its rule."""
    body = yaml.safe_load(path.read_text("utf-8"))
    return RuleSet(str(body["version"]), tuple(_rule(row, path) for row in body["rules"]))


def _rule(row: dict[str, Any], path: Path) -> Rule:
    scope, severity, where = row.get("scope", "item"), row.get("severity"), f"{path}: {row.get('id')}"
    if scope not in SCOPES or severity not in SEVERITIES:
        raise InputInvalid(
            field=where, detail=f"scope {scope!r}, severity {severity!r}", how=f"use {SCOPES}, {SEVERITIES}"
        )
    fault = parse(" ".join(row["fault"].split())) if "fault" in row else None
    if fault is None and scope in ("item", "materials", "fees"):
        raise InputInvalid(field=where, detail="has no fault expression", how="add fault: …")
    return Rule(
        row["id"], scope, row.get("element", ""), severity, row["zh"], row["en"], row.get("fix", ""), fault,
        tuple(row.get("given") or ()),
    )  # fmt: skip


@lru_cache(maxsize=1)
def standard_rules() -> RuleSet:
    """The rules that come with the product (records/items/data/rules.yaml)."""
    return read_rules(DATA / "rules.yaml")
