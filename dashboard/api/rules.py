"""Rules: edit one, write a new one, take one away; the plug-ins and their parameters."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from core import plugins
from core.errors import InputInvalid, NotFound
from dashboard.api.deps import CENTRE, Use, Who, allow, audit, respond
from dashboard.api.params import body
from dashboard.services import Services
from events.findings import DraftSpec, RuleSpec
from events.rulebook import check_spec, default_rules
from storage.session import read_scope, session_scope
from storage.tables.observations import Rule

router = APIRouter(tags=["rules"])

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


@router.get("/api/rules", dependencies=[allow(*CENTRE)])
def rules(use: Use) -> Response:
    """The rules in force, the kinds there are with their parameters, and the happenings a rule may name."""
    with read_scope(use.engine) as session:
        rows = [{n: getattr(r, n) for n in _SHOWN} for r in session.scalars(select(Rule).order_by(Rule.rule_id))]
    return respond(
        {"items": rows, "next": None, "kinds": _kinds(use), "happenings": sorted(default_rules().happenings)}
    )


def _kinds(use: Services) -> list[dict[str, Any]]:
    known: list[dict[str, Any]] | None = use.counters.get("rule_kinds")
    if known is None:
        known = []
        for kind in plugins.kinds("rule"):
            module = plugins.load("rule", kind)
            title = (module.__doc__ or kind).strip().split("\n")[0].rstrip(".")
            known.append({"kind": kind, "title": title, "params": msgspec.json.schema(module.Params)})
        use.counters["rule_kinds"] = known
    return known


@router.put("/api/rules/{rule_id}", dependencies=[allow("admin")])
async def save(rule_id: str, request: Request, use: Use, who: Who) -> Response:
    """Write the whole rule (a new id makes a new rule); the worker follows within seconds.

    ``version``, when sent, must be the one in force: two editors do not overwrite each other.
    """
    sent = await body(request, RuleBody)
    if not _ID.fullmatch(rule_id):
        raise InputInvalid(field="rule_id", detail=f"{rule_id!r} cannot be an id", how="use a-z, 0-9, - and _")
    return respond(await asyncio.to_thread(_save, use, who, rule_id, sent))


def _save(use: Services, who: Any, rule_id: str, sent: RuleBody) -> dict[str, Any]:
    spec = sent.spec(rule_id)
    check_spec(spec, default_rules().happenings)
    now = use.clock.now()
    with session_scope(use.engine) as session:
        row = session.get(Rule, rule_id, with_for_update=True)
        if row is not None and sent.version is not None and sent.version != row.version:
            raise InputInvalid(field="version", detail=f"is {row.version} now", how="load the rule again")
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
        audit(session, use, who, "rule_save", {**shown, "updated_at": now.isoformat()})
    return shown


@router.delete("/api/rules/{rule_id}", dependencies=[allow("admin")])
def remove(rule_id: str, use: Use, who: Who) -> Response:
    """Take a rule out of force; one that we ship is switched off, because it would come back."""
    with session_scope(use.engine) as session:
        row = session.get(Rule, rule_id)
        if row is None:
            raise NotFound(what="rule", key=rule_id)
        if rule_id in {spec.rule_id for spec in default_rules().rules}:
            row.enabled, row.version = False, row.version + 1
            row.updated_at, row.updated_by = use.clock.now(), who.actor.user_id
        else:
            session.delete(row)
        audit(session, use, who, "rule_remove", {"rule_id": rule_id})
    return respond({"ok": True})
