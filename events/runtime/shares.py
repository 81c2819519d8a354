"""Who of several workers does what: the partitions, and the jobs that only one may do, shared out by one table.

The table is one entry of the key-value bucket ``owner``: who is there, each with a beat, and whose each unit of work
is.  Every worker writes its beat once a second, compare-and-set on the entry's revision, so that two never hold one
unit.  One that did not beat for ``LAPSE_S``, or whose process on this machine is gone, loses what it held; one that
joins is given its part as the others put theirs down.  Nobody is elected: whoever writes next decides by the same rule.

While the bucket itself does not answer (it chooses its leader, or there is no majority) nobody can take anything over.
A worker then rests, that is it commits nothing, and goes on with its next beat if the table still knows it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats.errors
import nats.js.errors

from core.bus import Bus
from core.clock import Clock
from core.ids import new_id

BEAT_S = 1.0
ALONE_BEAT_S = 2.0  # nobody waits for our death but whoever may come
LAPSE_S = 5.0
REST_S = LAPSE_S - 2 * BEAT_S  # without a beat for so long nothing is committed: others may take over soon
GIVE_UP_S = 30.0  # then everything is begun anew: perhaps the bucket itself is gone
TRY_S = 1.5  # of a beat: a bucket without a leader answers nothing, and has one a moment later
BUCKET, KEY = "owner", "shares.workers"
ID_LETTERS = 10
JOBS = "jobs"  # the unit of what only one worker may do: sweeps, relays, anchors


@dataclass(frozen=True)
class Member:
    """A worker as the table knows it."""

    host: str
    boot: str
    pid: int
    beat: int = 0

    @property
    def is_gone(self) -> bool:
        """Whether it ran on this machine and its process is no more."""
        here = self.host == socket.gethostname() and self.boot == _boot()
        return here and not Path(f"/proc/{self.pid}").exists()


@dataclass(frozen=True)
class ShareTable:
    """Members by id, and the holder of each unit."""

    members: Mapping[str, Member]
    held: Mapping[str, str]

    @staticmethod
    def read(data: bytes | None) -> ShareTable:
        """What stands in the entry; an entry of nobody when it is missing or older than this form."""
        found: dict[str, Any] = json.loads(data or b"{}")
        return ShareTable({k: Member(**v) for k, v in found.get("members", {}).items()}, dict(found.get("held", {})))

    def written(self) -> bytes:
        """The entry's bytes."""
        members = {k: vars(v) for k, v in self.members.items()}
        return json.dumps({"members": members, "held": dict(self.held)}, separators=(",", ":")).encode()


def share_out(units: Sequence[str], members: Sequence[str], held: Mapping[str, str]) -> dict[str, str]:
    """Whose each unit should be: even to within one, with as few moves as that allows.

    ``held``: whose it is.  The shares that are larger by one go to those who hold most already.
    """
    order = sorted(members, key=lambda m: (-sum(1 for u in units if held.get(u) == m), m))
    if not order:
        return {}
    part, more = divmod(len(units), len(order))
    room = {member: part + (place < more) for place, member in enumerate(order)}
    wanted: dict[str, str] = {}
    for unit in units:
        holder = held.get(unit, "")
        if room.get(holder, 0):
            wanted[unit] = holder
            room[holder] -= 1
    for unit in units:
        if unit not in wanted:
            taker = max(order, key=lambda m: room[m])
            wanted[unit] = taker
            room[taker] -= 1
    return wanted


class Shares:
    """Our place in the table.

    ``wanted`` is what we should be doing, ``doing`` what we are: whoever does the work keeps ``doing`` true, and a
    unit is handed on only after it has left ``doing``.  While ``resting`` nothing may be done.
    """

    def __init__(self, bus: Bus, clock: Clock, units: Sequence[str], ended: set[str] | None = None) -> None:
        self._bus = bus
        self._clock = clock
        self._units = tuple(units)
        self._me = new_id()[-ID_LETTERS:]  # of its chance part; named in the entry once for each unit, every beat
        self._ended = set() if ended is None else ended  # what this process was before: it holds nothing any more
        self._beat = 0
        self._seen: dict[str, tuple[int, float]] = {}  # member: its beat, and since when it stands
        self._known: tuple[int, ShareTable] = (0, ShareTable({}, {}))  # revision and table as we wrote it last
        self._looked_at = clock.monotonic()
        self._empty = False  # there was no entry when we looked last
        self.resting = False
        self.wanted: frozenset[str] = frozenset()
        self.doing: set[str] = set()

    async def keep(self, changed: Callable[[], None]) -> bool:
        """Beat for ever; ``changed`` is called when ``wanted`` or ``resting`` is another.

        Returns when nothing is ours any more: True where others took us for dead, False where the bucket is empty or
        did not answer for :data:`GIVE_UP_S`.
        """
        beaten = self._clock.monotonic()
        while True:
            left = beaten + LAPSE_S - BEAT_S / 2 - self._clock.monotonic()  # then others may take us for dead
            within = TRY_S if self.resting else min(TRY_S, max(left, BEAT_S / 2))
            with suppress(nats.errors.Error, TimeoutError):
                async with asyncio.timeout(within):
                    heard = await self._round()
                if not heard:
                    return not self._empty
                beaten = self._clock.monotonic()
                if self.resting or self.wanted != self.doing:
                    self.resting = False
                    changed()
            silent = self._clock.monotonic() - beaten
            if self._beat and silent > GIVE_UP_S:
                return False
            if self._beat and silent > REST_S and not self.resting:
                self.resting = True
                changed()
            await asyncio.sleep(self._pause_s(fresh=silent < BEAT_S / 2))

    def _pause_s(self, *, fresh: bool) -> float:
        """Until the next beat; ``fresh``: the last one went well."""
        if not self.wanted or not fresh:
            return BEAT_S / 4
        return ALONE_BEAT_S if len(self._known[1].members) == 1 and self.wanted == self.doing else BEAT_S

    async def leave(self) -> None:
        """Strike ourselves out, so that the others go on at once; a bus that does not answer is not waited for."""
        self.doing.clear()
        self._ended.add(self._me)
        with suppress(nats.errors.Error, nats.js.errors.Error, TimeoutError):
            async with asyncio.timeout(TRY_S):
                await self._strike_out()

    async def _strike_out(self) -> None:
        for _ in range(5):
            revision, table = await self._read()
            members = {k: v for k, v in table.members.items() if k != self._me}
            held = {unit: who for unit, who in table.held.items() if who != self._me}
            if await self._write(ShareTable(members, held), revision):
                self._known = 0, ShareTable({}, {})
                return

    async def _round(self) -> bool:
        """One beat; False when others took us for dead.  Alone we know what stands there: our own last beat."""
        alone = self._known[1].members.keys() == {self._me}
        while True:
            revision, table = self._known if alone else await self._read()
            alone = False
            if self._beat and self._me not in table.members:
                return False
            decided, wanted = self._decide(table)
            self.wanted &= wanted  # what we are about to hand on is not begun meanwhile
            written = await self._write(decided, revision)
            if written:
                self._known = written, decided
                self._beat += 1
                self.wanted = wanted
                return True
            await asyncio.sleep(random.uniform(0.01, 0.1))  # somebody else wrote: look again

    def _decide(self, table: ShareTable) -> tuple[ShareTable, frozenset[str]]:
        """The table with our beat, without the dead, with what we put down free and what is free and due to us ours."""
        self._forgive_silence()
        me = Member(socket.gethostname(), _boot(), os.getpid(), self._beat + 1)
        members = {k: v for k, v in table.members.items() if k != self._me and self._lives(k, v)} | {self._me: me}
        self._seen = {k: v for k, v in self._seen.items() if k in members}
        held = {unit: who for unit, who in table.held.items() if who in members and unit in self._units}
        due = {unit for unit, who in share_out(self._units, list(members), held).items() if who == self._me}
        ours = {unit for unit, who in held.items() if who == self._me}
        for unit in ours - due - self.doing:
            del held[unit]
        for unit in due - held.keys():
            held[unit] = self._me
        return ShareTable(members, held), frozenset(unit for unit in due if held.get(unit) == self._me)

    def _forgive_silence(self) -> None:
        """Time in which we could not read the table counts against nobody: they could not write it either."""
        now = self._clock.monotonic()
        unheard = max(0.0, now - self._looked_at - 2 * BEAT_S)
        self._seen = {name: (beat, since + unheard) for name, (beat, since) in self._seen.items()}
        self._looked_at = now

    def _lives(self, name: str, member: Member) -> bool:
        now = self._clock.monotonic()
        beat, since = self._seen.get(name, (-1, now))
        if beat != member.beat:
            beat, since = member.beat, now
        self._seen[name] = (beat, since)
        return now - since <= LAPSE_S and not member.is_gone and name not in self._ended

    async def _read(self) -> tuple[int, ShareTable]:
        bucket = await self._bus.bucket(BUCKET)
        self._empty = False
        try:
            entry = await bucket.get(KEY)
        except nats.js.errors.KeyNotFoundError:
            self._empty = True
            return 0, ShareTable({}, {})
        return int(entry.revision or 0), ShareTable.read(entry.value)

    async def _write(self, table: ShareTable, revision: int) -> int:
        """The new revision; 0 when somebody else wrote meanwhile."""
        bucket = await self._bus.bucket(BUCKET)
        try:
            new: int = await bucket.update(KEY, table.written(), last=revision)
        except nats.js.errors.KeyWrongLastSequenceError:
            return 0
        return new


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
