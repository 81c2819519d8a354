"""What happens to a mission: asked for, changed, planned, answered; a case learns of it in the same transaction."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.errors import InputInvalid, NotFound, YiwangError
from core.ids import new_id
from core.pictures import rewrite
from core.records import SYSTEM, Command, EvidenceRef, GeoPoint
from dashboard.api.deps import audit
from dashboard.auth import Principal
from dashboard.drones.planning import PlanWish, make_plan, rings_of
from dashboard.services import Services
from events.cases.access import discreet_title, visible_cases
from events.notify.notices import NoticeDraft, write_notices
from storage.drones import DroneStore, FileView
from storage.missions import OPEN_STATES, MissionStore, MissionView, change_in, view_of
from storage.session import session_scope
from storage.tables.cases import Case
from storage.tables.missions import DroneMission

PURPOSES = ("look_again", "survey", "flood", "traffic", "rescue", "patrol", "training", "other")
VERDICTS = ("clear", "standing", "unclear")
MOST_PICTURES = 20
_LONGEST = timedelta(days=60)


class MissionOver(YiwangError):
    code = "mission_over"
    message = "the mission is {state}"
    remedy = "ask for a new one"
    zh = "任务处于 {state} 状态"
    zh_remedy = "请申请新的任务"


class MissionWish(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/drone/missions``.  Of a case (``case_id``) title and place are the case's, where left out.

    ``area``: GeoJSON point or polygon in WGS 84.  Times with a zone.  ``permit``: number of the flight's application.
    """

    purpose: str = "look_again"
    case_id: str = ""
    title: str = ""
    area: dict[str, Any] = {}
    pilot: str = ""
    aircraft: str = ""
    permit: str = ""
    note: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None


class MissionEdit(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PATCH /api/drone/missions/{mission_id}``: what is left out stays; ``version``: of which it was made."""

    version: int | None = None
    title: str | None = None
    purpose: str | None = None
    area: dict[str, Any] | None = None
    pilot: str | None = None
    aircraft: str | None = None
    permit: str | None = None
    note: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    state: str | None = None
    flights: list[str] | None = None


class MissionReport(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/drone/missions/{mission_id}/answer``: what was seen; ``pictures``: ids of drone files.

    ``verdict``: clear (nothing left of it), standing (still there), unclear.
    """

    verdict: str = ""
    answer: str = ""
    pictures: list[str] = []


def ask(use: Services, who: Principal, wish: MissionWish) -> MissionView:
    """Keep the wish and tell the drone team; ``NotFound`` for a case that the person may not see."""
    now = use.clock.now()
    _check(wish.purpose, wish.starts_at, wish.ends_at, (wish.title, wish.pilot, wish.aircraft, wish.permit, wish.note))
    with session_scope(use.engine) as session:
        case = _case(session, use, who, wish.case_id) if wish.case_id else None
        row = DroneMission(
            mission_id=new_id(), title=_title(wish, case, now), purpose=wish.purpose, state="requested",
            case_id=case.case_id if case is not None else None, area=_area(wish, case), plan={}, pilot=wish.pilot,
            aircraft=wish.aircraft, permit=wish.permit, note=wish.note, starts_at=wish.starts_at, ends_at=wish.ends_at,
            requested_by=who.actor.user_id, requested_at=now, flights=[], pictures=[],
        )  # fmt: skip
        session.add(row)
        session.flush()
        if case is not None:
            said = f"请无人机查看 / ask the drone team: {row.note}"
            told: dict[str, Any] = {"mission_id": row.mission_id, "purpose": row.purpose, "comment": said}
            use.cases.note(session, case, who.actor, "ask_drone", told)
        severity = int(case.severity) if case is not None else 1
        draft = NoticeDraft(
            key=f"mission:{row.mission_id}", kind="mission", title=f"飞行任务 / Mission: {row.title}", body=row.note,
            case_id=row.case_id, role="drone", severity=severity,
        )  # fmt: skip
        write_notices(session, [draft], ["in_app"], now)
        audit(session, use, who, "mission_ask", {"mission_id": row.mission_id, "case_id": row.case_id or ""})
        return view_of(row)


def _case(session: Session, use: Services, who: Principal, case_id: str) -> Case:
    query = select(Case).where(Case.case_id == case_id, visible_cases(who.actor, use.cases.definitions))
    case = session.scalars(query.with_for_update()).one_or_none()
    if case is None:
        raise NotFound(what="case", key=case_id)
    return case


def _title(wish: MissionWish, case: Case | None, now: datetime) -> str:
    if case is not None:
        return f"{case.number} {wish.title or discreet_title(case)}"[:200]
    return (wish.title or f"{wish.purpose} {now.astimezone(BEIJING):%Y-%m-%d %H:%M}")[:200]


def _area(wish: MissionWish, case: Case | None) -> dict[str, Any]:
    if wish.area:
        rings_of(wish.area)
        return wish.area
    if case is not None and case.lon is not None and case.lat is not None:
        return {"type": "Point", "coordinates": [case.lon, case.lat]}
    raise InputInvalid(field="area", detail="is missing", how="say where: the case has no place of its own")


def _check(purpose: str | None, starts: datetime | None, ends: datetime | None, texts: tuple[str | None, ...]) -> None:
    if purpose is not None and purpose not in PURPOSES:
        raise InputInvalid(field="purpose", detail=f"{purpose[:40]!r} is unknown", how=f"use {', '.join(PURPOSES)}")
    for name, moment in (("starts_at", starts), ("ends_at", ends)):
        if moment is not None and moment.tzinfo is None:
            raise InputInvalid(field=name, detail="has no time zone", how="add Z or +08:00")
    if starts is not None and ends is not None and not timedelta(0) < ends - starts <= _LONGEST:
        raise InputInvalid(field="ends_at", detail="is not after starts_at, or too far from it", how="≤ 60 days")
    if any(len(text or "") > limit for text, limit in zip(texts, (160, 80, 80, 80, 4000), strict=False)):
        raise InputInvalid(field="title", detail="a text is too long", how="80 characters; the note 4,000")


def edit(use: Services, who: Principal, mission_id: str, sent: MissionEdit) -> MissionView:
    """Change what was sent.  A mission that is over takes no change but the flights that belong to it."""
    _check(sent.purpose, sent.starts_at, sent.ends_at, (sent.title, sent.pilot, sent.aircraft, sent.permit, sent.note))
    changes = {n: v for n in MissionEdit.__struct_fields__ if n != "version" and (v := getattr(sent, n)) is not None}
    if sent.area is not None:
        rings_of(sent.area)
        changes["plan"] = {}
    if sent.state is not None and sent.state not in ("planned", "flying", "done", "cancelled"):
        raise InputInvalid(field="state", detail="is unknown", how="use planned, flying, done, cancelled")
    if len(sent.flights or ()) > 50:
        raise InputInvalid(field="flights", detail="are more than 50", how="name those that belong to it")
    with session_scope(use.engine) as session:
        row = session.get(DroneMission, mission_id, with_for_update=True)
        if row is not None and row.state not in OPEN_STATES and set(changes) - {"flights"}:
            raise MissionOver(state=row.state)
        kept = change_in(session, mission_id, changes, sent.version)
        audit(session, use, who, "mission_edit", {"mission_id": mission_id, "changed": sorted(changes)})
        return kept


def plan(use: Services, who: Principal, mission_id: str, wish: PlanWish) -> MissionView:
    """Plan the flight and keep the plan."""
    mission = MissionStore(use.engine).mission(mission_id)
    if mission.state not in OPEN_STATES:
        raise MissionOver(state=mission.state)
    made = make_plan(use.settings, mission, wish)
    state = "planned" if mission.state == "requested" else mission.state
    with session_scope(use.engine) as session:
        audit(session, use, who, "mission_plan", {"mission_id": mission_id, "wish": made["wish"]})
        return change_in(session, mission_id, {"plan": made, "state": state}, mission.version)


def answer(use: Services, who: Principal, mission_id: str, sent: MissionReport) -> MissionView:
    """The team's answer: its pictures go into the case's file, its word to the closing check."""
    mission = MissionStore(use.engine).mission(mission_id)
    if mission.state not in OPEN_STATES:
        raise MissionOver(state=mission.state)
    if sent.verdict not in VERDICTS and (sent.verdict or mission.case_id):
        raise InputInvalid(field="verdict", detail="is unknown", how=f"use {', '.join(VERDICTS)}")
    if len(sent.pictures) > MOST_PICTURES or len(sent.answer) > 2000:
        raise InputInvalid(field="pictures", detail="too much at once", how=f"≤ {MOST_PICTURES}, 2,000 characters")
    files = [DroneStore(use.engine).file(file_id) for file_id in dict.fromkeys(sent.pictures)]
    refs = [_evidence(use, file) for file in files] if mission.case_id else []
    now = use.clock.now()
    flights = list(dict.fromkeys([*mission.flights, *(file.flight_id for file in files)]))
    changes = {
        "state": "done", "verdict": sent.verdict, "answer": sent.answer, "answered_by": who.actor.user_id,
        "answered_at": now, "pictures": [file.file_id for file in files], "flights": flights,
    }  # fmt: skip
    with session_scope(use.engine) as session:
        kept = change_in(session, mission_id, changes, mission.version)
        if mission.case_id:
            _tell_case(session, use, who, kept, refs)
        audit(session, use, who, "mission_answer", {"mission_id": mission_id, "verdict": sent.verdict})
        draft = NoticeDraft(
            key=f"mission:{mission_id}:answer", kind="mission", title=f"飞行结果 / Seen from above: {kept.title}",
            body=f"{sent.verdict} {sent.answer}".strip(), case_id=mission.case_id, user_id=mission.requested_by,
        )  # fmt: skip
        write_notices(session, [draft], ["in_app"], now)
        return kept


def _evidence(use: Services, file: FileView) -> EvidenceRef:
    """A copy of the picture that belongs to the case alone; films and tracks are named, not copied."""
    if file.kind not in ("jpeg", "tiff"):
        raise InputInvalid(field="pictures", detail=f"{file.name} is no picture", how="choose photographs")
    picture = rewrite(use.media.read(file.uri))
    taken = file.taken_at or file.created_at
    ref = use.media.put(picture.data, kind="photo", media_type=picture.media_type, taken_at=taken)
    lon, lat = file.place.get("centre") or file.position or (None, None)
    if lon is None or lat is None or not (math.isfinite(lon) and math.isfinite(lat)):
        return ref
    sure = file.place.get("uncertainty_m")
    return msgspec.structs.replace(ref, location=GeoPoint(lon=lon, lat=lat), accuracy_m=sure)


def _tell_case(session: Session, use: Services, who: Principal, mission: MissionView, refs: list[EvidenceRef]) -> None:
    """``system`` attaches: the drone team answers for cases that it may not otherwise see; who it was is written."""
    case = session.get(Case, mission.case_id, with_for_update=True)
    if case is None:
        return
    said = f"无人机 / drone ({who.login}): {mission.verdict} {mission.answer}".strip()[:1900]
    definition = use.cases.definitions.get(case.definition_id)
    if refs and definition is not None and "attach" in definition.commands:
        data = {"evidence": [msgspec.to_builtins(ref) for ref in refs], "purpose": "check", "comment": said}
        command = Command(
            name="attach", case_id=case.case_id, actor_id=SYSTEM.user_id, data=data,
            idempotency_key=f"mission:{mission.mission_id}",
        )  # fmt: skip
        use.cases.execute_in(session, command, SYSTEM)
        return
    told: dict[str, Any] = {"mission_id": mission.mission_id, "verdict": mission.verdict, "comment": said}
    use.cases.note(session, case, SYSTEM, "drone_answer", told)
