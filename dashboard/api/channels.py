"""What goes out: each receiver of notices and events with what waits for it, and what was given up sent again."""

from __future__ import annotations

from fastapi import APIRouter, Response

from dashboard.answers.office import ChannelStates
from dashboard.api.deps import Done, Use, Who, allow, answers, respond
from dashboard.desk import channels as desk
from dashboard.desk import letters
from events.notify.configuration import read_configuration

router = APIRouter(tags=["interfaces"])


@router.get("/api/channels", dependencies=[allow("admin")], **answers(ChannelStates))
def channels(use: Use, who: Who) -> Response:
    """Each receiver of notices and of webhooks: what waits, since when, how often it failed, its last error."""
    quiet = read_configuration(use.settings).quiet
    problems = [error.as_dict() for error in desk.wrong_settings(use, who)]
    return respond({"items": desk.receivers(use, who), "quiet_hours": quiet, "problems": problems, "next": None})


@router.post("/api/dead-letters/{dead_letter_id}/redeliver", dependencies=[allow("admin")], **answers(Done))
async def redeliver(dead_letter_id: str, use: Use, who: Who) -> Response:
    """Send a dead letter again, after what it failed on was mended; it counts as settled then."""
    await letters.redeliver(use, who, dead_letter_id)
    return respond({"ok": True})
