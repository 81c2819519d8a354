"""The district's directory as routes and the administration page use it: the last run, a run, a trial of one."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from sqlalchemy import select

from core.errors import InputInvalid, NotFound
from dashboard.accounts.confirming import must_be_confirmed
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.identity.config import read_config
from dashboard.identity.directory.config import FILE, read_directory
from dashboard.identity.directory.periodic import next_run
from dashboard.identity.directory.run import SyncReport, last_failure, last_report, last_tried, synchronise
from dashboard.identity.files import write_settings
from dashboard.services import Services
from storage.session import read_scope, session_scope
from storage.tables.people import User

_one_at_a_time = asyncio.Lock()


def state(use: Services, who: Principal) -> dict[str, Any]:
    """Where the directory is (no token), and what its last run did."""
    must_be(who, "security")
    config = read_directory(use.settings.data_dir)
    every = config.every_hours if config else 0.0
    due = next_run(last_tried(use.engine), every) if every else None
    return {
        "url": config.url if config else None, "last": last_report(use.engine), "every_hours": every,
        "next_at": due, "failed": last_failure(use.engine),
    }  # fmt: skip


def schedule(use: Services, who: Principal, every_hours: float) -> dict[str, Any]:
    """How often it runs by itself; 0: never."""
    must_be(who, "security")
    must_be_confirmed(who, use.clock.now())
    config = read_directory(use.settings.data_dir)
    if config is None:
        raise NotFound(what="directory", key=FILE)
    if every_hours and not 0.25 <= every_hours <= 168:
        raise InputInvalid(field="every_hours", detail=f"{every_hours:g} is not 0, or 0.25 to 168", how="correct it")
    with session_scope(use.engine) as session:
        audit(session, use, who, "directory_schedule", {"every_hours": every_hours})
        write_settings(use.settings.data_dir / FILE, msgspec.structs.replace(config, every_hours=every_hours))
    return state(use, who)


async def run(use: Services, who: Principal, *, dry_run: bool) -> SyncReport:
    """Take it over, or only say what would change; ``DirectoryAway`` when it cannot be read whole."""
    must_be(who, "security")
    config = read_directory(use.settings.data_dir)
    if config is None:
        raise NotFound(what="directory", key=FILE)
    if not dry_run:
        must_be_confirmed(who, use.clock.now())  # it opens and closes accounts
    sign_on = read_config(use.settings.data_dir)
    async with _one_at_a_time:
        report = await synchronise(
            use.engine, config, use.clock.now(), who.actor.user_id, dry_run=dry_run,
            keep=sign_on.break_glass if sign_on else (),
        )  # fmt: skip
    if not dry_run:
        for user_id in await asyncio.to_thread(_changed, use, report):
            use.sessions.forget(user_id)
    return report


def _changed(use: Services, report: SyncReport) -> list[str]:
    keys = [step.key for step in report.steps if step.kind in ("change", "close", "open")]
    with read_scope(use.engine) as session:
        return [*session.scalars(select(User.user_id).where(User.user_id.in_(keys)))]
