"""``in_app``: the notice on the person's screen.  The row in ``notice`` is the message; the bus tells open pages now.

Subject (core NATS, no stream: a page that is not open reads the table): ``notice.<user|department|role>.<id>``.
"""

from __future__ import annotations

import msgspec

from core.bus import Bus
from core.ids import subject_token
from core.plugins import About
from core.records import encode
from core.settings import Settings
from events.notify.channel import NoticeMessage

ABOUT = About(zh="站内通知", en="In the app")


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """No parameters."""


def build(params: Params, *, settings: Settings, bus: Bus) -> InApp:
    """The channel on ``bus``."""
    del params, settings
    return InApp(bus)


class InApp:
    """Tells open pages."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def send(self, notice: NoticeMessage) -> None:
        """Publish for the user, else the department, else the role."""
        if notice.user_id:
            to = ("user", notice.user_id)
        elif notice.department_id:
            to = ("department", notice.department_id)
        else:
            to = ("role", notice.role or "operator")
        await self._bus.client.publish(self._bus.subject("notice", to[0], subject_token(to[1])), encode(notice))
