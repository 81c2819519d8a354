"""What passes between the outside door and the inside: a submission goes in, a view comes back by its code.

Two verbs, whichever way they travel: ``submit`` inserts, ``read`` looks up by the SHA-256 of a code.  ``page`` reads
what everybody may see (guides, places); it is a read by a public name.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol

import msgspec

from core.one_time import ALPHABET, CODE_LENGTH
from core.records import JSON, Record

SUBMIT, READ, PAGE = "outside.submit", "outside.read", "outside.page"
USER = "yiwang-outside"  # its account on the bus: these three subjects, nothing else
INBOX = "_OUTSIDE"
KINDS = ("report", "help", "complaint", "photo", "phone", "confirm", "rating", "answer", "count")
MAX_BODY = 20_000  # bytes of a body as JSON
MAX_DATA = 500_000  # bytes of a photograph: a message of the bus holds 1 MB, in base64


class Submission(Record, frozen=True):
    """What somebody sends in.  ``request_id`` comes from the opened form, so that a second tap is the same request."""

    request_id: str
    token_hash: str
    kind: str
    body: dict[str, JSON] = {}
    data: bytes = b""
    language: str = "zh"


class Wanted(Record, frozen=True):
    """``name``: the hash of a code, or the name of a page."""

    name: str


class Answer(Record, frozen=True, omit_defaults=False):
    """``found`` False: there is no such code.  ``state``: new, taken, refused.  ``problem``: the inside did not take
    the submission (a code of ours, never what the database says)."""

    found: bool = True
    state: str = ""
    view: dict[str, JSON] = {}
    problem: str = ""


class Door(Protocol):
    """The way in."""

    async def submit(self, submission: Submission) -> None:
        """Hand it in; once is enough, twice is the same.  :class:`DoorClosed` when nobody takes it now."""
        ...

    async def read(self, token_hash: str) -> Answer:
        """What the holder of the code may see."""
        ...

    async def page(self, name: str) -> dict[str, JSON]:
        """A public page; empty where there is none."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


def code_for(secret: str, key: str) -> tuple[str, str]:
    """``(request id, code)`` of the form opened under ``key``: the same for a second tap, unknown to anybody else."""
    digest = hmac.new(secret.encode(), key.encode(), hashlib.sha256).digest()
    number = int.from_bytes(digest, "big")
    code = "".join(ALPHABET[number >> 5 * i & 31] for i in range(CODE_LENGTH))
    return hashlib.sha256(b"request" + digest).hexdigest()[:32], code


def too_large(submission: Submission) -> bool:
    """Is it more than the door carries?"""
    return len(msgspec.json.encode(submission.body)) > MAX_BODY or len(submission.data) > MAX_DATA
