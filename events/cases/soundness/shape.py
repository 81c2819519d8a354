"""Whether a body has the shape of a record: every key known, every value of its type, each named by its path.  Pure.

list(shape_problems({"clocks": {"reply": {"limt": {}}}}, Definition))
# clocks/reply: key 'limt' is unknown (close: 'limit'), clocks/reply: key 'limit' is missing, version: …
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import inspect

from events.cases.definition_problems import DefinitionProblem, problem, unknown

ANNOTATIONS = frozenset({"description", "note", "notes", "comment", "origin"})  # of people; the engine reads none
ZH = {
    "text": "文字",
    "boolean": "是或否",
    "integer": "整数",
    "number": "数",
    "object": "对象",
    "list": "列表",
    "value": "值",
}
_PLAIN: dict[type, tuple[type | tuple[type, ...], str]] = {
    inspect.StrType: (str, "text"), inspect.BoolType: (bool, "boolean"), inspect.IntType: (int, "integer"),
    inspect.FloatType: ((int, float), "number"),
}  # fmt: skip


def shape_problems(body: Any, record: type) -> Iterator[DefinitionProblem]:
    """Where ``body`` (JSON) is no ``record``; nothing when it can be read as one."""
    yield from _of("", body, _type_of(record))


@lru_cache(maxsize=64)
def _type_of(record: type) -> inspect.Type:
    return inspect.type_info(record)


def _of(at: str, value: Any, wanted: inspect.Type) -> Iterator[DefinitionProblem]:
    match wanted:
        case inspect.UnionType(types=types):
            if value is None and any(isinstance(each, inspect.NoneType) for each in types):
                return
            yield from _of_union(at, value, [each for each in types if not isinstance(each, inspect.NoneType)])
        case inspect.StructType():
            yield from _of_struct(at, value, wanted)
        case inspect.DictType(value_type=inner):
            if not isinstance(value, Mapping):
                yield _wrong(at, value, "object")
                return
            for key, each in value.items():
                if not isinstance(key, str) or not key:
                    yield problem(f"{at}/{key}".strip("/"), "name_wrong", name=key)
                yield from _of(f"{at}/{key}".lstrip("/"), each, inner)
        case inspect.VarTupleType(item_type=inner) | inspect.ListType(item_type=inner):
            if not isinstance(value, list | tuple):
                yield _wrong(at, value, "list")
                return
            for n, each in enumerate(value):
                yield from _of(f"{at}/{n}", each, inner)
        case inspect.LiteralType(values=values):
            if value not in values:
                yield unknown(at, "value_wrong", value, map(str, values))
        case inspect.AnyType():
            return
        case _:
            yield from _of_plain(at, value, wanted)


def _of_union(at: str, value: Any, types: list[inspect.Type]) -> Iterator[DefinitionProblem]:
    """An object goes by the record, a text by the plain type; of what fits neither the last one tells."""
    objects = [each for each in types if isinstance(each, inspect.StructType | inspect.DictType)]
    others = [each for each in types if each not in objects]
    chosen = (objects or others) if isinstance(value, Mapping) else (others or objects)
    yield from _of(at, value, chosen[0])


def _of_struct(at: str, value: Any, wanted: inspect.StructType) -> Iterator[DefinitionProblem]:
    if not isinstance(value, Mapping):
        yield _wrong(at, value, "object")
        return
    known = {field.encode_name: field for field in wanted.fields}
    for key in value:
        if key not in known and not _annotation(key):
            yield unknown(_join(at, key), "key_unknown", key, known)
    for name, field in known.items():
        if name in value:
            yield from _of(_join(at, name), value[name], field.type)
        elif field.required:
            yield problem(_join(at, name), "key_missing", name=name)


def _of_plain(at: str, value: Any, wanted: inspect.Type) -> Iterator[DefinitionProblem]:
    kind, name = _PLAIN.get(type(wanted), (object, "value"))
    mistaken = isinstance(value, bool) and kind is not bool
    if mistaken or not isinstance(value, kind) or (isinstance(value, float) and not math.isfinite(value)):
        yield _wrong(at, value, name)


def _annotation(key: Any) -> bool:
    return isinstance(key, str) and (key in ANNOTATIONS or key.startswith(("_", "$", "x-", "x_")))


def _wrong(at: str, value: Any, wanted: str) -> DefinitionProblem:
    return problem(at, "type_wrong", found=_kind(value), wanted=wanted, wanted_zh=ZH[wanted])


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "object"
    if isinstance(value, list | tuple):
        return "list"
    return "nothing" if value is None else repr(value)[:60]


def _join(at: str, key: Any) -> str:
    return f"{at}/{key}" if at else str(key)
