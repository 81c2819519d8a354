"""The query options of SensorThings (OData 4 as 18-088 §9.3 uses it): parsed once, then applied to entities.  Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import InputInvalid
from dashboard.sensorthings.filters import Node, parse_filter

MAX_DEPTH = 5
_OPTIONS = ("$top", "$skip", "$count", "$orderby", "$filter", "$select", "$expand", "$resultFormat", "api_key")


@dataclass(frozen=True)
class Options:
    """What a request asks for; ``top`` None: the server's page."""

    top: int | None = None
    skip: int = 0
    count: bool = False
    order: tuple[tuple[str, bool], ...] = ()
    filter: Node | None = None
    filter_text: str = ""
    select: tuple[str, ...] = ()
    expand: tuple[tuple[str, Options], ...] = field(default_factory=tuple)
    names: tuple[str, ...] = ()  # of the properties that filter and order ask about


def parse(pairs: Mapping[str, str], depth: int = 0) -> Options:
    """Query parameters as options; :class:`InputInvalid` names the one that is wrong."""
    for name in pairs:
        if name not in _OPTIONS:
            raise InputInvalid(field=name[:40], detail="is not understood", how=f"use {', '.join(_OPTIONS[:7])}")
    count = pairs.get("$count", "false").strip().lower()
    if count not in {"true", "false"}:
        raise InputInvalid(field="$count", detail=f"{count[:20]!r}", how="use true or false")
    order = tuple(_order(part) for part in split(pairs.get("$orderby", ""), ","))
    text = pairs.get("$filter", "").strip()
    wanted, names = parse_filter(text) if text else (None, ())
    return Options(
        top=_whole(pairs, "$top"),
        skip=_whole(pairs, "$skip") or 0,
        count=count == "true",
        order=order,
        filter=wanted,
        filter_text=text,
        select=tuple(part.strip() for part in split(pairs.get("$select", ""), ",")),
        expand=tuple(_expansion(part, depth) for part in split(pairs.get("$expand", ""), ",")),
        names=(*names, *(name for name, _ in order)),
    )


def _whole(pairs: Mapping[str, str], name: str) -> int | None:
    text = pairs.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InputInvalid(field=name, detail=f"{text[:40]!r} is no whole number from 0", how="send a number")
    return int(text)


def _order(part: str) -> tuple[str, bool]:
    words = part.split()
    if not 1 <= len(words) <= 2 or (len(words) == 2 and words[1].lower() not in {"asc", "desc"}):
        raise InputInvalid(field="$orderby", detail=f"{part[:60]!r}", how="write a property, then asc or desc")
    return words[0], words[-1].lower() == "desc" and len(words) == 2


def _expansion(part: str, depth: int) -> tuple[str, Options]:
    """``Datastreams($top=1;$expand=…)`` or ``Datastreams/Observations``."""
    if depth >= MAX_DEPTH:
        raise InputInvalid(field="$expand", detail=f"deeper than {MAX_DEPTH}", how="ask for less at once")
    found = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\)|/(.+))?\s*", part, re.DOTALL)
    if not found:
        raise InputInvalid(field="$expand", detail=f"{part[:60]!r}", how="write Datastreams($top=1),Locations")
    if found[3]:
        return found[1], Options(expand=(_expansion(found[3], depth + 1),))
    pairs = {}
    for option in split(found[2] or "", ";"):
        name, _, value = option.partition("=")
        pairs[name.strip()] = value
    return found[1], parse(pairs, depth + 1)


def split(text: str, mark: str) -> list[str]:
    """``text`` at every ``mark`` outside parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for k, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif not quoted and letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == mark and not quoted and depth == 0:
            parts.append(text[start:k])
            start = k + 1
    return [part for part in [*parts, text[start:]] if part.strip()]
