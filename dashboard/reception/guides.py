"""Guides of service items for the outside: what the register of items publishes, without what is internal."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import JSON
from storage.tables.records import RegisterRecord

REGISTER = "service_item"
IN_USE = "1"  # task_state of the national element table
SHOWN = (
    "task_name", "dept_name", "project_type", "promise_day", "promise_type", "anticipate_day", "anticipate_type",
    "accept_condition", "handle_flow", "handle_type", "limit_scene_num", "is_fee", "fee_basis", "server_type",
    "link_addr", "link_tel", "handle_addr", "handle_time", "consult_tel", "complain_tel", "materials", "bundle",
)  # fmt: skip
MOST = 3_000


def public_guides(session: Session) -> dict[str, JSON]:
    """``{"items": [{…}]}``, the items in use, by name."""
    query = select(RegisterRecord).where(RegisterRecord.register_id == REGISTER, RegisterRecord.state == "active")
    items: list[JSON] = []
    for row in session.scalars(query.order_by(RegisterRecord.name).limit(MOST)):
        data: dict[str, Any] = dict(row.data or {})
        if str(data.get("task_state") or IN_USE) == IN_USE:
            shown = {name: data[name] for name in SHOWN if data.get(name) not in (None, "", [])}
            names = {"id": row.record_id, "name": row.name, "pinyin": row.pinyin, "initials": row.initials}
            items.append(names | shown)
    return {"items": items}
