"""Verifying e-licences: the identifier's own check, then the platform's answer, kept with who asked and when."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import plugins
from core.clock import BEIJING
from core.codes.result import normalise
from core.errors import InputInvalid, NotFound, YiwangError
from core.exchange import ConnectionConfig
from core.ids import new_id
from core.licences import LicenceFound, identifier_problems, verdict
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.services import Services
from events.cases.access import visible_cases
from ingest.connections.running import wiring_of
from storage.connections import read_connections
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.exchange import LicenceCheck

VERIFIERS = ("admin", "manager", "operator", "dispatcher", "staff", "inspector", "grid_worker")
ASK_S = 20.0
SHOWN = 200


class NoLicencePlatform(YiwangError):
    code = "no_licence_platform"
    message = "no platform for e-licences is connected"
    remedy = "an administrator makes a connection of the kind E-licence verification on /connections"
    zh = "没有接入电子证照平台"
    zh_remedy = "请管理员在 /connections 建一个“电子证照核验”接入"


class LicenceQuestion(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/licences/verify``; ``holder_number`` is passed on and never kept.

    ``case_id``: the file in which the licence replaces a paper (免提交); ``connection_id``: which platform, where
    several are connected.
    """

    identifier: str
    holder: str = ""
    holder_number: str = ""
    case_id: str = ""
    connection_id: str = ""


async def verify(use: Services, who: Principal, sent: LicenceQuestion) -> dict[str, Any]:
    """The verdict on a licence; an identifier that cannot be one is judged without asking anybody."""
    must_be(who, *VERIFIERS)
    identifier = normalise(sent.identifier)
    if not 1 <= len(identifier) <= 120 or len(sent.holder) > 200 or len(sent.holder_number) > 40:
        raise InputInvalid(field="identifier", detail="is empty or too long", how="copy it from the licence")
    if sent.case_id:
        await asyncio.to_thread(_must_see, use, who, sent.case_id)
    problems, found, name = identifier_problems(identifier), None, ""
    if not problems:
        config = await asyncio.to_thread(_platform, use, sent.connection_id)
        found, name = await _asked(use, config, identifier, sent), config.connection_id
        today = use.clock.now().astimezone(BEIJING).date()
        problems = verdict(identifier, sent.holder, found, today)
    return await asyncio.to_thread(_keep, use, who, sent, identifier, name, found, problems)


def checks(use: Services, who: Principal, case_id: str = "") -> list[dict[str, Any]]:
    """The last verifications: of a case that one may see, else one's own (all of them for managers)."""
    must_be(who, *VERIFIERS)
    query = select(LicenceCheck).order_by(LicenceCheck.checked_at.desc()).limit(SHOWN)
    if case_id:
        _must_see(use, who, case_id)
        query = query.where(LicenceCheck.case_id == case_id)
    elif not who.has("admin", "manager"):
        query = query.where(LicenceCheck.checked_by == who.actor.user_id)
    with read_scope(use.engine) as session:
        return [_shown(row) for row in session.scalars(query)]


async def _asked(
    use: Services, config: ConnectionConfig, identifier: str, sent: LicenceQuestion
) -> LicenceFound | None:
    connector = plugins.build("connection", config.kind, config.params, wiring=wiring_of(config, use.settings))
    try:
        async with asyncio.timeout(ASK_S):
            found: LicenceFound | None = await connector.verify(identifier, sent.holder, sent.holder_number)
            return found
    except TimeoutError as error:
        detail = f"the platform of {config.name or config.connection_id} does not answer within {ASK_S:.0f} s"
        raise InputInvalid(field="identifier", detail=detail, how="try again later") from error
    finally:
        await connector.close()


def _platform(use: Services, connection_id: str) -> ConnectionConfig:
    with read_scope(use.engine) as session:
        found = [c for c in read_connections(session, "ask") if c.enabled and c.kind == "licence"]
    if connection_id:
        found = [c for c in found if c.connection_id == connection_id]
    if not found:
        raise NoLicencePlatform()
    return found[0]


def _must_see(use: Services, who: Principal, case_id: str) -> None:
    with read_scope(use.engine) as session:
        _seen(session, use, who, case_id)


def _seen(session: Session, use: Services, who: Principal, case_id: str) -> Case:
    query = select(Case).where(Case.case_id == case_id, visible_cases(who.actor, use.cases.definitions))
    case = session.scalars(query).one_or_none()
    if case is None:
        raise NotFound(what="case", key=case_id)
    return case


def _keep(
    use: Services, who: Principal, sent: LicenceQuestion, identifier: str, connection_id: str,
    found: LicenceFound | None, problems: tuple[str, ...],
) -> dict[str, Any]:  # fmt: skip
    told = found or LicenceFound()
    row = LicenceCheck(
        check_id=new_id(), identifier=identifier, connection_id=connection_id, case_id=sent.case_id or None,
        valid=not problems, problems=list(problems), name=told.name, holder=told.holder, issuer=told.issuer,
        state=told.state if found else "", issued=told.issued, valid_until=told.valid_until, link=told.link,
        checked_by=who.actor.user_id, checked_at=use.clock.now(),
    )  # fmt: skip
    with session_scope(use.engine) as session:
        session.add(row)
        noted: dict[str, Any] = {"identifier": identifier, "valid": row.valid, "problems": list(problems),
                                 "name": told.name, "platform": connection_id}  # fmt: skip
        if sent.case_id:
            case = _seen(session, use, who, sent.case_id)
            use.cases.note(session, case, who.actor, "licence_check", noted)
        else:
            audit(session, use, who, "licence_check", noted)
    return _shown(row)


def _shown(row: LicenceCheck) -> dict[str, Any]:
    names = ("check_id", "identifier", "connection_id", "case_id", "valid", "problems", "name", "holder", "issuer",
             "state", "issued", "valid_until", "link", "checked_by", "checked_at")  # fmt: skip
    return {name: getattr(row, name) for name in names}
