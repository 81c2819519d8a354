"""Data sets with their state, requests and decisions, rows for a key, the responsibility list."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.errors import Forbidden, InputInvalid, NotFound
from core.ids import new_id
from core.language.reading import own_name, reading
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.errors import NotSignedIn
from dashboard.services import Services
from records.registers.definition import shipped_registers
from records.sharing.dataset import Freshness, SharedDataset, freshness, provider_name, quality, read_folder, shipped
from storage.session import read_scope, session_scope
from storage.tables.records import RegisterRecord
from storage.tables.registry import Department
from storage.tables.sharing import ShareAccess, ShareRequest

DECIDERS = ("admin", "manager")
LOOKED_AT = 5000  # rows that quality rules look at
MOST_ROWS = 1000


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/catalogue/{id}/requests``; ``filters``: field → the values that are wanted."""

    purpose: str
    fields: list[str] = []
    filters: dict[str, list[str]] = {}
    until: date | None = None


class ShareDecision(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/share-requests/{id}/decide``; what is granted may be less than what was asked for."""

    grant: bool
    note: str = ""
    fields: list[str] = []
    until: date | None = None


def datasets(use: Services) -> dict[str, SharedDataset]:
    """The data sets: those that ship, and the city's own of ``<data>/catalogue``."""
    registers = shipped_registers()
    return {**shipped(), **read_folder(use.settings.data_dir / "catalogue", registers)[0]}


def dataset(use: Services, dataset_id: str) -> SharedDataset:
    """One; :class:`NotFound`."""
    found = datasets(use).get(dataset_id)
    if found is None:
        raise NotFound(what="data set", key=dataset_id)
    return found


def listed(use: Services) -> list[dict[str, Any]]:
    """Every data set: description, fields, freshness, quality, how many rows and grants."""
    with read_scope(use.engine) as session:
        names = _departments(session)
        grants = dict(
            session.execute(
                select(ShareRequest.dataset_id, func.count())
                .where(ShareRequest.state == "granted").group_by(ShareRequest.dataset_id)
            ).all()
        )  # fmt: skip
        found = []
        for shared in datasets(use).values():
            fresh, rows = fresh_of(session, use, shared)
            counted = {"rows": rows, "grants": grants.get(shared.id, 0)}
            found.append({**_described(shared, names), **_fresh(fresh), **counted})
    return found


def detail(use: Services, dataset_id: str) -> dict[str, Any]:
    """One data set with its elements, the result of its quality rules, and the last fetches."""
    shared = dataset(use, dataset_id)
    register = shipped_registers()[shared.register]
    elements = [
        {"name": f.name, "zh": f.zh, "en": f.en, "type": f.type, "length": f.length}
        for f in register.fields if f.name in shared.fields
    ]  # fmt: skip
    with read_scope(use.engine) as session:
        names = _departments(session)
        fresh, rows = fresh_of(session, use, shared)
        looked = session.scalars(_records(shared).limit(LOOKED_AT))
        checked = quality(shared, [dict(row) for row in looked])
        log = session.scalars(
            select(ShareAccess).where(ShareAccess.dataset_id == dataset_id).order_by(ShareAccess.at.desc()).limit(50)
        )
        fetched = [{"at": a.at, "rows": a.rows, "outcome": a.outcome, "request_id": a.request_id} for a in log]
    return {**_described(shared, names), **_fresh(fresh), "rows": rows, "grants": 0, "elements": elements,
            "quality": checked, "fetched": fetched}  # fmt: skip


def fresh_of(session: Session, use: Services, shared: SharedDataset) -> tuple[Freshness, int]:
    """Freshness and number of rows of a data set."""
    query = select(func.max(RegisterRecord.updated_at), func.count()).where(
        RegisterRecord.register_id == shared.register, RegisterRecord.state == "active"
    )
    changed, rows = session.execute(query).one()
    return freshness(shared, changed, use.clock.now()), int(rows)


def _records(shared: SharedDataset) -> Any:
    return (
        select(RegisterRecord.data)
        .where(RegisterRecord.register_id == shared.register, RegisterRecord.state == "active")
        .order_by(RegisterRecord.record_id)
    )


def _departments(session: Session) -> dict[str, str]:
    """Every department's name by its id, in the reader's language."""
    sql = select(Department.department_id, Department.name, Department.name_en)
    return {key: own_name(zh, en) for key, zh, en in session.execute(sql)}


def _described(shared: SharedDataset, names: dict[str, str]) -> dict[str, Any]:
    return {"dataset_id": shared.id, "zh": shared.zh, "en": shared.en, "abstract": shared.abstract, "code": shared.code,
            "register": shared.register, "provider": shared.provider,
            "provider_name": provider_name(shared, names, reading.get()), "theme": shared.theme,
            "sharing": shared.sharing, "condition": shared.condition, "cycle": shared.cycle,
            "fields": list(shared.fields), "open_to_public": shared.open_to_public}  # fmt: skip


def _fresh(fresh: Freshness) -> dict[str, Any]:
    return {"changed_at": fresh.changed_at, "due_at": fresh.due_at, "late": fresh.late}


def ask(use: Services, who: Principal, dataset_id: str, sent: Wish) -> dict[str, Any]:
    """Ask for a data set; one that is not shared is refused with its reason."""
    shared = dataset(use, dataset_id)
    if shared.sharing == "none":
        raise Forbidden(action=f"get {shared.zh}: {shared.condition}")
    if not 5 <= len(sent.purpose.strip()) <= 500:
        raise InputInvalid(field="purpose", detail="5 to 500 characters", how="say what for, and on what ground")
    fields = sent.fields or list(shared.fields)
    for field in [*fields, *sent.filters]:
        if field not in shared.fields:
            raise InputInvalid(field="fields", detail=f"{field!r} is not shared", how=", ".join(shared.fields))
    _check_until(use, sent.until)
    row = ShareRequest(
        request_id=new_id(), dataset_id=dataset_id, purpose=sent.purpose.strip(), fields=fields, filters=sent.filters,
        until=sent.until, asked_by=who.actor.user_id, department_id=who.actor.department_id or "", state="open",
        asked_at=use.clock.now(), note="", key_sha256="",
    )  # fmt: skip
    with session_scope(use.engine) as session:
        session.add(row)
        audit(session, use, who, "share_request", {"dataset_id": dataset_id, "fields": fields})
    return _request(row)


def decide(use: Services, who: Principal, request_id: str, sent: ShareDecision) -> dict[str, Any]:
    """Grant (the key stands in the answer, this once) or refuse with a reason; nobody decides on his own request."""
    must_be(who, *DECIDERS)
    with session_scope(use.engine) as session:
        row = session.get(ShareRequest, request_id, with_for_update=True)
        if row is None:
            raise NotFound(what="request", key=request_id)
        if row.state != "open":
            raise InputInvalid(field="request_id", detail=f"is {row.state}", how="only an open one is decided")
        if row.asked_by == who.actor.user_id:
            raise Forbidden(action="decide on your own request")
        if not sent.grant and len(sent.note.strip()) < 2:
            raise InputInvalid(field="note", detail="is missing", how="say why it is refused")
        if any(field not in row.fields for field in sent.fields):
            raise InputInvalid(field="fields", detail="more than was asked for", how=", ".join(row.fields))
        _check_until(use, sent.until)
        key = secrets.token_urlsafe(32) if sent.grant else ""
        row.state = "granted" if sent.grant else "refused"
        row.fields, row.until = sent.fields or row.fields, sent.until or row.until
        row.decided_by, row.decided_at, row.note = who.actor.user_id, use.clock.now(), sent.note.strip()[:500]
        row.key_sha256 = _hash(key) if key else ""
        audit(session, use, who, "share_decide", {"request_id": request_id, "state": row.state, "fields": row.fields})
        return {**_request(row), **({"key": key, "path": f"/share/v1/{row.dataset_id}"} if key else {})}


def end(use: Services, who: Principal, request_id: str) -> dict[str, Any]:
    """End a grant: its key is refused at once."""
    must_be(who, *DECIDERS)
    with session_scope(use.engine) as session:
        row = session.get(ShareRequest, request_id, with_for_update=True)
        if row is None:
            raise NotFound(what="request", key=request_id)
        row.state, row.key_sha256 = "ended", ""
        audit(session, use, who, "share_end", {"request_id": request_id})
        return _request(row)


def requests(use: Services, who: Principal) -> list[dict[str, Any]]:
    """The requests: all of them for those who decide, one's own department's for the others."""
    query = select(ShareRequest).order_by(ShareRequest.asked_at.desc()).limit(500)
    if not who.has(*DECIDERS):
        own = ShareRequest.asked_by == who.actor.user_id
        mine = who.actor.department_id
        query = query.where(own | (ShareRequest.department_id == mine) if mine else own)
    with read_scope(use.engine) as session:
        return [_request(row) for row in session.scalars(query)]


def fetch(use: Services, dataset_id: str, key: str, address: str, offset: int, limit: int) -> dict[str, Any]:
    """The rows that a key may see: granted fields, filtered rows, until the end date; every fetch is logged."""
    shared = dataset(use, dataset_id)
    with session_scope(use.engine) as session:
        query = select(ShareRequest).where(ShareRequest.key_sha256 == _hash(key))
        found = session.scalars(query).first() if key else None
        if found is None or found.dataset_id != dataset_id or found.state != "granted":
            raise NotSignedIn()
        over = found.until is not None and _today(use) > found.until
        rows = [] if over or shared.sharing == "none" else _rows(session, shared, found, offset, limit)
        session.add(
            ShareAccess(access_id=new_id(), request_id=found.request_id, dataset_id=dataset_id, at=use.clock.now(),
                        rows=len(rows), address=address[:60], outcome="over" if over else "ok")
        )  # fmt: skip
    if over:
        raise NotSignedIn()
    following = offset + len(rows) if len(rows) == min(limit, MOST_ROWS) else None
    return {"dataset_id": dataset_id, "items": rows, "next": following}


def _rows(
    session: Session, shared: SharedDataset, grant: ShareRequest, offset: int, limit: int
) -> list[dict[str, Any]]:
    fields = [field for field in grant.fields if field in shared.fields]
    query = _records(shared)
    for field, values in grant.filters.items():
        query = query.where(RegisterRecord.data[field].as_string().in_([str(v) for v in values]))
    found = session.scalars(query.offset(offset).limit(min(limit, MOST_ROWS)))
    return [{field: row.get(field) for field in fields} for row in found]


def _check_until(use: Services, until: date | None) -> None:
    if until is not None and until < _today(use):
        raise InputInvalid(field="until", detail=f"{until} has passed", how="give a day to come")


def _today(use: Services) -> date:
    return use.clock.now().astimezone(BEIJING).date()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _request(row: ShareRequest) -> dict[str, Any]:
    names = ("request_id", "dataset_id", "state", "purpose", "fields", "filters", "until", "asked_by", "department_id",
             "asked_at", "decided_by", "decided_at", "note")  # fmt: skip
    return {name: getattr(row, name) for name in names}
