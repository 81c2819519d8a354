"""Notifiers: how a notice reaches somebody.  One file a channel: ``Params`` and ``build(params, settings=…, bus=…)``.

``in_app`` is always on; others are switched on in the file ``notify.json`` of the data folder:
``{"<kind>": {"<parameter>": …}}``.  A drill has its own notifiers: none but ``in_app`` on its own bus.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Protocol

from core import plugins
from core.bus import Bus
from core.errors import SettingsError, YiwangError
from core.records import Record
from core.settings import Settings
from storage.tables.cases import Notice as NoticeRow


class NotifierFailed(YiwangError):
    code = "notifier_failed"
    message = "channel {channel} did not take the notice: {detail}"
    remedy = "it is tried again with growing pauses; check the channel's settings"


class NoticeMessage(Record, frozen=True, omit_defaults=False):
    """A notice as channels see it; to a user, else to a department, else to a role."""

    notice_id: str
    kind: str
    title: str
    body: str
    severity: int
    case_id: str | None
    user_id: str | None
    department_id: str | None
    role: str
    created_at: datetime


class Notifier(Protocol):
    """A channel; sending the same notice twice must do no harm beyond a repeated message."""

    async def send(self, notice: NoticeMessage) -> None:
        """Hand ``notice`` over; :class:`NotifierFailed` when that did not work (it is tried again)."""
        ...


def build_notifiers(settings: Settings, bus: Bus) -> dict[str, Notifier]:
    """The channels that are switched on, by kind."""
    wanted: dict[str, dict[str, Any]] = {"in_app": {}}
    path = settings.data_dir / "notify.json"
    if not settings.subject_prefix and path.exists():
        try:
            wanted |= json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SettingsError(field=str(path), detail=str(error), how="correct or delete the file") from error
    return {
        kind: plugins.build("notifier", kind, params, settings=settings, bus=bus) for kind, params in wanted.items()
    }


def notice_of(row: NoticeRow) -> NoticeMessage:
    """The row as channels see it."""
    return NoticeMessage(
        notice_id=row.notice_id,
        kind=row.kind,
        title=row.title,
        body=row.body,
        severity=row.severity,
        case_id=row.case_id,
        user_id=row.user_id,
        department_id=row.department_id,
        role=row.role,
        created_at=row.created_at,
    )
