"""JSON and YAML whose objects name each key once; the parsers themselves keep the last one and say nothing."""

from __future__ import annotations

import json
from typing import Any

import yaml

from events.cases.definition_problems import DefinitionProblem, problem


def read_json(text: str, twice: list[DefinitionProblem]) -> Any:
    """What ``text`` holds; keys that stand twice in one object are added to ``twice`` with their line."""

    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in given:
            if key in found:
                twice.append(problem(key, "key_twice", name=key, line=_line(text, key)))
            found[key] = value
        return found

    body = json.loads(text, object_pairs_hook=pairs)
    _place(body, twice)
    return body


def _line(text: str, key: str) -> int:
    """The line of the last place where ``key`` is written as a key."""
    at = text.rfind(json.dumps(key, ensure_ascii=False))
    return text.count("\n", 0, at) + 1 if at >= 0 else 0


def _place(body: Any, twice: list[DefinitionProblem]) -> None:
    """Give each its path where the key is found once in the body."""
    for n, each in enumerate(twice):
        paths = [path for path in _paths(body, "") if path.rpartition("/")[2] == each.where]
        if len(paths) == 1:
            twice[n] = problem(paths[0], each.code, **each.values)


def _paths(body: Any, at: str) -> list[str]:
    if isinstance(body, dict):
        own = [f"{at}/{key}".lstrip("/") for key in body]
        return own + [path for key, value in body.items() for path in _paths(value, f"{at}/{key}".lstrip("/"))]
    return []


class _Loader(yaml.SafeLoader):
    """Tells keys that are written twice."""

    twice: list[DefinitionProblem]


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, dict | list):
            raise yaml.constructor.ConstructorError(None, None, "a key is no text", key_node.start_mark)
        if key in found:
            loader.twice.append(problem(str(key), "key_twice", name=key, line=key_node.start_mark.line + 1))
        found[key] = loader.construct_object(value_node, deep=True)
    return found


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(text: str, twice: list[DefinitionProblem]) -> Any:
    """The same of YAML; dates become ISO text, as JSON has them."""
    loader = _Loader(text)
    loader.twice = twice
    try:
        body = loader.get_single_data()
    finally:
        loader.dispose()
    _place(body, twice)
    return body
