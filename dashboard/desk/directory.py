"""The district's directory as routes and the administration page use it: the last run, a run, a trial of one."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import select

from core.errors import NotFound
from dashboard.accounts.confirming import must_be_confirmed
from dashboard.api.deps import must_be
from dashboard.auth import Principal
from dashboard.identity.config import read_config
from dashboard.identity.directory.config import FILE, read_directory
from dashboard.identity.directory.run import SyncReport, last_report, synchronise
from dashboard.services import Services
from storage.session import read_scope
from storage.tables.people import User

_one_at_a_time = asyncio.Lock()


def state(use: Services, who: Principal) -> dict[str, Any]:
    """Where the directory is (no token), and what its last run did."""
    must_be(who, "security")
    config = read_directory(use.settings.data_dir)
    return {"url": config.url if config else None, "last": last_report(use.engine)}


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
