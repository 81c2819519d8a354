"""Guides of service items for the outside: what the catalogue has released, and the life events that link them."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core.records import JSON
from records.items.bundles import Bundle, OfferedItem, listed_bundles, offered_items
from records.items.comparing import shown_value
from records.items.elements import standard_elements

SHOWN = {  # the catalogue's element → the guide's word
    "task_name": "task_name", "dept_name": "dept_name", "project_type": "project_type", "promise_day": "promise_day",
    "promise_type": "promise_type", "anticipate_day": "anticipate_day", "anticipate_type": "anticipate_type",
    "accept_condition": "accept_condition", "handle_flow": "handle_flow", "limit_scene_num": "limit_scene_num",
    "is_fee": "is_fee", "fee_basis": "fee_basis", "link_addr": "link_addr", "link_way": "link_tel",
    "supervise_way": "complain_tel", "transact_addr": "handle_addr", "transact_time": "handle_time",
    "handle_area": "handle_area",
}  # fmt: skip
CODED = frozenset({"project_type", "handle_type"})
MOST = 3_000


def public_guides(session: Session, today: date) -> dict[str, JSON]:
    """``{"items": [{…}], "bundles": [{…}]}``: the district's released items that are valid today, and life events."""
    items = offered_items(session, today)[:MOST]
    bundles = [b for b in listed_bundles(session, today, drafts=False) if not b.missing]
    of: dict[str, list[str]] = {}
    for bundle in bundles:
        for each in bundle.items:
            of.setdefault(each.item.item_id, []).append(bundle.row.bundle_id)
    return {
        "items": [_guide(item, of.get(item.item_id, [])) for item in sorted(items, key=lambda each: each.name)],
        "bundles": [_linked(bundle) for bundle in bundles],
    }


def _guide(item: OfferedItem, bundles: list[str]) -> dict[str, JSON]:
    table = standard_elements()
    shown: dict[str, Any] = {}
    for name, word in SHOWN.items():
        value, element = item.data.get(name), table.get(name)
        if value in (None, "", []) or element is None:
            continue
        shown[word] = shown_value(value, element) if name in CODED else value
    papers = [str(row.get("material_name") or "") for row in item.materials]
    names = {"id": item.item_id, "name": item.name, "pinyin": item.pinyin, "initials": item.initials}
    return {**names, **shown, "materials": [p for p in papers if p], "bundles": bundles}


def _linked(bundle: Bundle) -> dict[str, JSON]:
    """A life event: its items in order, the questions and papers once each, and how many there were."""
    merged, names = bundle.merged, {each.item.basic: each.item.name for each in bundle.items}
    return {
        "id": bundle.row.bundle_id, "zh": bundle.row.zh, "en": bundle.row.en,
        "items": [
            {"id": e.item.item_id, "name": e.item.name, "promised": e.item.limit_text("promise"),
             "after": [names[code] for code in e.after if code in names]} for e in bundle.items
        ],
        "questions": [q.label for q in merged.questions],
        "papers": [p.name for p in merged.papers if not p.made_by],
        "made": [p.name for p in merged.papers if p.made_by], "asked": merged.asked, "wanted": merged.wanted,
    }  # fmt: skip
