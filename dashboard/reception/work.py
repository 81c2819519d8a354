"""The reception's work in the worker process: listens on the bus, handles what waits, keeps views and pages fresh."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec
import nats.errors
from nats.aio.msg import Msg
from sqlalchemy import Engine, delete, or_, select
from sqlalchemy.orm import Session

from core.bus import Bus
from core.clock import BEIJING, Clock
from core.errors import YiwangError
from core.media import MediaStore
from core.records import JSON, decode, encode
from core.sealing import Seal
from core.settings import Settings
from dashboard.outside import wire
from dashboard.outside.wire import Answer, Submission, Wanted
from dashboard.reception import mailbox
from dashboard.reception.guides import public_guides
from dashboard.reception.handling import Handled, Reception
from dashboard.reception.links import link_view
from dashboard.reception.places import public_places
from dashboard.reception.ratings import leave_the_count
from dashboard.reception.texting import send_text, text_channel
from dashboard.reception.views import write_view
from events.cases.service import CaseService
from storage.availability import is_away
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseObservation
from storage.tables.outside import OutsidePage, OutsideRequest
from storage.tables.persons import LinkToken
from storage.watching.changes import Changes

log = logging.getLogger("yiwang.reception")
POLL_S = 1.0
WAIT_S = 30.0  # without a commit
PAGES_S = 300.0
SWEEP_S = 3600.0
BATCH = 50
MAX_TRIES = 5
HOTLINE = "12345"


class ReceptionWork:
    """One worker's reception."""

    def __init__(self, settings: Settings, bus: Bus, engine: Engine, clock: Clock, cases: CaseService) -> None:
        self.bus, self.engine, self.clock = bus, engine, clock
        self.channel = text_channel(settings, bus)
        self.keep = timedelta(days=settings.outside_keep_days)
        self.reception = Reception(
            cases, clock, MediaStore(settings.media_url), Seal(settings.records_key), self.keep,
            can_send=self.channel is not None,
        )  # fmt: skip
        self._arrived = asyncio.Event()
        self._seen: datetime | None = None
        self._failures: dict[str, int] = {}

    async def run(self) -> None:
        """Until cancelled."""
        await self._listen()
        changes = Changes(self.engine)
        pages_at = sweep_at = float("-inf")
        while True:
            await changes.look()
            self._arrived.clear()
            now = self.clock.monotonic()
            if now >= pages_at:
                await asyncio.to_thread(self.write_pages)
                pages_at = now + PAGES_S
            if now >= sweep_at:
                await asyncio.to_thread(self.sweep)
                sweep_at = now + SWEEP_S
            while await self.handle_waiting():
                pass
            await asyncio.to_thread(self.refresh)
            await self._rest(changes)

    async def _rest(self, changes: Changes) -> None:
        """Until something came or was committed; what failed is tried again soon."""
        at_most_s = POLL_S if self._failures else WAIT_S
        news = [asyncio.ensure_future(changes.wait(POLL_S, at_most_s)), asyncio.ensure_future(self._arrived.wait())]
        try:
            await asyncio.wait(news, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in news:
                each.cancel()

    # the bus -------------------------------------------------------------
    async def _listen(self) -> None:
        for subject, answer in (
            (wire.SUBMIT, self._submitted), (wire.READ, self._read), (wire.PAGE, self._page)
        ):  # fmt: skip
            await self.bus.serve(subject, self._answering(answer), queue="reception")

    def _answering(self, answer: Callable[[bytes], Awaitable[bytes]]) -> Callable[[Msg], Awaitable[None]]:
        async def handler(message: Msg) -> None:
            try:
                data = await answer(message.data)
            except YiwangError as error:
                data = encode(Answer(found=False, problem=error.code))
            except Exception as error:  # noqa: BLE001 - whatever a stranger sent, the listener goes on
                log.warning("not answered: %r", error)
                data = encode(Answer(found=False, problem="failed"))
            if message.reply:
                await message.respond(data)

        return handler

    async def _submitted(self, data: bytes) -> bytes:
        submission = decode(Submission, data)
        problem = await asyncio.to_thread(self._insert, submission)
        self._arrived.set()
        return encode(Answer(problem=problem))

    def _insert(self, submission: Submission) -> str:
        with session_scope(self.engine) as session:
            return mailbox.insert(session, submission, self.clock.now())

    async def _read(self, data: bytes) -> bytes:
        wanted = decode(Wanted, data)
        return encode(await asyncio.to_thread(self._view, wanted.name))

    async def _page(self, data: bytes) -> bytes:
        wanted = decode(Wanted, data)
        return msgspec.json.encode(await asyncio.to_thread(self._public, wanted.name))

    def _view(self, token_hash: str) -> Answer:
        with read_scope(self.engine) as session:
            return mailbox.read(session, token_hash, self.clock.now())

    def _public(self, name: str) -> dict[str, JSON]:
        with read_scope(self.engine) as session:
            return mailbox.page(session, name)

    # handling ------------------------------------------------------------
    async def handle_waiting(self) -> bool:
        """Handle up to :data:`BATCH` rows; whether there may be more."""
        ids = await asyncio.to_thread(self._waiting)
        for request_id in ids:
            await self._handle_one(request_id)
        return len(ids) == BATCH

    def _waiting(self) -> list[str]:
        query = select(OutsideRequest.request_id).where(OutsideRequest.state == "new")
        with read_scope(self.engine) as session:
            return list(session.scalars(query.order_by(OutsideRequest.created_at).limit(BATCH)))

    async def _handle_one(self, request_id: str) -> None:
        """A report is on the bus before its row says so: after a crash it is published again under the same id."""
        try:
            done = await asyncio.to_thread(self._prepare, request_id)
            for observation in done.observations:
                await self.bus.observe(observation)
            if done.observations:
                await asyncio.to_thread(self._mark_taken, request_id)
        except Exception as error:  # noqa: BLE001 - one request must not stop the others
            await self._failed(request_id, error)
            return
        self._failures.pop(request_id, None)
        for message in done.messages:
            await send_text(self.channel, message)

    async def _failed(self, request_id: str, error: Exception) -> None:
        """Tried again; what fails by itself again and again is refused, so that it does not stand in the way."""
        away = is_away(error) or isinstance(error, nats.errors.Error)
        tries = self._failures[request_id] = self._failures.get(request_id, 0) + (0 if away else 1)
        log.warning("request %s is tried again: %r", request_id, error)
        await asyncio.sleep(0.2)
        if tries >= MAX_TRIES:
            del self._failures[request_id]
            await asyncio.to_thread(self._give_up, request_id)

    def _give_up(self, request_id: str) -> None:
        with session_scope(self.engine) as session:
            row = session.get(OutsideRequest, request_id, with_for_update=True)
            if row is not None and row.state == "new":
                self.reception.refuse(row, "failed")

    def _prepare(self, request_id: str) -> Handled:
        with session_scope(self.engine) as session:
            row = session.get(OutsideRequest, request_id, with_for_update=True)
            if row is None or row.state != "new":
                return Handled()
            if row.own.get("observation"):  # prepared before, not published
                return Handled(observations=[self.reception.kept_observation(row)])
            done = self.reception.handle(session, row)
            if done.observations:
                self.reception.keep_observation(row, done.observations[0])
            return done

    def _mark_taken(self, request_id: str) -> None:
        with session_scope(self.engine) as session:
            row = session.get(OutsideRequest, request_id, with_for_update=True)
            if row is not None and row.state == "new":
                row.state, row.own = "taken", {k: v for k, v in row.own.items() if k != "observation"}

    # keeping fresh -------------------------------------------------------
    def refresh(self) -> int:
        """Rewrite the views whose cases have moved; how many."""
        with session_scope(self.engine) as session:
            self._find_cases(session)
            leave_the_count(session)
            self._refresh_links(session)
            since = self._seen
            newest = session.scalar(select(Case.updated_at).order_by(Case.updated_at.desc()).limit(1))
            changed = select(OutsideRequest).join(Case, Case.case_id == OutsideRequest.case_id)
            moved = or_(OutsideRequest.case_version.is_(None), Case.version != OutsideRequest.case_version)
            query = changed.where(moved)
            if since is not None:
                query = query.where(Case.updated_at >= since - timedelta(seconds=60))
            rows = list(session.scalars(query.limit(500)))
            for row in rows:
                write_view(session, row, self.reception.cases.definitions)
                case = session.get(Case, row.case_id) if row.case_id else None
                ended = case.closed_at if case is not None and not case.open else None
                row.expires_at = ended + self.keep if ended is not None else None
            if len(rows) < 500:
                self._seen = newest
            return len(rows)

    def _find_cases(self, session: Session) -> None:
        """Reports whose case is known now."""
        query = (
            select(OutsideRequest, CaseObservation.case_id)
            .join(CaseObservation, CaseObservation.observation_id == OutsideRequest.observation_id)
            .where(OutsideRequest.case_id.is_(None), OutsideRequest.observation_id.is_not(None))
            .limit(500)
        )
        for row, case_id in session.execute(query).all():
            row.case_id, row.case_version = case_id, None
            write_view(session, row, self.reception.cases.definitions)

    def _refresh_links(self, session: Session) -> None:
        """Views of links that are new, or whose cases have moved."""
        moved = or_(LinkToken.case_version.is_(None), Case.version != LinkToken.case_version)
        query = select(LinkToken).join(Case, Case.case_id == LinkToken.case_id).where(moved)
        query = query.where(LinkToken.until > self.clock.now(), LinkToken.revoked_at.is_(None))
        for link in session.scalars(query.limit(200)):
            case = session.get(Case, link.case_id)
            link.view = link_view(session, link, self.reception.cases)
            link.case_version = case.version if case is not None else 0

    def write_pages(self) -> None:
        """The public pages as they should be now."""
        today = self.clock.now().astimezone(BEIJING).date()
        with session_scope(self.engine) as session:
            settings: dict[str, JSON] = {
                "confirm_phone": self.channel is not None, "hotline": HOTLINE, "keep_days": self.keep.days
            }  # fmt: skip
            pages = {"places": public_places(session), "guides": public_guides(session, today), "settings": settings}
            for name, body in pages.items():
                kept = session.get(OutsidePage, name)
                if kept is None:
                    session.add(OutsidePage(name=name, body=body, updated_at=self.clock.now()))
                elif kept.body != body:
                    kept.body, kept.updated_at = body, self.clock.now()

    def sweep(self) -> None:
        """Delete what was kept long enough."""
        with session_scope(self.engine) as session:
            session.execute(delete(LinkToken).where(LinkToken.until < self.clock.now() - self.keep))
            session.execute(delete(OutsideRequest).where(OutsideRequest.expires_at < self.clock.now()))


def reception_job(
    settings: Settings, bus: Bus, engine: Engine, clock: Clock, cases: CaseService
) -> Callable[[], Awaitable[None]]:
    """A job for the worker."""
    return ReceptionWork(settings, bus, engine, clock, cases).run
