"""Heads of the audit chains, written down outside the database: an append-only file of signed, chained lines.

Who can rewrite the database can rewrite a hash chain to its end; he cannot make the file agree with it.  Each line
holds the heads that moved, the hash of the line before and an Ed25519 signature.  Keep the file on another machine, on
write-once media or in a mirrored stream (docs/audit.md).
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.settings import Settings
from events.evidence.audit_log import GENESIS, Flaw, canonical, stamp
from events.evidence.signatures import Seal, is_signed, open_seal, read_public_key
from storage.session import read_scope
from storage.tables.cases import AuditEntry

_SLACK = timedelta(hours=1)  # stamps may come late by as much as machines' clocks differ
_HEADS_A_LINE = 500
EVERY_S = 60.0
Head = tuple[str, int, str]  # chain_id, seq, hash


def anchorer_of(settings: Settings, engine: Engine, clock: Clock) -> Anchorer:
    """The installation's anchorer: ``<data_dir>/audit/heads.jsonl``, its own key."""
    return Anchorer(engine, clock, settings.data_dir / "audit" / "heads.jsonl", open_seal(settings.data_dir / "keys"))


class Anchorer:
    """Writes the heads that moved to ``path``; ``publish`` (a bus subject, say) gets every line as well."""

    def __init__(
        self, engine: Engine, clock: Clock, path: Path, seal: Seal, publish: Callable[[bytes], None] | None = None
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._path = path
        self._seal = seal
        self._publish = publish
        self._recent: dict[str, tuple[int, datetime]] = {}
        self._count, self._prev, self._since = _tail(path)
        self._size = -1  # unknown: read the tail before the first line

    def run_once(self) -> int:
        """Anchor what moved since the last time; how many heads were written."""
        with read_scope(self._engine) as session:
            heads = [h for h in self._moved(session) if self._recent.get(h[0], (0, None))[0] < h[1]]
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
            await asyncio.to_thread(self.run_once)
            await asyncio.sleep(EVERY_S)

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
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # a worker that was taken over may still be writing
            if file.tell() != self._size:
                self._count, self._prev, _ = _tail(self._path)
            line = self._line(heads, now)
            if file.tell() and not _ends_a_line(self._path):
                file.write(b"\n")  # a power cut tore the last line: it stays, and the next one skips it
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
            self._size = file.tell()
        self._count, self._prev = self._count + 1, hashlib.sha256(line).hexdigest()
        if self._publish is not None:
            self._publish(line)

    def _line(self, heads: list[Head], now: datetime) -> bytes:
        body: dict[str, Any] = {"n": self._count + 1, "at": stamp(now), "heads": heads, "prev": self._prev}
        body["key"] = self._seal.fingerprint
        body["sig"] = base64.b64encode(self._seal.sign(canonical(body))).decode()
        return canonical(body)


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _tail(path: Path) -> tuple[int, str, datetime]:
    """Number and hash of the last whole line, and its time."""
    count, prev, at = 0, GENESIS, datetime(1970, 1, 1, tzinfo=UTC) + _SLACK
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                body = _read(line)
                if body is not None:
                    count, prev = int(body["n"]), hashlib.sha256(line.rstrip(b"\n")).hexdigest()
                    at = datetime.fromisoformat(body["at"])
    return count, prev, at


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(line)
    except ValueError:
        return None
    return body if isinstance(body, dict) and {"n", "at", "heads", "prev", "sig"} <= set(body) else None


def check_anchors(path: Path, public_pem: bytes) -> tuple[dict[str, Head], list[Flaw], int]:
    """``(last anchored head of each chain, flaws of the file, lines read)``."""
    key = read_public_key(public_pem)
    heads: dict[str, Head] = {}
    flaws: list[Flaw] = []
    prev, count, torn = GENESIS, 0, 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            raw = line.rstrip(b"\n")
            body = _read(raw)
            if body is None:
                torn = number
                continue
            if canonical(body) != raw:
                flaws.append(_flaw(number, "is not written as we write"))
            signature = _signature(body)
            unsigned = {k: v for k, v in body.items() if k != "sig"}
            if not is_signed(key, signature, canonical(unsigned)):
                flaws.append(_flaw(number, "its signature does not fit"))
            if body["prev"] != prev:
                lost = f" (line {torn} cannot be read)" if torn else ""
                flaws.append(_flaw(number, f"does not follow from the line before{lost}"))
            torn = 0
            prev, count = hashlib.sha256(raw).hexdigest(), count + 1
            heads |= {chain_id: (chain_id, seq, value) for chain_id, seq, value in body["heads"]}
    if torn:
        flaws.append(_flaw(torn, "the last line cannot be read"))
    return heads, flaws, count


def _signature(body: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(str(body["sig"]), validate=True)
    except ValueError:
        return b""


def _flaw(line: int, detail: str) -> Flaw:
    return Flaw(chain_id="anchors", seq=line, detail=detail)
