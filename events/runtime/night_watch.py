"""What the worker looks after beside the cases: the disk, the media store, the audit log at night."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine

from core.clock import BEIJING, Clock
from core.disk import look_at_all
from core.media import MediaStore
from core.settings import Settings
from events.evidence.audit_log import SYSTEM_CHAIN, append
from events.evidence.sweep import expire, sweep_orphans, sweep_partials
from events.notify.notices import NoticeDraft, write_notices
from storage.session import session_scope

log = logging.getLogger("yiwang.worker")

DISK_S = 60.0
SWEEP_S = 6 * 3600.0
NIGHT_HOUR = 3  # local time at which the log is verified
VERIFY_S = 4 * 3600.0  # a check that takes longer is given up


class NightWatch:
    """Tells administrators what people must look at."""

    def __init__(self, engine: Engine, clock: Clock, settings: Settings, channels: Sequence[str]) -> None:
        self._engine, self._clock, self._settings, self._channels = engine, clock, settings, channels
        self._media = MediaStore(settings.media_url)

    def tell(self, key: str, kind: str, title: str, body: str, severity: int = 3) -> None:
        """A notice to the administrators; the same ``key`` is told once."""
        now = self._clock.now()
        draft = NoticeDraft(key=key, kind=kind, title=title, body=body, role="admin", severity=severity)
        with session_scope(self._engine) as session:
            write_notices(session, [draft], self._channels, now)

    def tell_audit(self, chain_id: str, detail: str) -> None:
        """A chain contradicts what was anchored of it."""
        title = "审计链与锚点不符 / The audit log contradicts its anchors"
        self.tell(f"audit:{chain_id}:{self._clock.now():%Y-%m-%d}", "audit_flaw", title, f"{chain_id}: {detail}", 4)

    async def watch_disk(self) -> None:
        """Look at the disk every minute; tell of each worse level once a day."""
        while True:
            reserve = self._settings.disk_reserve_mb * 1_000_000
            state = await asyncio.to_thread(look_at_all, self._settings.disks, reserve)
            if state.level != "ok":
                share = f"{state.free_share:.1%}"
                title = f"磁盘空间不足，剩余 {share} / The disk has {share} left"
                body = f"{state.level}: {state.path}, {state.free // 1_000_000} MB"
                key = f"disk:{state.level}:{self._clock.now():%Y-%m-%d}"
                await asyncio.to_thread(self.tell, key, "disk", title, body, 3 if state.level == "low" else 4)
            await asyncio.sleep(DISK_S)

    async def sweep(self) -> None:
        """Sweep the media store at start and every six hours; a drill, whose rows know nothing of it, never does."""
        if self._settings.subject_prefix:
            return
        while True:
            await asyncio.to_thread(self.sweep_once)
            await asyncio.sleep(SWEEP_S)

    def sweep_once(self) -> int:
        """Remove what has no reason to lie there; how many files went."""
        now = self._clock.now()
        gone = sweep_partials(self._media, now)
        gone += expire(self._engine, self._media, now, self._settings.media_keep_days)
        return gone + sweep_orphans(self._engine, self._media, now)

    async def verify_nightly(self) -> None:
        """Verify the whole audit log every night, in a process of its own with low priority."""
        if self._settings.subject_prefix:
            return  # a drill's log is nobody's evidence
        while True:
            await asyncio.sleep(until_night(self._clock.now()))
            await self.verify_once()

    async def verify_once(self) -> int:
        """Verify now; the exit status of ``python -m app verify --log``, told when it is not 0."""
        command = (sys.executable, "-m", "app", "verify", "--log", "--json")
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, preexec_fn=_politely,
        )  # fmt: skip
        try:
            out, _ = await asyncio.wait_for(process.communicate(), VERIFY_S)
        except (TimeoutError, asyncio.CancelledError):
            process.kill()
            await process.wait()
            raise
        status = process.returncode or 0
        await asyncio.to_thread(self._note, status, out)
        return status

    def _note(self, status: int, out: bytes) -> None:
        try:
            report = json.loads(out)
        except ValueError:
            report = {}
        flaws = report.get("flaws") or []
        now = self._clock.now()
        body = {"status": status, "chains": report.get("chains", 0), "flaws": len(flaws)}
        with session_scope(self._engine) as session:
            append(session, SYSTEM_CHAIN, now, "system", "verify_log", body)
        log.log(logging.INFO if status == 0 else logging.ERROR, "audit log verified: %s", body)
        if status:
            first = "; ".join(f"{f['chain_id']} {f['seq']}: {f['detail']}" for f in flaws[:5])
            title = f"审计日志核验发现 {len(flaws)} 处问题 / The audit log has {len(flaws)} flaws"
            text = first or "no anchors, or the log could not be read: python -m app verify --log"
            self.tell(f"audit:night:{now:%Y-%m-%d}", "audit_flaw", title, text[:1000], 4)


def until_night(now: datetime) -> float:
    """Seconds until the next :data:`NIGHT_HOUR` in Beijing."""
    local = now.astimezone(BEIJING)
    night = local.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    if night <= local:
        night += timedelta(days=1)
    return (night - local).total_seconds()


def _politely() -> None:
    os.nice(15)
