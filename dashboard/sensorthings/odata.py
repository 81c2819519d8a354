"""The query options of SensorThings (OData 4 as 18-088 §9.3 uses it): parsed once, then applied to entities.  Pure.

Understood in ``$filter``: eq ne gt ge lt le, and or not, parentheses, add sub mul div mod, substringof contains
startswith endswith length tolower toupper trim, year month day hour minute second, geo.intersects st_intersects
st_within geo.distance st_distance, literals (numbers, 'texts', times, true false null, geography'WKT').
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.errors import InputInvalid
from core.late import Late

if TYPE_CHECKING:
    import shapely
else:
    shapely = Late("shapely")

Resolve = Callable[[Any, str], Any]  # (entity, navigation property) -> entity or list of entities
Node = Callable[[Any, Resolve], Any]
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
    return Options(
        top=_whole(pairs, "$top"),
        skip=_whole(pairs, "$skip") or 0,
        count=count == "true",
        order=order,
        filter=parse_filter(text) if text else None,
        filter_text=text,
        select=tuple(part.strip() for part in split(pairs.get("$select", ""), ",")),
        expand=tuple(_expansion(part, depth) for part in split(pairs.get("$expand", ""), ",")),
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
    if not 1 <= len(words) <= 2 or (len(words) == 2 and words[1] not in {"asc", "desc"}):
        raise InputInvalid(field="$orderby", detail=f"{part[:60]!r}", how="write a property, then asc or desc")
    return words[0], words[-1] == "desc" and len(words) == 2


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


# filter ---------------------------------------------------------------
_TOKEN = re.compile(
    r"\s*(?:(?P<geo>geography'(?:[^']|'')*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?)|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<mark>[(),])|(?P<name>[@A-Za-z_][\w.@]*(?:/[@A-Za-z_][\w.@]*)*))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip
_SUMS: dict[str, Callable[[float, float], float]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "mod": operator.mod,
}  # fmt: skip


def parse_filter(text: str) -> Node:
    """``$filter`` as a function of an entity."""
    if len(text) > 10_000:
        raise InputInvalid(field="$filter", detail="longer than 10,000 characters", how="shorten it")
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if not found or found.lastgroup is None:
            raise _wrong(text[at : at + 40])
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    parser = _Parser(tokens)
    node = parser.either()
    if parser.rest:
        raise _wrong(parser.rest[0][1])
    return node


def _wrong(text: str) -> InputInvalid:
    return InputInvalid(field="$filter", detail=f"{text.strip()[:60]!r} is not understood", how="see docs/api.md")


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.rest = tokens
        self._depth = 0

    def _next(self) -> tuple[str, str]:
        if not self.rest:
            raise _wrong("the end")
        return self.rest.pop(0)

    def _takes(self, *names: str) -> str:
        if self.rest and self.rest[0][1].lower() in names and self.rest[0][0] in {"name", "mark"}:
            return self.rest.pop(0)[1].lower()
        return ""

    def either(self) -> Node:
        self._depth += 1
        if self._depth > 60:
            raise _wrong("so many parentheses")
        left = self._both()
        while self._takes("or"):
            left = _logic(any, left, self._both())
        self._depth -= 1
        return left

    def _both(self) -> Node:
        left = self._negated()
        while self._takes("and"):
            left = _logic(all, left, self._negated())
        return left

    def _negated(self) -> Node:
        if self._takes("not"):
            inner = self._negated()
            return lambda e, r: not inner(e, r)
        return self._compared()

    def _compared(self) -> Node:
        left = self._summed()
        sign = self._takes(*_COMPARE)
        return _comparison(_COMPARE[sign], left, self._summed(), sign) if sign else left

    def _summed(self) -> Node:
        left = self._single()
        while sign := self._takes(*_SUMS):
            left = _sum(_SUMS[sign], left, self._single())
        return left

    def _single(self) -> Node:
        kind, text = self._next()
        if text == "(":
            inner = self.either()
            if self._next()[1] != ")":
                raise _wrong("(")
            return inner
        if kind == "name" and self.rest and self.rest[0][1] == "(":
            return self._call(text.lower())
        return _literal(kind, text)

    def _call(self, name: str) -> Node:
        self.rest.pop(0)
        arguments: list[Node] = []
        while not self._takes(")"):
            arguments.append(self.either())
            self._takes(",")
            if len(arguments) > 3:
                raise _wrong(name)
        function = _FUNCTIONS.get(name)
        if function is None or not arguments:
            raise _wrong(name)

        def called(entity: Any, resolve: Resolve) -> Any:
            try:
                return function(*[a(entity, resolve) for a in arguments])
            except (TypeError, ValueError, AttributeError, shapely.errors.ShapelyError):
                return None

        return called


def _literal(kind: str, text: str) -> Node:
    value: Any
    if kind == "geo":
        try:
            value = shapely.from_wkt(text[len("geography'") : -1])
        except shapely.errors.ShapelyError as error:
            raise _wrong(text) from error
    elif kind == "text":
        value = text[1:-1].replace("''", "'")
    elif kind == "number":
        value = float(text)
    elif kind == "time":
        value = _moment(text)
        if value is None:
            raise _wrong(text)
    elif kind == "name" and text in {"true", "false", "null"}:
        value = {"true": True, "false": False, "null": None}[text]
    elif kind == "name":
        steps = text.split("/")
        return lambda e, r: value_at(e, steps, r)
    else:
        raise _wrong(text)
    return lambda e, r: value


def value_at(entity: Any, steps: list[str], resolve: Resolve) -> Any:
    """The property at a path, through navigation properties where need be (of several: any that fits)."""
    for step in steps:
        name = "@iot.id" if step == "id" else step
        if isinstance(entity, list):
            entity = entity[0] if entity else None
        if not isinstance(entity, Mapping):
            return None
        entity = entity[name] if name in entity else resolve(entity, name)
    return entity


def _logic(join: Callable[[Any], bool], left: Node, right: Node) -> Node:
    return lambda e, r: join(bool(node(e, r)) for node in (left, right))


def _sum(function: Callable[[float, float], float], left: Node, right: Node) -> Node:
    def added(entity: Any, resolve: Resolve) -> Any:
        try:
            return function(left(entity, resolve), right(entity, resolve))
        except (TypeError, ZeroDivisionError):
            return None

    return added


def _comparison(function: Callable[[Any, Any], bool], left: Node, right: Node, sign: str) -> Node:
    def compared(entity: Any, resolve: Resolve) -> bool:
        a, b = _alike(left(entity, resolve), right(entity, resolve))
        if a is None or b is None:
            return function(a, b) if sign in {"eq", "ne"} else False
        try:
            return bool(function(a, b))
        except TypeError:
            return sign == "ne"

    return compared


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    """Two values of one type: a time beside a text is compared as time, an interval by its beginning."""
    if isinstance(a, datetime) and isinstance(b, str):
        b = _moment(b.partition("/")[0])
    if isinstance(b, datetime) and isinstance(a, str):
        a = _moment(a.partition("/")[0])
    return a, b


def _moment(text: str) -> datetime | None:
    from datetime import UTC

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _part(name: str) -> Callable[[Any], Any]:
    return lambda v: float(getattr(v if isinstance(v, datetime) else _moment(str(v)), name))


def _shape(value: Any) -> Any:
    import json

    if isinstance(value, Mapping):
        value = value.get("geometry") or value
        return shapely.from_geojson(json.dumps(value))
    return value


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "substringof": lambda part, whole: str(part) in str(whole),
    "contains": lambda whole, part: str(part) in str(whole),
    "startswith": lambda whole, part: str(whole).startswith(str(part)),
    "endswith": lambda whole, part: str(whole).endswith(str(part)),
    "length": lambda v: float(len(v)),
    "tolower": lambda v: str(v).lower(),
    "toupper": lambda v: str(v).upper(),
    "trim": lambda v: str(v).strip(),
    **{name: _part(name) for name in ("year", "month", "day", "hour", "minute", "second")},
    "geo.intersects": lambda a, b: bool(shapely.intersects(_shape(a), _shape(b))),
    "st_intersects": lambda a, b: bool(shapely.intersects(_shape(a), _shape(b))),
    "st_within": lambda a, b: bool(shapely.within(_shape(a), _shape(b))),
    "geo.distance": lambda a, b: float(shapely.distance(_shape(a), _shape(b))),
    "st_distance": lambda a, b: float(shapely.distance(_shape(a), _shape(b))),
}
