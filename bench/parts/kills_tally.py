"""After the kills: wait for quiet, then hold the database and the bus against what was promised."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.parts.cluster import Cluster
from bench.parts.kills_load import SITES, Load
from core.bus import connect
from core.records import CaseChanged, decode
from events.evidence import audit_log
from storage.session import read_scope
from storage.tables.cases import Case, CaseObservation, CaseTransition, Notice, Outbox
from storage.tables.observations import DeadLetter, ObservationRow


async def settle_and_count(cluster: Cluster, load: Load, wait_s: float = 150) -> dict[str, object]:
    """``lost``, ``doubled`` (with examples), dead letters and broken chains; all must be 0."""
    await asyncio.to_thread(_until_quiet, cluster, load, wait_s)
    heard = await _heard(cluster)
    return await asyncio.to_thread(_count, cluster, load, heard)


def _until_quiet(cluster: Cluster, load: Load, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline and not _is_quiet(cluster, load):
        time.sleep(0.5)


def _is_quiet(cluster: Cluster, load: Load) -> bool:
    with read_scope(cluster.engine) as session:
        unsent = session.scalar(select(func.count()).select_from(Outbox).where(Outbox.sent_at.is_(None)))
        return _alarms(session) >= load.published and unsent == 0


def _alarms(session: Session) -> int:
    alarms = select(func.count()).select_from(ObservationRow).where(ObservationRow.kind == "fire_alarm")
    return int(session.scalar(alarms) or 0)


async def _heard(cluster: Cluster) -> Counter[tuple[str, int]]:
    """What stands on the CASE stream, read from its beginning."""
    bus = await connect(cluster.settings, "tally")
    heard: Counter[tuple[str, int]] = Counter()
    for attempt in range(10):  # the stream may be choosing its leader
        try:
            subscription = await bus.js.subscribe("case.>", ordered_consumer=True)
            break
        except TimeoutError:
            if attempt == 9:
                raise
    while True:
        try:
            change = decode(CaseChanged, (await subscription.next_msg(3)).data)
        except TimeoutError:
            break
        heard[change.case_id, change.version] += 1
    await bus.close()
    return heard


def _count(cluster: Cluster, load: Load, heard: Counter[tuple[str, int]]) -> dict[str, object]:
    lost: list[str] = []
    doubled: list[str] = []
    broken = 0
    with read_scope(cluster.engine) as session:
        stored, dead = _alarms(session), session.scalar(select(func.count()).select_from(DeadLetter))
        _differ(lost, doubled, "observations", stored, load.published)
        cases = session.scalars(select(Case)).all()
        titles = Counter(case.title for case in cases)
        for title in load.reported:
            _differ(lost, doubled, title, titles[title], 1)
        by_site = Counter(case.site_id for case in cases if case.kind == "fire_alarm")
        for site in range(SITES):
            _differ(lost, doubled, f"cases of s{site}", by_site[f"s{site}"], 1 if load.turns.get(site) else 0)
        for case in cases:
            broken += _judge(session, case, load, lost, doubled)
            for version in range(1, case.version + 1):
                told = heard[case.case_id, version]
                _differ(lost, doubled, f"announcement {case.case_id}/{version}", told, 1)
    return {
        "lost": len(lost), "doubled": len(doubled), "dead_letters": dead, "broken_chains": broken,
        "examples": (lost + doubled)[:8],
    }  # fmt: skip


def _judge(session: Session, case: Case, load: Load, lost: list[str], doubled: list[str]) -> int:
    """One case's history, observations and notices; 1 when its chain does not verify."""
    rows = select(CaseTransition.seq, CaseTransition.command).where(CaseTransition.case_id == case.case_id)
    history = session.execute(rows.order_by(CaseTransition.seq)).all()
    if [seq for seq, _ in history] != list(range(1, case.version + 1)):
        lost.append(f"history of {case.case_id}")
    if case.kind == "fire_alarm" and case.site_id:
        turns = load.turns.get(int(case.site_id[1:]), 0)
        linked = select(func.count()).select_from(CaseObservation).where(CaseObservation.case_id == case.case_id)
        _differ(lost, doubled, f"observations of {case.case_id}", int(session.scalar(linked) or 0), turns)
        _differ(lost, doubled, f"dispatch of {case.case_id}", [c for _, c in history].count("dispatch"), 1)
    notices = session.scalars(select(Notice.notice_key).where(Notice.case_id == case.case_id)).all()
    if len(notices) != len(set(notices)):
        doubled.append(f"notices of {case.case_id}")
    return int(bool(list(audit_log.check_chain(audit_log.chain(session, case.case_id)))))


def _differ(lost: list[str], doubled: list[str], what: str, found: int, promised: int) -> None:
    if found < promised:
        lost.append(f"{what}: {found} of {promised}")
    elif found > promised:
        doubled.append(f"{what}: {found} for {promised}")
