"""An electronic licence as a platform tells of it, and the verdict on it.  Pure."""

from __future__ import annotations

from datetime import date

from core.codes.licences import check_licence_id
from core.codes.result import normalise
from core.records import Record

STATES = ("valid", "revoked", "withdrawn", "cancelled", "expired", "other")
"""有效 吊销 撤销 注销 过期 其他 (GB/T 36903)."""


class LicenceFound(Record, frozen=True):
    """What a platform knows of a licence; ``state_word``: the state as it said it."""

    identifier: str = ""
    name: str = ""
    holder: str = ""
    issuer: str = ""
    state: str = "other"
    state_word: str = ""
    issued: date | None = None
    valid_until: date | None = None
    link: str = ""


def identifier_problems(identifier: str) -> tuple[str, ...]:
    """Why ``identifier`` cannot be one of GB/T 36904: codes of ``check_licence_id``; empty when it can."""
    checked = check_licence_id(identifier)
    return () if checked.valid else tuple(f"identifier_{problem}" for problem in checked.problems)


def verdict(identifier: str, holder: str, found: LicenceFound | None, today: date) -> tuple[str, ...]:
    """Why the licence cannot be relied on: empty means that it can.

    Codes: ``not_found``, ``identifier_differs``, ``holder_differs``, ``expired``, ``not_yet_valid`` and ``state_…``
    (``revoked``, ``withdrawn``, ``cancelled``, ``other``).
    """
    if found is None:
        return ("not_found",)
    problems = []
    if found.identifier and normalise(found.identifier) != normalise(identifier):
        problems.append("identifier_differs")
    if holder.strip() and _plain(found.holder) != _plain(holder):
        problems.append("holder_differs")
    over = found.valid_until is not None and found.valid_until < today
    if over or found.state == "expired":
        problems.append("expired")
    elif found.state != "valid":
        problems.append(f"state_{found.state}")
    if found.issued is not None and found.issued > today:
        problems.append("not_yet_valid")
    return tuple(problems)


def _plain(name: str) -> str:
    """A name without what printers and platforms set differently: blanks, full-width letters and brackets."""
    return "".join(normalise(name).split()).replace("(", "（").replace(")", "）").casefold()
