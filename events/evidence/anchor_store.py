"""Where anchor lines lie beside the file: in the database, and on the bus (on other machines where it is a cluster).

Each line chains the one before by its hash, so two places that agree on a line agree on everything before it.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import nats.errors
import nats.js.errors
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from core.bus import AUDIT_SUBJECT, Bus
from core.errors import InputInvalid
from events.evidence.audit_log import canonical
from events.evidence.signatures import is_signed
from events.evidence.sm2 import is_signed_sm2
from storage.session import read_scope, session_scope
from storage.tables.operations import AuditAnchor

MAX_LINE_BYTES = 4_000_000  # a line of ours holds up to 500 heads, 60 kB
MAX_NUMBER = 1_000_000_000  # of lines, and of links of a chain
Head = tuple[str, int, str]  # chain_id, seq, hash


def read_line(line: bytes) -> dict[str, Any] | None:
    """A line's content, None for what is no anchor line: whoever wrote it, every part is of the kind it should be."""
    try:
        body = json.loads(line) if len(line) <= MAX_LINE_BYTES else None
        return body if isinstance(body, dict) and _is_well_formed(body) else None
    except (ValueError, RecursionError):
        return None


def _is_well_formed(body: dict[str, Any]) -> bool:
    n, heads, texts = body.get("n"), body.get("heads"), [body.get(name) for name in ("at", "prev", "sig")]
    if type(n) is not int or not 0 < n <= MAX_NUMBER or not all(isinstance(text, str) for text in texts):
        return False
    canonical(body)  # a text that cannot be written is refused with ValueError
    dated = datetime.fromisoformat(str(texts[0])).tzinfo is not None
    return dated and isinstance(heads, list) and all(_is_head(head) for head in heads)


def _is_head(head: Any) -> bool:
    if not isinstance(head, list) or len(head) != 3:
        return False
    chain_id, seq, value = head
    return isinstance(chain_id, str) and type(seq) is int and 0 <= seq <= MAX_NUMBER and isinstance(value, str)


def is_ours(key: Any, body: dict[str, Any]) -> bool:
    """Does the line's signature fit ``key``?"""
    try:
        signature = base64.b64decode(str(body["sig"]), validate=True)
    except ValueError:
        return False
    return is_signed(key, signature, signed_part(body))


def signed_part(body: dict[str, Any]) -> bytes:
    """The bytes of a line that its signatures are of."""
    return canonical({k: v for k, v in body.items() if k not in {"sig", "sm2"}})


def is_ours_sm2(public_pem: bytes, body: dict[str, Any]) -> bool:
    """Does the line's second signature fit the SM2 key?"""
    try:
        signature = base64.b64decode(str(body.get("sm2", "")), validate=True)
    except ValueError:
        return False
    return is_signed_sm2(public_pem, signature, signed_part(body))


def raw_lines(path: Path) -> Iterator[bytes]:
    """The lines of the anchor file, in order; none where there is no file.  One that is too long comes in pieces."""
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES + 1):
                yield line.rstrip(b"\n")
    except OSError as error:
        how = "let this account read it, or name a copy with --anchors"
        raise InputInvalid(field="anchors", detail=str(error), how=how) from error


def file_lines(path: Path) -> Iterator[bytes]:
    """The readable lines of the anchor file, in order."""
    return (raw for raw in raw_lines(path) if read_line(raw) is not None)


class DatabaseAnchors:
    """The anchor lines in the table ``audit_anchor``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def last(self) -> tuple[int, bytes] | None:
        """Number and text of the last line."""
        with read_scope(self._engine) as session:
            row = session.scalars(select(AuditAnchor).order_by(AuditAnchor.n.desc()).limit(1)).first()
            return (row.n, row.line.encode()) if row is not None else None

    def count(self) -> int:
        """How many lines there are; 0 in a database that knows no such table yet."""
        try:
            with read_scope(self._engine) as session:
                return session.scalar(select(func.count()).select_from(AuditAnchor)) or 0
        except SQLAlchemyError:
            return 0

    def lines(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Lines numbered above ``after``, in order."""
        with read_scope(self._engine) as session:
            query = select(AuditAnchor.n, AuditAnchor.line).where(AuditAnchor.n > after).order_by(AuditAnchor.n)
            for row in session.execute(query.execution_options(yield_per=500)):
                yield row.n, row.line.encode()

    def add(self, lines: Iterable[bytes]) -> None:
        """Append the lines that come after the last one; what is there already stays."""
        last = self.last()
        after = last[0] if last else 0
        with session_scope(self._engine) as session:
            for line in lines:
                n = int(json.loads(line)["n"])
                if n > after:
                    session.add(AuditAnchor(n=n, line=line.decode()))


class BusAnchors:
    """The anchor lines on the stream ``AUDIT``, from which nobody can delete."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def last(self) -> tuple[int, bytes] | None:
        """Number and text of the last line; None when there is none or the bus does not answer."""
        subject = self._bus.subject(AUDIT_SUBJECT)
        try:
            message = await self._bus.js.get_last_msg(self._bus.stream("AUDIT"), subject)
        except (nats.js.errors.Error, nats.errors.Error, TimeoutError):
            return None
        line = bytes(message.data or b"")
        body = read_line(line)
        return (int(body["n"]), line) if body is not None else None

    async def lines(self) -> list[bytes]:
        """Every line, in order: for a start without file and rows."""
        found: list[bytes] = []
        stream = self._bus.stream("AUDIT")
        info = await self._bus.js.stream_info(stream)
        for seq in range(info.state.first_seq, info.state.last_seq + 1):
            try:
                found.append(bytes((await self._bus.js.get_msg(stream, seq)).data or b""))
            except nats.js.errors.NotFoundError:
                continue
        return found

    async def add(self, line: bytes) -> None:
        """Append one line; sent twice it is stored once."""
        body = json.loads(line)
        headers = {"Nats-Msg-Id": f"anchor-{body['n']}-{body['prev'][:16]}"}
        await self._bus.js.publish(self._bus.subject(AUDIT_SUBJECT), line, headers=headers)


class AnchoredHeads:
    """The last anchored head of each chain: a private temporary database, built from the lines at every start."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", check_same_thread=False)
        self._database.execute("CREATE TABLE head (chain TEXT PRIMARY KEY, seq INTEGER, hash TEXT) WITHOUT ROWID")

    def learn(self, heads: Iterable[Sequence[Any]]) -> None:
        """Note the heads of a line."""
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO head VALUES (?, ?, ?)", [tuple(h) for h in heads])

    def of(self, chains: Sequence[str]) -> dict[str, tuple[int, str]]:
        """The last anchored head of those among ``chains`` that have one."""
        found: dict[str, tuple[int, str]] = {}
        for first in range(0, len(chains), 500):
            some = chains[first : first + 500]
            marks = ",".join("?" * len(some))
            with closing(self._database.execute(f"SELECT * FROM head WHERE chain IN ({marks})", some)) as rows:  # noqa: S608
                found |= {chain: (seq, value) for chain, seq, value in rows}
        return found

    def close(self) -> None:
        """Forget everything."""
        self._database.close()
