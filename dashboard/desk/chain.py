"""The system's own audit chain as routes and desk pages show it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from dashboard.api.deps import must_be
from dashboard.auth import Principal
from dashboard.people import person_names
from dashboard.services import Services
from events.evidence import audit_log
from storage.session import read_scope
from storage.tables.cases import AuditEntry


def entries(use: Services, who: Principal, limit: int, before: int = 1 << 40) -> list[dict[str, Any]]:
    """What people did that is not about a case (accounts, rules, plans, keys …), newest first."""
    must_be(who, "auditor", "manager")
    with read_scope(use.engine) as session:
        wanted = select(AuditEntry).where(AuditEntry.chain_id == audit_log.SYSTEM_CHAIN, AuditEntry.seq < before)
        found = session.scalars(wanted.order_by(AuditEntry.seq.desc()).limit(limit))
        items = [audit_log.as_dict(entry) for entry in found]
        names = person_names(session, (item["actor_id"] for item in items))
    for item in items:
        item["actor_name"] = names.get(item["actor_id"], item["actor_id"])
    return items
