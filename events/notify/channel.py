"""Notifiers: how a notice reaches somebody.  One file a channel: ``Params`` and ``build(params, settings=…, bus=…)``.

``in_app`` is always on; others are switched on in the file ``notify.json`` of the data folder::

    {"email": {"host": …}, "quiet_hours": {"begins": "22:00", "ends": "07:00", "below_severity": 3},
     "webhook:sms": {"url": …, "template": …}, "webhook:wecom": {"url": …, "template": …}}

What follows a colon tells several channels of one kind apart.

A drill has its own notifiers: none but ``in_app`` on its own bus.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import Select, exists, or_, select

from core import plugins
from core.bus import Bus
from core.errors import YiwangError
from core.records import Record
from core.settings import Settings
from events.dispatching.duty_roster import ids_on_duty
from events.notify.configuration import read_configuration
from storage.tables.cases import Notice as NoticeRow
from storage.tables.people import User, UserRole

log = logging.getLogger("yiwang.notify")


class NotifierFailed(YiwangError):
    code = "notifier_failed"
    message = "channel {channel} did not take the notice: {detail}"
    remedy = "it is tried again with growing pauses; check the channel's settings"
    zh = "通知渠道 {channel} 没有接收：{detail}"
    zh_remedy = "会隔一段时间再试；请检查渠道设置"


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
    """The channels that are switched on, by name: the kind, or ``kind:name``; a broken one is logged and left out."""
    wanted, found = read_configuration(settings), dict[str, Notifier]()
    for problem in wanted.problems:
        log.warning("%s", problem)
    for name, params in wanted.channels.items():
        try:
            found[name] = plugins.build("channel", name.partition(":")[0], params, settings=settings, bus=bus)
        except YiwangError as error:
            log.warning("notify.json: channel %s is left out: %s", name, error)
    return found


def params_of(settings: Settings, kind: str) -> Any:
    """The ``Params`` of a channel that is switched on, else None."""
    found = read_configuration(settings).channels.get(kind)
    return None if found is None else plugins.parse_params("channel", kind, found)


def audience(notice: NoticeMessage, now: datetime | None = None) -> Select[str]:
    """Ids of the active people ``notice`` is for: the user, else the department's staff, else those of the role.

    Of a department or role those on duty ``now`` are rung up; all of them when none is on the roster.
    """
    active = select(User.user_id).where(User.active.is_(True))
    if notice.user_id:
        return active.where(User.user_id == notice.user_id)
    if notice.department_id:
        managers = select(UserRole.user_id).where(UserRole.role.in_(("manager", "staff")))
        all_of = active.where(User.department_id == notice.department_id, User.user_id.in_(managers))
    else:
        all_of = active.where(User.user_id.in_(select(UserRole.user_id).where(UserRole.role == notice.role)))
    on_duty = all_of.where(User.user_id.in_(ids_on_duty(now or datetime.now(UTC))))
    return all_of.where(or_(~exists(on_duty.correlate(None)), User.user_id.in_(on_duty.correlate(None))))


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
