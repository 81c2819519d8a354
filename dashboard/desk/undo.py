"""Undo by audit entry: what an entry of the system's chain allows to be taken back, as a new entry of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import select

from core.errors import InputInvalid, NotFound
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.desk import camera_sets, camera_templates, cameras, duty, people, places, rules
from dashboard.services import Services
from events.evidence.audit_log import SYSTEM_CHAIN
from storage.session import read_scope, session_scope
from storage.tables.cases import AuditEntry

Body = Mapping[str, Any]


def _department(use: Services, who: Principal, body: Body) -> None:
    edit = msgspec.convert(body["before"], places.DepartmentEdit)
    places.write_department(use, who, body["department_id"], edit)


def _site(use: Services, who: Principal, body: Body) -> None:
    known = {n: v for n, v in body["before"].items() if n in places.SiteEdit.__struct_fields__}
    places.write_site(use, who, body["site_id"], msgspec.convert(known, places.SiteEdit))


def _camera(use: Services, who: Principal, body: Body) -> None:
    before = dict(body["before"])
    about = before.pop("attributes", None)
    if about is not None:
        before |= {"ptz": bool(about.get("ptz"))} | {name: about.get(name, "") for name in ("onvif", "gateway_id")}
    if "calibration" in before:
        before["calibration"] = {"points": (before["calibration"] or {}).get("points", [])}
    cameras.change_camera(use, who, body["camera_id"], msgspec.convert(before, cameras.CameraEdit))


def _spread(use: Services, who: Principal, body: Body) -> None:
    camera_sets.put_back(use, who, list(body["before"]))


def _template(use: Services, who: Principal, body: Body) -> None:
    edit = msgspec.convert(dict(body["before"]), camera_templates.TemplateEdit)
    camera_templates.save_template(use, who, body["template_id"], edit)


def _rule(use: Services, who: Principal, body: Body) -> None:
    rules.save_rule(use, who, body["rule_id"], msgspec.convert(dict(body["before"]), rules.RuleBody))


def _user(use: Services, who: Principal, body: Body) -> None:
    people.change_user(use, who, body["user_id"], dict(body["before"]))


def _shift_added(use: Services, who: Principal, body: Body) -> None:
    duty.remove_shift(use, who, body["shift_id"])


def _shift_removed(use: Services, who: Principal, body: Body) -> None:
    duty.plan_shift(use, who, duty.Shift(**{n: body[n] for n in duty.Shift.__struct_fields__}))


UNDONE: dict[str, tuple[str, Callable[[Services, Principal, Body], None]]] = {
    "department_change": ("before", _department), "site_change": ("before", _site), "user_change": ("before", _user),
    "camera_change": ("before", _camera), "camera_spread": ("before", _spread), "rule_save": ("before", _rule),
    "rule_remove": ("before", _rule),
    "camera_template_apply": ("before", _spread), "camera_template_save": ("before", _template),
    "camera_template_remove": ("before", _template),
    "duty_add": ("shift_id", _shift_added), "duty_remove": ("starts_at", _shift_removed),
}  # fmt: skip
"""Action → what its entry must hold, and how it is taken back."""


def allowed(action: str, body: Body) -> bool:
    """Whether an entry can be taken back: its action is known and it keeps what stood before."""
    return action in UNDONE and bool(body.get(UNDONE[action][0]))


def undo(use: Services, who: Principal, seq: int) -> None:
    """Take back what the entry ``seq`` of the system's chain did; what came later to the same thing is written over.

    Raises:
        NotFound: there is no such entry.
        InputInvalid: it keeps nothing to return to.
    """
    must_be(who, "admin")
    wanted = select(AuditEntry.action, AuditEntry.body).where(
        AuditEntry.chain_id == SYSTEM_CHAIN, AuditEntry.seq == seq
    )
    with read_scope(use.engine) as session:
        found = session.execute(wanted).one_or_none()
    if found is None:
        raise NotFound(what="audit entry", key=str(seq))
    if not allowed(found.action, found.body):
        raise InputInvalid(field="seq", detail=f"{found.action} cannot be taken back", how="change it by hand")
    UNDONE[found.action][1](use, who, found.body)
    with session_scope(use.engine) as session:
        audit(session, use, who, "undo", {"seq": seq, "action": found.action})
