"""Rules: the list, a change, a trial on a past period, taking one away; judged by the person's roles."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import select

from core import plugins
from core.errors import InputInvalid, NotFound
from dashboard.api.deps import CENTRE, audit, must_be
from dashboard.auth import Principal
from dashboard.people import person_names
from dashboard.services import Services
from events.correlation.replay import simulate
from events.rules.findings import DraftSpec, RuleSpec
from events.rules.rulebook import Rulebook, check_spec, default_rules, read_rulebook
from storage.session import read_scope, session_scope
from storage.tables.observations import Rule
from storage.tables.registry import Department, Site

TRIED_BY = ("admin", "manager", "operator")
LONGEST = timedelta(days=31)
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_SHOWN = (
    "rule_id", "kind", "name", "applies_to", "params", "draft", "enabled", "version", "updated_at", "updated_by",
)  # fmt: skip


class RuleBody(msgspec.Struct):
    """Body of ``PUT /api/rules/{id}``: the whole rule; what the answer of a list adds is ignored."""

    kind: str
    name: str
    applies_to: list[str]
    draft: DraftSpec
    params: dict[str, Any] = {}
    enabled: bool = True
    version: int | None = None

    def spec(self, rule_id: str) -> RuleSpec:
        """As the rulebook wants it."""
        return RuleSpec(
            rule_id=rule_id, kind=self.kind, name=self.name, applies_to=tuple(self.applies_to), draft=self.draft,
            params=self.params, enabled=self.enabled,
        )  # fmt: skip


def rule_list(use: Services, who: Principal) -> dict[str, Any]:
    """``{"items", "kinds", "happenings"}``: rules in force, kinds with their parameters, happenings to be named."""
    must_be(who, *CENTRE)
    with read_scope(use.engine) as session:
        rows = [{n: getattr(r, n) for n in _SHOWN} for r in session.scalars(select(Rule).order_by(Rule.rule_id))]
        names = person_names(session, (row["updated_by"] for row in rows))
    for row in rows:
        row["updated_by_name"] = names.get(row["updated_by"], row["updated_by"])
    return {"items": rows, "next": None, "kinds": rule_kinds(use), "happenings": sorted(default_rules().happenings)}


def rule_kinds(use: Services) -> list[dict[str, Any]]:
    """Every kind of rule: ``{"kind", "title", "params"}``, the parameters as JSON Schema."""
    known: list[dict[str, Any]]
    mark, known = use.counters.get("rule_kinds") or (None, [])
    if mark != (now := plugins.city_mark()):
        known = []
        for kind in plugins.usable("rule"):
            module = plugins.load("rule", kind)
            title = (module.__doc__ or kind).strip().split("\n")[0].rstrip(".")
            known.append({"kind": kind, "title": title, "params": msgspec.json.schema(module.Params)})
        use.counters["rule_kinds"] = now, known
    return list(known)


class SimulateBody(msgspec.Struct, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """Body of ``POST /api/rules/simulate``: a past period, and a rule as edited (null: the rules in force)."""

    start: datetime
    end: datetime
    rule: RuleBody | None = None
    rule_id: str = "under-test"


def try_rule(use: Services, who: Principal, sent: SimulateBody) -> dict[str, Any]:
    """Replay a past period through the rules: the cases that would have opened; writes nothing."""
    must_be(who, *TRIED_BY)
    if sent.start.tzinfo is None or sent.end.tzinfo is None or sent.end - sent.start > LONGEST:
        raise InputInvalid(
            field="from", detail="has no zone, or lies more than 31 days back from 'to'", how="correct it"
        )
    return _simulate(use, sent)


def _simulate(use: Services, sent: SimulateBody) -> dict[str, Any]:
    started = time.monotonic()
    with read_scope(use.engine) as session:
        book = read_rulebook(session)
        sites = {s.site_id: s for s in session.execute(select(Site.site_id, Site.name, Site.lon, Site.lat))}
        departments = {
            d.department_id: d.name for d in session.execute(select(Department.department_id, Department.name))
        }
    if sent.rule is not None:
        spec = sent.rule.spec(sent.rule_id)
        check_spec(spec, default_rules().happenings)
        book = Rulebook(
            (*(s for s in book.specs.values() if s.rule_id != spec.rule_id), spec), default_rules().happenings
        )
    found = simulate(use.engine, book, sent.start, sent.end)
    cases = [
        msgspec.to_builtins(c)
        | {
            "site_name": sites[c.site_id].name if c.site_id in sites else None,
            "lon": sites[c.site_id].lon if c.site_id in sites else None,
            "lat": sites[c.site_id].lat if c.site_id in sites else None,
            "department_name": departments.get(c.lead, c.lead),
            "steps": [c.merge],
        }
        for c in found.cases
        if sent.rule is None or c.rule_id == sent.rule_id
    ]
    by_department: dict[str, int] = {}
    for case in cases:
        by_department[case["department_name"]] = by_department.get(case["department_name"], 0) + 1
    answer: dict[str, Any] = msgspec.to_builtins(found)
    return answer | {
        "cases": cases,
        "by_department": by_department,
        "seconds": round(time.monotonic() - started, 3),
    }


def save_rule(use: Services, who: Principal, rule_id: str, sent: RuleBody) -> dict[str, Any]:
    """Write the whole rule (a new id makes a new rule); ``version``, when sent, must be the one in force."""
    must_be(who, "admin")
    if not _ID.fullmatch(rule_id):
        raise InputInvalid(field="rule_id", detail=f"{rule_id!r} cannot be an id", how="use a-z, 0-9, - and _")
    spec = sent.spec(rule_id)
    check_spec(spec, default_rules().happenings)
    now = use.clock.now()
    with session_scope(use.engine) as session:
        row = session.get(Rule, rule_id, with_for_update=True)
        if row is not None and sent.version is not None and sent.version != row.version:
            raise InputInvalid(field="version", detail=f"is {row.version} now", how="load the rule again")
        before = _body_of(row) if row is not None else None
        if row is None:
            row = Rule(rule_id=rule_id, version=0)
            session.add(row)
        row.kind, row.name, row.enabled = spec.kind, spec.name, spec.enabled
        row.applies_to, row.params = list(spec.applies_to), dict(spec.params)
        row.draft = msgspec.to_builtins(spec.draft)
        row.version += 1
        row.updated_at, row.updated_by = now, who.actor.user_id
        session.flush()
        shown = {n: getattr(row, n) for n in _SHOWN}
        audit(session, use, who, "rule_save", {**shown, "updated_at": now.isoformat(), "before": before})
    return shown


def remove_rule(use: Services, who: Principal, rule_id: str) -> None:
    """Take a rule out of force; one that we ship is switched off, because it would come back."""
    must_be(who, "admin")
    with session_scope(use.engine) as session:
        row = session.get(Rule, rule_id)
        if row is None:
            raise NotFound(what="rule", key=rule_id)
        before = _body_of(row)
        if rule_id in {spec.rule_id for spec in default_rules().rules}:
            row.enabled, row.version = False, row.version + 1
            row.updated_at, row.updated_by = use.clock.now(), who.actor.user_id
        else:
            session.delete(row)
        audit(session, use, who, "rule_remove", {"rule_id": rule_id, "before": before})


def _body_of(row: Rule) -> dict[str, Any]:
    """A rule as :class:`RuleBody` takes it again."""
    names = ("kind", "name", "applies_to", "draft", "params", "enabled")
    return {name: getattr(row, name) for name in names}
