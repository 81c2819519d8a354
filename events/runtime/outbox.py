"""The outbox relay: what was committed is announced, at least once, and on the stream exactly once.

Rows are marked sent, never skipped by id: a transaction that committed late is found all the same.  The row's id is
the message id, so a row that was published just before a crash is recognised by JetStream (for ten minutes).
Two lanes run side by side: cases and ``in_app`` notices never wait for a receiver that does not answer (e-mail, SMS
gateway, Web Push, webhooks), and such a receiver holds up its own rows alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Engine, and_, delete, func, not_, or_, select, update
from sqlalchemy.orm import Session

from core.bus import Bus
from core.clock import Clock
from core.errors import YiwangError
from core.ids import derived_id, new_id, subject_token
from core.records import CaseChanged
from core.settings import Settings
from events.correlation.rule_memory import insert_into
from events.notify import parties
from events.notify.channel import NoticeMessage, Notifier, NotifierFailed, build_notifiers, notice_of
from events.notify.channels.webhook import Webhook
from events.notify.configuration import read_configuration
from events.notify.notices import NoticeDraft, QuietHours, channels_of, notices_of_change, write_notices
from events.notify.outgoing import Outgoing
from events.notify.webhooks import Webhooks
from storage.session import read_scope, session_scope
from storage.tables.cases import Notice, Outbox
from storage.tables.observations import DeadLetter
from storage.watching.changes import Changes

log = logging.getLogger("yiwang.outbox")

POLL_S = 0.2
RINGING_POLL_S = 0.5
WAIT_S = 5.0  # without a commit; rows that wait for the morning come due by themselves
BATCH = 200
KEEP_DAYS = 7
CLOCK_SLACK_S = 60.0  # another machine's clock may run ahead; only what waits for the morning lies further ahead
TOPICS = ("case", "notice", "webhook", "ask")
RINGING_AT_ONCE = 3  # receivers waited for at the same time: few, the case's own announcements share the threads
MAX_ATTEMPTS = 12  # of a channel; the pause doubles from 2 s up to an hour.  A case change is never given up
TELL_AFTER = 3  # failures of a row after which the administrators are told of its receiver
MAX_ERROR = 500
OUTBOX = "OUTBOX"  # the "stream" of dead letters that no receiver took


@dataclass(frozen=True)
class Row:
    """An outbox row, read."""

    outbox_id: str
    topic: str
    body: dict[str, Any]
    attempts: int


class Relay:
    """Announces outbox rows."""

    def __init__(self, bus: Bus, engine: Engine, clock: Clock, settings: Settings) -> None:
        self._bus = bus
        self._engine = engine
        self._clock = clock
        self._notifiers: dict[str, Notifier] = build_notifiers(settings, bus)
        self._outside = settings.outside_url
        self._quiet = read_configuration(settings).quiet
        self._webhooks = Webhooks(settings)
        self._outgoing = Outgoing(settings, engine)
        self._later: dict[str, float] = {}  # outbox id → not before (monotonic), after a failed attempt
        self._pruned_at = float("-inf")
        self.sent = 0

    @property
    def channels(self) -> list[str]:
        """The channels that are switched on."""
        return channels_of(self._notifiers)

    @property
    def quiet(self) -> QuietHours:
        """When channels that ring keep silent."""
        return self._quiet

    async def run(self) -> None:
        """Relay for ever."""
        async with asyncio.TaskGroup() as lanes:
            lanes.create_task(self._run_lane(ringing=False))
            lanes.create_task(self._run_lane(ringing=True))

    async def _run_lane(self, ringing: bool) -> None:
        changes = Changes(self._engine)
        while True:
            await changes.look()
            if not await self._relay(ringing):
                await changes.wait(RINGING_POLL_S if ringing else POLL_S, self._rest_s())
            if not ringing and self._clock.monotonic() - self._pruned_at > 3600:
                self._pruned_at = self._clock.monotonic()
                await asyncio.to_thread(self._prune)

    def _rest_s(self) -> float:
        """Until the first failed row may be tried again, :data:`WAIT_S` at most."""
        now = self._clock.monotonic()
        return max(POLL_S, min([at - now for at in self._later.values() if at > now], default=WAIT_S, key=float))

    async def relay_once(self) -> int:
        """Announce what is waiting, in both lanes; returns how many rows were sent."""
        return await self._relay(ringing=False) + await self._relay(ringing=True)

    async def _relay(self, ringing: bool) -> int:
        rows = await asyncio.to_thread(self._waiting, ringing)
        if not rows:
            return 0
        receivers: dict[str, list[Row]] = {}
        for row in rows:
            receivers.setdefault(receiver_of(row.topic, row.body) if ringing else "", []).append(row)
        gate = asyncio.Semaphore(RINGING_AT_ONCE)
        done = await asyncio.gather(*(self._send_all(some, gate) for some in receivers.values()))
        sent, failed = ([row for pair in done for row in pair[n]] for n in (0, 1))
        await asyncio.to_thread(self._mark, sent, failed)
        self.sent += len(sent)
        return len(sent)

    async def _send_all(self, rows: Sequence[Row], gate: asyncio.Semaphore) -> tuple[list[Row], list[Row]]:
        """Send the rows of one receiver one after the other; which were sent, which failed."""
        sent: list[Row] = []
        failed: list[Row] = []
        async with gate:
            for row in rows:
                try:
                    await self._send(row)
                    sent.append(row)
                except (NotifierFailed, YiwangError, msgspec.ValidationError) as error:
                    log.info("outbox %s (%s): %s", row.outbox_id, row.topic, error)
                    noted = {} if row.topic == "case" else {"error": str(error)[:MAX_ERROR]}
                    failed.append(replace(row, body=row.body | noted))
        return sent, failed

    async def _send(self, row: Row) -> None:
        if row.topic == "case":
            change = msgspec.convert(row.body, CaseChanged)
            subject = self._bus.subject("case", subject_token(change.command), subject_token(change.case_id))
            await self._bus.publish(subject, change, row.outbox_id, self._webhooks.headers(change))
        elif row.topic == "notice":
            await self._deliver(row)
        elif row.topic == "webhook":
            posted = self._outgoing if row.body.get("connection") else self._webhooks
            await posted.post(row.outbox_id, row.body)
        elif row.topic == "ask":
            await self._ask(row)

    async def _ask(self, row: Row) -> None:
        """A party without an account is asked by a text message; without such a channel its code is handed out."""
        channel = self._notifiers.get(parties.CHANNEL)
        if not isinstance(channel, Webhook) or not channel.can_text:
            return
        message = await asyncio.to_thread(self._party_message, row)
        if message is not None:
            await channel.text(message.phone, message.text)

    def _party_message(self, row: Row) -> parties.PartyMessage | None:
        with session_scope(self._engine) as session:
            return parties.message_to(session, row.outbox_id, row.body, self._outside, self._clock.now())

    async def _deliver(self, row: Row) -> None:
        channel = str(row.body.get("channel", "in_app"))
        notifier = self._notifiers.get(channel)
        notice = await asyncio.to_thread(self._notice, str(row.body.get("notice_id", "")))
        if notifier is None or notice is None:
            return  # the channel was switched off, or the notice is gone: nothing left to tell
        await notifier.send(notice)

    def _notice(self, notice_id: str) -> NoticeMessage | None:
        with read_scope(self._engine) as session:
            row = session.get(Notice, notice_id)
            return notice_of(row) if row is not None else None

    def _waiting(self, ringing: bool) -> list[Row]:
        now, due = self._clock.monotonic(), self._clock.now() + timedelta(seconds=CLOCK_SLACK_S)
        in_app = func.coalesce(Outbox.body["channel"].as_string(), "in_app") == "in_app"
        prompt = or_(Outbox.topic == "case", and_(Outbox.topic == "notice", in_app))
        with read_scope(self._engine) as session:
            found = session.scalars(
                select(Outbox)
                .where(Outbox.sent_at.is_(None), Outbox.topic.in_(TOPICS), Outbox.created_at <= due)
                .where(not_(prompt) if ringing else prompt)
                .order_by(Outbox.attempts, Outbox.created_at, Outbox.outbox_id)
                .limit(BATCH)
            )
            rows = [Row(r.outbox_id, r.topic, r.body, r.attempts) for r in found]
        return [row for row in rows if self._later.get(row.outbox_id, now) <= now]

    def _mark(self, sent: Sequence[Row], failed: Sequence[Row]) -> None:
        """Mark rows, and write the notices that follow from the case changes among them."""
        now = self._clock.now()
        with session_scope(self._engine) as session:
            for row in sent:
                if row.topic == "case":
                    change = msgspec.convert(row.body, CaseChanged)
                    write_notices(
                        session, notices_of_change(session, change), channels_of(self._notifiers), now, self._quiet
                    )
                    own = self._outgoing.bodies(session, change, self._webhooks.event(change))
                    for body in [*self._webhooks.bodies(change), *own]:
                        session.add(Outbox(outbox_id=new_id(), topic="webhook", body=body, created_at=now, attempts=0))
                elif row.topic == "notice":
                    session.execute(
                        update(Notice)
                        .where(Notice.notice_id == row.body.get("notice_id"), Notice.sent_at.is_(None))
                        .values(sent_at=now)
                    )
            done = [row.outbox_id for row in sent]
            for row in failed:
                changed = {"attempts": row.attempts + 1, "body": row.body}
                session.execute(update(Outbox).where(Outbox.outbox_id == row.outbox_id).values(changed))
                if row.topic != "case" and row.attempts + 1 >= MAX_ATTEMPTS:
                    done.append(row.outbox_id)
                    give_up(session, row, now)
            if done:
                session.execute(update(Outbox).where(Outbox.outbox_id.in_(done)).values(sent_at=now))
            troubled = {receiver_of(row.topic, row.body) for row in failed if row.attempts + 1 == TELL_AFTER}
            write_notices(session, [_trouble(name, now) for name in sorted(troubled)], ["in_app"], now)
        for row in failed:
            self._later[row.outbox_id] = self._clock.monotonic() + min(3600.0, 2.0 ** (row.attempts + 1))
        for row in sent:
            self._later.pop(row.outbox_id, None)

    def _prune(self) -> None:
        before = self._clock.now() - timedelta(days=KEEP_DAYS)
        with session_scope(self._engine) as session:
            session.execute(delete(Outbox).where(Outbox.sent_at < before))


def receiver_of(topic: str, body: dict[str, Any]) -> str:
    """Who is waited for when a row is sent: ``notice:email``, ``webhook:<subscriber>`` …"""
    return f"{topic}:{body.get('channel') or body.get('subscriber') or ''}"


def give_up(session: Session, row: Row, now: datetime) -> None:
    """Put ``row`` aside where an administrator sees it, can mend the receiver and send it again."""
    session.execute(
        insert_into(session, DeadLetter).on_conflict_do_nothing(index_elements=["dead_letter_id"]),
        {
            "dead_letter_id": derived_id(OUTBOX, row.outbox_id),
            "stream": OUTBOX,
            "subject": receiver_of(row.topic, row.body)[:250],
            "payload": json.dumps({k: v for k, v in row.body.items() if k != "error"}, ensure_ascii=False),
            "error": str(row.body.get("error", "")),
            "deliveries": row.attempts + 1,
            "happened_at": now,
        },
    )


def _trouble(receiver: str, now: datetime) -> NoticeDraft:
    """What the administrators are told of a receiver that fails: at most once an hour."""
    return NoticeDraft(
        key=f"channel:{receiver}:{now:%Y-%m-%dT%H}",
        kind="channel_failed",
        title=f"通知渠道故障 / Channel fails: {receiver}",
        body=f"{receiver}: 失败 {TELL_AFTER} 次，继续重试 / failed {TELL_AFTER} times, tried again",
        role="admin",
        severity=2,
    )
