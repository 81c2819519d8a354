"""Heads of the audit chains, written down outside the chains: signed, chained lines in three places.

Who can rewrite the database can rewrite a hash chain to its end; he cannot make the lines agree with it.  Each line
holds the heads that moved, the hash of the line before and a signature.  It goes to a file, to the table
``audit_anchor`` and to a stream of the bus that refuses deletion (on other machines where the bus is a cluster).

Before a head is signed it is held against the last anchored head of its chain: a chain that was rewritten or cut is
never signed again; it is told, and stands until people have looked at it.  Where the file is shorter than the other
places, signing goes on from the longest, and the check goes on saying that lines are missing.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import hashlib
import logging
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats.errors
import nats.js.errors
from sqlalchemy import Engine, func, select, tuple_
from sqlalchemy.orm import Session

from core.bus import Bus
from core.clock import Clock
from core.errors import InputInvalid, YiwangError
from core.settings import Settings
from events.evidence.anchor_store import (
    AnchoredHeads,
    BusAnchors,
    DatabaseAnchors,
    Head,
    file_lines,
    is_ours,
    read_line,
    signed_part,
)
from events.evidence.audit_log import GENESIS, canonical, stamp
from events.evidence.signatures import EvidenceSeal, open_seal, read_public_key
from events.evidence.sm2 import Sm2Key, open_sm2_key
from storage.session import read_scope
from storage.tables.cases import AuditEntry

log = logging.getLogger("yiwang.audit")

_SLACK = timedelta(hours=1)  # stamps may come late by as much as machines' clocks differ
_HEADS_A_LINE = 500
_MOST_MISSING = 1_000_000  # lines between two that are there: a year of minutes is half of it
EVERY_S = 60.0
_START = datetime(1970, 1, 1, tzinfo=UTC) + _SLACK


class AnchorsDisagree(YiwangError):
    code = "anchors_disagree"
    message = "the anchored heads in {one} and in {other} differ at line {n}"
    remedy = "somebody changed one of them: nothing is signed until the true copy is back; see docs/audit.md"
    zh = "{one} 与 {other} 中的锚定值在第 {n} 行不同"
    zh_remedy = "其中一份被改动过：恢复真本之前不再签名，见 docs/audit.md"


def anchorer_of(
    settings: Settings,
    engine: Engine,
    clock: Clock,
    bus: Bus | None = None,
    tell: Callable[[str, str], None] | None = None,
) -> Anchorer:
    """The installation's anchorer: ``<data_dir>/audit/heads.jsonl``, its own key, the database and the bus."""
    path, keys = settings.data_dir / "audit" / "heads.jsonl", settings.data_dir / "keys"
    second = open_sm2_key(keys) if settings.audit_sm2 else None
    return Anchorer(engine, clock, path, open_seal(keys), BusAnchors(bus) if bus else None, tell, second)


class Anchorer:
    """Writes the heads that moved to ``path``, the database and the bus.

    ``tell(chain_id, detail)`` is called once for each chain that contradicts what was anchored.  ``second`` signs each
    line with SM2, too (``sm2``; ``sm2_key`` names it below both signatures, so that it cannot be taken off).
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        path: Path,
        seal: EvidenceSeal,
        bus: BusAnchors | None = None,
        tell: Callable[[str, str], None] | None = None,
        second: Sm2Key | None = None,
    ) -> None:
        self._engine, self._clock, self._path, self._seal, self._second = engine, clock, path, seal, second
        self._database, self._bus, self._tell = DatabaseAnchors(engine), bus, tell
        self._recent: dict[str, tuple[int, datetime]] = {}
        self._anchored: AnchoredHeads | None = None  # None: the lines were not read yet
        self._count, self._prev, self._since = 0, GENESIS, _START
        self._size = -1  # unknown: read the tail before the first line
        self.contradictions: dict[str, str] = {}

    def run_once(self, elsewhere: Iterable[bytes] = ()) -> int:
        """Anchor what moved since the last time; how many heads were written.

        ``elsewhere``: lines of a third place (the bus), where the file and the database are shorter.
        :class:`AnchorsDisagree` when the places tell different things: then nothing is signed.
        """
        if self._anchored is None:
            self._begin(elsewhere)
        with read_scope(self._engine) as session:
            heads = [h for h in self._moved(session) if self._recent.get(h[0], (0, None))[0] < h[1]]
            heads = self._without_contradictions(session, heads)
        now = self._clock.now()
        for first in range(0, len(heads), _HEADS_A_LINE):
            self._write(heads[first : first + _HEADS_A_LINE], now)
        self._recent |= {chain_id: (seq, now) for chain_id, seq, _ in heads}
        self._recent = {k: v for k, v in self._recent.items() if v[1] > now - 2 * _SLACK}
        self._since = now
        return len(heads)

    async def run(self) -> None:
        """Anchor every :data:`EVERY_S` seconds until cancelled; what is left is anchored at the next start."""
        while True:
            lines = await self._from_bus() if self._anchored is None else []
            try:
                await asyncio.to_thread(self.run_once, lines)
            except (IsADirectoryError, NotADirectoryError, PermissionError, InputInvalid) as error:
                self._contradiction("anchors", f"the anchor file cannot be used: {error}")
                raise
            await self._to_bus()
            await asyncio.sleep(EVERY_S)

    async def _from_bus(self) -> list[bytes]:
        """The bus's lines when it knows more than file and database together, else nothing."""
        last = await self._bus.last() if self._bus is not None else None
        if self._bus is None or last is None:
            return []
        here = await asyncio.to_thread(self._longest)
        return await self._bus.lines() if last[0] > here else []

    def _longest(self) -> int:
        in_file = sum(1 for _ in file_lines(self._path))
        last = self._database.last()
        return max(in_file, last[0] if last else 0)

    async def _to_bus(self) -> None:
        """Send the bus what it lacks; a bus that is away gets it later."""
        if self._bus is None:
            return
        last = await self._bus.last()
        missing = await asyncio.to_thread(lambda: list(self._database.lines(last[0] if last else 0)))
        try:
            for _, line in missing:
                await self._bus.add(line)
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            log.info("anchors could not be sent to the bus: %s", error)

    def _begin(self, elsewhere: Iterable[bytes]) -> None:
        """Read every line of every place: they must tell one story; go on from the longest."""
        story = _Story(self._seal)
        in_file = story.read("the anchor file", file_lines(self._path), trusted=True)
        story.read("the database", (line for _, line in self._database.lines()))
        story.read("the bus", elsewhere)
        self._count, self._prev, self._since = story.count, story.prev, story.at
        for detail in story.problems:
            self._contradiction("anchors", detail)
        self._mend(in_file)
        self._anchored = story.anchored

    def _mend(self, in_file: int) -> None:
        """A crash between two places leaves one line out of one of them: it is written there now."""
        self._database.add(file_lines(self._path))
        last = self._database.last()
        if last is not None and last[0] == in_file + 1 == self._count:
            self._append(last[1])
        elif in_file < self._count:
            detail = f"the anchor file ends at line {in_file}, {self._count} were written"
            self._contradiction("anchors", detail)

    def _without_contradictions(self, session: Session, heads: list[Head]) -> list[Head]:
        """``heads`` of the chains that still hold what was anchored of them."""
        assert self._anchored is not None
        before = self._anchored.of([chain_id for chain_id, _, _ in heads])
        held: set[Head] = set()
        wanted = [(chain_id, seq) for chain_id, (seq, _) in before.items()]
        for first in range(0, len(wanted), 400):
            keys = tuple_(AuditEntry.chain_id, AuditEntry.seq).in_(wanted[first : first + 400])
            rows = session.execute(select(AuditEntry.chain_id, AuditEntry.seq, AuditEntry.hash).where(keys))
            held |= {(row.chain_id, row.seq, row.hash) for row in rows}
        sound = []
        for head in heads:
            last = before.get(head[0])
            if last is not None and (head[0], *last) not in held:
                self._contradiction(head[0], f"entry {last[0]} is not the one that was anchored: not signed")
            elif last is None or head[1] > last[0]:
                sound.append(head)
        return sound

    def _contradiction(self, chain_id: str, detail: str) -> None:
        if chain_id in self.contradictions:
            return
        self.contradictions[chain_id] = detail
        log.error("audit chain %s: %s", chain_id, detail)
        if self._tell is not None:
            self._tell(chain_id, detail)

    def _moved(self, session: Session) -> list[Head]:
        last = (
            select(AuditEntry.chain_id, func.max(AuditEntry.seq).label("seq"))
            .where(AuditEntry.at > self._since - _SLACK)
            .group_by(AuditEntry.chain_id)
            .subquery()
        )
        rows = session.execute(
            select(AuditEntry.chain_id, AuditEntry.seq, AuditEntry.hash)
            .join(last, (last.c.chain_id == AuditEntry.chain_id) & (last.c.seq == AuditEntry.seq))
            .order_by(AuditEntry.at, AuditEntry.chain_id)
        )
        return [(row.chain_id, row.seq, row.hash) for row in rows]

    def _write(self, heads: list[Head], now: datetime) -> None:
        """One line into the file, then into the database: what is signed is on the disk first."""
        assert self._anchored is not None
        line = self._append(b"", heads, now)
        self._database.add([line])
        self._anchored.learn(heads)

    def _append(self, line: bytes, heads: list[Head] | None = None, now: datetime | None = None) -> bytes:
        """Append ``line``, or a new one of ``heads``; the line."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # a worker that was taken over may still be writing
            if heads is not None and now is not None:
                if self._size >= 0 and file.tell() != self._size:
                    self._follow()
                line = self._line(heads, now)
                self._count, self._prev = self._count + 1, hashlib.sha256(line).hexdigest()
            if file.tell() and not _ends_a_line(self._path):
                file.write(b"\n")  # a power cut tore the last line: it stays, and the next one skips it
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
            self._size = file.tell()
        return line

    def _follow(self) -> None:
        """Somebody else wrote to the file: go on after him when he is further."""
        for line in file_lines(self._path):
            body = read_line(line)
            if body is not None and int(body["n"]) > self._count:
                self._count, self._prev = int(body["n"]), hashlib.sha256(line).hexdigest()

    def _line(self, heads: list[Head], now: datetime) -> bytes:
        body: dict[str, Any] = {"n": self._count + 1, "at": stamp(now), "heads": heads, "prev": self._prev}
        body["key"] = self._seal.fingerprint
        if self._second is not None:
            body["sm2_key"] = hashlib.sha256(self._second.public_pem).hexdigest()
        signed = signed_part(body)
        body["sig"] = base64.b64encode(self._seal.sign(signed)).decode()
        if self._second is not None:
            body["sm2"] = base64.b64encode(self._second.sign(signed)).decode()
        return canonical(body)


class _Story:
    """What the anchor lines of several places tell together: as far as the longest of them goes."""

    def __init__(self, seal: EvidenceSeal) -> None:
        self._key = read_public_key(seal.public_pem)
        self._hashes = bytearray()  # 32 bytes a line
        self.anchored = AnchoredHeads()
        self.at = _START
        self.problems: list[str] = []

    @property
    def count(self) -> int:
        return len(self._hashes) // 32

    @property
    def prev(self) -> str:
        return self._hash(self.count) if self.count else GENESIS

    def _hash(self, n: int) -> str:
        return bytes(self._hashes[32 * (n - 1) : 32 * n]).hex()

    def read(self, place: str, lines: Iterable[bytes], *, trusted: bool = False) -> int:
        """Go through the lines of a place; the highest number found.  :class:`AnchorsDisagree` where two places differ.

        Signatures are asked of what no other place has told; the file's lines are held together by their hashes.
        """
        highest = 0
        for line in lines:
            body = read_line(line)
            if body is None:
                continue
            n, digest = int(body["n"]), hashlib.sha256(line).digest()
            if n > self.count + _MOST_MISSING:
                self.problems.append(f"a line of {place} says that it is number {n}: it is left out")
                continue
            highest = max(highest, n)
            if n <= self.count:
                if self._hash(n) != digest.hex() and any(self._hashes[32 * (n - 1) : 32 * n]):
                    raise AnchorsDisagree(one=place, other="another place", n=n)
            elif not trusted and not is_ours(self._key, body):
                self.problems.append(f"line {n} of {place} was not signed here: it is left out")
                continue
            if n > self.count:
                self._hashes += bytes(32 * (n - 1 - self.count)) + digest
                self.anchored.learn(body["heads"])
                self.at = max(self.at, datetime.fromisoformat(body["at"]))
        return highest


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
