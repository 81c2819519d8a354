"""Life events for pages and routes: what merging saves, saving, releasing, the shipped example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from dashboard.items.desk import CatalogueDesk
from dashboard.registers.desk import ChainAudit
from records.items.access import may_review
from records.items.bundles import Bundle, get_bundle, listed_bundles, release_bundle, save_bundle
from records.items.bundling import Merged
from storage.session import read_scope, session_scope


def bundle_line(bundle: Bundle) -> dict[str, Any]:
    """A bundle with its items and the merged questions and papers."""
    return {
        "bundle_id": bundle.row.bundle_id, "zh": bundle.row.zh, "en": bundle.row.en, "state": bundle.row.state,
        "version": bundle.row.version, "missing": list(bundle.missing),
        "items": [
            {"item_id": each.item.item_id, "name": each.item.name, "basic": each.item.basic, "after": list(each.after),
             "promised": each.item.limit_text("promise")} for each in bundle.items
        ],
        "conflicts": [{"term": c.term, "code": c.code, "detail": c.detail} for c in bundle.conflicts],
        **_merged(bundle.merged),
    }  # fmt: skip


def _merged(merged: Merged) -> dict[str, Any]:
    return {
        "asked": merged.asked, "wanted": merged.wanted,
        "questions": [{"name": q.name, "label": q.label, "term": q.term, "of": len(q.of)} for q in merged.questions],
        "papers": [{"name": p.name, "term": p.term, "of": len(p.of), "made_by": p.made_by} for p in merged.papers],
    }  # fmt: skip


def listed(desk: CatalogueDesk) -> list[dict[str, Any]]:
    """The released bundles; reviewers see drafts too."""
    with read_scope(desk.services.engine) as session:
        return [bundle_line(b) for b in listed_bundles(session, desk.today, drafts=may_review(desk.actor))]


def save(
    desk: CatalogueDesk, bundle_id: str, names: Mapping[str, str], items: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Make a bundle or change its items; it is a draft until it is released."""
    with session_scope(desk.services.engine) as session:
        row = save_bundle(session, desk.actor, desk.services.clock.now(), bundle_id, names, items)
        _note(desk, session, "bundle_save", bundle_id)
        return {"bundle_id": bundle_id, "version": row.version, "state": row.state}


def set_state(desk: CatalogueDesk, bundle_id: str, state: str) -> dict[str, Any]:
    """Release or withdraw."""
    with session_scope(desk.services.engine) as session:
        bundle = get_bundle(session, bundle_id, desk.today)
        release_bundle(session, desk.actor, desk.services.clock.now(), bundle, state)
        _note(desk, session, f"bundle_{state}", bundle_id)
        return {"bundle_id": bundle_id, "version": bundle.row.version, "state": bundle.row.state}


def _note(desk: CatalogueDesk, session: Session, action: str, bundle_id: str) -> None:
    now = desk.services.clock.now()
    ChainAudit().append(session, now, desk.actor.user_id, action, {"bundle": bundle_id})
