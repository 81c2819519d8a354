"""Text messages to people without an account, over the channel ``webhook:sms`` of ``notify.json``."""

from __future__ import annotations

import logging

from core.bus import Bus
from core.settings import Settings
from dashboard.reception.telephones import TextMessage
from events.notify.channel import NotifierFailed, build_notifiers
from events.notify.channels.webhook import Webhook

log = logging.getLogger("yiwang.reception")
CHANNEL = "webhook:sms"


def text_channel(settings: Settings, bus: Bus) -> Webhook | None:
    """The channel, None where none is switched on."""
    found = build_notifiers(settings, bus).get(CHANNEL)
    return found if isinstance(found, Webhook) and found.can_text else None


async def send_text(channel: Webhook | None, message: TextMessage) -> None:
    """Send it; what fails is logged without the number (the person asks for another code)."""
    if channel is None:
        return
    try:
        await channel.text(message.phone, message.text)
    except NotifierFailed as error:
        log.warning("a text message was not sent: %s", error)
