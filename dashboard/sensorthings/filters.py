"""``$filter`` of SensorThings as a function of an entity.  Pure.

Understood: eq ne gt ge lt le, and or not, parentheses, add sub mul div mod, substringof contains startswith endswith
length tolower toupper trim, year month day hour minute second now, geo.intersects st_intersects st_within geo.distance
st_distance, literals (numbers, 'texts', times, duration'PT1H', true false null, geography'WKT').
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.errors import InputInvalid
from core.late import Late

if TYPE_CHECKING:
    import shapely
else:
    shapely = Late("shapely")

Resolve = Callable[[Any, str], Any]  # (entity, navigation property) -> entity or list of entities
Node = Callable[[Any, Resolve], Any]
_TOKEN = re.compile(
    r"\s*(?:(?P<geo>geography'(?:[^']|'')*')|(?P<span>duration'[^']*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?)|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<mark>[(),])|(?P<name>[@A-Za-z_][\w.@]*(?:/[@A-Za-z_][\w.@]*)*))"
)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_SPAN = re.compile(
    r"(-?)P(?:(\d{1,5}(?:\.\d+)?)D)?(?:T(?:(\d{1,6}(?:\.\d+)?)H)?(?:(\d{1,8}(?:\.\d+)?)M)?(?:(\d{1,9}(?:\.\d+)?)S)?)?"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip
_SUMS: dict[str, Callable[[float, float], float]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "mod": operator.mod,
}  # fmt: skip


def parse_filter(text: str) -> tuple[Node, tuple[str, ...]]:
    """``$filter`` as a function of an entity, and the properties that it names."""
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
    return node, tuple(parser.names)


def _wrong(text: str) -> InputInvalid:
    return InputInvalid(field="$filter", detail=f"{text.strip()[:60]!r} is not understood", how="see docs/api.md")


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.rest = tokens
        self.names: list[str] = []
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
        if kind == "name" and text not in _WORDS:
            self.names.append(text)
        return _literal(kind, text)

    def _call(self, name: str) -> Node:
        self.rest.pop(0)
        arguments: list[Node] = []
        while not self._takes(")"):
            arguments.append(self.either())
            self._takes(",")
            if len(arguments) > 3:
                raise _wrong(name)
        if name == "now" and not arguments:
            moment = datetime.now(UTC)
            return lambda e, r: moment
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
    elif kind == "span":
        value = _span(text[len("duration'") : -1])
    elif kind == "name" and text in _WORDS:
        value = _WORDS[text]
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
            return function(*_alike(left(entity, resolve), right(entity, resolve)))
        except (TypeError, ZeroDivisionError, OverflowError):
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
    if isinstance(b, datetime | timedelta) and isinstance(a, str):
        a = _moment(a.partition("/")[0])
    return a, b


def _span(text: str) -> timedelta:
    """``PT1H``, ``P1D`` … (XML Schema's dayTimeDuration, which OData takes)."""
    found = _SPAN.fullmatch(text)
    if not found or not any(found.groups()[1:]):
        raise _wrong(text)
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups()[1:])
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -span if found[1] else span


def _moment(text: str) -> datetime | None:
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
