"""What a connection that tells other platforms of case changes may be set to, and the body that it sends.  Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from core.bounds import check_url
from core.records import CaseChanged

_NAME = re.compile(r"\{([\w.]+)\}")
LONGEST = 10_000


class PushParams(msgspec.Struct, frozen=True, kw_only=True):
    """``template``: the body, with ``{name}`` for facts of the case (docs/connections.md); empty: a CloudEvent.

    ``commands``: after which commands; empty: all; ``classes`` (prefixes of class codes) and ``departments`` likewise.
     ``words``: our command → the receiver's word, ``{word}``.
    ``of_connection``: only cases that are orders of that connection; only then are confidential ones told.
    ``sign``: ``bearer`` (secret ``token``), ``hotline`` (``app_id``, ``app_secret``), ``yiwang`` (``signing_secret``).
    ``ok_path`` and ``ok``: where a 2xx answer says that it was taken, and with which words.
    """

    url: str
    template: dict[str, Any] = {}
    headers: dict[str, str] = {}
    commands: list[str] = []
    words: dict[str, str] = {}
    of_connection: str = ""
    min_severity: int = 1
    classes: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    sign: Literal["none", "bearer", "hotline", "yiwang"] = "yiwang"
    app_id: str = ""
    ok_path: str = ""
    ok: tuple[str, ...] = ("0", "200")

    def __post_init__(self) -> None:
        check_url("url", self.url)
        if not 1 <= self.min_severity <= 4:
            raise ValueError("min_severity: 1 to 4")

    def wants(self, change: CaseChanged, order_of: str) -> bool:
        """Whether ``change`` is told; ``order_of``: the connection whose order the case is, "" for none."""
        mine = not self.of_connection or self.of_connection == order_of
        told = not change.confidential or bool(self.of_connection)
        fits = (not self.commands or change.command in self.commands) and int(change.severity) >= self.min_severity
        of_class = not self.classes or change.class_code.startswith(self.classes)
        theirs = not self.departments or bool(set(self.departments) & set(change.department_ids))
        return mine and told and fits and of_class and theirs


def filled(template: Any, facts: Mapping[str, Any]) -> Any:
    """``template`` with its ``{name}`` filled; a text that is one ``{name}`` becomes the value itself."""
    if isinstance(template, dict):
        return {name: filled(inner, facts) for name, inner in template.items()}
    if isinstance(template, list):
        return [filled(inner, facts) for inner in template]
    if not isinstance(template, str):
        return template
    whole = _NAME.fullmatch(template)
    if whole:
        return _fact(facts, whole[1])
    return _NAME.sub(lambda m: str(_fact(facts, m[1]) or ""), template)[:LONGEST]


def _fact(facts: Mapping[str, Any], name: str) -> Any:
    found: Any = facts
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
